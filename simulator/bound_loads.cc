#include "simulator/bound_loads.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <memory>
#include <utility>

#include "performance/power.h"
#include "performance/request_time.h"
#include "performance/share.h"
#include "scheduler/router_view.h"
#include "simulator/bound_engine.h"

namespace spillway {
namespace {

constexpr double kSecondsPerHour = 3600;
constexpr std::size_t kFloors = 3;

double InUsd(std::int64_t nanos) { return static_cast<double>(nanos) / kNanosPerUsd; }

bool Wants(const RequestBucket& bucket, const std::string& model) {
  return std::find(bucket.models.begin(), bucket.models.end(), model) != bucket.models.end();
}

// Contexts for which floors are made: of the buckets that this model may serve the shortest, the
// mean and the longest.
std::array<double, kFloors> ContextsOf(absl::Span<const RequestBucket> buckets,
                                       const std::string& model) {
  double low = std::numeric_limits<double>::infinity(), high = 0, decodes = 0, context = 0;
  for (const RequestBucket& bucket : buckets) {
    if (!Wants(bucket, model) || bucket.decodes == 0) continue;
    const double steps = static_cast<double>(bucket.decodes);
    const double tokens = static_cast<double>(bucket.decode_context);
    low = std::min(low, tokens / steps);
    high = std::max(high, tokens / steps);
    decodes += steps;
    context += tokens;
  }
  if (decodes == 0) return {};
  return {context / decodes, low, high};
}

// Engines of one model on one pool.
class ServedModel {
 public:
  ServedModel(const Catalog& catalog, const PoolSpec& pool, const ServeSpec& serve,
              absl::Span<const RequestBucket> buckets, const RequestLoads& options)
      : options_(options),
        round_trip_(pool.site.round_trip),
        times_(StepTimesFor(catalog, pool, serve)) {
    const Holding held = HoldingOf(pool, ReplicaNeeds(pool, serve));
    node_hours_ = held.share * held.nodes / kSecondsPerHour;
    if (!serve.work_class.empty()) {
      batch_ = BatchCapacityFor(catalog, pool, serve);
      prompt_ = ItemFloorFor(*batch_);
      return;
    }
    const auto limits = LimitsFor(catalog, pool, serve);
    fits_ = limits.ok() || limits.status().code() != absl::StatusCode::kFailedPrecondition;
    if (!limits.ok()) times_.reset();
    if (times_ == nullptr) return;
    limits_ = *limits;
    prompt_ = PromptFloorFor(*times_, limits_);
    for (const double context : ContextsOf(buckets, serve.model))
      floors_.push_back(DecodeFloorFor(*times_, limits_, context, options.prefix_cache));
  }

  bool Able(const RequestBucket& bucket) const {
    if (batch_) return HoldsItems(bucket);
    if (times_ == nullptr) return fits_;
    if (bucket.shortest > limits_.LongestSequence()) return false;
    if (!options_.ttft && !options_.tpot) return true;
    const bool answers = bucket.decodes > 0;
    const RequestTimes idle =
        TimesOf(*times_, limits_, EngineLoad{}, std::max<std::int64_t>(bucket.smallest_prompt, 1),
                answers ? 2 : 1);
    if (options_.ttft && idle.ttft + round_trip_ > *options_.ttft) return false;
    return !answers || !options_.tpot || idle.tpot <= *options_.tpot;
  }

  // Node-hours of the prompts, then of the answers by each floor.
  std::vector<double> NodeHours(const RequestBucket& bucket) const {
    if (times_ == nullptr && !batch_) return {};
    std::vector<double> hours;
    hours.push_back(prompt_ * static_cast<double>(bucket.prompt_tokens - bucket.cached_tokens));
    for (const DecodeFloor& floor : floors_) {
      hours.push_back(floor.At(static_cast<double>(bucket.decodes),
                               static_cast<double>(bucket.decode_context)));
    }
    for (double& part : hours) part *= node_hours_;
    return hours;
  }

 private:
  // Items stand as tokens of a prompt.
  bool HoldsItems(const RequestBucket& bucket) const {
    if (bucket.shortest > batch_->limits.max_items) return false;
    const absl::Duration least = batch_->times.Of(static_cast<int>(bucket.shortest)) + round_trip_;
    return !options_.ttft || least <= *options_.ttft;
  }

  RequestLoads options_;
  absl::Duration round_trip_;
  std::shared_ptr<const StepTimes> times_;      // null: the catalogue does not know
  std::shared_ptr<const BatchCapacity> batch_;  // null: an engine of tokens
  EngineLimits limits_;
  bool fits_ = true;
  double node_hours_ = 0;  // of one second of a replica
  double prompt_ = 0;      // seconds a token, or an item
  std::vector<DecodeFloor> floors_;
};

double TokensUsd(const PoolSpec& pool, const RequestBucket& bucket) {
  if (pool.billing != Billing::kToken) return 0;
  const auto cost = [](const std::optional<UsdPerMtoken>& price, std::int64_t tokens) {
    return price ? InUsd((*price * Tokens(tokens)).value()) : 0;
  };
  return cost(pool.price.input, bucket.prompt_tokens) +
         cost(pool.price.output, bucket.output_tokens);
}

// The least of what each able model takes there, part by part.
BoundLoad CheapestOf(const std::vector<std::pair<std::string, ServedModel>>& served,
                     const RequestBucket& bucket) {
  BoundLoad load;
  for (const auto& [model, engines] : served) {
    if (!Wants(bucket, model) || !engines.Able(bucket)) continue;
    std::vector<double> hours = engines.NodeHours(bucket);
    if (load.able) {
      hours.resize(std::min(hours.size(), load.node_hours.size()));
      for (std::size_t k = 0; k < hours.size(); ++k)
        hours[k] = std::min(hours[k], load.node_hours[k]);
    }
    load.able = true;
    load.node_hours = std::move(hours);
  }
  return load;
}

}  // namespace

BoundPool BoundPoolOf(const PoolSpec& pool, const BoundNodes& nodes) {
  BoundPool out{.name = pool.name, .nodes = pool.nodes, .available = nodes.span};
  switch (pool.billing) {
    case Billing::kMetered:
      out.node_hour = pool.price.node_hour.value_or(UsdPerHour(0));
      out.whole = nodes.whole;
      break;
    case Billing::kCommitted:
      if (nodes.energy) {
        const Footprint hour = FootprintOf(pool, {.share = 1, .whole = 1}, absl::Hours(1));
        out.node_hour = UsdPerHour(hour.energy_cost.value());
      }
      break;
    case Billing::kToken:
    case Billing::kUnpriced:
      break;
  }
  return out;
}

void RequestBucket::Add(std::int64_t prompt, std::int64_t cached, std::int64_t output) {
  const std::int64_t steps = std::max<std::int64_t>(output - 1, 0);
  const auto least = [this](std::int64_t& of, std::int64_t value) {
    of = requests == 0 ? value : std::min(of, value);
  };
  least(shortest, prompt + output);
  least(smallest_prompt, prompt - cached);
  ++requests;
  prompt_tokens += prompt;
  cached_tokens += cached;
  output_tokens += output;
  decodes += steps;
  decode_context += steps * prompt + steps * (steps - 1) / 2;
}

std::vector<std::vector<BoundLoad>> LoadsOf(const Catalog& catalog,
                                            absl::Span<const PoolSpec> pools,
                                            absl::Span<const RequestBucket> buckets,
                                            const RequestLoads& options) {
  std::vector<std::vector<BoundLoad>> loads(buckets.size());
  for (const PoolSpec& pool : pools) {
    std::vector<std::pair<std::string, ServedModel>> served;
    for (const ServeSpec& serve : pool.serves)
      served.emplace_back(serve.model, ServedModel(catalog, pool, serve, buckets, options));
    for (std::size_t r = 0; r < buckets.size(); ++r) {
      BoundLoad load = CheapestOf(served, buckets[r]);
      if (load.able) load.usd = TokensUsd(pool, buckets[r]);
      loads[r].push_back(std::move(load));
    }
  }
  return loads;
}

BoundLoad LoadOf(const SizedDemand& demand, const Needs& needs, const PoolSpec& pool,
                 const PoolSpeed& speed, absl::Duration if_unknown) {
  const JobLength length = LengthOf(demand, needs, speed, if_unknown);
  const Holding held = HoldingOf(pool, needs);
  return {.able = true, .node_hours = {absl::ToDoubleHours(length.p50) * held.share * held.nodes}};
}

}  // namespace spillway
