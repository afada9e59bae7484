#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "adapters/command_host.h"
#include "adapters/process/files.h"
#include "adapters/process/output_log.h"
#include "adapters/process/protocol.h"

// What the supervisor keeps on disk of each run, in DIR/runs/JOB.ATTEMPT.*; written in this order:
//   .key      the order was taken; synced before anything is forked
//   .started  a process exists, and waits for this file before it becomes the command
//   .status   the command is over, and how; synced; written by its warden, supervisor or not
//   .end      all is over; synced within a minute, and from then on it stands alone
// So at any instant: without a .key nothing was done; with a .key alone, in the same boot, no
// command was started.
namespace spillway {

// "job-000045.1": also the name of its log files, its cgroup and, in the environment, of its
// processes.
std::string RunName(AttemptKey key);
std::optional<AttemptKey> ParseRunName(std::string_view name);

struct KeyRecord {
  LaunchOrder order;
  absl::Time accepted_at;
  std::uint64_t sequence = 0;  // order of acceptance: turns are taken in it
  std::string boot;
};
template <class Archive>
void Fields(Archive& archive, KeyRecord& m) {
  Fields(archive, m.order);
  archive(m.accepted_at, m.sequence, m.boot);
}

struct StartedRecord {
  std::int32_t warden = 0, command = 0;               // process ids ...
  std::uint64_t warden_ticks = 0, command_ticks = 0;  // ... and when they started
  absl::Time at;
  absl::Duration since_boot{};  // the same instant; wall time may jump
};
template <class Archive>
void Fields(Archive& archive, StartedRecord& m) {
  archive(m.warden, m.command, m.warden_ticks, m.command_ticks, m.at, m.since_boot);
}

struct StatusRecord {
  RunOutcome outcome = RunOutcome::kNone;
  std::int32_t code = 0;
  std::string message;
  absl::Time at;
  absl::Duration cpu_time{};
  Bytes peak_memory{};
};
template <class Archive>
void Fields(Archive& archive, StatusRecord& m) {
  archive.Enum(m.outcome, RunOutcome::kLost);
  archive(m.code, m.message, m.at, m.cpu_time, m.peak_memory);
}

struct EndRecord {
  RunReport report;
  LogShape out, err;
  bool acknowledged = false;
};
template <class Archive>
void Fields(Archive& archive, EndRecord& m) {
  Fields(archive, m.report);
  Fields(archive, m.out);
  Fields(archive, m.err);
  archive(m.acknowledged);
}

// What is found of one run after a restart.
struct FoundRun {
  std::optional<KeyRecord> key;
  std::optional<StartedRecord> started;
  std::optional<StatusRecord> status;
  std::optional<EndRecord> end;
};

class RunRecords {
 public:
  explicit RunRecords(UniqueFd folder) : folder_(std::move(folder)) {}
  int folder() const { return folder_.get(); }

  // Every run, by key. Files that are torn or foreign are left alone and counted in `unreadable`.
  absl::StatusOr<std::map<AttemptKey, FoundRun>> Load(int& unreadable) const;
  absl::Status Write(AttemptKey key, const KeyRecord& record) const;
  // `durable`: an acknowledgement may be lost, an end may not.
  absl::Status Write(AttemptKey key, const EndRecord& record, Durability durability) const;
  // Once the end stands on disk.
  void RemoveAllButEnd(AttemptKey key) const;
  void Remove(AttemptKey key) const;
  std::optional<StatusRecord> ReadStatus(AttemptKey key) const;
  std::optional<StartedRecord> ReadStarted(AttemptKey key) const;

 private:
  UniqueFd folder_;
};
// Also called by wardens, which only have the folder's descriptor.
absl::Status WriteRecord(int folder, AttemptKey key, const StartedRecord& record);
absl::Status WriteRecord(int folder, AttemptKey key, const StatusRecord& record);

// The newest epoch that was seen, kept in DIR/epoch and synced before it counts.
absl::StatusOr<std::uint64_t> ReadEpoch(int dir);
absl::Status WriteEpoch(int dir, std::uint64_t epoch);

}  // namespace spillway
