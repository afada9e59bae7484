#include "controller/store/schema.h"

#include <array>

namespace spillway::store {
namespace {

// "SPWY": what `file` and SQLite itself know a Spillway database by.
constexpr std::int64_t kApplicationId = 0x53505759;

// Times are int64 nanoseconds since 1970, money nano-dollars, energy microjoules, carbon
// micrograms. `body`, `status`: JSON texts of formats/codec.h. Other columns repeat what stands
// there, for the indices to find it.
constexpr const char* kTables = R"sql(
CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE events(
  number INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE epochs(
  epoch INTEGER PRIMARY KEY, event INTEGER NOT NULL, at INTEGER NOT NULL) STRICT;

CREATE TABLE works(job INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE jobs(
  id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL,
  pool INTEGER, created_at INTEGER NOT NULL, finished_at INTEGER, status TEXT NOT NULL) STRICT;
CREATE INDEX jobs_by_state ON jobs(state);
CREATE INDEX jobs_by_tenant ON jobs(tenant, state);
CREATE INDEX jobs_by_name ON jobs(name) WHERE name <> '';
CREATE INDEX jobs_by_pool ON jobs(pool) WHERE pool IS NOT NULL;
CREATE INDEX jobs_by_finish ON jobs(finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE decisions(
  id INTEGER PRIMARY KEY, job INTEGER NOT NULL, event INTEGER NOT NULL, tenant TEXT NOT NULL,
  outcome TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE INDEX decisions_by_job ON decisions(job);
CREATE INDEX decisions_by_tenant ON decisions(tenant, outcome);
CREATE INDEX decisions_by_outcome ON decisions(outcome);

CREATE TABLE pools(id INTEGER PRIMARY KEY, name TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE INDEX pools_by_name ON pools(name);
CREATE TABLE pool_books(pool INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE observations(
  tenant TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY(tenant, name)) STRICT, WITHOUT ROWID;
CREATE TABLE policies(
  version INTEGER PRIMARY KEY, from_file INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE counters(id INTEGER PRIMARY KEY CHECK(id = 1), body TEXT NOT NULL) STRICT;

CREATE TABLE answers(
  tenant TEXT NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL, body_hash INTEGER NOT NULL,
  status INTEGER NOT NULL, location TEXT NOT NULL, body TEXT NOT NULL,
  UNIQUE(tenant, key)) STRICT;
)sql";

// Since version 2: requests stand in the log, `requests` said where; `routers` is what they were
// routed by.
constexpr const char* kTablesForRequests = R"sql(
CREATE TABLE speeds(
  pool INTEGER NOT NULL, model TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY(pool, model)) STRICT, WITHOUT ROWID;
CREATE TABLE models(model TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE routers(id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE requests(
  id INTEGER PRIMARY KEY, event INTEGER NOT NULL, place INTEGER NOT NULL) STRICT;
)sql";

// Since version 3: where requests stand, in place of `requests` (request_rows.h).
constexpr const char* kTableOfBlocks = R"sql(
CREATE TABLE request_blocks(
  block INTEGER NOT NULL, event INTEGER NOT NULL,
  PRIMARY KEY(block, event)) STRICT, WITHOUT ROWID;
)sql";

// Since version 4: the ledger is kept by kind of work and by model, too; and what tenants have
// spent of their budgets.
constexpr const char* kTablesOfCosts = R"sql(
CREATE TABLE ledger(
  hour INTEGER NOT NULL, pool INTEGER NOT NULL, tenant TEXT NOT NULL, category TEXT NOT NULL,
  kind TEXT NOT NULL, model TEXT NOT NULL,
  cost INTEGER NOT NULL, marginal_cost INTEGER NOT NULL, baseline_cost INTEGER NOT NULL,
  compared_cost INTEGER NOT NULL, ended INTEGER NOT NULL, without_baseline INTEGER NOT NULL,
  energy INTEGER NOT NULL, carbon INTEGER NOT NULL, finished INTEGER NOT NULL,
  prompt_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, metered_energy INTEGER NOT NULL,
  node_time INTEGER NOT NULL,
  PRIMARY KEY(hour, pool, tenant, category, kind, model)) STRICT, WITHOUT ROWID;
CREATE TABLE budgets(
  tenant TEXT NOT NULL, period TEXT NOT NULL, since INTEGER NOT NULL, spent INTEGER NOT NULL,
  warned INTEGER NOT NULL, forecast_warned INTEGER NOT NULL,
  PRIMARY KEY(tenant, period)) STRICT, WITHOUT ROWID;
)sql";

// The ledger of before did not say what was a job and what a request: all of it reads as jobs. What
// was spent in the last day and month that the ledger knows of is summed up from it.
constexpr const char* kMoveLedger = R"sql(
INSERT INTO ledger SELECT hour, pool, tenant, category,
  CASE category WHEN 'idle' THEN 'service' ELSE 'job' END, '', cost, marginal_cost, baseline_cost,
  compared_cost, ended, without_baseline, energy, carbon, ended, 0, 0, 0, 0 FROM ledger_before;
DROP TABLE ledger_before;
INSERT INTO budgets SELECT tenant, 'day', max(hour - hour % 86400000000000), 0, 0, 0 FROM ledger
  WHERE category = 'work' GROUP BY tenant;
INSERT INTO budgets SELECT tenant, 'month', max(strftime('%s', hour / 1000000000, 'unixepoch',
  'start of month') * 1000000000), 0, 0, 0 FROM ledger WHERE category = 'work' GROUP BY tenant;
UPDATE budgets SET spent = (SELECT sum(cost) FROM ledger l WHERE l.category = 'work' AND
  l.tenant = budgets.tenant AND l.hour >= budgets.since);
)sql";

// What a start reads, all of it small but for jobs and works, of which it reads the live ones.
constexpr std::array<std::string_view, 10> kReadAtStart{
    "PRAGMA quick_check(meta)",         "PRAGMA quick_check(counters)",
    "PRAGMA quick_check(pools)",        "PRAGMA quick_check(pool_books)",
    "PRAGMA quick_check(observations)", "PRAGMA quick_check(policies)",
    "PRAGMA quick_check(epochs)",       "PRAGMA quick_check(speeds)",
    "PRAGMA quick_check(models)",       "PRAGMA quick_check(budgets)"};
constexpr std::int64_t kSmallBytes = 64 << 20;  // checked in about 50 ms

std::int64_t Ask(Connection& connection, std::string_view sql) {
  Query query(connection, sql);
  return query.Next() ? query.Int(0) : 0;
}

absl::Status CheckWith(Connection& connection, std::string_view pragma) {
  Query query(connection, pragma);
  if (query.Next() && query.Text(0) == "ok") return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("the database is damaged: ", ToAbsl(query.Text(0))));
}

absl::Status OtherVersion(std::int64_t found) {
  return absl::FailedPreconditionError(absl::StrCat(
      "the database has tables of version ", found, ", this program knows version ", kSchemaVersion,
      ": it was written by ", found > kSchemaVersion ? "a newer program" : "an older one"));
}

absl::Status MakeTables(Connection& writer) {
  Transaction transaction(writer, Transaction::Kind::kWrite);
  writer.Exec(kTables);
  writer.Exec(kTablesForRequests);
  writer.Exec(kTableOfBlocks);
  writer.Exec(kTablesOfCosts);
  writer.Exec(absl::StrCat("PRAGMA application_id=", kApplicationId).c_str());
  Run(writer, "INSERT INTO meta(key, value) VALUES('schema', ?)", std::int64_t{kSchemaVersion});
  transaction.Commit();
  return absl::OkStatus();
}

// From any older version, whole or not at all. Version 5 has the tables of version 4; its requests
// are packed in a form that older programs cannot read (formats/codec_packed_changes.h).
absl::Status AddTables(Connection& writer, std::int64_t version) {
  Transaction transaction(writer, Transaction::Kind::kWrite);
  if (version < 2) writer.Exec(kTablesForRequests);
  if (version < 3) writer.Exec(kTableOfBlocks);
  if (version < 4) {
    writer.Exec("ALTER TABLE ledger RENAME TO ledger_before");
    writer.Exec(kTablesOfCosts);
    writer.Exec(kMoveLedger);
  }
  Run(writer, "UPDATE meta SET value = ? WHERE key = 'schema'", std::int64_t{kSchemaVersion});
  transaction.Commit();
  return absl::OkStatus();
}

}  // namespace

absl::Status PrepareSchema(Connection& writer) {
  return Guarded("preparing the tables", [&]() -> absl::Status {
    if (Ask(writer, "SELECT count(*) FROM sqlite_schema") == 0) return MakeTables(writer);
    if (Ask(writer, "PRAGMA application_id") != kApplicationId)
      return absl::InvalidArgumentError(
          "this database is not Spillway's, and is left as it is: give another state folder");
    const std::int64_t found = Ask(writer, "SELECT value FROM meta WHERE key = 'schema'");
    if (found == kSchemaVersion) return absl::OkStatus();
    if (found >= 1 && found < kSchemaVersion) return AddTables(writer, found);
    return OtherVersion(found);
  });
}

absl::Status CheckSchema(Connection& reader) {
  return Guarded("looking at the database", [&]() -> absl::Status {
    if (Ask(reader, "PRAGMA application_id") != kApplicationId)
      return absl::InvalidArgumentError("this database is not Spillway's");
    const std::int64_t found = Ask(reader, "SELECT value FROM meta WHERE key = 'schema'");
    return found == kSchemaVersion ? absl::OkStatus() : OtherVersion(found);
  });
}

absl::Status QuickCheck(Connection& connection) {
  return Guarded("checking the database", [&]() -> absl::Status {
    const std::int64_t bytes =
        Ask(connection, "PRAGMA page_count") * Ask(connection, "PRAGMA page_size");
    if (bytes <= kSmallBytes) return CheckWith(connection, "PRAGMA quick_check(1)");
    for (const std::string_view pragma : kReadAtStart) {
      if (absl::Status status = CheckWith(connection, pragma); !status.ok()) return status;
    }
    return absl::OkStatus();
  });
}

absl::Status FullCheck(Connection& connection) {
  return Guarded("checking the database", [&]() -> absl::Status {
    return CheckWith(connection, "PRAGMA integrity_check(1)");
  });
}

}  // namespace spillway::store
