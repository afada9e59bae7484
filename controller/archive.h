#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/decision.h"
#include "core/event.h"
#include "core/job.h"
#include "core/record.h"
#include "scheduler/brain.h"

// What the live host keeps on disk: the event log, its projections, and answers given under an
// Idempotency-Key. controller/store implements it on SQLite; northbound/ and the host know only
// this.
namespace spillway {

// The first answer to a request with an Idempotency-Key, kept for 24 h at least.
struct StoredAnswer {
  std::string tenant, key;      // key: 1 to 255 characters
  std::uint64_t body_hash = 0;  // XXH64 of the request body
  int status = 0;
  std::string body;
  std::string location;  // header; empty: none
  absl::Time at;
};

// An event of requests as the log keeps it, made while they are at hand: thousands of them need not
// be kept until the commit, and read once more from memory that was used for others since.
struct PackedRequests {
  EventNumber event{};
  std::string text;            // EncodeEvent()
  std::vector<RequestId> ids;  // as they stand in it
};

// One transaction.
struct Batch {
  std::vector<Event> events;  // numbered in a row, continuing the log
  // By number, what the log is to have for some of these events, whose requests are gone.
  std::vector<PackedRequests> packed;
  std::vector<Record> records;
  std::vector<StoredAnswer> answers;
};

// The writing side. One thread at a time (the store thread). A failed commit is final: the caller
// ends the process with nothing of the batch let out, and the next start goes on from the log.
class Journal {
 public:
  virtual ~Journal() = default;
  virtual absl::Status Commit(const Batch& batch) = 0;
  // What the log is to have for requests that ended. Any thread. None: Commit wants the event
  // itself.
  virtual std::optional<PackedRequests> Pack(const event::Body& /*happened*/) const {
    return std::nullopt;
  }
  // Everything that Brain::Restore needs; at start, before the first Commit.
  virtual absl::StatusOr<Remembered> Recall() = 0;
  // The log from `from` on, at most `limit` events: for replay.
  virtual absl::StatusOr<std::vector<Event>> Events(EventNumber from, std::size_t limit) = 0;
  // Housekeeping in one small step (some milliseconds), which bounds what the journal keeps: after
  // a batch's answers were sent, and about once a minute when idle. An error is final, as Commit's.
  virtual absl::Status Tidy(absl::Time /*now*/) { return absl::OkStatus(); }
};

enum class SortOrder : std::uint8_t { kNewestFirst, kOldestFirst };

struct JobQuery {
  std::optional<std::string> tenant, name, pool;  // pool by name: of the latest attempt
  std::vector<JobState> states;                   // any of them; empty: all
  std::optional<JobId> after;                     // exclusive, in the order asked for
  int limit = 20;                                 // 1 to 100
  SortOrder order = SortOrder::kNewestFirst;
};
struct DecisionQuery {
  std::optional<std::string> tenant;
  std::optional<JobId> job;
  std::optional<Outcome> outcome;
  std::optional<DecisionId> after;
  int limit = 20;
  SortOrder order = SortOrder::kNewestFirst;
};
struct LedgerQuery {
  std::optional<absl::Time> from, until;  // hours that start in [from, until)
  std::optional<std::string> tenant;
  std::optional<std::string> pool;
};
template <class T>
struct Page {
  std::vector<T> items;
  bool has_more = false;
};

// The reading side: what was committed. Thread-safe; calls block for a disk read at most.
class Archive {
 public:
  virtual ~Archive() = default;
  virtual absl::StatusOr<Job> FindJob(JobId id) = 0;  // kNotFound
  virtual absl::StatusOr<std::shared_ptr<const Decision>> FindDecision(
      DecisionId id) = 0;  // kNotFound
  // The work that a decision was about, refused submissions included.
  virtual absl::StatusOr<std::shared_ptr<const Work>> FindWorkOf(const Decision& decision) = 0;
  virtual absl::StatusOr<Page<Job>> ListJobs(const JobQuery& query) = 0;
  virtual absl::StatusOr<Page<std::shared_ptr<const Decision>>> ListDecisions(
      const DecisionQuery& query) = 0;
  virtual absl::StatusOr<std::shared_ptr<const Request>> FindRequest(
      RequestId id) = 0;  // kNotFound
  // The newest first, before `after`; `limit` 1 to 100.
  virtual absl::StatusOr<std::vector<std::shared_ptr<const Request>>> ListRequests(
      std::optional<RequestId> after, int limit) = 0;
  // By what requests of that view were routed. kNotFound: no longer kept.
  virtual absl::StatusOr<std::shared_ptr<const RouterInputs>> FindRouterInputs(EventNumber id) = 0;
  virtual absl::StatusOr<std::vector<record::LedgerRow>> Ledger(
      const LedgerQuery& query) = 0;  // by hour, pool, tenant
  virtual absl::StatusOr<std::optional<StoredAnswer>> FindAnswer(const std::string& tenant,
                                                                 const std::string& key) = 0;
  // Every pool that ever was, for the names in old decisions; by PoolId.
  virtual absl::StatusOr<std::vector<record::PoolRow>> Pools() = 0;
};

}  // namespace spillway
