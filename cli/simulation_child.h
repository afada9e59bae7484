#pragma once

#include <string>
#include <vector>

#include "controller/simulations.h"

namespace spillway::cli {

// Runs `spillway simulate` as a child process, nicely and one at a time. The child works in the
// run's folder and speaks over one pipe: lines of JSON are its progress (simulate --progress json),
// all else is what went wrong. It dies with the thread that started it, and so with the controller.
class SimulationChild final : public SimulationRunner {
 public:
  struct Options {
    std::string program = "/proc/self/exe";
    std::string library;   // folder with fleets/, policies/, scenarios/ and traces/; empty: none
    std::string catalog;   // folder of the catalogue
    std::string database;  // of the controller's own past
    int jobs = 1;          // threads of the child
    absl::Duration longest = absl::Hours(2);
    absl::Duration grace = absl::Seconds(5);  // from being asked to end until it is killed
  };
  explicit SimulationChild(Options options) : options_(std::move(options)) {}

  std::vector<ShippedScenario> Scenarios() override;
  std::string CommandFor(const SimulationOrder& order) override;
  absl::StatusOr<std::string> Execute(const Run& run) override;

 private:
  // Writes what the order brought with it into the run's folder.
  absl::StatusOr<std::vector<std::string>> WordsFor(const Run& run) const;
  const Options options_;
};

}  // namespace spillway::cli
