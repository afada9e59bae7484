#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "core/catalog.h"
#include "core/scenario.h"
#include "simulator/result.h"

namespace spillway {

struct ExperimentOptions {
  int jobs = 1;  // cells at the same time; the outcome is the same for any number
  // Told now and then, from any thread, one at a time.
  std::function<void(int done, int all)> on_progress;
  // Before that, as each fleet is sized: how many runs it takes is not known.
  std::function<void(const std::string& fleet, const std::string& workload)> on_sizing;
  std::function<bool()> cancelled;  // asked by any thread
};

// Runs every cell of the scenario: workloads x pairs x seeds. Fleets that are sized are sized
// first, for each workload by itself. Everything that is wrong with a trace or a fleet is told
// before the first cell runs. Errors as RunCell's, with the cell's name in front; kCancelled.
absl::StatusOr<ExperimentOutcome> RunExperiment(const ScenarioSpec& scenario,
                                                const Catalog& catalog,
                                                const ExperimentOptions& options = {});

}  // namespace spillway
