#pragma once

#include <vector>

#include "core/policy_spec.h"
#include "policies/check.h"

namespace spillway {

// Can every rule be reached? Rules are tried in order and the first that matches counts, so a rule
// is dead if those before it take all of its work, alone or together.
//
// `when` is a product of independent keys, so it is enough to try, for each key, the values that
// earlier rules tell apart and one that none of them names; of priorities the lowest, since earlier
// rules only ever ask for more. Exact up to 20,000 combinations for a rule and 2,000,000 questions
// to rules in all (a fraction of a second); beyond that rules are taken for reachable.
void FindDeadRules(const PolicySpec& policy, std::vector<Finding>& findings);

}  // namespace spillway
