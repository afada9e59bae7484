#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/simulation.h"

// Simulations beside the live work. The two hosts do not know each other: the controller keeps the
// queue and the results (SimulationDesk), and whoever wires the program says how one is run.
namespace spillway {

// What the API asks. Thread-safe; every call reads or writes a few small files at most.
class Simulations {
 public:
  virtual ~Simulations() = default;
  // `body` is the text that `order` was read from, kept for a restart. kNotFound: no scenario of
  // that name came with the program. kResourceExhausted: as many wait as may.
  virtual absl::StatusOr<Simulation> Start(const SimulationOrder& order,
                                           const std::string& body) = 0;
  virtual std::vector<Simulation> List() = 0;  // newest first
  virtual std::optional<Simulation> Find(std::uint64_t number) = 0;
  // A running one ends soon after. One that is over stays as it is. kNotFound.
  virtual absl::StatusOr<Simulation> Cancel(std::uint64_t number) = 0;
  // results.json (or replay.json, where nothing was changed), and report.html. kNotFound: there is
  // no such thing, and the words say why.
  virtual absl::StatusOr<std::string> Results(std::uint64_t number) = 0;
  virtual absl::StatusOr<std::string> Report(std::uint64_t number) = 0;
  virtual const std::vector<ShippedScenario>& Scenarios() = 0;  // by name
  struct Counts {
    int running = 0, waiting = 0, most_waiting = 0;
  };
  virtual Counts counts() = 0;
};

// How one is run; cli/ supplies it. Called by one thread, which lives longer than any run.
class SimulationRunner {
 public:
  struct Run {
    const SimulationOrder& order;
    std::string folder;  // there, 0700, of this run alone: results go to folder/out
    std::function<void(SimulationProgress)> on_progress;
    std::function<bool()> cancelled;  // asked at least twice a second
  };
  virtual ~SimulationRunner() = default;
  // Read once, at the start.
  virtual std::vector<ShippedScenario> Scenarios() = 0;
  // What a person would type.
  virtual std::string CommandFor(const SimulationOrder& order) = 0;
  // Blocks until it is over, and nothing of it is left running. OK: the results are whole, and this
  // is their verdict ("": they have none). kCancelled: because it was asked for. Any other: failed,
  // in words for whoever ordered it.
  virtual absl::StatusOr<std::string> Execute(const Run& run) = 0;
};

}  // namespace spillway
