#pragma once

#include <cstddef>
#include <vector>

#include "core/policy_spec.h"
#include "core/pool.h"
#include "core/work.h"

// What the rules of a policy say about one piece of work and one pool: what Policy answers while
// deciding and what CheckPolicy asks before. Plain scans over the specification.
namespace spillway {

// Place of the first selector that matches; their number if none does.
std::size_t FirstMatch(const std::vector<PoolSelector>& selectors, const PoolSpec& pool);

// The first rule whose `when` matches, or -1.
int RuleFor(const PolicySpec& policy, const Work& work);
// Under `claim.only` and under the rule's own list (-1: no rule).
bool Allows(const PolicySpec& policy, int rule, const PoolSpec& pool);
bool IsBackstop(const PolicySpec& policy, const PoolSpec& pool);

}  // namespace spillway
