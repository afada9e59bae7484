#pragma once

#include <vector>

#include "core/policy_spec.h"
#include "core/pool.h"
#include "policies/check.h"

namespace spillway {

// Has all work that the fleet serves somewhere to go under its rule?
//
// For each pool and each of its runtimes the job that just fills a node is made up (for each of its
// models a request), once for each rule with what the rule's `when` asks for, and once for no rule.
// If the fleet has a pool that is able to do it but the rule leaves none, the rule has a hole. One
// warning for each rule. Asks pools at most 1,000,000 times (a fraction of a second); on larger
// fleets with many rules the last rules stay unchecked, and a warning says so. (A claim order is a
// list without repetitions, so no fallback goes in circles.)
void FindHoles(const PolicySpec& policy, const FleetSpec& fleet, std::vector<Finding>& findings);

}  // namespace spillway
