#include "controller/store/sqlite_archive.h"

#include <algorithm>
#include <utility>

#include "controller/store/columns.h"
#include "controller/store/connection.h"
#include "controller/store/listing.h"
#include "controller/store/read_pool.h"
#include "controller/store/request_rows.h"
#include "controller/store/row_reader.h"
#include "controller/store/schema.h"

namespace spillway {
namespace {

using store::ColumnOf;
using store::Connection;
using store::IdListing;
using store::Query;
using store::Transaction;

constexpr int kMaxPage = 100;

absl::StatusOr<Job> ReadJob(Connection& c, std::int64_t id) {
  Query query(
      c, "SELECT " SPILLWAY_JOB_COLUMNS " FROM jobs j JOIN works w ON w.job = j.id WHERE j.id = ?",
      id);
  if (query.Next()) return store::JobAt(query.row());
  return absl::NotFoundError(absl::StrCat("no ", ToString(store::IdOf<JobId>(id))));
}

absl::StatusOr<std::shared_ptr<const Decision>> ReadDecision(Connection& c, std::int64_t id) {
  Query query(c, "SELECT " SPILLWAY_DECISION_COLUMNS " FROM decisions d WHERE d.id = ?", id);
  if (query.Next()) return store::DecisionAt(query.row());
  return absl::NotFoundError(absl::StrCat("no ", ToString(store::IdOf<DecisionId>(id))));
}

// A decision about a job leads to the job's work; one about none (refused at submission) to the
// text of the submission in the log.
absl::StatusOr<std::shared_ptr<const Work>> ReadWork(Connection& c, const Decision& decision) {
  const bool refused = decision.work == JobId{};
  const std::int64_t key = refused ? ColumnOf(decision.event) : ColumnOf(decision.work);
  Query query(c,
              refused ? "SELECT body FROM events WHERE number = ? AND kind = 'submitted'"
                      : "SELECT body FROM works WHERE job = ?",
              key);
  if (!query.Next()) {
    return absl::NotFoundError(
        absl::StrCat("the work of ", ToString(decision.id), " is not kept any more"));
  }
  SPILLWAY_ASSIGN_OR_RETURN(
      Work work,
      store::DecodeRow<Work>(query.Text(0), refused ? "events" : "works", absl::StrCat(key)));
  return std::make_shared<const Work>(std::move(work));
}

// Pools that have, or had, this name.
std::vector<IdListing::Value> PoolsNamed(Connection& c, const std::string& name) {
  std::vector<IdListing::Value> ids;
  Query query(c, "SELECT id FROM pools WHERE name = ? ORDER BY id", std::string_view(name));
  while (query.Next()) ids.emplace_back(query.Int(0));
  return ids;
}

template <class E>
std::vector<IdListing::Value> AllNames() {
  std::vector<IdListing::Value> names;
  for (const auto& [value, name] : NamesOf(E{})) names.emplace_back(std::string(name));
  return names;
}

IdListing ListingOf(Connection& c, const JobQuery& query) {
  IdListing ids("jobs", "id", query.order);
  if (query.tenant) ids.AnyOf("tenant", {*query.tenant});
  if (query.name) ids.AnyOf("name", {*query.name});
  if (query.pool) ids.AnyOf("pool", PoolsNamed(c, *query.pool));
  if (!query.states.empty()) {
    std::vector<IdListing::Value> states;
    for (const JobState state : query.states) {
      const IdListing::Value name = std::string(NameOf(state));
      if (std::find(states.begin(), states.end(), name) == states.end()) states.push_back(name);
    }
    ids.AnyOf("state", std::move(states));
  } else if (query.tenant && !query.name && !query.pool) {
    ids.AnyOf("state", AllNames<JobState>());  // the index of tenants is by state
  }
  if (query.after) ids.After(ColumnOf(*query.after));
  return ids;
}

IdListing ListingOf(Connection&, const DecisionQuery& query) {
  IdListing ids("decisions", "id", query.order);
  if (query.job) ids.AnyOf("job", {ColumnOf(*query.job)});
  if (query.tenant) ids.AnyOf("tenant", {*query.tenant});
  if (query.outcome) {
    ids.AnyOf("outcome", {std::string(NameOf(*query.outcome))});
  } else if (query.tenant && !query.job) {
    ids.AnyOf("outcome", AllNames<Outcome>());  // the index of tenants is by outcome
  }
  if (query.after) ids.After(ColumnOf(*query.after));
  return ids;
}

// One row more than asked for tells whether there are more.
template <class Item, class AnyQuery, class Read>
absl::StatusOr<Page<Item>> ReadPage(Connection& c, const AnyQuery& query, Read read) {
  const std::int64_t limit = std::clamp(query.limit, 1, kMaxPage);
  Transaction snapshot(c, Transaction::Kind::kRead);
  const std::vector<std::int64_t> ids = ListingOf(c, query).Read(c, limit + 1);
  Page<Item> page;
  page.has_more = static_cast<std::int64_t>(ids.size()) > limit;
  for (const std::int64_t id : ids) {
    if (static_cast<std::int64_t>(page.items.size()) == limit) break;
    SPILLWAY_ASSIGN_OR_RETURN(Item item, read(c, id));
    page.items.push_back(std::move(item));
  }
  return page;
}

absl::StatusOr<std::vector<record::LedgerRow>> ReadLedger(Connection& c, const LedgerQuery& query) {
  const std::string tenant = query.tenant.value_or(""), pool = query.pool.value_or("");
  std::vector<record::LedgerRow> rows;
  Query ledger(c,
               "SELECT " SPILLWAY_LEDGER_COLUMNS
               " FROM ledger l WHERE l.hour >= ?1 AND l.hour < ?2 AND (?3 = 0 OR l.tenant = ?4)"
               " AND (?5 = 0 OR l.pool IN (SELECT id FROM pools WHERE name = ?6))"
               " ORDER BY l.hour, l.pool, l.tenant, l.category, l.kind, l.model",
               store::NanosOf(query.from.value_or(absl::InfinitePast())),
               store::NanosOf(query.until.value_or(absl::InfiniteFuture())),
               std::int64_t{query.tenant.has_value()}, std::string_view(tenant),
               std::int64_t{query.pool.has_value()}, std::string_view(pool));
  while (ledger.Next()) {
    SPILLWAY_ASSIGN_OR_RETURN(record::LedgerRow row, store::LedgerRowAt(ledger.row()));
    rows.push_back(std::move(row));
  }
  return rows;
}

absl::StatusOr<std::optional<StoredAnswer>> ReadAnswer(Connection& c, const std::string& tenant,
                                                       const std::string& key) {
  Query query(c,
              "SELECT at, body_hash, status, location, body FROM answers"
              " WHERE tenant = ? AND key = ?",
              std::string_view(tenant), std::string_view(key));
  if (!query.Next()) return std::optional<StoredAnswer>();
  StoredAnswer answer;
  answer.tenant = tenant;
  answer.key = key;
  answer.at = store::TimeOf(query.Int(0));
  answer.body_hash = store::IdOf<std::uint64_t>(query.Int(1));
  answer.status = static_cast<int>(query.Int(2));
  answer.location = std::string(query.Text(3));
  answer.body = std::string(query.Text(4));
  return std::optional<StoredAnswer>(std::move(answer));
}

}  // namespace

class SqliteArchive::Impl {
 public:
  explicit Impl(Options options)
      : pool_(std::move(options.path), std::move(options.vfs), std::max(options.readers, 1)) {}

  // Runs `read` on a connection; whatever goes wrong comes back as a status.
  template <class Read>
  auto With(std::string_view what, Read read) -> decltype(read(std::declval<Connection&>())) {
    auto lease = pool_.Borrow();
    if (!lease.ok()) return lease.status();
    return store::Guarded(what, [&] { return read(**lease); });
  }

 private:
  store::ReadPool pool_;
};

SqliteArchive::SqliteArchive(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SqliteArchive::~SqliteArchive() = default;

absl::StatusOr<std::unique_ptr<SqliteArchive>> SqliteArchive::Open(Options options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  // Opens the first connection, so that a wrong path is told now.
  const auto tried = impl->With("opening the archive", [](Connection& c) -> absl::Status {
    store::ReadLogRange(c);
    return absl::OkStatus();
  });
  SPILLWAY_RETURN_IF_ERROR(tried);
  return std::unique_ptr<SqliteArchive>(new SqliteArchive(std::move(impl)));
}

absl::StatusOr<Job> SqliteArchive::FindJob(JobId id) {
  return impl_->With("reading a job", [&](Connection& c) { return ReadJob(c, ColumnOf(id)); });
}

absl::StatusOr<std::shared_ptr<const Decision>> SqliteArchive::FindDecision(DecisionId id) {
  return impl_->With("reading a decision",
                     [&](Connection& c) { return ReadDecision(c, ColumnOf(id)); });
}

absl::StatusOr<std::shared_ptr<const Work>> SqliteArchive::FindWorkOf(const Decision& decision) {
  return impl_->With("reading the work of a decision",
                     [&](Connection& c) { return ReadWork(c, decision); });
}

absl::StatusOr<Page<Job>> SqliteArchive::ListJobs(const JobQuery& query) {
  return impl_->With("listing jobs",
                     [&](Connection& c) { return ReadPage<Job>(c, query, &ReadJob); });
}

absl::StatusOr<Page<std::shared_ptr<const Decision>>> SqliteArchive::ListDecisions(
    const DecisionQuery& query) {
  return impl_->With("listing decisions", [&](Connection& c) {
    return ReadPage<std::shared_ptr<const Decision>>(c, query, &ReadDecision);
  });
}

absl::StatusOr<std::shared_ptr<const Request>> SqliteArchive::FindRequest(RequestId id) {
  return impl_->With("looking for a request",
                     [&](Connection& c) { return store::ReadRequest(c, id); });
}

absl::StatusOr<std::vector<std::shared_ptr<const Request>>> SqliteArchive::ListRequests(
    std::optional<RequestId> after, int limit) {
  return impl_->With("listing requests",
                     [&](Connection& c) { return store::ReadRequests(c, after, limit); });
}

absl::StatusOr<std::shared_ptr<const RouterInputs>> SqliteArchive::FindRouterInputs(
    EventNumber id) {
  return impl_->With("looking for the router's inputs",
                     [&](Connection& c) { return store::ReadRouterInputs(c, id); });
}

absl::StatusOr<std::vector<record::LedgerRow>> SqliteArchive::Ledger(const LedgerQuery& query) {
  return impl_->With("reading the ledger", [&](Connection& c) { return ReadLedger(c, query); });
}

absl::StatusOr<std::optional<StoredAnswer>> SqliteArchive::FindAnswer(const std::string& tenant,
                                                                      const std::string& key) {
  return impl_->With("looking for an answer",
                     [&](Connection& c) { return ReadAnswer(c, tenant, key); });
}

absl::StatusOr<std::vector<record::PoolRow>> SqliteArchive::Pools() {
  return impl_->With("reading the pools", [](Connection& c) { return store::ReadPools(c); });
}

absl::Status SqliteArchive::Check() {
  return impl_->With("checking the database", [](Connection& c) { return store::FullCheck(c); });
}

}  // namespace spillway
