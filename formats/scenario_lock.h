#pragma once

#include "absl/status/statusor.h"
#include "core/scenario.h"
#include "formats/value.h"

namespace spillway {

// The scenario as it was run, for scenario.lock.yaml: its document with every default of its own
// keys filled in, `files` with size and hash (xxh64) of each one that it stands on, and under
// `resolved` the policies with all their keys and the pools of each fleet. What is random follows
// from it and the seed; whoever has the same files has the same results.
absl::StatusOr<Value> LockScenario(const ScenarioSpec& scenario);

}  // namespace spillway
