#pragma once

#include "absl/status/status.h"
#include "controller/store/connection.h"

// The tables, and which version of them a database holds. README.md of this room describes them.
namespace spillway::store {

inline constexpr int kSchemaVersion = 5;

// Makes the tables of a new database, in one transaction. Of an old one: checks that it is
// Spillway's and no newer than this program (kFailedPrecondition otherwise). Nothing is changed
// then.
absl::Status PrepareSchema(Connection& writer);

// For readers, who can prepare nothing: kInvalidArgument if the database is not Spillway's,
// kFailedPrecondition if its tables are of another version than this program's.
absl::Status CheckSchema(Connection& reader);

// SQLite's own check of the database. Small ones are checked whole; of large ones only the tables
// that a start reads, since the start waits for it (Recall decodes every row that it uses, and
// SqliteArchive::Check looks at the rest later). kDataLoss with the first complaint.
absl::Status QuickCheck(Connection& connection);
// Everything, however long it takes.
absl::Status FullCheck(Connection& connection);

}  // namespace spillway::store
