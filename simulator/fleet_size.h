#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "core/catalog.h"
#include "core/scenario.h"
#include "simulator/result.h"
#include "simulator/workloads/workload.h"

namespace spillway {

// A fleet of `nodes[i]` nodes of the device for the i-th of the models that the workload asks for,
// each node one engine; of some models none. It stands where the first cloud pool of the scenario's
// fleets stands, and knows their aliases. kFailedPrecondition: a model does not fit on any number
// of these devices that a node may have (1, 2, 4, 8), or has no name in the scenario.
absl::StatusOr<FleetSpec> FleetOf(const ScenarioFleet& fleet, const WorkloadSpec& workload,
                                  const ScenarioSpec& scenario, const Catalog& catalog,
                                  const std::vector<int>& nodes);
// The models that requests of the workload ask for, in the order of the scenario: by their names,
// or as one of those that an alias stands for.
std::vector<std::string> ModelsOf(const WorkloadSpec& workload, const ScenarioSpec& scenario);

// The fewest nodes that reach the scenario's attainment under `policy`, found by simulation of the
// workload itself: doubled until it is reached, then halved in between; with several models first
// alike for all, then each by itself; a model that is only one of several under an alias may get
// none. So a fleet of one device is never a straw man.
absl::StatusOr<std::pair<FleetSpec, SizedFleet>> SizeFleet(
    const ScenarioFleet& fleet, const ScenarioPolicy& policy, const WorkloadSpec& spec,
    const Workload& workload, const ScenarioSpec& scenario, const Catalog& catalog,
    const std::function<bool()>& cancelled);

}  // namespace spillway
