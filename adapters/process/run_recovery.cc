// What a new supervisor makes of the records of a dead one. See run_table.h.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "adapters/process/process_tree.h"
#include "adapters/process/run_table.h"
#include "core/status.h"

namespace spillway {
namespace {

constexpr absl::Duration kLook = absl::Milliseconds(5);
constexpr absl::Duration kPatience =
    absl::Seconds(5);  // with processes that even SIGKILL does not end at once

// The log of a run whose supervisor died: what is in the file. If it had grown past its bound, the
// last bytes may stand out of order.
LogShape ShapeFound(int logs, const std::string& name) {
  struct stat file {};
  if (fstatat(logs, name.c_str(), &file, AT_SYMLINK_NOFOLLOW) != 0) return {.in_order = true};
  const auto size = static_cast<std::uint64_t>(file.st_size);
  return {.total = size, .head = size, .tail = 1, .in_order = true};
}

}  // namespace

absl::Status RunTable::Recover() {
  SPILLWAY_ASSIGN_OR_RETURN(epoch_, ReadEpoch(dir_.get()));
  int unreadable = 0;
  SPILLWAY_ASSIGN_OR_RETURN(auto found, records_.Load(unreadable));
  if (unreadable > 0) std::fprintf(stderr, "%d records of runs cannot be read\n", unreadable);
  EndLeftovers(found);
  std::vector<std::pair<absl::Time, AttemptKey>> ends;  // the lists of the ended are oldest first
  for (auto& [key, run] : found) {
    if (run.end) ends.emplace_back(run.end->report.ended_at, key);
  }
  std::sort(ends.begin(), ends.end());
  for (const auto& [at, key] : ends) Adopt(key, std::move(found.at(key)));
  for (auto& [key, run] : found) {
    if (!runs_.contains(key)) Adopt(key, std::move(run));
  }
  std::vector<std::string> groups;
  for (const auto& [group, queue] : waiting_) groups.push_back(group);
  for (const std::string& group : groups) TakeTurns(group);
  return absl::OkStatus();
}

// Processes of runs that are not over. Their wardens end them when a supervisor dies; this is for
// the case that wardens were killed as well. By record, by cgroup and by the mark in their
// environment.
void RunTable::EndLeftovers(const std::map<AttemptKey, FoundRun>& found) {
  const bool any = std::any_of(found.begin(), found.end(), [](const auto& run) {
    return run.second.started && !run.second.end;
  });
  if (!any) return;
  const std::string mark = absl::StrCat("SPILLWAY_RUN=", id_, "/");
  const absl::Duration until = EventLoop::SinceBoot() + kPatience;
  for (;;) {
    for (const auto& [key, run] : found) {
      if (run.end || !run.started || !run.key || run.key->boot != BootId()) continue;
      KillIfSame(run.started->command, run.started->command_ticks);
      cgroups_.KillAll(RunName(key));
    }
    bool living = false;
    for (const ProcessStat& stat : ProcessesWithEnvironment(mark)) {
      if (stat.state == 'Z') continue;
      living = true;
      kill(stat.pid, SIGKILL);
    }
    if (!living) break;
    if (EventLoop::SinceBoot() > until) {
      std::fprintf(stderr, "processes that a dead supervisor left behind do not end\n");
      break;
    }
    absl::SleepFor(kLook);
  }
}

void RunTable::Adopt(AttemptKey key, FoundRun found) {
  Run& run = runs_[key];
  if (found.end) {
    run.report = std::move(found.end->report);
    run.out = found.end->out;
    run.err = found.end->err;
    run.acknowledged = found.end->acknowledged;
    run.logs_kept = faccessat(logs_.get(), LogName(key, LogStream::kStdout).c_str(), F_OK,
                              AT_SYMLINK_NOFOLLOW) == 0;
    unsynced_ends_.push_back(key);
    return NoteEnded(run);
  }
  ++live_;
  run.report.key = key;
  const bool has_key = found.key.has_value();
  if (has_key) {
    run.key = *std::move(found.key);
    run.report.owner = run.key.order.owner;
    run.report.accepted_at = run.key.accepted_at;
    next_sequence_ = std::max(next_sequence_, run.key.sequence + 1);
  }
  const bool same_boot = run.key.boot == BootId();
  const bool begun = found.started || found.status;
  if (has_key && same_boot && !begun) return Enqueue(run);  // provably never begun
  if (found.started) {
    run.report.phase = RunPhase::kRunning;
    run.report.started_at = found.started->at;
    run.started = found.started->since_boot;
  }
  run.out = ShapeFound(logs_.get(), LogName(key, LogStream::kStdout));
  run.err = ShapeFound(logs_.get(), LogName(key, LogStream::kStderr));
  run.logs_kept = found.started.has_value();
  StatusRecord status{.outcome = RunOutcome::kLost};
  if (found.status) {
    status = *std::move(found.status);
  } else if (!has_key) {
    status.message = "its record on disk cannot be read";
  } else {
    status.message = same_boot
                         ? "its supervisor died while it ran; what was left of it has been ended"
                         : "the machine was started anew while it ran";
  }
  if (!same_boot) run.started.reset();  // instants since another boot mean nothing
  Conclude(run, std::move(status));
}

absl::Status RunTable::RecordAsLost(AttemptKey key, const std::string& owner, std::string why) {
  RunReport report{
      .key = key, .owner = owner, .phase = RunPhase::kEnded, .outcome = RunOutcome::kLost};
  report.message = std::move(why);
  report.accepted_at = report.ended_at = absl::Now();
  SPILLWAY_RETURN_IF_ERROR(
      records_.Write(key, EndRecord{.report = report}, Durability::kSurvivesKill));
  Run& run = runs_[key];
  run.report = report;
  NoteEnded(run);
  return absl::OkStatus();
}

void KillRecordedWardens(int dir) {
  auto folder = OpenFolder(dir, "runs");
  if (!folder.ok()) return;
  int unreadable = 0;
  const auto found = RunRecords(*std::move(folder)).Load(unreadable);
  if (!found.ok()) return;
  for (const auto& [key, run] : *found) {
    if (run.started && !run.end) KillIfSame(run.started->warden, run.started->warden_ticks);
  }
}

}  // namespace spillway
