#pragma once

#include <string>
#include <vector>

#include "core/catalog.h"
#include "core/machine.h"
#include "core/scenario.h"
#include "formats/reader.h"
#include "formats/scenario_inputs.h"

// Parts of a scenario that stand for themselves. For formats/scenario_file.cc.
namespace spillway {

struct FleetSources {
  const Catalog& catalog;
  const Machine& machine;
  std::vector<std::string>* warnings;  // of the files; may be null
};

// `NAME: FILE`, or `NAME: {size: {...}}`.
void ReadScenarioFleet(const Place& at, const FleetSources& sources, ScenarioInputs& inputs,
                       ScenarioFleet& out);
void ReadScenarioPolicy(const Place& at, ScenarioInputs& inputs, ScenarioPolicy& out);
void ReadScenarioObjective(const Place& at, ScenarioObjective& out);

// A fleet and a policy, as a list of two names; noted if one of them is not in the scenario.
void ReadScenarioPair(const Place& at, const ScenarioSpec& scenario,
                      std::pair<std::string, std::string>& out);

}  // namespace spillway
