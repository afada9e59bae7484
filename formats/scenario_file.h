#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/catalog.h"
#include "core/machine.h"
#include "core/scenario.h"

// What `spillway simulate` reads: one YAML document with the keys name, says, fleets, accounting,
// policies, pairs, baseline, workloads, objective, world, start, warm_up, drain, seeds and sources.
// docs/simulation.md explains each.
namespace spillway {

// Reads the scenario and every file that it names but the traces of its workloads, which are
// only hashed here: they are read when they are replayed. Files stand relative to the scenario's
// own folder, and are named so in `ScenarioSpec::inputs`; all other paths of the result are as they
// can be opened from here.
//
// Everything that is wrong with the scenario itself is told at once, as findings
// (formats/findings.h); what is wrong with a file that it names is told with that file's name and
// lines. Refused too: a pair, a baseline, a pool or a model that nobody knows, with the nearest
// that is; a pool or a device without a price, since then no bill can be made.
// `warnings`: what is only odd, one line each; may be null.
// `library`: a folder with fleets/, policies/, scenarios/ and traces/. Where one is given, files
// stand relative to its scenarios/ wherever the scenario itself lies, and none may be named but
// those in these four folders: for scenarios of people who may not read every file of this machine.
absl::StatusOr<ScenarioSpec> LoadScenario(const std::string& path, const Catalog& catalog,
                                          const Machine& machine,
                                          std::vector<std::string>* warnings = nullptr,
                                          const std::string& library = "");

}  // namespace spillway
