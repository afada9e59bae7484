#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "controller/archive.h"
#include "controller/store/retention_spec.h"

namespace spillway {

// The journal in one SQLite file: write-ahead log, synchronous=FULL, one writer. README.md of this
// room describes the tables.
//
// Commit gives OK only when the batch is on the disk, whole. After any other answer the store takes
// nothing more (kFailedPrecondition). Then nothing of the batch is there at the next start, with
// one exception that no database can exclude: if the last step, the flush, is what failed, the
// batch may turn out to be there, whole. Either way nobody was told that it is, and the next start
// goes on from what it finds.
//
// One thread at a time.
class SqliteStore final : public Journal {
 public:
  struct Options {
    std::string path;  // the database; made if missing, with mode 0600
    store::Retention retention;
    std::string vfs;  // for tests: name of a registered sqlite3_vfs
  };
  // Checks what is there (SQLite's quick check; tables of this program's version) before anything
  // is done with it. kFailedPrecondition: not ours, or newer than this program. kDataLoss: damaged.
  static absl::StatusOr<std::unique_ptr<SqliteStore>> Open(Options options);
  ~SqliteStore() override;

  absl::Status Commit(const Batch& batch) override;
  std::optional<PackedRequests> Pack(const event::Body& happened) const override;
  absl::StatusOr<Remembered> Recall() override;
  // kOutOfRange: `from` was swept away (Retention).
  absl::StatusOr<std::vector<Event>> Events(EventNumber from, std::size_t limit) override;

  // Housekeeping in one small step: writes the write-ahead log back when it has grown, sweeps away
  // a few hundred old rows. For the store thread, after a batch's answers were sent and about once
  // a minute when idle, so that nobody waits for it. An error is final, as Commit's are.
  absl::Status Tidy(absl::Time now) override;

 private:
  class Impl;
  explicit SqliteStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace spillway
