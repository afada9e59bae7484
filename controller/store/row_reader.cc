#include "controller/store/row_reader.h"

#include <limits>
#include <utility>

#include "controller/store/columns.h"

namespace spillway::store {
namespace {

absl::Status Damaged(std::string_view table, std::string_view key, std::string_view what) {
  return absl::DataLossError(absl::StrCat("damaged row of table ", ToAbsl(table), ", key ",
                                          ToAbsl(key), ": ", ToAbsl(what)));
}

// All rows of `sql`, whose columns are the key as text and the body.
template <class Row>
absl::StatusOr<std::vector<Row>> ReadTable(Connection& connection, std::string_view table,
                                           std::string_view sql) {
  std::vector<Row> rows;
  Query query(connection, sql);
  while (query.Next()) {
    SPILLWAY_ASSIGN_OR_RETURN(Row row, DecodeRow<Row>(query.Text(1), table, query.Text(0)));
    rows.push_back(std::move(row));
  }
  return rows;
}

template <class Row>
absl::StatusOr<std::optional<Row>> ReadFirst(Connection& connection, std::string_view table,
                                             std::string_view sql) {
  SPILLWAY_ASSIGN_OR_RETURN(std::vector<Row> rows, ReadTable<Row>(connection, table, sql));
  if (rows.empty()) return std::optional<Row>();
  return std::optional<Row>(std::move(rows.front()));
}

}  // namespace

absl::StatusOr<Job> JobAt(const Statement& row) {
  const auto id = IdOf<JobId>(row.Int(0));
  const std::string key = ToString(id);
  SPILLWAY_ASSIGN_OR_RETURN(Job job, DecodeRow<Job>(row.Text(1), "jobs", key));
  SPILLWAY_ASSIGN_OR_RETURN(Work work, DecodeRow<Work>(row.Text(2), "works", key));
  if (job.id != id) return Damaged("jobs", key, absl::StrCat("it says ", ToString(job.id)));
  job.work = std::make_shared<const Work>(std::move(work));
  return job;
}

absl::StatusOr<std::shared_ptr<const Decision>> DecisionAt(const Statement& row) {
  const auto id = IdOf<DecisionId>(row.Int(0));
  const std::string key = ToString(id);
  SPILLWAY_ASSIGN_OR_RETURN(Decision decision, DecodeRow<Decision>(row.Text(1), "decisions", key));
  if (decision.id != id)
    return Damaged("decisions", key, absl::StrCat("it says ", ToString(decision.id)));
  return std::make_shared<const Decision>(std::move(decision));
}

absl::StatusOr<record::LedgerRow> LedgerRowAt(const Statement& row) {
  const auto category = ParseName<record::Category>(row.Text(3));
  const auto kind = ParseName<WorkKind>(row.Text(12));
  if (!category || !kind) {
    return Damaged("ledger", absl::StrCat(row.Int(0), "/", row.Int(1)),
                   absl::StrCat("unknown ", category ? "kind" : "category", " `",
                                ToAbsl(category ? row.Text(12) : row.Text(3)), "`"));
  }
  record::LedgerRow ledger;
  ledger.hour = TimeOf(row.Int(0));
  ledger.pool = IdOf<PoolId>(row.Int(1));
  ledger.tenant = std::string(row.Text(2));
  ledger.category = *category;
  ledger.cost = Usd(row.Int(4));
  ledger.marginal_cost = Usd(row.Int(5));
  ledger.baseline_cost = Usd(row.Int(6));
  ledger.compared_cost = Usd(row.Int(7));
  ledger.ended = row.Int(8);
  ledger.without_baseline = row.Int(9);
  ledger.energy = Joules(row.Int(10));
  ledger.carbon = GramsCo2e(row.Int(11));
  ledger.kind = *kind;
  ledger.model = std::string(row.Text(13));
  ledger.finished = row.Int(14);
  ledger.prompt_tokens = row.Int(15);
  ledger.output_tokens = row.Int(16);
  ledger.metered_energy = Joules(row.Int(17));
  ledger.node_time = absl::Nanoseconds(row.Int(18));
  return ledger;
}

absl::StatusOr<std::vector<record::PoolRow>> ReadPools(Connection& connection) {
  return ReadTable<record::PoolRow>(connection, "pools", "SELECT id, body FROM pools ORDER BY id");
}

absl::StatusOr<std::vector<record::PoolBooksRow>> ReadPoolBooks(Connection& connection) {
  return ReadTable<record::PoolBooksRow>(connection, "pool_books",
                                         "SELECT pool, body FROM pool_books ORDER BY pool");
}

absl::StatusOr<std::vector<record::ObservationRow>> ReadObservations(Connection& connection) {
  return ReadTable<record::ObservationRow>(
      connection, "observations",
      "SELECT tenant || '/' || name, body FROM observations ORDER BY tenant, name");
}

absl::StatusOr<std::vector<record::BudgetRow>> ReadBudgets(Connection& connection) {
  std::vector<record::BudgetRow> rows;
  Query query(connection,
              "SELECT tenant, period, since, spent, warned, forecast_warned FROM budgets"
              " ORDER BY tenant, period");
  while (query.Next()) {
    record::BudgetRow& row = rows.emplace_back();
    const auto period = ParseName<BudgetPeriod>(query.Text(1));
    if (!period) {
      return Damaged("budgets", query.Text(0),
                     absl::StrCat("unknown period `", ToAbsl(query.Text(1)), "`"));
    }
    row.tenant = std::string(query.Text(0));
    row.period = *period;
    row.since = TimeOf(query.Int(2));
    row.spent = Usd(query.Int(3));
    row.warned = static_cast<int>(query.Int(4));
    row.forecast_warned = query.Int(5) != 0;
  }
  return rows;
}

absl::StatusOr<std::vector<record::SpeedRow>> ReadSpeeds(Connection& connection) {
  return ReadTable<record::SpeedRow>(
      connection, "speeds", "SELECT pool || '/' || model, body FROM speeds ORDER BY pool, model");
}

absl::StatusOr<std::vector<record::ModelRow>> ReadModels(Connection& connection) {
  return ReadTable<record::ModelRow>(connection, "models",
                                     "SELECT model, body FROM models ORDER BY model");
}

absl::StatusOr<std::shared_ptr<const RouterInputs>> ReadRouterInputs(Connection& connection,
                                                                     EventNumber id) {
  Query query(connection, "SELECT body FROM routers WHERE id = ?", ColumnOf(id));
  if (!query.Next())
    return absl::NotFoundError(
        absl::StrCat("what was routed by at event ", Number(id), " is not kept"));
  SPILLWAY_ASSIGN_OR_RETURN(RouterInputs inputs, DecodeRow<RouterInputs>(query.Text(0), "routers",
                                                                         absl::StrCat(Number(id))));
  return std::make_shared<const RouterInputs>(std::move(inputs));
}

absl::StatusOr<std::optional<record::CountersRow>> ReadCounters(Connection& connection) {
  return ReadFirst<record::CountersRow>(connection, "counters", "SELECT id, body FROM counters");
}

absl::StatusOr<std::optional<record::PolicyRow>> ReadNewestPolicy(Connection& connection,
                                                                  bool from_file) {
  return ReadFirst<record::PolicyRow>(
      connection, "policies",
      from_file ? "SELECT version, body FROM policies WHERE from_file ORDER BY version DESC LIMIT 1"
                : "SELECT version, body FROM policies ORDER BY version DESC LIMIT 1");
}

LogRange ReadLogRange(Connection& connection) {
  const auto ask = [&](std::string_view sql) {
    Query query(connection, sql);
    return IdOf<EventNumber>(query.Next() ? query.Int(0) : 0);
  };
  // min() and max() in one statement would walk the whole table.
  return {ask("SELECT min(number) FROM events"), ask("SELECT max(number) FROM events")};
}

}  // namespace spillway::store
