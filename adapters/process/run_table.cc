#include "adapters/process/run_table.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/status.h"

namespace spillway {
namespace {

std::string CgroupName(const std::string& id) { return absl::StrCat("spillway-", id); }

cpu_set_t OwnCpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  return set;
}

Cgroups OpenCgroups(const std::string& id) {
  const auto mounts = ReadWholeFile(AT_FDCWD, "/proc/self/mountinfo", 4 << 20);
  const auto own = ReadWholeFile(AT_FDCWD, "/proc/self/cgroup", 1 << 20);
  if (!mounts.ok() || !own.ok()) return {};
  return Cgroups::Open(FindCgroups(*mounts, *own), CgroupName(id));
}

}  // namespace

RunTable::RunTable(EventLoop& loop, RunTableOptions options, std::string id, int wardens_lock,
                   Callbacks callbacks, RunRecords records, UniqueFd dir, UniqueFd logs,
                   UniqueFd work)
    : loop_(loop),
      options_(std::move(options)),
      id_(std::move(id)),
      wardens_lock_(wardens_lock),
      callbacks_(std::move(callbacks)),
      records_(std::move(records)),
      dir_(std::move(dir)),
      logs_(std::move(logs)),
      work_(std::move(work)),
      cgroups_(OpenCgroups(id_)),
      cpu_shares_(OwnCpus()) {}

absl::StatusOr<std::unique_ptr<RunTable>> RunTable::Open(EventLoop& loop, int dir,
                                                         RunTableOptions options, std::string id,
                                                         int wardens_lock, Callbacks callbacks) {
  SPILLWAY_ASSIGN_OR_RETURN(UniqueFd own, OpenFolder(dir, "."));
  SPILLWAY_ASSIGN_OR_RETURN(UniqueFd runs, OpenFolder(dir, "runs"));
  SPILLWAY_ASSIGN_OR_RETURN(UniqueFd logs, OpenFolder(dir, "logs"));
  SPILLWAY_ASSIGN_OR_RETURN(UniqueFd work, OpenFolder(dir, "work"));
  if (fsync(dir) != 0) return ErrnoStatus(errno, "sync the state folder");
  return std::unique_ptr<RunTable>(
      new RunTable(loop, std::move(options), std::move(id), wardens_lock, std::move(callbacks),
                   RunRecords(std::move(runs)), std::move(own), std::move(logs), std::move(work)));
}

std::vector<std::string> RunTable::Limits() const {
  std::vector<std::string> words{"cpu-affinity"};
  for (std::string& word : cgroups_.Words()) words.push_back(std::move(word));
  if (!cgroups_.limits_processes() && geteuid() != 0) words.emplace_back("process-count");
  return words;
}

// What an older controller still wants is refused; a newer one is believed once its number is on
// disk.
absl::Status RunTable::Fence(std::uint64_t epoch) {
  if (epoch < epoch_) {
    return absl::AbortedError(
        absl::StrCat("epoch ", epoch, " is over: epoch ", epoch_, " has been seen"));
  }
  if (epoch == epoch_) return absl::OkStatus();
  SPILLWAY_RETURN_IF_ERROR(WriteEpoch(dir_.get(), epoch));
  epoch_ = epoch;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<RunReport>> RunTable::Take(const TakeMessage& take) {
  SPILLWAY_RETURN_IF_ERROR(Fence(take.epoch));
  const std::set<AttemptKey> known(take.known.begin(), take.known.end());
  for (const AttemptKey key : known) {
    if (const auto found = runs_.find(key); found != runs_.end()) {
      found->second.report.owner = take.owner;  // its pool may have another adapter now
      continue;
    }
    SPILLWAY_RETURN_IF_ERROR(
        RecordAsLost(key, take.owner, "there is no trace of it here: it was never started"));
  }
  std::vector<RunReport> reports;
  std::vector<AttemptKey> strangers;
  for (auto& [key, run] : runs_) {
    if (run.report.owner != take.owner) continue;
    const bool wanted = known.contains(key) || (!take.end_others && !run.acknowledged);
    if (wanted) reports.push_back(run.report);
    if (!wanted && take.end_others) strangers.push_back(key);
  }
  for (const AttemptKey key : strangers) {
    runs_.at(key).acknowledged = true;  // nobody asks for them
    SPILLWAY_RETURN_IF_ERROR(Cancel(key, take.epoch));
  }
  return reports;
}

absl::Status RunTable::Launch(LaunchOrder order) {
  SPILLWAY_RETURN_IF_ERROR(Fence(order.epoch));
  const AttemptKey key = order.key;
  if (runs_.contains(key)) return absl::OkStatus();
  if (live_ >= options_.max_live) {
    return absl::ResourceExhaustedError(
        absl::StrCat("cannot launch ", RunName(key), ": ", live_,
                     " commands are not over yet, and no more are taken"));
  }
  KeyRecord record{.order = std::move(order),
                   .accepted_at = absl::Now(),
                   .sequence = next_sequence_++,
                   .boot = BootId()};
  if (absl::Status written = records_.Write(key, record); !written.ok()) {
    records_.Remove(key);
    return absl::UnavailableError(
        absl::StrCat("cannot launch ", RunName(key), ": ", written.message()));
  }
  options_.at_step("key-written");
  Run& run = runs_[key];
  run.report = {.key = key, .owner = record.order.owner, .accepted_at = record.accepted_at};
  run.key = std::move(record);
  ++live_;
  Enqueue(run);
  // Not at once: first the caller hears that it is taken.
  loop_.After(absl::ZeroDuration(), [this, group = run.key.order.turn_group] { TakeTurns(group); });
  return absl::OkStatus();
}

const RunReport* RunTable::Find(AttemptKey key) const {
  const auto found = runs_.find(key);
  return found == runs_.end() ? nullptr : &found->second.report;
}

absl::Status RunTable::Cancel(AttemptKey key, std::uint64_t epoch) {
  SPILLWAY_RETURN_IF_ERROR(Fence(epoch));
  const auto found = runs_.find(key);
  if (found == runs_.end() || found->second.report.phase == RunPhase::kEnded)
    return absl::OkStatus();
  Run& run = found->second;
  run.cancel_asked = true;
  if (run.live) {
    run.live->Cancel(options_.grace);  // a second time does no harm
  } else if (run.status) {
    run.status->outcome = RunOutcome::kCancelled;
    Finish(run);
  } else {
    Conclude(run, {.outcome = RunOutcome::kCancelled,
                   .message = "cancelled before it started",
                   .at = absl::Now()});
  }
  return absl::OkStatus();
}

absl::StatusOr<LogChunk> RunTable::ReadLog(AttemptKey key, LogStream stream, std::uint64_t offset,
                                           std::size_t limit) const {
  const auto found = runs_.find(key);
  if (found == runs_.end())
    return absl::NotFoundError(absl::StrCat("no run ", RunName(key), " is known here"));
  const Run& run = found->second;
  const bool ended = run.report.phase == RunPhase::kEnded;
  if (run.live) return run.live->log(stream).Read(offset, limit);
  if (!run.logs_kept) {
    if (!ended) return LogChunk{.bytes = {}, .next = offset, .dropped = 0, .end = false};
    return absl::NotFoundError(absl::StrCat("the output of ", RunName(key), " is no longer kept"));
  }
  const UniqueFd file(
      openat(logs_.get(), LogName(key, stream).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file)
    return absl::NotFoundError(absl::StrCat("the output of ", RunName(key), " is no longer kept"));
  const LogShape& shape = stream == LogStream::kStdout ? run.out : run.err;
  SPILLWAY_ASSIGN_OR_RETURN(LogChunk chunk, spillway::ReadLog(file.get(), shape, offset, limit));
  chunk.end = ended && chunk.next >= shape.total;
  return chunk;
}

void RunTable::Acknowledge(AttemptKey key) {
  const auto found = runs_.find(key);
  if (found == runs_.end() || found->second.report.phase != RunPhase::kEnded ||
      found->second.acknowledged)
    return;
  Run& run = found->second;
  run.acknowledged = true;
  // If this is lost, the end is told once more than needed.
  records_.Write(key, EndRecord{run.report, run.out, run.err, true}, Durability::kSurvivesKill)
      .IgnoreError();
}

void RunTable::DropLogs(Run& run) {
  if (!std::exchange(run.logs_kept, false)) return;
  for (const LogStream stream : {LogStream::kStdout, LogStream::kStderr}) {
    unlinkat(logs_.get(), LogName(run.report.key, stream).c_str(), 0);
  }
  for (const LogShape* shape : {&run.out, &run.err}) {
    kept_log_bytes_ -= std::min(kept_log_bytes_, std::min(shape->total, shape->head + shape->tail));
  }
}

// One sync for all that have ended since the last: from then on their ends stand alone.
void RunTable::SyncEnds() {
  if (unsynced_ends_.empty() || syncfs(records_.folder()) != 0) return;
  for (const AttemptKey key : unsynced_ends_) records_.RemoveAllButEnd(key);
  unsynced_ends_.clear();
}

void RunTable::Sweep() {
  sweep_due_ = false;
  SyncEnds();
  const absl::Time oldest = absl::Now() - options_.kept;
  std::size_t too_many = ended_.size() - std::min(ended_.size(), options_.max_ended);
  std::vector<AttemptKey> gone;
  std::erase_if(ended_, [&](AttemptKey key) {
    const Run& run = runs_.at(key);
    // An end that its owner has not heard of is kept: it must not be launched again. There are no
    // more of these than runs were live when the owner left.
    if (!run.acknowledged || (run.report.ended_at > oldest && too_many == 0)) return false;
    if (too_many > 0) --too_many;
    gone.push_back(key);
    return true;
  });
  for (const AttemptKey key : gone) {
    DropLogs(runs_.at(key));
    records_.Remove(key);
    runs_.erase(key);
  }
  RemoveWorkFolders(gone);
  std::erase_if(with_logs_, [this](AttemptKey key) { return !runs_.contains(key); });
  while (kept_log_bytes_ > options_.all_logs_bound && !with_logs_.empty()) {
    DropLogs(runs_.at(with_logs_.front()));
    with_logs_.pop_front();
  }
}

// By a process of its own: a folder may hold very much, and nothing else may wait for that.
void RunTable::RemoveWorkFolders(const std::vector<AttemptKey>& keys) {
  if (keys.empty()) return;
  const pid_t sweeper = fork();
  if (sweeper == 0) {
    CloseAllBut({work_.get()});
    for (const AttemptKey key : keys) RemoveTree(work_.get(), WorkFolder(key));
    _exit(0);
  }
  if (sweeper > 0) wardens_.insert(sweeper);
}

void RunTable::StopAll(std::function<void()> done) {
  stopped_ = std::move(done);
  bool any = false;
  for (auto& [key, run] : runs_) {
    if (!run.live) continue;
    any = true;
    run.live->Cancel(options_.grace);
  }
  if (!any) loop_.After(absl::ZeroDuration(), stopped_);
}

void RunTable::Reaped(pid_t pid) { wardens_.erase(pid); }

}  // namespace spillway
