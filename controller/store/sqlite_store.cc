#include "controller/store/sqlite_store.h"

#include <optional>
#include <utility>

#include "controller/store/columns.h"
#include "controller/store/connection.h"
#include "controller/store/request_rows.h"
#include "controller/store/retention.h"
#include "controller/store/row_reader.h"
#include "controller/store/row_writer.h"
#include "controller/store/schema.h"

namespace spillway {
namespace {

using store::Connection;
using store::Guarded;
using store::Query;
using store::Transaction;

// Pages of 4 KiB in the write-ahead log. From the first figure on Tidy writes it back; from the
// second on readers are waited for, and Commit does it if nobody calls Tidy.
constexpr int kPagesToWriteBack = 4'000;
constexpr int kTooManyPages = 32'000;
constexpr std::int64_t kRowsPerSweep = 500;
constexpr absl::Duration kSweepEvery = absl::Minutes(1);

}  // namespace

class SqliteStore::Impl {
 public:
  Impl(Options options, std::unique_ptr<Connection> connection)
      : options_(std::move(options)), connection_(std::move(connection)), writer_(*connection_) {
    sqlite3_wal_hook(connection_->handle(), &Impl::OnWrite, this);
  }

  absl::Status ReadEnd() {
    return Guarded("reading the end of the log", [&]() -> absl::Status {
      last_ = store::ReadLogRange(*connection_).last;
      return absl::OkStatus();
    });
  }

  absl::Status Commit(const Batch& batch) {
    if (!failure_.ok()) return Failed();
    absl::Status status = Guarded("commit", [&] { return CommitOrThrow(batch); });
    if (!status.ok()) failure_ = status;
    return status;
  }

  absl::StatusOr<Remembered> Recall() {
    return Guarded("recalling the state", [&] { return RecallOrThrow(); });
  }
  absl::StatusOr<std::vector<Event>> Events(EventNumber from, std::size_t limit) {
    return Guarded("reading the log", [&] { return EventsOrThrow(from, limit); });
  }

  absl::Status Tidy(absl::Time now) {
    if (!failure_.ok()) return Failed();
    absl::Status status = Guarded("tidying", [&] { return TidyOrThrow(now); });
    if (!status.ok()) failure_ = status;
    return status;
  }

 private:
  absl::Status Failed() const {
    return absl::FailedPreconditionError(
        absl::StrCat("the store takes nothing since an earlier failure: ", failure_.message()));
  }
  absl::Status CommitOrThrow(const Batch& batch);
  absl::Status CheckNumbers(const std::vector<Event>& events) const;
  absl::StatusOr<Remembered> RecallOrThrow();
  absl::Status RecallLedger(Remembered& remembered);
  absl::Status RecallJobs(Remembered& remembered);
  absl::StatusOr<std::vector<Event>> EventsOrThrow(EventNumber from, std::size_t limit);
  absl::Status TidyOrThrow(absl::Time now);
  void WriteBack(int mode);

  static int OnWrite(void* self, sqlite3*, const char*, int pages) {
    static_cast<Impl*>(self)->pages_ = pages;
    return SQLITE_OK;
  }

  const Options options_;
  std::unique_ptr<Connection> connection_;
  store::RowWriter writer_;
  EventNumber last_{};  // in the log
  int pages_ = 0;       // in the write-ahead log, after the last write
  absl::Time sweep_at_ = absl::InfinitePast();
  absl::Status failure_;  // the first one; nothing is taken after it
};

absl::Status SqliteStore::Impl::CheckNumbers(const std::vector<Event>& events) const {
  std::uint64_t expected = Number(last_);
  for (const Event& e : events) {
    if (Number(e.number) == ++expected) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        "event ", Number(e.number), " does not follow the log, whose next is ", expected));
  }
  return absl::OkStatus();
}

absl::Status SqliteStore::Impl::CommitOrThrow(const Batch& batch) {
  SPILLWAY_RETURN_IF_ERROR(CheckNumbers(batch.events));
  if (pages_ >= kTooManyPages) WriteBack(SQLITE_CHECKPOINT_RESTART);
  Transaction transaction(*connection_, Transaction::Kind::kWrite);
  // A second writer, were there one in spite of the lock, would take the same numbers: they are the
  // primary key of the log.
  SPILLWAY_RETURN_IF_ERROR(writer_.Write(batch));
  transaction.Commit();
  if (!batch.events.empty()) last_ = batch.events.back().number;
  return absl::OkStatus();
}

absl::StatusOr<Remembered> SqliteStore::Impl::RecallOrThrow() {
  Transaction snapshot(*connection_, Transaction::Kind::kRead);
  Remembered remembered;
  SPILLWAY_ASSIGN_OR_RETURN(const auto counters, store::ReadCounters(*connection_));
  remembered.counters = counters.value_or(record::CountersRow());
  if (remembered.counters.last_event != last_) {
    return absl::DataLossError(absl::StrCat("the log ends at event ", Number(last_),
                                            ", the tables at event ",
                                            Number(remembered.counters.last_event)));
  }
  SPILLWAY_ASSIGN_OR_RETURN(remembered.pools, store::ReadPools(*connection_));
  SPILLWAY_ASSIGN_OR_RETURN(remembered.books, store::ReadPoolBooks(*connection_));
  SPILLWAY_ASSIGN_OR_RETURN(remembered.observations, store::ReadObservations(*connection_));
  SPILLWAY_ASSIGN_OR_RETURN(remembered.speeds, store::ReadSpeeds(*connection_));
  SPILLWAY_ASSIGN_OR_RETURN(remembered.models, store::ReadModels(*connection_));
  SPILLWAY_ASSIGN_OR_RETURN(remembered.budgets, store::ReadBudgets(*connection_));
  SPILLWAY_ASSIGN_OR_RETURN(remembered.policy, store::ReadNewestPolicy(*connection_, false));
  SPILLWAY_ASSIGN_OR_RETURN(remembered.file_policy, store::ReadNewestPolicy(*connection_, true));
  SPILLWAY_RETURN_IF_ERROR(RecallLedger(remembered));
  SPILLWAY_RETURN_IF_ERROR(RecallJobs(remembered));
  return remembered;
}

// Rows of hours that a pool's books have not left behind: complete hours are never written again.
absl::Status SqliteStore::Impl::RecallLedger(Remembered& remembered) {
  for (const record::PoolBooksRow& books : remembered.books) {
    Query open(*connection_,
               "SELECT " SPILLWAY_LEDGER_COLUMNS
               " FROM ledger l WHERE l.hour > ? AND l.pool = ? ORDER BY l.hour, l.tenant, "
               "l.category, l.kind, l.model",
               store::NanosOf(books.booked_until - absl::Hours(1)), store::ColumnOf(books.pool));
    while (open.Next()) {
      SPILLWAY_ASSIGN_OR_RETURN(record::LedgerRow row, store::LedgerRowAt(open.row()));
      remembered.ledger.push_back(std::move(row));
    }
  }
  return absl::OkStatus();
}

absl::Status SqliteStore::Impl::RecallJobs(Remembered& remembered) {
  Query live(*connection_, "SELECT " SPILLWAY_JOB_COLUMNS
                           " FROM jobs j JOIN works w ON w.job = j.id"
                           " WHERE j.state IN ('queued', 'starting', 'running') ORDER BY j.id");
  while (live.Next()) {
    SPILLWAY_ASSIGN_OR_RETURN(Job job, store::JobAt(live.row()));
    remembered.jobs.push_back(std::move(job));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Event>> SqliteStore::Impl::EventsOrThrow(EventNumber from,
                                                                    std::size_t limit) {
  const EventNumber first = store::ReadLogRange(*connection_).first;
  if (Number(from) != 0 && from < first) {
    return absl::OutOfRangeError(absl::StrCat("event ", Number(from), " was swept away, the log ",
                                              "begins at event ", Number(first)));
  }
  std::vector<Event> events;
  Query query(*connection_,
              "SELECT number, at, kind, body FROM events WHERE number >= ? ORDER BY number LIMIT ?",
              store::ColumnOf(from), static_cast<std::int64_t>(limit));
  while (query.Next()) {
    auto body = DecodeEvent(query.Text(2), query.Text(3));
    if (!body.ok()) {
      return Annotate(body.status(),
                      absl::StrCat("damaged row of table events, key ", query.Int(0)));
    }
    events.push_back({.number = store::IdOf<EventNumber>(query.Int(0)),
                      .at = store::TimeOf(query.Int(1)),
                      .body = *std::move(body)});
  }
  return events;
}

absl::Status SqliteStore::Impl::TidyOrThrow(absl::Time now) {
  if (pages_ >= kPagesToWriteBack) {
    WriteBack(pages_ >= kTooManyPages ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE);
  }
  if (now < sweep_at_) return absl::OkStatus();
  SPILLWAY_ASSIGN_OR_RETURN(const std::int64_t swept,
                            store::SweepOnce(*connection_, options_.retention, now, kRowsPerSweep));
  // As long as there is something to sweep, each call takes a step.
  sweep_at_ = swept > 0 ? now : now + kSweepEvery;
  return absl::OkStatus();
}

// From the write-ahead log into the database. That a reader is in the way is no failure: the rest
// goes the next time.
void SqliteStore::Impl::WriteBack(int mode) {
  const int result =
      sqlite3_wal_checkpoint_v2(connection_->handle(), nullptr, mode, nullptr, nullptr);
  if (result != SQLITE_OK && (result & 0xff) != SQLITE_BUSY)
    throw SQLite::Exception(connection_->handle(), result);
  pages_ = 0;  // the next write tells how many there are
}

SqliteStore::SqliteStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SqliteStore::~SqliteStore() = default;

absl::StatusOr<std::unique_ptr<SqliteStore>> SqliteStore::Open(Options options) {
  SPILLWAY_ASSIGN_OR_RETURN(auto connection,
                            Connection::Open(options.path, Connection::Use::kWrite, options.vfs));
  SPILLWAY_RETURN_IF_ERROR(Annotate(store::PrepareSchema(*connection), options.path));
  SPILLWAY_RETURN_IF_ERROR(Annotate(store::QuickCheck(*connection), options.path));
  auto impl = std::make_unique<Impl>(std::move(options), std::move(connection));
  SPILLWAY_RETURN_IF_ERROR(impl->ReadEnd());
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(impl)));
}

std::optional<PackedRequests> SqliteStore::Pack(const event::Body& happened) const {
  return store::PackRequests(happened);
}
absl::Status SqliteStore::Commit(const Batch& batch) { return impl_->Commit(batch); }
absl::StatusOr<Remembered> SqliteStore::Recall() { return impl_->Recall(); }
absl::StatusOr<std::vector<Event>> SqliteStore::Events(EventNumber from, std::size_t limit) {
  return impl_->Events(from, limit);
}
absl::Status SqliteStore::Tidy(absl::Time now) { return impl_->Tidy(now); }

}  // namespace spillway
