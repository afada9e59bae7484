#include "scheduler/decider.h"

#include <algorithm>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace spillway {
namespace {

constexpr std::size_t kAhead = 4;  // turns of a loop over pools: a read of the memory takes so long
constexpr std::uint32_t Bit(Code code) { return 1u << static_cast<unsigned>(code); }

// It would do, but for the time.
bool OnlyLate(const Judged& j) { return (j.codes.bits() & ~Bit(Code::kTooLate)) == 0; }
bool InTime(const Judged& j) { return j.codes.empty(); }

CodeSet AvailabilityOf(const PoolRun& pool, const ShapeOnPool& on_pool) {
  CodeSet codes;
  if (pool.removed || pool.nodes().UpIn(on_pool.group) < on_pool.nodes) codes.Add(Code::kDown);
  if (pool.state == PoolState::kCordoned) codes.Add(Code::kCordoned);
  if (pool.state == PoolState::kDraining) codes.Add(Code::kDraining);
  return codes;
}

// The pool as this shape sees it, looked at anew only if something there has changed.
const Glance& Look(const Shape& shape, const PoolRun& pool, const Policy& policy) {
  Glance& glance = shape.glances[Index(pool.id())];
  if (glance.version == pool.version()) return glance;
  const ShapeOnPool& on_pool = shape.pools[Index(pool.id())];
  glance.version = pool.version();
  glance.unavailable = AvailabilityOf(pool, on_pool);
  glance.fits =
      !glance.unavailable.Has(Code::kDown) && pool.Fits(on_pool.slot, on_pool.nodes, on_pool.group);
  glance.boots =
      glance.fits && on_pool.boot &&
      (on_pool.BootsAlways() ||
       pool.OpensNode(on_pool.slot, on_pool.nodes, on_pool.group, policy.NodesOf(pool.spec())));
  glance.good_until = absl::InfinitePast();
  return glance;
}

Quantiles WaitAlone(const Shape& shape, const PoolRun& pool, absl::Time now) {
  Glance& glance = shape.glances[Index(pool.id())];
  if (now > glance.good_until) {
    const ShapeOnPool& on_pool = shape.pools[Index(pool.id())];
    const Quantiles wait =
        pool.Wait(on_pool.slot, on_pool.nodes, on_pool.group, on_pool.micro_nodes, Load(), now);
    glance.ready_p50 = now + wait.p50;
    glance.ready_p90 = now + wait.p90;
    glance.good_until = std::max(now, pool.FirstEnd());
    return wait;
  }
  const auto left = [&](absl::Time ready) { return std::max(ready - now, absl::ZeroDuration()); };
  return {left(glance.ready_p50), left(glance.ready_p90)};
}

// What holding its nodes comes to: while they boot, too.
Amounts AmountsIn(const ShapeOnPool& on_pool, const Judged& j) {
  Amounts amounts{.cost = on_pool.cost,
                  .marginal = on_pool.marginal,
                  .energy = on_pool.energy,
                  .carbon = on_pool.carbon};
  return j.boots ? amounts + on_pool.boot->amounts : amounts;
}

// Past the objective at p90, and by how much: both parts of an objective count, the deadline first.
void JudgeTime(const Objective& objective, const Ask& ask, const ShapeOnPool& on_pool,
               absl::Time now, Judged& j) {
  if (objective.deadline) {
    const absl::Duration found = j.wait.p90 + on_pool.duration.p90;
    const absl::Duration wanted = *objective.deadline - now;
    if (found > wanted) {
      if (j.codes.empty()) j.figures = {ToNanos(found), ToNanos(wanted)};
      j.codes.Add(Code::kTooLate);
      return;
    }
  }
  if (objective.start_within) {
    const absl::Duration found = now - ask.submitted + j.wait.p90;
    if (found > *objective.start_within) {
      if (j.codes.empty()) j.figures = {ToNanos(found), ToNanos(*objective.start_within)};
      j.codes.Add(Code::kTooLate);
    }
  }
}

// A thousand pools are more than the nearest caches hold, and they come in the order of their cost:
// what the loop will read is asked for some turns ahead.
void PrefetchFor(const Shape& shape, PoolId pool) {
  constexpr std::size_t kLine = 64;
  const ShapeOnPool* const on_pool = &shape.pools[Index(pool)];
  for (std::size_t at = 0; at < sizeof(ShapeOnPool); at += kLine)
    __builtin_prefetch(reinterpret_cast<const char*>(on_pool) + at);
  __builtin_prefetch(&shape.glances[Index(pool)]);
}

}  // namespace

void Decider::Judge(const Ask& ask, const Shape& shape, const Policy& policy,
                    absl::Span<const Claim> order, absl::Span<const std::unique_ptr<PoolRun>> pools,
                    absl::Time now) {
  draft_.judged.clear();
  draft_.judged.resize(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const Claim& claim = order[i];
    if (i + 2 * kAhead < order.size()) pools[Index(order[i + 2 * kAhead].pool)]->Prefetch();
    if (i + kAhead < order.size()) PrefetchFor(shape, order[i + kAhead].pool);
    const PoolRun& pool = *pools[Index(claim.pool)];
    const ShapeOnPool& on_pool = shape.pools[Index(claim.pool)];
    const Objective& objective = FaceOf(ask.work, on_pool.alternative).objective;
    Judged& j = draft_.judged[i];
    j.pool = claim.pool;
    j.tier = claim.tier;
    j.backstop = claim.backstop;
    const Glance& glance = Look(shape, pool, policy);
    j.codes = glance.unavailable;
    const bool ahead = pool.backlog().AnyAhead(ask.rank);
    j.startable = !ahead && glance.fits;
    j.boots = j.startable ? glance.boots : on_pool.BootsAlways();
    const Usd expected = j.boots ? on_pool.cost + on_pool.boot->amounts.cost : on_pool.cost;
    if (!on_pool.priced && (!policy.spec().allow_unpriced || objective.max_cost))
      j.codes.Add(Code::kUnpriced);
    if (on_pool.priced && objective.max_cost && expected > *objective.max_cost) {
      if (j.codes.empty()) j.figures = {expected.value(), objective.max_cost->value()};
      j.codes.Add(Code::kTooDear);
    }
    const auto cost = on_pool.priced ? std::optional(expected) : std::nullopt;
    if (!ask.budget.Allows(pool.spec(), cost)) {
      if (j.codes.empty()) j.figures = {expected.value(), ask.budget.left->value()};
      j.codes.Add(Code::kBudget);
    }
    if (j.codes.Has(Code::kDown)) {
      j.wait = {absl::InfiniteDuration(), absl::InfiniteDuration()};
      continue;
    }
    if (ahead) {
      j.wait = pool.Wait(on_pool.slot, on_pool.nodes, on_pool.group, on_pool.micro_nodes,
                         pool.backlog().Ahead(ask.rank), now);
    } else if (!j.startable) {
      j.wait = WaitAlone(shape, pool, now);
    }
    if (j.boots)
      j.wait = {j.wait.p50 + on_pool.boot->time.p50, j.wait.p90 + on_pool.boot->time.p90};
    JudgeTime(objective, ask, on_pool, now, j);
  }
}

int Decider::FirstStartable(bool in_time_only) const {
  for (std::size_t i = 0; i < draft_.judged.size(); ++i) {
    const Judged& j = draft_.judged[i];
    if (j.startable && (in_time_only ? InTime(j) : OnlyLate(j))) return static_cast<int>(i);
  }
  return -1;
}

absl::Time Decider::LatestStart(const Ask& ask, const Shape& shape, const Judged& j) const {
  const ShapeOnPool& on_pool = shape.pools[Index(j.pool)];
  const Objective& objective = FaceOf(ask.work, on_pool.alternative).objective;
  absl::Time latest = absl::InfiniteFuture();
  if (objective.start_within) latest = ask.submitted + *objective.start_within;
  if (objective.deadline) latest = std::min(latest, *objective.deadline - on_pool.duration.p90);
  return j.boots ? latest - on_pool.boot->time.p90 : latest;
}

void Decider::Place(const Shape& shape, const Policy& policy,
                    absl::Span<const std::unique_ptr<PoolRun>> pools, int candidate,
                    std::uint64_t turn) {
  // All of the tier that are as good: in time (or as late) and startable.
  const Judged first = draft_.judged[static_cast<std::size_t>(candidate)];
  options_.clear();
  option_index_.clear();
  for (std::size_t i = static_cast<std::size_t>(candidate); i < draft_.judged.size(); ++i) {
    const Judged& j = draft_.judged[i];
    if (j.tier != first.tier) break;
    if (!j.startable || j.codes != first.codes) continue;
    const ShapeOnPool& on_pool = shape.pools[Index(j.pool)];
    const Amounts amounts = AmountsIn(on_pool, j);
    // Of what could start at once only boots are waited for.
    options_.push_back({j.pool, amounts.marginal, j.wait.p50 + on_pool.duration.p50, amounts.energy,
                        amounts.carbon, pools[Index(j.pool)]->LoadShare()});
    option_index_.push_back(static_cast<int>(i));
  }
  const std::size_t picked = options_.size() == 1 ? 0 : policy.choice().Pick(options_, turn);
  draft_.chosen = option_index_[picked];
  draft_.outcome = Outcome::kPlaced;
  Judged& chosen = draft_.judged[static_cast<std::size_t>(draft_.chosen)];
  chosen.verdict = Verdict::kChosen;
  chosen.codes.Add(Code::kChosen);
}

void Decider::SpillOrWait(const Ask& ask, const Shape& shape, const Policy& policy, int candidate,
                          absl::Time now) {
  const int tier = draft_.judged[static_cast<std::size_t>(candidate)].tier;
  int awaited = -1;
  for (int i = 0; i < candidate && awaited < 0; ++i) {
    const Judged& j = draft_.judged[static_cast<std::size_t>(i)];
    if (j.tier < tier && InTime(j)) awaited = i;
  }
  if (awaited < 0) return;
  const absl::Time latest =
      LatestStart(ask, shape, draft_.judged[static_cast<std::size_t>(candidate)]);
  const absl::Time spill_at = policy.spill().SpillAt({ask.submitted, ask.work.kind, latest});
  const bool waits = now < spill_at;
  for (int i = 0; i < candidate; ++i) {
    Judged& j = draft_.judged[static_cast<std::size_t>(i)];
    if (j.tier >= tier || !InTime(j)) continue;
    if (waits) {
      j.verdict = Verdict::kAwaited;
      j.codes.Add(Code::kBusy);
      continue;
    }
    // It has been waited for as long as the policy waits: any more would eat the reserve.
    j.figures = {ToNanos(now - ask.submitted + j.wait.p90),
                 ToNanos(std::max(spill_at - ask.submitted, absl::ZeroDuration()))};
    j.codes.Add(Code::kTooLate);
  }
  if (!waits) return;
  draft_.planned = awaited;
  draft_.spill_at = spill_at;
}

void Decider::Wait(const Ask& ask, const Shape& shape, absl::Time now) {
  absl::Time last_chance = absl::InfinitePast();
  absl::Duration soonest = absl::InfiniteDuration();
  int soonest_late = -1;
  for (std::size_t i = 0; i < draft_.judged.size(); ++i) {
    Judged& j = draft_.judged[i];
    if (InTime(j)) {
      if (draft_.planned < 0) draft_.planned = static_cast<int>(i);
      last_chance = std::max(last_chance, LatestStart(ask, shape, j));
      j.verdict = Verdict::kAwaited;
      j.codes.Add(Code::kBusy);
    } else if (OnlyLate(j)) {
      const absl::Duration finish = j.wait.p50 + shape.pools[Index(j.pool)].duration.p50;
      if (finish < soonest) {
        soonest = finish;
        soonest_late = static_cast<int>(i);
      }
    }
  }
  if (draft_.planned >= 0) {
    // Nothing to spill to; once the last of them would be too late, the work is late and goes
    // anywhere.
    const absl::Time after = last_chance + absl::Nanoseconds(1);
    draft_.spill_at =
        last_chance == absl::InfiniteFuture() || after <= now ? absl::InfiniteFuture() : after;
    return;
  }
  draft_.late = soonest_late >= 0;
  if (!draft_.late) return;
  draft_.planned = soonest_late;
  Judged& j = draft_.judged[static_cast<std::size_t>(soonest_late)];
  j.verdict = Verdict::kAwaited;
  j.codes.Add(Code::kBusy);
}

void Decider::Hash(const Ask& ask, const Shape& shape, const Policy& policy, absl::Time now) {
  hashed_.clear();
  const auto add = [&](auto value) { hashed_.push_back(static_cast<std::uint64_t>(value)); };
  add(shape.hash);
  add(shape.survey_hash);
  add(shape.rule);
  add(policy.spec().seed);
  add(absl::ToUnixNanos(now));
  add(absl::ToUnixNanos(ask.submitted));
  add(ask.rank.key);
  if (ask.budget.left) add(ask.budget.left->value());
  for (const Judged& j : draft_.judged) {
    add(Index(j.pool) | (j.startable ? std::uint64_t{1} << 32 : 0) |
        std::uint64_t{j.codes.bits()} << 33);
    if (j.startable && !j.boots) continue;
    add(ToNanos(j.wait.p50));
    add(ToNanos(j.wait.p90));
  }
  draft_.inputs_hash = XXH64(hashed_.data(), hashed_.size() * sizeof hashed_[0], 0);
}

const Draft& Decider::Decide(const Ask& ask, const Shape& shape, const Policy& policy,
                             absl::Span<const std::unique_ptr<PoolRun>> pools, absl::Time now,
                             std::uint64_t turn, std::uint64_t draw) {
  absl::Span<const Claim> order = shape.order;
  if (policy.spec().claim.order == OrderBy::kRandom) {
    claimants_.clear();
    for (const Claim& claim : shape.order) {
      const ShapeOnPool& on_pool = shape.pools[Index(claim.pool)];
      claimants_.push_back(
          {claim.pool, &pools[Index(claim.pool)]->spec(), on_pool.MarginalInOrder()});
    }
    policy.Arrange(ask.work, shape.rule, claimants_, draw, order_);
    order = order_;
  }
  draft_.outcome = Outcome::kWaiting;
  draft_.chosen = draft_.planned = -1;
  draft_.late = false;
  draft_.spill_at = absl::InfiniteFuture();
  Judge(ask, shape, policy, order, pools, now);
  Hash(ask, shape, policy, now);
  const int in_time = FirstStartable(true);
  if (in_time >= 0) {
    SpillOrWait(ask, shape, policy, in_time, now);
    if (draft_.planned < 0) Place(shape, policy, pools, in_time, turn);
  } else {
    const bool any_in_time = std::any_of(draft_.judged.begin(), draft_.judged.end(), InTime);
    const int late = any_in_time ? -1 : FirstStartable(false);
    if (late >= 0) {
      draft_.late = true;
      Place(shape, policy, pools, late, turn);
    } else {
      Wait(ask, shape, now);
    }
  }
  for (Judged& j : draft_.judged) {
    if (j.verdict == Verdict::kChosen || j.verdict == Verdict::kAwaited) continue;
    j.verdict = j.codes.empty() ? Verdict::kOutranked : Verdict::kRefused;
    if (!j.codes.empty()) continue;
    j.codes.Add(Code::kOutranked);
    j.figures = {AmountsIn(shape.pools[Index(j.pool)], j).marginal.value(), 0};
  }
  return draft_;
}

bool IsBeyondBudget(const Draft& draft) {
  return !draft.judged.empty() &&
         std::all_of(draft.judged.begin(), draft.judged.end(),
                     [](const Judged& j) { return j.codes.Has(Code::kBudget); });
}

namespace {

Estimate EstimateOf(const ShapeOnPool& on_pool, const Judged& j) {
  const Amounts amounts = AmountsIn(on_pool, j);
  return {.wait = j.wait,
          .duration = on_pool.duration,
          .ttft = std::nullopt,
          .tpot = std::nullopt,
          .cost = amounts.cost,
          .marginal_cost = amounts.marginal,
          .energy = amounts.energy,
          .carbon = amounts.carbon,
          .priced = on_pool.priced,
          .basis = on_pool.basis};
}

}  // namespace

Decision Expand(const Draft& draft, const Ask& ask, const Shape& shape, const Policy& policy) {
  Decision decision;
  decision.tenant = ask.work.tenant;
  decision.outcome = draft.outcome;
  decision.policy = policy.spec().name;
  if (shape.rule >= 0)
    decision.rule = policy.spec().rules[static_cast<std::size_t>(shape.rule)].name;
  decision.inputs_hash = draft.inputs_hash;
  decision.spill_at = draft.outcome == Outcome::kWaiting ? draft.spill_at : absl::InfiniteFuture();
  decision.baseline = shape.baseline;
  decision.candidates.resize(shape.pools.size());
  for (std::size_t i = 0; i < shape.pools.size(); ++i) {
    Candidate& c = decision.candidates[i];
    c.pool = PoolId{static_cast<std::uint32_t>(i)};
    c.codes = shape.pools[i].codes;
    c.figures = shape.pools[i].figures;
    c.alternative = static_cast<std::int16_t>(shape.pools[i].alternative);
  }
  for (std::size_t i = 0; i < draft.judged.size(); ++i) {
    const Judged& j = draft.judged[i];
    Candidate& c = decision.candidates[Index(j.pool)];
    c.verdict = j.verdict;
    c.codes = j.codes;
    if (j.verdict == Verdict::kChosen && !ask.work.pin.empty()) c.codes.Add(Code::kPinned);
    c.figures = j.figures;
    c.position = static_cast<std::int16_t>(std::min(j.tier, 32767));
    c.backstop = j.backstop;
    c.has_estimate = true;
    c.estimate = EstimateOf(shape.pools[Index(j.pool)], j);
    if (j.verdict == Verdict::kChosen) {
      decision.chosen = j.pool;
      c.figures = {c.estimate.cost.value(), 0};
    }
  }
  return decision;
}

}  // namespace spillway
