#pragma once

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/text.h"

// One connection to the database and its prepared statements. Inside this room SQLite's errors
// travel as SQLite::Exception; Guarded() makes a status of them at the room's edge. One thread at a
// time.
namespace spillway::store {

// What the caller should do is in the code: kResourceExhausted (the disk is full), kUnavailable (an
// I/O error, a lock that is not let go), kDataLoss (damage), kInternal (ours).
absl::Status ToStatus(const SQLite::Exception& error, std::string_view what);

// Runs `function` (which gives an absl::Status or StatusOr); what it throws becomes a status that
// begins with `what`.
template <class Function>
auto Guarded(std::string_view what, Function&& function) -> decltype(function()) {
  try {
    return function();
  } catch (const SQLite::Exception& error) {
    return ToStatus(error, what);
  } catch (const std::exception& error) {  // std::bad_alloc and such
    return absl::InternalError(absl::StrCat(ToAbsl(what), ": ", error.what()));
  }
}

// A prepared statement. (SQLiteCpp's own copies every text that it binds from a view.)
class Statement {
 public:
  Statement(sqlite3* db, std::string_view sql);
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement() { sqlite3_finalize(handle_); }

  void Bind(int index, std::int64_t value) { Check(sqlite3_bind_int64(handle_, index, value)); }
  // `text` is not copied: it must live until the statement is reset.
  void Bind(int index, std::string_view text);
  void Bind(int index, std::optional<std::int64_t> value) {
    value ? Bind(index, *value) : Check(sqlite3_bind_null(handle_, index));
  }
  bool Step();  // true: a row stands ready
  // Ends the statement, and with it the read transaction, if it was one.
  void Reset() noexcept {
    sqlite3_reset(handle_);
    sqlite3_clear_bindings(handle_);
  }
  std::int64_t Int(int column) const { return sqlite3_column_int64(handle_, column); }
  // Valid until the next step.
  std::string_view Text(int column) const;

 private:
  void Check(int result) {
    if (result != SQLITE_OK) throw SQLite::Exception(db_, result);
  }
  sqlite3* db_;
  sqlite3_stmt* handle_ = nullptr;
};

class Connection {
 public:
  // The one writer makes the file if it is missing (mode 0600), and sets what belongs to the file:
  // write-ahead log, synchronous=FULL. Readers cannot write. Both: no trusted schema, no
  // extensions, SQLITE_DBCONFIG_DEFENSIVE, busy timeout 5 s. kReadStill: of a file that nobody
  // writes to, where no other file can be made beside it.
  enum class Use : std::uint8_t { kWrite, kRead, kReadStill };
  // `vfs`: name of a registered sqlite3_vfs, empty: the system's (tests put faults there).
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const std::string& path, Use use,
                                                          const std::string& vfs = "");

  // Throwing, all of them.
  // Kept for as long as the connection: `sql` is one of the program's own constant texts, with
  // parameters for every value.
  Statement& Prepared(std::string_view sql);
  void Exec(const char* sql) { db_.exec(sql); }
  std::int64_t Changes() { return sqlite3_changes64(db_.getHandle()); }

  sqlite3* handle() { return db_.getHandle(); }

 private:
  Connection(const std::string& path, int flags, const std::string& vfs);

  SQLite::Database db_;  // before the statements: they go first
  std::map<std::string, Statement, std::less<>> statements_;
};

// One run of a prepared statement: binds its arguments in order, walks the rows, resets it at the
// end.
class Query {
 public:
  template <class... Arguments>
  Query(Connection& connection, std::string_view sql, const Arguments&... arguments)
      : statement_(connection.Prepared(sql)) {
    int index = 0;
    (statement_.Bind(++index, arguments), ...);
  }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  ~Query() { statement_.Reset(); }

  bool Next() { return statement_.Step(); }
  std::int64_t Int(int column) const { return statement_.Int(column); }
  std::string_view Text(int column) const { return statement_.Text(column); }
  const Statement& row() const { return statement_; }

 private:
  Statement& statement_;
};

// A statement without rows. Texts are borrowed for the call.
template <class... Arguments>
void Run(Connection& connection, std::string_view sql, const Arguments&... arguments) {
  Query query(connection, sql, arguments...);
  query.Next();
}

// Ends with Commit(); without it, everything since is undone. One at a time per connection.
class Transaction {
 public:
  enum class Kind : std::uint8_t { kRead, kWrite };
  Transaction(Connection& connection, Kind kind) : connection_(connection) {
    Run(connection_, kind == Kind::kWrite ? "BEGIN IMMEDIATE" : "BEGIN");
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  void Commit() {
    Run(connection_, "COMMIT");
    done_ = true;
  }

 private:
  Connection& connection_;
  bool done_ = false;
};

}  // namespace spillway::store
