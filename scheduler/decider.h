#pragma once

#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "core/decision.h"
#include "core/work.h"
#include "policies/policy.h"
#include "scheduler/budgets.h"
#include "scheduler/pool_run.h"
#include "scheduler/shape.h"

namespace spillway {

// One piece of work asks.
struct Ask {
  const Work& work;
  absl::Time submitted;
  QueueRank rank;      // its place in the queue: who stands behind does not count
  BudgetBound budget;  // of its tenant
};

// What was found out about one able pool: the part of a decision that depends on load and time.
struct Judged {
  PoolId pool = kNoPool;
  int tier = 0;
  bool backstop = false;
  bool startable = false;  // at once: it fits, and nobody ahead counts on the pool
  bool boots = false;      // nodes have to be switched on for it
  Verdict verdict = Verdict::kOutranked;
  CodeSet codes;
  Figures figures;
  Quantiles wait;  // boot included
};

// A decision in the decider's arena: valid until the next one. Pools that cannot are not in it; the
// shape has their codes.
struct Draft {
  Outcome outcome = Outcome::kWaiting;
  std::vector<Judged> judged;  // in claim order
  int chosen = -1;             // index into judged
  int planned = -1;   // waiting: which pool it counts on; -1: none could take it as things are
  bool late = false;  // no pool meets the objective any more
  absl::Time spill_at = absl::InfiniteFuture();  // waiting: decide again then at the latest
  std::uint64_t inputs_hash = 0;
};

// Decides one piece of work over the pools, by DESIGN's rules of waiting and spilling. Assumptions:
// the shape is fresh, times do not fall. Algorithm:
//  1. Judge every able pool in claim order: availability, budget, wait (p50, p90), objective at
//  p90.
//  2. The first tier with a pool that is in time and could start at once is the candidate.
//  3. If a pool of an earlier tier is busy but in time, the policy's spill rule says until when to
//  wait
//     for it; that instant past, those pools are too_late, and the candidate is chosen by `choice`.
//  4. If nobody is in time, the first pool in order that could start at once takes it (late work
//  runs
//     where it can); else it waits.
// Ties: the policy's choice, then the order of the fleet. Does not allocate once warm.
class Decider {
 public:
  // `pools` by PoolId. `turn` counts placements, for round robin; `draw` is for orders by chance.
  const Draft& Decide(const Ask& ask, const Shape& shape, const Policy& policy,
                      absl::Span<const std::unique_ptr<PoolRun>> pools, absl::Time now,
                      std::uint64_t turn, std::uint64_t draw);

 private:
  void Judge(const Ask& ask, const Shape& shape, const Policy& policy,
             absl::Span<const Claim> order, absl::Span<const std::unique_ptr<PoolRun>> pools,
             absl::Time now);
  // Index of the first judged pool of the first tier in which one could start at once, or -1.
  int FirstStartable(bool in_time_only) const;
  absl::Time LatestStart(const Ask& ask, const Shape& shape, const Judged& judged) const;
  void SpillOrWait(const Ask& ask, const Shape& shape, const Policy& policy, int candidate,
                   absl::Time now);
  void Place(const Shape& shape, const Policy& policy,
             absl::Span<const std::unique_ptr<PoolRun>> pools, int candidate, std::uint64_t turn);
  void Wait(const Ask& ask, const Shape& shape, absl::Time now);
  void Hash(const Ask& ask, const Shape& shape, const Policy& policy, absl::Time now);

  Draft draft_;
  std::vector<Option> options_;
  std::vector<int> option_index_;
  std::vector<Claim> order_;  // where chance makes the order anew each time
  std::vector<Claimant> claimants_;
  std::vector<std::uint64_t> hashed_;
};

// Does the budget alone stand in the way, on every pool that could ever do the work?
bool IsBeyondBudget(const Draft& draft);

// The whole decision, as it is recorded: every pool of the fleet, in its order.
Decision Expand(const Draft& draft, const Ask& ask, const Shape& shape, const Policy& policy);

}  // namespace spillway
