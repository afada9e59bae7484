#include "controller/store/log_reader.h"

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <utility>

#include "controller/store/columns.h"
#include "controller/store/connection.h"
#include "controller/store/row_reader.h"
#include "controller/store/schema.h"

namespace spillway {
namespace {

using store::ColumnOf;
using store::Connection;
using store::Query;
using store::Transaction;

constexpr std::int64_t kPageRows = 256;
constexpr std::size_t kPageBytes = 4 << 20;

absl::StatusOr<LogReader::Contents> ReadContents(Connection& c) {
  Transaction snapshot(c, Transaction::Kind::kRead);
  LogReader::Contents contents;
  const store::LogRange range = store::ReadLogRange(c);
  contents.first = range.first;
  contents.last = range.last;
  Query epochs(c, "SELECT epoch, event, at FROM epochs ORDER BY epoch");
  while (epochs.Next()) {
    contents.epochs.push_back({.number = store::IdOf<std::uint64_t>(epochs.Int(0)),
                               .event = store::IdOf<EventNumber>(epochs.Int(1)),
                               .at = store::TimeOf(epochs.Int(2))});
  }
  Query pools(c, "SELECT count(*) FROM pools");
  if (pools.Next()) contents.pools = pools.Int(0);
  return contents;
}

absl::Status CheckPath(const std::string& path) {
  std::error_code error;
  const auto found = std::filesystem::status(path, error);
  if (!std::filesystem::exists(found))
    return absl::NotFoundError(absl::StrCat("there is no database ", path));
  if (!std::filesystem::is_regular_file(found))
    return absl::InvalidArgumentError(absl::StrCat(path, " is no plain file"));
  return absl::OkStatus();
}

}  // namespace

class LogReader::Impl {
 public:
  Impl(std::string path, std::unique_ptr<Connection> connection, Contents contents)
      : path_(std::move(path)),
        connection_(std::move(connection)),
        contents_(std::move(contents)) {}

  const Contents& contents() const { return contents_; }

  template <class Read>
  auto With(std::string_view what, Read read) -> decltype(read(std::declval<Connection&>())) {
    auto result = store::Guarded(what, [&] { return read(*connection_); });
    if (result.ok()) return result;
    return Annotate(result.status(), path_);
  }

  absl::StatusOr<std::vector<Event>> ReadEvents(Connection& c, EventNumber from) const;
  absl::StatusOr<std::vector<std::shared_ptr<const Decision>>> ReadDecisions(
      Connection& c, DecisionId after) const;

 private:
  const std::string path_;
  std::unique_ptr<Connection> connection_;
  const Contents contents_;
};

absl::StatusOr<std::vector<Event>> LogReader::Impl::ReadEvents(Connection& c,
                                                               EventNumber from) const {
  std::vector<Event> events;
  std::size_t bytes = 0;
  Query query(c,
              "SELECT number, at, kind, body FROM events WHERE number >= ? AND number <= ?"
              " ORDER BY number LIMIT ?",
              ColumnOf(from), ColumnOf(contents_.last), kPageRows);
  while (bytes < kPageBytes && query.Next()) {
    const auto number = store::IdOf<EventNumber>(query.Int(0));
    const std::uint64_t expected = Number(from) + events.size();
    if (Number(number) != expected) {
      return absl::OutOfRangeError(
          absl::StrCat("event ", expected, " is not in the log, whose next is ", Number(number),
                       ": it was swept away, or the log has a hole"));
    }
    auto body = DecodeEvent(query.Text(2), query.Text(3));
    if (!body.ok()) {
      return Annotate(body.status(),
                      absl::StrCat("damaged row of table events, key ", Number(number)));
    }
    bytes += query.Text(3).size();
    events.push_back(
        {.number = number, .at = store::TimeOf(query.Int(1)), .body = *std::move(body)});
  }
  return events;
}

absl::StatusOr<std::vector<std::shared_ptr<const Decision>>> LogReader::Impl::ReadDecisions(
    Connection& c, DecisionId after) const {
  std::vector<std::shared_ptr<const Decision>> decisions;
  Query query(c,
              "SELECT " SPILLWAY_DECISION_COLUMNS
              " FROM decisions d WHERE d.id > ? AND d.event <= ? ORDER BY d.id LIMIT ?",
              ColumnOf(after), ColumnOf(contents_.last), kPageRows);
  while (query.Next()) {
    SPILLWAY_ASSIGN_OR_RETURN(auto decision, store::DecisionAt(query.row()));
    decisions.push_back(std::move(decision));
  }
  return decisions;
}

LogReader::LogReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LogReader::~LogReader() = default;

absl::StatusOr<std::unique_ptr<LogReader>> LogReader::Open(const std::string& path) {
  SPILLWAY_RETURN_IF_ERROR(CheckPath(path));
  const auto open = [&](Connection::Use use) -> absl::StatusOr<std::unique_ptr<LogReader>> {
    SPILLWAY_ASSIGN_OR_RETURN(auto connection, Connection::Open(path, use));
    const absl::Status schema = store::CheckSchema(*connection);
    if (!schema.ok()) return Annotate(schema, path);
    auto contents = store::Guarded("reading " + path, [&] { return ReadContents(*connection); });
    if (!contents.ok()) return contents.status();
    return std::unique_ptr<LogReader>(
        new LogReader(std::make_unique<Impl>(path, std::move(connection), *std::move(contents))));
  };
  auto reader = open(Connection::Use::kRead);
  // A folder where no file can be made: SQLite cannot share a write-ahead log there. Without one,
  // the database is all there is.
  std::error_code error;
  const bool has_log = std::filesystem::exists(path + "-wal", error);
  if (absl::IsUnavailable(reader.status()) && !has_log) return open(Connection::Use::kReadStill);
  return reader;
}

const LogReader::Contents& LogReader::contents() const { return impl_->contents(); }

absl::StatusOr<std::vector<Event>> LogReader::Events(EventNumber from) {
  return impl_->With("reading the log", [&](Connection& c) { return impl_->ReadEvents(c, from); });
}
absl::StatusOr<std::vector<std::shared_ptr<const Decision>>> LogReader::Decisions(
    DecisionId after) {
  return impl_->With("reading decisions",
                     [&](Connection& c) { return impl_->ReadDecisions(c, after); });
}
absl::StatusOr<std::shared_ptr<const RouterInputs>> LogReader::FindRouterInputs(EventNumber id) {
  return impl_->With("looking for the router's inputs",
                     [&](Connection& c) { return store::ReadRouterInputs(c, id); });
}
absl::StatusOr<bool> LogReader::Keeps(JobId job) {
  return impl_->With("looking for a job", [&](Connection& c) -> absl::StatusOr<bool> {
    Query query(c, "SELECT 1 FROM jobs WHERE id = ?", ColumnOf(job));
    return query.Next();
  });
}

}  // namespace spillway
