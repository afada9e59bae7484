#include "scheduler/router_estimate.h"

#include <algorithm>
#include <limits>

#include "performance/network.h"
#include "performance/request_time.h"
#include "scheduler/amounts.h"
#include "scheduler/router_batch.h"

namespace spillway {
namespace {

constexpr std::int64_t kAssumedOutput = 128;  // tokens of an answer when nothing is known
constexpr Usd kNoBound{std::numeric_limits<std::int64_t>::max()};

// Both are at least zero: what does not fit is infinitely dear, never negative.
Usd SumOf(Usd a, Usd b) { return a > kNoBound - b ? kNoBound : a + b; }

absl::Duration Corrected(absl::Duration time, std::int64_t micro) {
  if (time == absl::InfiniteDuration()) return time;
  return Scale(time, static_cast<double>(micro) / kMillion);
}

EngineLoad LoadOf(const ViewModel& model, const EndpointLoad& load) {
  return {.running = load.running,
          .waiting = load.waiting,
          .waiting_tokens = load.waiting_tokens,
          .context_tokens = load.context_tokens,
          .typical_output = model.output_p50,
          .answers = model.answers ? &*model.answers : nullptr};
}

// The share of an engine's time that sequences hold which work for `busy` among `others`.
absl::Duration ShareOf(absl::Duration busy, int others, int sequences) {
  if (IsInfinite(busy)) return busy;
  return absl::Nanoseconds(ToNanos(busy) / (others + sequences)) * sequences;
}

// Others in one batch with it.
int OthersOf(const Served& served, const EndpointLoad& load) {
  return std::min(load.running + load.waiting, std::max(served.limits.max_sequences - 1, 0));
}

// The share of the endpoint's time that a request holds from its arrival to its end.
absl::Duration HeldOn(const Served& served, const EndpointLoad& load, const RequestSize& size,
                      absl::Duration wait, absl::Duration busy) {
  if (served.batch) return BatchShareOf(wait + busy, load, size);
  return ShareOf(busy, OthersOf(served, load), size.sequences);
}

// Tokens of the prompt that its cache likely holds: never the last one.
std::int64_t CachedTokens(const ViewModel& model, const Served& served, const EndpointLoad& load,
                          const RequestSize& size) {
  if (!served.keeps_prefixes || size.prompts > 1 || size.output == 0) return 0;
  const std::int64_t seen =
      load.cached_blocks * kPrefixBlockBytes * kMillion / model.micro_bytes_per_token;
  return std::clamp<std::int64_t>(seen, 0, std::max<std::int64_t>(size.prompt - 1, 0));
}

}  // namespace

std::int64_t PlacesIn(const Served& served, const EndpointLoad& load) {
  return served.batch ? BatchLoadOf(load).items : load.running + load.waiting;
}

std::int64_t PlacesFor(const Served& served, const RequestSize& size) {
  return served.batch ? size.prompt : size.sequences;
}

RequestTiming TimingOn(const RouterView& view, const ViewEndpoint& endpoint, const Served& served,
                       const EndpointLoad& load, const RequestSize& size) {
  if (served.batch) return BatchTimingOn(view, endpoint, served, load, size);
  const ViewModel& model = view.models()[static_cast<std::size_t>(served.model)];
  const std::int64_t cached = CachedTokens(model, served, load, size);
  AskedTokens asked{.prompt = size.prompt - cached,
                    .output = size.output,
                    .prompts = size.prompts,
                    .longest_prompt = size.longest_prompt};
  const RequestTimes times = TimesOf(*served.steps, served.limits, LoadOf(model, load), asked);
  RequestTiming t;
  if (IsInfinite(times.ttft)) {
    t.wait = t.ttft = t.ttft_p90 = t.duration = t.duration_p90 = t.wait_p90 =
        absl::InfiniteDuration();
    return t;
  }
  const SpeedCorrection& by = served.correction;
  const double spread = SpreadOf(served.basis);
  const absl::Duration way =
      WayTo(view.pools()[endpoint.pool].spec->site, size.TextOf(size.prompt));
  // More prompts than it decodes at once are answered in turns.
  const std::int64_t turns = (size.prompts - 1) / std::max(served.limits.max_sequences, 1) + 1;
  const auto steps = std::max<std::int64_t>(size.output - 1, 0) * turns;
  const auto p90 = [&](absl::Duration raw, absl::Duration p50, std::int64_t micro) {
    return by.observed ? std::max(Corrected(raw, micro), p50) : Scale(p50, spread);
  };
  // Until others end is a matter of their lengths; the steps are decodes. The rest is speed.
  const absl::Duration raw_wait = times.wait - times.place, raw_first = times.ttft - times.place;
  const absl::Duration place = Corrected(times.place, by.tpot_p50);
  const absl::Duration place_p90 = Corrected(times.place_p90, by.tpot_p50);
  const absl::Duration wait = Corrected(raw_wait, by.ttft_p50);
  t.wait = wait + place;
  t.wait_p90 = p90(raw_wait, wait, by.ttft_p90) + place_p90;
  const absl::Duration first = Corrected(raw_first, by.ttft_p50);
  t.ttft = first + place + way;
  t.ttft_p90 = p90(raw_first, first, by.ttft_p90) + place_p90 + way;
  t.tpot = Corrected(times.tpot, by.tpot_p50);
  // How long it waits for others says nothing about how fast an engine is; nor does a beginning
  // that may, or may not, be in its cache.
  if (times.place == absl::ZeroDuration() && cached == 0) t.raw_ttft = times.ttft;
  t.raw_tpot = times.tpot;
  t.tpot_p90 = p90(times.tpot, t.tpot, by.tpot_p90);
  t.duration = t.ttft - t.wait + t.tpot * steps;
  t.duration_p90 = t.ttft_p90 - t.wait_p90 + t.tpot_p90 * steps;
  return t;
}

Usd Charge(const RouterView& view, const ViewEndpoint& endpoint, absl::Duration held,
           const RequestSize& size, std::int64_t all_output, Estimate& out) {
  const ViewPool& pool = view.pools()[endpoint.pool];
  const PoolSpec& spec = *pool.spec;
  out.energy = endpoint.dynamic * held;
  const Joules with_pue = Scale(out.energy, spec.power.pue);
  out.carbon = spec.site.carbon.value_or(GramsCo2ePerKwh(0)) * with_pue;
  const Usd egress = EgressOf(spec.site, size.TextOf(all_output));
  if (spec.billing == Billing::kToken) {
    out.priced = pool.price.input || pool.price.output;
    out.cost = SumOf(SumOf(pool.price.input.value_or(UsdPerMtoken(0)) * Tokens(size.prompt),
                           pool.price.output.value_or(UsdPerMtoken(0)) * Tokens(all_output)),
                     egress);
    out.marginal_cost = out.cost;
    return egress;
  }
  out.priced = IsPriced(spec, pool.price);
  if (!out.priced) return Usd(0);
  out.cost = endpoint.rate * held;
  out.marginal_cost = spec.billing == Billing::kCommitted
                          ? spec.power.tariff.value_or(UsdPerKwh(0)) * with_pue
                          : out.cost;
  out.cost = SumOf(out.cost, egress);
  out.marginal_cost = SumOf(out.marginal_cost, egress);
  return egress;
}

Estimate EstimateFrom(const RouterView& view, const ViewEndpoint& endpoint, const Served& served,
                      const EndpointLoad& load, const RequestSize& size, const RequestTiming& t) {
  Estimate e;
  e.wait = {t.wait, t.wait_p90};
  e.duration = {t.duration, t.duration_p90};
  e.ttft = t.ttft;
  if (size.output > 1) e.tpot = t.tpot;
  e.basis = served.basis;
  const absl::Duration way =
      WayTo(view.pools()[endpoint.pool].spec->site, size.TextOf(size.prompt));
  Charge(view, endpoint, HeldOn(served, load, size, t.wait, t.duration - way), size,
         size.output * size.sequences, e);
  return e;
}

RequestSize SizeOf(const RouterView& view, const RequestShape& shape,
                   const RequestFeatures& features) {
  if (features.kind == ModelKind::kBatch) {
    const int items = std::max(features.items, 1);
    return {.prompt = items, .longest_prompt = items};
  }
  RequestSize size{.sequences = features.sequences(), .prompts = std::max(features.prompts, 1)};
  if (shape.models.empty()) return size;
  const ViewModel& model = view.models()[static_cast<std::size_t>(shape.models.front())];
  const std::int64_t micro = model.micro_bytes_per_token;
  size.micro_bytes = micro;
  const auto tokens = [&](std::int64_t bytes) {
    return std::max<std::int64_t>((bytes * kMillion + micro - 1) / micro, 1);
  };
  size.prompt = std::max<std::int64_t>(tokens(features.prompt_bytes), size.prompts);
  size.longest_prompt = size.prompts > 1 ? tokens(features.longest_prompt_bytes) : size.prompt;
  if (features.kind == ModelKind::kEmbedding) return size;
  size.output = model.output_p50 > 0 ? model.output_p50 : kAssumedOutput;
  if (features.max_tokens) size.output = std::min(size.output, *features.max_tokens);
  size.output = std::max<std::int64_t>(size.output, 1);
  return size;
}

Estimate EstimateOn(const RouterView& view, const ViewEndpoint& endpoint, const Served& served,
                    const EndpointLoad& load, const RequestSize& size) {
  return EstimateFrom(view, endpoint, served, load, size,
                      TimingOn(view, endpoint, served, load, size));
}

std::int64_t LongestAnswer(const Served& served, const RequestFeatures& features,
                           const RequestSize& size) {
  if (features.kind != ModelKind::kChat) return 0;
  return std::max(size.output,
                  features.max_tokens.value_or(served.longest() - size.longest_prompt));
}

std::int64_t LikelyLongest(const RouterView& view, const Served& served,
                           const RequestFeatures& features, const RequestSize& size) {
  if (features.max_tokens || features.kind != ModelKind::kChat)
    return LongestAnswer(served, features, size);
  const ViewModel& model = view.models()[static_cast<std::size_t>(served.model)];
  return std::max(model.output_p90, size.output * 2);
}

Usd MostCostOn(const RouterView& view, const ViewEndpoint& endpoint, const Served& served,
               const EndpointLoad& load, const RequestSize& size, std::int64_t longest) {
  const PoolSpec& spec = *view.pools()[endpoint.pool].spec;
  RequestSize most = size;
  most.output = longest;
  Estimate at_most;
  if (spec.billing == Billing::kToken) {
    Charge(view, endpoint, absl::ZeroDuration(), most, longest * size.sequences, at_most);
    return at_most.cost;
  }
  // What its blocks do not hold, it cannot answer either.
  most.output =
      std::min(longest, std::max(served.longest() - size.longest_prompt, std::int64_t{0}));
  const RequestTiming t = TimingOn(view, endpoint, served, load, most);
  if (IsInfinite(t.duration_p90)) return kNoBound;
  const absl::Duration held = t.duration_p90 - WayTo(spec.site, size.TextOf(size.prompt));
  Charge(view, endpoint, HeldOn(served, load, size, t.wait_p90, held), most,
         most.output * size.sequences, at_most);
  return at_most.cost;
}

}  // namespace spillway
