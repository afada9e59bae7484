#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/config.h"
#include "core/request.h"
#include "core/scenario.h"
#include "simulator/result.h"
#include "simulator/workloads/arrival.h"

namespace spillway {

// Ten years: the ledger of a run has rows by the hour.
inline constexpr absl::Duration kLongestRun = absl::Hours(24 * 3660);

// One run: a fleet under a policy, with what comes to it, in a world.
struct CellInputs {
  // The fleet as it would be served, every pool taken as modelled (TakeAsModelled); the policy;
  // prices and tenants; the catalogue.
  std::shared_ptr<const Config> config;
  const ScenarioSpec* scenario = nullptr;  // start, objective, world, warm-up, drain
  std::uint64_t seed = 0;                  // of the world; the arrivals have their own
  ArrivalStream* arrivals = nullptr;
  // Ends the run as soon as more than so many pieces of work have missed their objective: for a
  // search that asks only whether the objective is reached.
  std::optional<std::int64_t> most_missed;
  // For tests and replays: every request as it ended.
  std::function<void(const Request&)> on_request;
  // Asked now and then; true ends the run with kCancelled.
  std::function<bool()> cancelled;
};

// Drives the live Brain and Router through the cell. Deterministic: same inputs, same outcome. The
// clock never goes back; work in equals work out over all exits; the bill is that of the brain's
// own ledger. kNotFound: an arrival asks for a model that nobody serves. kFailedPrecondition: a
// fleet that cannot be simulated.
absl::StatusOr<CellOutcome> RunCell(const CellInputs& inputs);

// A fleet as the simulator runs it: real machines and engines become modelled ones, their prices
// and speeds as they are.
FleetSpec TakeAsModelled(FleetSpec fleet);

}  // namespace spillway
