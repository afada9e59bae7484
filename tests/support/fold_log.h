#pragma once

#include <string>

#include "absl/status/status.h"

namespace spillway::testing_support {

// Reads the whole event log of the state at `path` (a database of SqliteStore that nobody has
// open), gives it to a fresh Brain, commits what that says to another database in `scratch`, and
// compares all tables that are projections of the log, row by row. OK if they are equal; kDataLoss
// with the first difference (table and key) if not. Needs a log that was never cut (Retention).
absl::Status FoldLog(const std::string& path, const std::string& scratch);

// The comparison alone: tables of two databases.
absl::Status CompareTables(const std::string& wanted, const std::string& found);

}  // namespace spillway::testing_support
