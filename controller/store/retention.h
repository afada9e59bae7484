#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "controller/store/connection.h"
#include "controller/store/retention_spec.h"

namespace spillway::store {

// Deletes at most `rows` rows of each table in one transaction; gives how many it deleted. Zero:
// there is nothing to sweep for now.
absl::StatusOr<std::int64_t> SweepOnce(Connection& writer, const Retention& retention,
                                       absl::Time now, std::int64_t rows);

}  // namespace spillway::store
