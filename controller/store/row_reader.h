#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "controller/archive.h"
#include "controller/store/connection.h"

// Rows of the tables as values. Throws SQLite::Exception where SQLite fails; gives kDataLoss, with
// table and key, where a row is damaged.
namespace spillway::store {

// Columns in this order, for each reader below.
#define SPILLWAY_JOB_COLUMNS "j.id, j.status, w.body"
#define SPILLWAY_DECISION_COLUMNS "d.id, d.body"
#define SPILLWAY_LEDGER_COLUMNS                                                          \
  "l.hour, l.pool, l.tenant, l.category, l.cost, l.marginal_cost, l.baseline_cost,"      \
  " l.compared_cost, l.ended, l.without_baseline, l.energy, l.carbon, l.kind, l.model, " \
  "l.finished,"                                                                          \
  " l.prompt_tokens, l.output_tokens, l.metered_energy, l.node_time"

// From any statement that stands on a row of those columns.
absl::StatusOr<Job> JobAt(const Statement& row);
absl::StatusOr<std::shared_ptr<const Decision>> DecisionAt(const Statement& row);
absl::StatusOr<record::LedgerRow> LedgerRowAt(const Statement& row);

// Whole tables, in the order of their keys.
absl::StatusOr<std::vector<record::PoolRow>> ReadPools(Connection& connection);
absl::StatusOr<std::vector<record::PoolBooksRow>> ReadPoolBooks(Connection& connection);
absl::StatusOr<std::vector<record::ObservationRow>> ReadObservations(Connection& connection);
absl::StatusOr<std::vector<record::BudgetRow>> ReadBudgets(Connection& connection);
absl::StatusOr<std::vector<record::SpeedRow>> ReadSpeeds(Connection& connection);
absl::StatusOr<std::vector<record::ModelRow>> ReadModels(Connection& connection);
// kNotFound: no request that is kept was routed by it.
absl::StatusOr<std::shared_ptr<const RouterInputs>> ReadRouterInputs(Connection& connection,
                                                                     EventNumber id);
// Nothing in a new database.
absl::StatusOr<std::optional<record::CountersRow>> ReadCounters(Connection& connection);
// The newest; with `from_file` the newest that came from the configuration file.
absl::StatusOr<std::optional<record::PolicyRow>> ReadNewestPolicy(Connection& connection,
                                                                  bool from_file);

// Number of the first and last event in the log; zero: it is empty.
struct LogRange {
  EventNumber first{}, last{};
};
LogRange ReadLogRange(Connection& connection);

}  // namespace spillway::store
