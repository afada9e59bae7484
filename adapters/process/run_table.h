#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "adapters/process/affinity.h"
#include "adapters/process/cgroups.h"
#include "adapters/process/event_loop.h"
#include "adapters/process/live_run.h"
#include "adapters/process/records.h"

// All runs that a supervisor knows, and what may happen to them. Every change is on disk before it
// is reported, in the order that records.h states; after a death of the supervisor at any instant
// Recover() makes the same table of it again.
namespace spillway {

struct RunTableOptions {
  std::string state_path;                     // DIR, absolute
  absl::Duration grace = absl::Seconds(5);    // from SIGTERM to SIGKILL
  absl::Duration kept = absl::Hours(24);      // work folders, logs and records of ended runs
  std::size_t max_live = 4096;                // runs that are not over
  std::size_t max_ended = 20'000;             // ended runs that are remembered
  std::uint64_t log_bound = 8 << 20;          // bytes kept of each stream: half first, half last
  std::uint64_t all_logs_bound = 2ULL << 30;  // bytes of all logs; the oldest ended ones go first
  std::int64_t max_processes = 4096;          // of one run, threads included
  AtStep at_step = [](std::string_view) {};
};

class RunTable {
 public:
  struct Callbacks {
    std::function<void(const RunReport&)> on_report;
    std::function<void(AttemptKey)> on_output;  // there is more to read
  };
  // Opens DIR/runs, logs, work. `wardens_lock` is handed to every warden; `id` marks our processes.
  static absl::StatusOr<std::unique_ptr<RunTable>> Open(EventLoop& loop, int dir,
                                                        RunTableOptions options, std::string id,
                                                        int wardens_lock, Callbacks callbacks);

  // Ends what a dead supervisor left behind and carries on with the rest. Once, before all else; no
  // warden of another supervisor lives.
  absl::Status Recover();

  // CommandHost's calls, with the report in place of a callback.
  absl::StatusOr<std::vector<RunReport>> Take(const TakeMessage& take);
  absl::Status Launch(LaunchOrder order);       // OK: Find() tells what is there
  const RunReport* Find(AttemptKey key) const;  // null: not known
  absl::Status Cancel(AttemptKey key, std::uint64_t epoch);
  absl::StatusOr<LogChunk> ReadLog(AttemptKey key, LogStream stream, std::uint64_t offset,
                                   std::size_t limit) const;
  void Acknowledge(AttemptKey key);

  std::size_t live() const { return live_; }  // runs that are not over
  std::vector<std::string> Limits() const;
  // A child of ours has been waited for.
  void Reaped(pid_t pid);
  bool RemoveCgroups() const { return cgroups_.RemoveOwn(); }  // when no run is left
  void Sweep();  // of what is older than `kept`, or too much
  // Ends every command and calls `done` when none is left; they count as lost, and turns are not
  // taken.
  void StopAll(std::function<void()> done);

 private:
  struct Run {
    KeyRecord key;  // emptied when it ends
    RunReport report;
    std::unique_ptr<LiveRun> live;
    std::optional<StatusRecord> status;  // the command is over, and holds what it pretends to hold
    std::optional<EventLoop::TimerId> hold;
    std::optional<CpuShares::Share> cpus;
    std::optional<absl::Duration> started;  // since boot
    LogShape out, err;                      // once it is not live
    bool cancel_asked = false, has_turn = false, acknowledged = false, logs_kept = false;
  };

  RunTable(EventLoop& loop, RunTableOptions options, std::string id, int wardens_lock,
           Callbacks callbacks, RunRecords records, UniqueFd dir, UniqueFd logs, UniqueFd work);

  absl::Status Fence(std::uint64_t epoch);
  void Adopt(AttemptKey key, FoundRun found);
  void EndLeftovers(const std::map<AttemptKey, FoundRun>& found);
  absl::Status RecordAsLost(AttemptKey key, const std::string& owner, std::string why);

  void Enqueue(Run& run);
  void TakeTurns(const std::string& group);
  void LeaveTurn(Run& run);
  void Begin(Run& run);
  absl::StatusOr<LiveRun::Plan> PlanFor(Run& run);
  void OnStarted(AttemptKey key);
  void OnOver(AttemptKey key, std::optional<StatusRecord> status);
  void HuntOrphans(AttemptKey key);
  void RemoveCgroup(const std::string& name);
  void Conclude(Run& run, StatusRecord status);  // no process of it is left
  void HoldOrFinish(Run& run);
  void Finish(Run& run);
  void NoteEnded(const Run& run);
  void DropLogs(Run& run);
  void SyncEnds();
  void RemoveWorkFolders(const std::vector<AttemptKey>& keys);

  EventLoop& loop_;
  const RunTableOptions options_;
  const std::string id_;
  const int wardens_lock_;
  const Callbacks callbacks_;
  RunRecords records_;
  UniqueFd dir_, logs_, work_;
  Cgroups cgroups_;
  CpuShares cpu_shares_;
  std::uint64_t epoch_ = 0, next_sequence_ = 1, kept_log_bytes_ = 0;
  std::size_t live_ = 0;
  std::map<AttemptKey, Run> runs_;
  std::map<std::string, std::map<std::uint64_t, AttemptKey>> waiting_;  // turn group -> by sequence
  std::map<std::string, int> turns_taken_;
  std::set<pid_t> wardens_;  // and sweepers: children of ours that are no orphans of a run
  std::deque<AttemptKey> ended_, with_logs_;  // oldest first
  std::vector<AttemptKey> unsynced_ends_;     // their older records are still there
  bool sweep_due_ = false;
  std::function<void()> stopped_;
};

// The folder under DIR/work in which a run starts unless it names one: JOB, and JOB.ATTEMPT when it
// is tried again, so that each try has a fresh one.
std::string WorkFolder(AttemptKey key);

// Kills the wardens that the records in DIR/runs name, if they are still the same processes.
void KillRecordedWardens(int dir);

}  // namespace spillway
