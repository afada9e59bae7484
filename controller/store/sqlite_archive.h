#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "controller/archive.h"

namespace spillway {

// Reads what SqliteStore has committed, through connections of its own that cannot write. A call
// sees one committed state; a later call sees the same or a later one. Thread-safe: calls run side
// by side on up to `readers` connections, more wait for their turn.
class SqliteArchive final : public Archive {
 public:
  struct Options {
    std::string path;  // of a database that SqliteStore has opened
    int readers = 4;
    std::string vfs;  // for tests: name of a registered sqlite3_vfs
  };
  static absl::StatusOr<std::unique_ptr<SqliteArchive>> Open(Options options);
  ~SqliteArchive() override;

  absl::StatusOr<Job> FindJob(JobId id) override;
  absl::StatusOr<std::shared_ptr<const Decision>> FindDecision(DecisionId id) override;
  absl::StatusOr<std::shared_ptr<const Work>> FindWorkOf(const Decision& decision) override;
  absl::StatusOr<Page<Job>> ListJobs(const JobQuery& query) override;
  absl::StatusOr<Page<std::shared_ptr<const Decision>>> ListDecisions(
      const DecisionQuery& query) override;
  absl::StatusOr<std::shared_ptr<const Request>> FindRequest(RequestId id) override;
  absl::StatusOr<std::vector<std::shared_ptr<const Request>>> ListRequests(
      std::optional<RequestId> after, int limit) override;
  absl::StatusOr<std::shared_ptr<const RouterInputs>> FindRouterInputs(EventNumber id) override;
  absl::StatusOr<std::vector<record::LedgerRow>> Ledger(const LedgerQuery& query) override;
  absl::StatusOr<std::optional<StoredAnswer>> FindAnswer(const std::string& tenant,
                                                         const std::string& key) override;
  absl::StatusOr<std::vector<record::PoolRow>> Pools() override;

  // SQLite's integrity check of the whole database, which reads all of it: seconds for gigabytes.
  // For a thread that has time, once after the start. kDataLoss with the first complaint.
  absl::Status Check();

 private:
  class Impl;
  explicit SqliteArchive(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace spillway
