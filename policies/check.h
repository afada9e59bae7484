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
//  - a rule that can never be reached, because an earlier one takes all of its work;
//  - a rule whose selectors match no pool of the fleet at all (its work could never run);
//  - `claim.only` that matches no pool; two rules of one name;
//  - a rule that reaches the backstop before another of its pools;
//  - a rule that puts a tenant's own reserved pool after others, or leaves it out;
//  - a baseline that names neither a pool nor a device of the catalogue;
//  - figures out of their range (band, waits, weights).
// Warnings:
//  - a selector that matches no pool of this fleet; work shapes that the fleet serves but that no
//  able
//    pool of their rule could take (no fallback); `backstop:` that matches no pool, or all of them;
//  - `weighted` with all weights zero; tenants' weights, which no discipline uses yet.
std::vector<Finding> CheckPolicy(const PolicySpec& policy, const FleetSpec& fleet,
                                 const TenantsSpec& tenants, const Catalog& catalog);

}  // namespace spillway
