#pragma once

#include <string>
#include <vector>

#include "core/config.h"

// What can be said about a policy before any work has come: run when one is loaded.
namespace spillway {

struct Finding {
  bool error = false;  // false: a warning
  std::string where;   // "rules[2].claim[0]": a path within the policy document
  std::string what;    // what is wrong, and what to do
};

// Errors:
//  - a rule that can never be reached, because earlier ones take all of its work
//  (policies/reach.h);
//  - a rule that names no pools; `claim.only` that matches no pool; two rules of one name;
//  - a rule that reaches the backstop before another of its pools;
//  - a rule that puts a tenant's own reserved pool after others, or leaves it out
//    (policies/reserved.h);
//  - a baseline that names neither a pool nor a priced device of the catalogue;
//  - what CheckCascades() finds (policies/cascade.h);
//  - figures out of their range (band, waits, weights, durations, priorities).
// Warnings:
//  - a selector, or all of a rule's, that matches no pool of this fleet; one whose pools all belong
//    to earlier ones;
//  - work that the fleet serves but for which no able pool is left under its rule
//    (policies/fallback.h);
//  - `backstop:` that matches no pool, or all of them;
//  - `weighted` with all weights zero; tenants' weights, which no discipline uses yet.
std::vector<Finding> CheckPolicy(const PolicySpec& policy, const FleetSpec& fleet,
                                 const TenantsSpec& tenants, const Catalog& catalog);
// The same without a catalogue: the baseline is not looked up.
std::vector<Finding> CheckPolicy(const PolicySpec& policy, const FleetSpec& fleet,
                                 const TenantsSpec& tenants);

}  // namespace spillway
