#include "simulator/regret.h"

#include <cstddef>

#include "core/check.h"

namespace spillway {
namespace {

bool InTime(const HindsightCandidate& candidate, absl::Duration within) {
  return candidate.able && candidate.free_after + candidate.takes <= within;
}

}  // namespace

std::optional<Regret> RegretOf(absl::Span<const HindsightCandidate> candidates, std::size_t chosen,
                               absl::Duration within) {
  SPILLWAY_CHECK(chosen < candidates.size());
  if (!candidates[chosen].backstop) return std::nullopt;
  const HindsightCandidate* best = nullptr;
  for (const HindsightCandidate& candidate : candidates) {
    if (candidate.backstop || !InTime(candidate, within)) continue;
    if (best == nullptr || candidate.cost < best->cost) best = &candidate;
  }
  if (best == nullptr || best->cost >= candidates[chosen].cost) return std::nullopt;
  return Regret{best->pool, candidates[chosen].cost - best->cost};
}

}  // namespace spillway
