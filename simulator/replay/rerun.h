#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/config.h"
#include "core/scenario.h"
#include "simulator/replay/past.h"
#include "simulator/result.h"

namespace spillway {

// What shall be other than it was; nothing: all as recorded.
struct ReplayChange {
  std::optional<PolicySpec> policy;
  std::optional<Config> fleet;  // fleet and prices of it count
  std::optional<PricesSpec> prices;
  std::string policy_file, fleet_file, prices_file;  // as they were given, for words
  bool any() const { return policy || fleet || prices; }
};

// A figure as it was recorded and as the simulator has it on the unchanged configuration.
struct Measured {
  double recorded = 0, simulated = 0;
  bool known() const { return recorded != 0; }
  // |simulated / recorded - 1|; 0 where it is not known.
  double error() const;
};
struct PoolShare {
  std::string pool;
  double recorded = 0, simulated = 0;  // of completed work, by count
};

// How well the simulator tells what was lived through: the error bar of whatever it tells then.
struct BackTest {
  Measured cost;                                            // dollars, idle included
  Measured ttft_mean, ttft_p99, latency_mean, latency_p99;  // seconds; requests that were answered
  Measured turnaround_mean;                                 // seconds; jobs
  Measured attainment;
  std::vector<PoolShare> shares;
  double worst_share_gap() const;  // largest |simulated - recorded|
};
BackTest BackTestOf(const CellOutcome& recorded, const CellOutcome& simulated);

// Runs what came to the controller through the simulator: under its own configuration, and under
// the changed one, if anything is changed. Both rows stand in the outcome, `recorded config` first
// and as the baseline; the verdict is one sentence with the back-test's error bar. Errors as
// RunCell's; kInvalidArgument: a price or a pool that the changed fleet does not have.
struct Rerun {
  BackTest back_test;
  ExperimentOutcome outcome;
  ScenarioSpec scenario;  // what was run, for the result files
  std::vector<std::string> notes;
};
absl::StatusOr<Rerun> RunAgain(const RecordedPast& past, const ReplayChange& change,
                               const std::function<bool()>& cancelled = {});

// The recorded configuration with the change made to it. Dated prices of which none is in force at
// `start` are taken to be so from then on; each such pool is named in `notes`.
Config ChangedConfig(const Config& recorded, const ReplayChange& change, absl::Time start,
                     std::vector<std::string>& notes);

}  // namespace spillway
