#pragma once

#include <string>

#include "core/catalog.h"
#include "core/scenario.h"
#include "formats/reader.h"

// What a scenario varies beside its cells. For formats/scenario_file.cc, once fleets, policies and
// pairs are read.
namespace spillway {

// `sweeps:`, a map of names:
//   xeon-prefill: {device: xeon-spr-amx-24vcpu, prefill: [0.5, 2], pairs: [[mixed, backstop]]}
// One of `prefill`, `bandwidth` (with `device:`) or `price` (with `pool:`).
void ReadSweeps(const Place& at, const Catalog& catalog, const ScenarioSpec& scenario,
                std::vector<SweepSpec>& out);

// `break_even:`, a map of names, but for the files that its workloads name. `folder` is the
// scenario's.
void ReadBreakEven(const Place& at, const std::string& folder, const ScenarioSpec& scenario,
                   std::vector<BreakEvenSpec>& out);

}  // namespace spillway
