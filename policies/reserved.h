#pragma once

#include <vector>

#include "core/policy_spec.h"
#include "core/pool.h"
#include "policies/check.h"

namespace spillway {

// Does a rule invert what tenants have reserved? Nodes that a tenant has for itself stand empty
// unless its work goes there first, so a rule that this tenant's work falls under must name such a
// pool, and put no other pool before it.
//
// Not asked for: pools that could not do the rule's work (its class, model or confidentiality, or
// the tenant is not let in); reserved backstop pools before pools that are no backstop; pools of
// which other tenants have reserved all nodes.
void FindInvertedReservations(const PolicySpec& policy, const FleetSpec& fleet,
                              const TenantsSpec& tenants, std::vector<Finding>& findings);

}  // namespace spillway
