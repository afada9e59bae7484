#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "core/names.h"

// Simulations that a controller runs beside its work: what was asked for, and how far it is.
namespace spillway {

// A scenario that came with the program, by its name.
struct ShippedScenario {
  std::string name;
  std::string says;  // one line; not part of an order
};
// Somebody's own. It may name only files that came with the program.
struct ScenarioText {
  std::string yaml;
};
// What the controller itself lived through, run again; nothing changed: only decided again.
struct OwnPast {
  std::optional<absl::Time> since, until;  // whole hours
  std::optional<std::string> policy_yaml, fleet_yaml, prices_yaml;
};

struct SimulationOrder {
  std::variant<ShippedScenario, ScenarioText, OwnPast> what;
  std::optional<int> seeds;  // 1 to 1000; of scenarios; none: the scenario's
};

enum class SimulationState : std::uint8_t { kQueued, kRunning, kSucceeded, kFailed, kCancelled };
inline constexpr EnumNames<SimulationState, 5> kSimulationStateNames{
    {{SimulationState::kQueued, "queued"},
     {SimulationState::kRunning, "running"},
     {SimulationState::kSucceeded, "succeeded"},
     {SimulationState::kFailed, "failed"},
     {SimulationState::kCancelled, "cancelled"}}};
constexpr const auto& NamesOf(SimulationState) { return kSimulationStateNames; }
constexpr bool IsOver(SimulationState state) { return state >= SimulationState::kSucceeded; }

struct SimulationProgress {
  std::int64_t done = 0, total = 0;  // runs, or events of a log; total 0: not known yet
  // What these are, or what is being done before they are known: "sizing the fleet a10g for chat".
  // In the words of the command line; empty: nothing is said.
  std::string what;
};

struct Simulation {
  std::uint64_t number = 0;  // from 1, in the order in which they came; none comes twice
  std::string name;          // of the scenario; "own-past" for a replay
  bool is_replay = false;    // it tells of the work of every tenant
  SimulationState state = SimulationState::kQueued;
  SimulationProgress progress;
  absl::Time created_at;
  std::optional<absl::Time> started_at, finished_at;
  std::string command;  // that does the same by hand
  std::string error;    // of a failed one: the program's own words
  std::string verdict;  // of a succeeded one: one sentence; empty: it has none
  bool has_report = false;

  std::string Id() const { return IdOf(number); }
  static std::string IdOf(std::uint64_t number);  // "sim-000001"
};
// Nothing if `text` is not such an id.
std::optional<std::uint64_t> ParseSimulationId(const std::string& text);

}  // namespace spillway
