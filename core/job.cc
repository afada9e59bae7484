#include "core/job.h"

#include <tuple>

namespace spillway {

bool operator==(const Job& a, const Job& b) {
  const auto rest = [](const Job& j) {
    return std::tie(j.id, j.created_at, j.state, j.cancelling, j.message, j.attempts,
                    j.own_failures, j.infrastructure_failures, j.not_before, j.incapable_since,
                    j.decision, j.plan, j.spill_at, j.started_at, j.finished_at, j.cost,
                    j.marginal_cost, j.overhead_cost, j.baseline_cost, j.energy, j.carbon);
  };
  const bool same_work = a.work == b.work || (a.work && b.work && *a.work == *b.work);
  return same_work && rest(a) == rest(b);
}

}  // namespace spillway
