#include "policies/rules.h"

#include <algorithm>

namespace spillway {

std::size_t FirstMatch(const std::vector<PoolSelector>& selectors, const PoolSpec& pool) {
  const auto matches = [&](const PoolSelector& s) { return s.Matches(pool); };
  return static_cast<std::size_t>(std::find_if(selectors.begin(), selectors.end(), matches) -
                                  selectors.begin());
}

int RuleFor(const PolicySpec& policy, const Work& work) {
  for (std::size_t i = 0; i < policy.rules.size(); ++i) {
    if (policy.rules[i].when.Matches(work)) return static_cast<int>(i);
  }
  return -1;
}

bool Allows(const PolicySpec& policy, int rule, const PoolSpec& pool) {
  if (policy.claim.only && !policy.claim.only->Matches(pool)) return false;
  if (rule < 0) return true;
  const auto& claim = policy.rules[static_cast<std::size_t>(rule)].claim;
  return FirstMatch(claim, pool) < claim.size();
}

bool IsBackstop(const PolicySpec& policy, const PoolSpec& pool) {
  return policy.claim.backstop && policy.claim.backstop->Matches(pool);
}

}  // namespace spillway
