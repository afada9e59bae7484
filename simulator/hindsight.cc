#include "simulator/hindsight.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "performance/network.h"

namespace spillway {
namespace {

// Ids of requests in copies: none of the world's is so large.
constexpr std::uint64_t kAsked = std::uint64_t{1} << 62;
constexpr std::uint64_t kLater = std::uint64_t{1} << 48;

EndpointLoad LoadOf(const VirtualServer& server) {
  return {.running = server.running,
          .waiting = server.waiting,
          .waiting_tokens = server.waiting_tokens,
          .context_tokens = server.context_tokens};
}

absl::Span<const std::uint64_t> SpanOf(const PrefixBlocks& blocks) {
  return blocks ? absl::MakeConstSpan(*blocks) : absl::Span<const std::uint64_t>();
}

struct Offer {
  std::uint32_t endpoint = 0;
  Estimate estimate;
};

// By its true lengths.
Estimate EstimateAt(const RequestHindsight::Placement& asked, std::uint32_t place,
                    const VirtualServer& server) {
  const ViewEndpoint& endpoint = asked.view.endpoints()[place];
  const bool has_items = asked.features.kind == ModelKind::kBatch;
  const RequestSize size =
      has_items ? RequestSize{.prompt = asked.items}
                : RequestSize{.prompt = asked.prompt_tokens, .output = asked.output_tokens};
  return EstimateOn(asked.view, endpoint, *endpoint.Find(asked.shape.models), LoadOf(server), size);
}

// The endpoint of the pool that would give the first token soonest; none: all are down, or never
// hold it.
std::optional<Offer> SoonestOf(const RequestShape::OnPool& pool,
                               const RequestHindsight::Placement& asked,
                               const std::vector<VirtualServer>& servers) {
  std::optional<Offer> best;
  for (const std::uint32_t place : pool.endpoints) {
    if (!servers[place].up) continue;
    const Estimate estimate = EstimateAt(asked, place, servers[place]);
    const absl::Duration ttft = estimate.ttft.value_or(absl::InfiniteDuration());
    if (ttft == absl::InfiniteDuration()) continue;
    if (!best || ttft < *best->estimate.ttft) best = Offer{place, estimate};
  }
  return best;
}

}  // namespace

bool IsLastResort(const PoolSpec& pool, const PolicySpec& policy) {
  if (policy.claim.backstop) return policy.claim.backstop->Matches(pool);
  return pool.vendor == "nvidia";
}

void RegretTally::Examined(const std::optional<Regret>& regret) {
  ++out_.examined;
  if (!regret) return;
  ++out_.avoidable;
  out_.saved += regret->saved;
  RegretOfPool& pool = pools_[regret->pool];
  ++pool.count;
  pool.saved += regret->saved;
}

RegretOutcome RegretTally::Outcome() const {
  RegretOutcome out = out_;
  for (const auto& [name, pool] : pools_) out.pools.push_back({name, pool.count, pool.saved});
  return out;
}

void RequestHindsight::Placed(const Placement& asked, const std::vector<VirtualServer>& servers,
                              absl::FunctionRef<std::vector<PrefixBlocks>(std::uint32_t)> kept_on,
                              RegretTally& tally, absl::Time now) {
  const RouterView& view = asked.view;
  const PolicySpec& policy = *view.inputs().policy;
  const auto spec = [&](std::uint32_t pool) -> const PoolSpec& { return *view.pools()[pool].spec; };
  const std::uint32_t there = view.endpoints()[asked.endpoint].pool;
  if (!IsLastResort(spec(there), policy)) return;
  tally.Placed();
  if ((tally.placements() - 1) % stride_ != 0 || copies_.size() >= kMostCopies) return;

  const Estimate chosen = EstimateAt(asked, asked.endpoint, servers[asked.endpoint]);
  Question question{.within = asked.ttft};
  question.candidates.push_back(
      {.pool = spec(there).name, .backstop = true, .able = true, .cost = chosen.marginal_cost});
  const std::uint64_t id = ++last_question_;
  for (std::uint32_t p = 0; p < asked.shape.pools.size(); ++p) {
    const RequestShape::OnPool& pool = asked.shape.pools[p];
    if (p == there || !pool.codes.empty() || IsLastResort(spec(p), policy)) continue;
    const auto offer = SoonestOf(pool, asked, servers);
    if (!offer || !offer->estimate.priced) continue;
    if (offer->estimate.marginal_cost >= chosen.marginal_cost) continue;
    const VirtualServer& server = servers[offer->endpoint];
    Copy copy{.question = id,
              .candidate = question.candidates.size(),
              .endpoint = offer->endpoint,
              .model = server.model->Clone(),
              .kept = kept_on(offer->endpoint),
              .arrived = asked.features.arrived,
              .placed = now,
              .at = now,
              .first = absl::InfiniteFuture(),
              .way = WayTo(spec(p).site, Bytes(asked.features.prompt_bytes)),
              .ttft = asked.ttft,
              .tpot = asked.tpot,
              .output_tokens = asked.output_tokens,
              .last_id = kLater};
    question.candidates.push_back({.pool = spec(p).name, .cost = offer->estimate.marginal_cost});
    const bool taken = copy.model->Add({.id = kAsked,
                                        .prompt_tokens = asked.prompt_tokens,
                                        .output_tokens = asked.output_tokens,
                                        .prefix = SpanOf(asked.blocks),
                                        .items = asked.items},
                                       now);
    if (!taken) continue;  // stays unable
    copy.kept.push_back(asked.blocks);
    copies_.push_back(std::move(copy));
    ++question.open;
  }
  if (question.open == 0) return tally.Examined(std::nullopt);
  questions_.emplace(id, std::move(question));
}

RequestHindsight::Known RequestHindsight::Hear(Copy& copy, const StepOutput& output) {
  if (output.id != kAsked) return Known::kNotYet;
  if (output.first) {
    copy.first = copy.at;
    HindsightCandidate& there = questions_.at(copy.question).candidates[copy.candidate];
    there.free_after = copy.placed - copy.arrived + output.queued;
    there.takes = copy.first - copy.arrived + copy.way - there.free_after;
    if (there.free_after + there.takes > copy.ttft) return Known::kLate;
  }
  if (!output.last) return Known::kNotYet;
  if (copy.output_tokens < 2) return Known::kInTime;
  const absl::Duration each = (copy.at - copy.first) / (copy.output_tokens - 1);
  return each <= copy.tpot ? Known::kInTime : Known::kLate;
}

RequestHindsight::Known RequestHindsight::Advance(Copy& copy, absl::Time until) {
  for (;;) {
    const absl::Time end = copy.model->NextEvent(copy.at);
    if (end >= until || end == absl::InfiniteFuture()) return Known::kNotYet;
    copy.at = end;
    outputs_.clear();
    copy.model->Advance(end, outputs_);
    for (const StepOutput& output : outputs_) {
      if (const Known known = Hear(copy, output); known != Known::kNotYet) return known;
    }
  }
}

void RequestHindsight::Settle(const Copy& copy, Known known, RegretTally& tally) {
  const auto question = questions_.find(copy.question);
  question->second.candidates[copy.candidate].able = known == Known::kInTime;
  if (--question->second.open > 0) return;
  tally.Examined(RegretOf(question->second.candidates, 0, question->second.within));
  questions_.erase(question);
  if (tally.examined() % kMostDense == 0) stride_ *= 2;
}

// Keeps the copies of which `keeps` says so.
template <class Keeps>
void RequestHindsight::Sweep(Keeps keeps) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < copies_.size(); ++i) {
    if (!keeps(copies_[i])) continue;
    if (kept != i) copies_[kept] = std::move(copies_[i]);
    ++kept;
  }
  copies_.erase(copies_.begin() + static_cast<std::ptrdiff_t>(kept), copies_.end());
}

void RequestHindsight::Added(std::uint32_t endpoint, ServerTask task, const PrefixBlocks& blocks,
                             RegretTally& tally, absl::Time now) {
  Sweep([&](Copy& copy) {
    if (copy.endpoint != endpoint) return true;
    if (const Known known = Advance(copy, now); known != Known::kNotYet) {
      Settle(copy, known, tally);
      return false;
    }
    copy.at = std::max(copy.at, now);
    task.id = ++copy.last_id;
    task.prefix = SpanOf(blocks);
    copy.kept.push_back(blocks);
    copy.model->Add(task, now);
    return true;
  });
}

void RequestHindsight::Lost(std::uint32_t endpoint, RegretTally& tally) {
  Sweep([&](Copy& copy) {
    if (copy.endpoint != endpoint) return true;
    Settle(copy, Known::kLate, tally);
    return false;
  });
}

void RequestHindsight::Finish(RegretTally& tally) {
  Sweep([&](Copy& copy) {
    const Known known = Advance(copy, absl::InfiniteFuture());
    Settle(copy, known == Known::kInTime ? known : Known::kLate, tally);
    return false;
  });
}

}  // namespace spillway
