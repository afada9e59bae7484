#include "controller/store/connection.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>

namespace spillway::store {
namespace {

constexpr int kBusyTimeoutMs = 5000;
constexpr mode_t kOwnerOnly = S_IRUSR | S_IWUSR;

absl::StatusCode CodeOf(int primary) {
  switch (primary) {
    case SQLITE_FULL:
      return absl::StatusCode::kResourceExhausted;
    case SQLITE_CORRUPT:
      return absl::StatusCode::kDataLoss;
    case SQLITE_NOTADB:
      return absl::StatusCode::kInvalidArgument;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kInternal;
  }
}

absl::Status SystemError(std::string_view what, const std::string& path) {
  return absl::UnavailableError(
      absl::StrCat("cannot ", ToAbsl(what), " ", path, ": ", std::strerror(errno)));
}

// SQLite gives the files beside it (write-ahead log, shared memory) the mode of the database.
absl::Status MakePrivateFile(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kOwnerOnly);
  if (fd < 0) return SystemError("open", path);
  struct stat found {};
  absl::Status status;
  if (::fstat(fd, &found) != 0) {
    status = SystemError("look at", path);
  } else if (!S_ISREG(found.st_mode)) {
    status = absl::FailedPreconditionError(absl::StrCat(path, " is not a plain file"));
  } else if ((found.st_mode & 0777) != kOwnerOnly && ::fchmod(fd, kOwnerOnly) != 0) {
    status = SystemError("make private", path);
  }
  ::close(fd);
  return status;
}

// SQLite's name of a file that it may take as never changing: no locks, no files beside it.
std::string StillUri(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      absl::StrAppend(&uri, "%", absl::Hex(c, absl::kZeroPad2));
    } else {
      uri.push_back(c);
    }
  }
  return uri + "?immutable=1";
}

void Configure(Connection& connection, Connection::Use use) {
  sqlite3* db = connection.handle();
  sqlite3_extended_result_codes(db, 1);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  connection.Exec("PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY");
  if (use != Connection::Use::kWrite) {
    connection.Exec("PRAGMA query_only=ON; PRAGMA cache_size=-8192");  // KiB
    return;
  }
  // Commits reach the disk before they are acknowledged (FULL, not NORMAL). Debian builds SQLite
  // with SECURE_DELETE, which writes zeros over everything that is replaced: not wanted here. The
  // log is written back by SqliteStore::Tidy, so that no answer waits for it.
  connection.Exec(
      "PRAGMA synchronous=FULL; PRAGMA secure_delete=OFF; PRAGMA wal_autocheckpoint=0;"
      "PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-8192");
  Query mode(connection, "PRAGMA journal_mode=WAL");
  if (!mode.Next() || mode.Text(0) != "wal")
    throw SQLite::Exception("the file system allows no write-ahead log", SQLITE_CANTOPEN);
}

}  // namespace

absl::Status ToStatus(const SQLite::Exception& error, std::string_view what) {
  const int code =
      error.getExtendedErrorCode() > 0 ? error.getExtendedErrorCode() : error.getErrorCode();
  return absl::Status(CodeOf(error.getErrorCode() & 0xff),
                      absl::StrCat(ToAbsl(what), ": ", error.what(), " (SQLite ", code, ")"));
}

Statement::Statement(sqlite3* db, std::string_view sql) : db_(db) {
  Check(sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                           &handle_, nullptr));
}

void Statement::Bind(int index, std::string_view text) {
  // A null pointer would bind NULL.
  const char* data = text.data() == nullptr ? "" : text.data();
  Check(sqlite3_bind_text64(handle_, index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

bool Statement::Step() {
  const int result = sqlite3_step(handle_);
  if (result != SQLITE_ROW && result != SQLITE_DONE) throw SQLite::Exception(db_, result);
  return result == SQLITE_ROW;
}

std::string_view Statement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
}

Connection::Connection(const std::string& path, int flags, const std::string& vfs)
    : db_(path, flags, kBusyTimeoutMs, vfs) {}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const std::string& path, Use use,
                                                             const std::string& vfs) {
  if (use == Use::kWrite) {
    if (absl::Status made = MakePrivateFile(path); !made.ok()) return made;
  }
  return Guarded(
      absl::StrCat("opening ", path), [&]() -> absl::StatusOr<std::unique_ptr<Connection>> {
        const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI * (use == Use::kReadStill) |
                          (use == Use::kWrite ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
        const std::string name = use == Use::kReadStill ? StillUri(path) : path;
        std::unique_ptr<Connection> connection(new Connection(name, flags, vfs));
        Configure(*connection, use);
        return connection;
      });
}

Statement& Connection::Prepared(std::string_view sql) {
  if (const auto known = statements_.find(sql); known != statements_.end()) return known->second;
  return statements_
      .emplace(std::piecewise_construct, std::forward_as_tuple(sql),
               std::forward_as_tuple(handle(), sql))
      .first->second;
}

Transaction::~Transaction() {
  if (done_) return;
  try {
    // After some errors SQLite has rolled back by itself.
    if (sqlite3_get_autocommit(connection_.handle()) == 0) Run(connection_, "ROLLBACK");
  } catch (const SQLite::Exception&) {
    // The writer is given up after a failed commit; a reader's lock goes with its connection.
  }
}

}  // namespace spillway::store
