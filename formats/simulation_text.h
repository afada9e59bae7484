#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/simulation.h"
#include "formats/json_writer.h"

// What is asked of `POST /api/v1/simulations`, and what is told of a simulation.
namespace spillway {

inline constexpr std::size_t kMostScenarioText = 256 << 10;  // bytes of one YAML text in an order

// The body of an order, JSON or YAML: exactly one of `scenario`, `scenario_yaml` and `replay`, and
// `seeds`. Texts in it must be YAML; what they mean is found out when they are run. Findings as
// every other reader's (formats/findings.h).
absl::StatusOr<SimulationOrder> ParseSimulationOrder(std::string_view text);
// What people see as its name: the scenario's own, or "own-past".
std::string NameOf(const SimulationOrder& order);

// {id, kind, name, state, progress, created_at, started_at, finished_at, command, error, verdict,
// results, report}: `results` and `report` are the paths to ask, or null where there is none.
void WriteSimulation(JsonWriter& w, const Simulation& simulation);
// The same back.
absl::StatusOr<Simulation> ParseSimulation(std::string_view text, std::string_view name);

}  // namespace spillway
