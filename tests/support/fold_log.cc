#include "tests/support/fold_log.h"

#include <sqlite3.h>

#include <array>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "controller/store/sqlite_store.h"
#include "core/status.h"
#include "scheduler/brain.h"

namespace spillway::testing_support {
namespace {

constexpr std::size_t kEventsAtOnce = 1000;

// All columns, the key first and in its order. Answers are no projection of the log.
struct Table {
  const char* name;
  const char* rows;
};
constexpr std::array<Table, 15> kTables{
    {{"events", "SELECT * FROM events ORDER BY number"},
     {"epochs", "SELECT * FROM epochs ORDER BY epoch"},
     {"jobs", "SELECT * FROM jobs ORDER BY id"},
     {"works", "SELECT * FROM works ORDER BY job"},
     {"decisions", "SELECT * FROM decisions ORDER BY id"},
     {"ledger", "SELECT * FROM ledger ORDER BY hour, pool, tenant, category"},
     {"pools", "SELECT * FROM pools ORDER BY id"},
     {"pool_books", "SELECT * FROM pool_books ORDER BY pool"},
     {"observations", "SELECT * FROM observations ORDER BY tenant, name"},
     {"policies", "SELECT * FROM policies ORDER BY version"},
     {"speeds", "SELECT * FROM speeds ORDER BY pool, model"},
     {"models", "SELECT * FROM models ORDER BY model"},
     {"routers", "SELECT * FROM routers ORDER BY id"},
     {"requests", "SELECT * FROM requests ORDER BY id"},
     {"counters", "SELECT * FROM counters"}}};

class Reader {
 public:
  explicit Reader(const std::string& path) {
    if (sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK)
      trouble_ = sqlite3_errmsg(db_);
  }
  ~Reader() {
    sqlite3_finalize(rows_);
    sqlite3_close(db_);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  void Begin(const char* sql) {
    sqlite3_finalize(rows_);
    rows_ = nullptr;
    if (sqlite3_prepare_v2(db_, sql, -1, &rows_, nullptr) != SQLITE_OK)
      trouble_ = sqlite3_errmsg(db_);
  }
  // The next row's columns with bars between them; nothing at the end.
  std::optional<std::string> Next() {
    if (sqlite3_step(rows_) != SQLITE_ROW) return std::nullopt;
    std::vector<std::string> columns;
    for (int i = 0; i < sqlite3_column_count(rows_); ++i) {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(rows_, i));
      columns.emplace_back(text == nullptr ? "null" : text);
    }
    return absl::StrJoin(columns, " | ");
  }
  const std::string& trouble() const { return trouble_; }

 private:
  sqlite3* db_ = nullptr;
  sqlite3_stmt* rows_ = nullptr;
  std::string trouble_;
};

absl::Status CompareTable(const Table& table, Reader& wanted, Reader& found) {
  wanted.Begin(table.rows);
  found.Begin(table.rows);
  for (;;) {
    if (!wanted.trouble().empty() || !found.trouble().empty())
      return absl::DataLossError(absl::StrCat(wanted.trouble(), " ", found.trouble()));
    const auto w = wanted.Next(), f = found.Next();
    if (!w && !f) return absl::OkStatus();
    if (w == f) continue;
    return absl::DataLossError(absl::StrCat("table ", table.name, " differs:\n  wanted ",
                                            w.value_or("no row"), "\n  found  ",
                                            f.value_or("no row")));
  }
}

}  // namespace

absl::Status CompareTables(const std::string& wanted, const std::string& found) {
  Reader left(wanted), right(found);
  for (const Table& table : kTables) SPILLWAY_RETURN_IF_ERROR(CompareTable(table, left, right));
  return absl::OkStatus();
}

absl::Status FoldLog(const std::string& path, const std::string& scratch) {
  const std::string folded = absl::StrCat(scratch, "/folded.db");
  {
    SPILLWAY_ASSIGN_OR_RETURN(auto log, SqliteStore::Open({.path = path}));
    SPILLWAY_ASSIGN_OR_RETURN(auto tables, SqliteStore::Open({.path = folded}));
    Brain brain;
    for (EventNumber next{1};;) {
      SPILLWAY_ASSIGN_OR_RETURN(const auto events, log->Events(next, kEventsAtOnce));
      if (events.empty()) break;
      Effects effects;
      for (const Event& event : events) brain.Handle(event, effects);
      SPILLWAY_RETURN_IF_ERROR(
          tables->Commit({.events = events, .records = std::move(effects.records)}));
      next = EventNumber{Number(events.back().number) + 1};
    }
  }
  return CompareTables(path, folded);
}

}  // namespace spillway::testing_support
