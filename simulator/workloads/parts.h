#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "core/workload.h"
#include "simulator/workloads/workload.h"

namespace spillway {

// Requests or jobs at the instants of a generator (arrival_times.h).
absl::StatusOr<std::unique_ptr<const WorkloadPart>> LoadGenerated(const PartSpec& spec);

// Users in a closed loop (core/workload.h, SessionsSpec). What a user asks and how long it thinks
// is drawn from (seed, part, user, turn) alone: it does not depend on how fast others are answered,
// so two policies face the same people.
absl::StatusOr<std::unique_ptr<const WorkloadPart>> LoadSessions(const PartSpec& spec);

// The clients of ServeGen, each a renewal process whose rate follows its windows.
absl::StatusOr<std::unique_ptr<const WorkloadPart>> LoadServeGenPart(const PartSpec& spec);

// The rows of a trace.
absl::StatusOr<std::unique_ptr<const WorkloadPart>> LoadTracePart(const PartSpec& spec);

}  // namespace spillway
