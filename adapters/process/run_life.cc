// The life of one run: its turn, its start, its end. See run_table.h.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "adapters/process/order_check.h"
#include "adapters/process/process_tree.h"
#include "adapters/process/run_table.h"
#include "core/check.h"
#include "core/status.h"

namespace spillway {
namespace {

constexpr std::uint64_t kLeastLogBound = 64 << 10;
constexpr absl::Duration kOrphanLook = absl::Milliseconds(10);
constexpr absl::Duration kCgroupLook = absl::Milliseconds(200);

std::map<std::string, std::string> OwnEnvironment() {
  std::map<std::string, std::string> env;
  for (const char* name : {"PATH", "HOME", "LANG"}) {
    if (const char* value = getenv(name)) env[name] = value;
  }
  return env;
}

// Threads on this machine, as /proc/loadavg counts them: RLIMIT_NPROC limits all of a user's
// together.
std::int64_t ThreadsHere() {
  const auto text = ReadWholeFile(AT_FDCWD, "/proc/loadavg", 256);
  if (!text.ok()) return 0;
  const std::vector<std::string> fields = absl::StrSplit(*text, absl::ByAnyChar(" /"));
  std::int64_t threads = 0;
  return fields.size() > 4 && absl::SimpleAtoi(fields[4], &threads) ? threads : 0;
}

}  // namespace

std::string WorkFolder(AttemptKey key) {
  return key.attempt == 1 ? ToString(key.job) : RunName(key);
}

void RunTable::Enqueue(Run& run) {
  waiting_[run.key.order.turn_group].emplace(run.key.sequence, run.report.key);
}

void RunTable::TakeTurns(const std::string& group) {
  const auto queue = waiting_.find(group);
  while (queue != waiting_.end() && !queue->second.empty() && !stopped_) {
    Run& run = runs_.at(queue->second.begin()->second);
    const int limit = run.key.order.turn_limit;
    if (limit > 0 && turns_taken_[group] >= limit) return;
    queue->second.erase(queue->second.begin());
    run.has_turn = true;
    ++turns_taken_[group];
    Begin(run);
    if (!waiting_.contains(group)) return;
  }
  if (queue != waiting_.end() && queue->second.empty()) waiting_.erase(queue);
}

void RunTable::LeaveTurn(Run& run) {
  const std::string group = run.key.order.turn_group;
  if (const auto queue = waiting_.find(group); queue != waiting_.end())
    queue->second.erase(run.key.sequence);
  if (!std::exchange(run.has_turn, false)) return;
  if (--turns_taken_[group] == 0) turns_taken_.erase(group);
  // Not at once: the caller is in the middle of ending a run.
  loop_.After(absl::ZeroDuration(), [this, group] { TakeTurns(group); });
}

absl::StatusOr<LiveRun::Plan> RunTable::PlanFor(Run& run) {
  const LaunchOrder& order = run.key.order;
  const std::string name = RunName(order.key);
  LiveRun::Plan plan{.key = order.key,
                     .records = records_.folder(),
                     .logs = logs_.get(),
                     .wardens_lock = wardens_lock_,
                     .at_step = options_.at_step};
  plan.log_bound =
      std::clamp<std::uint64_t>(options_.all_logs_bound / (4 * (live_ + 1)), kLeastLogBound,
                                std::max(options_.log_bound, kLeastLogBound));
  plan.log_bound = std::min(plan.log_bound, options_.log_bound);
  CommandPlan& command = plan.command;
  command.argv = order.command;
  command.env = EnvironmentFor(order, OwnEnvironment(), absl::StrCat(id_, "/", name));
  command.niceness = order.niceness;
  command.cwd = order.cwd;
  if (order.cwd.empty()) {
    const std::string folder = WorkFolder(order.key);
    command.cwd = absl::StrCat(options_.state_path, "/work/", folder);
    RemoveTree(work_.get(),
               folder);  // fresh: the key was never seen, so nothing there can be its own
    SPILLWAY_ASSIGN_OR_RETURN(command.folder, OpenFolder(work_.get(), folder));
  }
  SPILLWAY_ASSIGN_OR_RETURN(
      command.cgroup_entrances,
      cgroups_.Create(
          name, {.cpus = order.cpus, .memory = order.memory, .processes = options_.max_processes}));
  if (!cgroups_.limits_processes() && geteuid() != 0)
    command.processes = ThreadsHere() + options_.max_processes;
  if ((run.cpus = cpu_shares_.Take(order.cpus))) {
    command.pinned = true;
    command.cpus = SetOf(*run.cpus);
  }
  return plan;
}

void RunTable::Begin(Run& run) {
  const AttemptKey key = run.report.key;
  if (std::string why = WhyNotRunnable(run.key.order); !why.empty()) {
    return Conclude(
        run, {.outcome = RunOutcome::kCannotStart, .message = std::move(why), .at = absl::Now()});
  }
  auto plan = PlanFor(run);
  auto live = plan.ok()
                  ? LiveRun::Begin(
                        loop_, *std::move(plan),
                        {.on_started = [this, key] { OnStarted(key); },
                         .on_output = [this, key] { callbacks_.on_output(key); },
                         .on_over = [this, key](auto status) { OnOver(key, std::move(status)); }})
                  : plan.status();
  if (!live.ok()) {
    return Conclude(run, {.outcome = RunOutcome::kLost,
                          .message = absl::StrCat("cannot start: ", live.status().message()),
                          .at = absl::Now()});
  }
  run.live = *std::move(live);
  wardens_.insert(run.live->warden());
  options_.at_step("warden-forked");
}

void RunTable::OnStarted(AttemptKey key) {
  Run& run = runs_.at(key);
  const auto record = records_.ReadStarted(key);
  run.report.phase = RunPhase::kRunning;
  run.report.started_at = record ? record->at : absl::Now();
  run.started = record ? record->since_boot : EventLoop::SinceBoot();
  callbacks_.on_report(run.report);
}

void RunTable::OnOver(AttemptKey key, std::optional<StatusRecord> status) {
  // Later, for this is called from within the live run that is about to go.
  if (!status) return HuntOrphans(key);
  loop_.After(absl::ZeroDuration(),
              [this, key, status = *std::move(status)] { Conclude(runs_.at(key), status); });
}

// A warden was killed. What it had adopted is ours as soon as it is wholly dead: every child that
// is neither a warden nor a sweeper is an orphan of such a run, and so is all that descends from
// it.
void RunTable::HuntOrphans(AttemptKey key) {
  // Its socket closes before its children are handed on; only a process that was waited for is
  // gone.
  bool any = wardens_.contains(runs_.at(key).live->warden());
  const std::vector<ProcessStat> all = ListProcesses();
  for (const ProcessStat& child : all) {
    if (child.parent != getpid() || wardens_.contains(child.pid)) continue;
    any = true;  // dead ones too: their children come to us when they are waited for
    SignalDescendants(child.pid, SIGKILL, {getpgrp()});
    kill(child.pid, SIGKILL);
  }
  if (any) {
    loop_.After(kOrphanLook, [this, key] { HuntOrphans(key); });
    return;
  }
  StatusRecord status{.outcome = RunOutcome::kLost,
                      .message = "its warden was killed; what was left of it has been ended"};
  if (const auto written = records_.ReadStatus(key)) status = *written;
  loop_.After(absl::ZeroDuration(), [this, key, status] { Conclude(runs_.at(key), status); });
}

// The kernel takes a moment to forget the last process of a group.
void RunTable::RemoveCgroup(const std::string& name) {
  if (cgroups_.Remove(name)) return;
  loop_.After(kCgroupLook, [this, name] { RemoveCgroup(name); });
}

void RunTable::Conclude(Run& run, StatusRecord status) {
  const AttemptKey key = run.report.key;
  const std::string name = RunName(key);
  if (run.live) {
    const std::string trouble = run.live->FinishLogs();
    if (!trouble.empty())
      absl::StrAppend(&status.message, status.message.empty() ? "" : "; ",
                      "output is not complete: ", trouble);
    run.out = run.live->log(LogStream::kStdout).shape();
    run.err = run.live->log(LogStream::kStderr).shape();
    run.logs_kept = true;
    run.live.reset();
  }
  if (status.outcome == RunOutcome::kSignalled || status.outcome == RunOutcome::kExited) {
    run.report.out_of_memory = cgroups_.RanOutOfMemory(name);
  }
  RemoveCgroup(name);
  if (run.cpus) cpu_shares_.Return(*run.cpus);
  run.cpus.reset();
  if (status.outcome == RunOutcome::kCancelled && !run.cancel_asked && stopped_) {
    status.outcome = RunOutcome::kLost;
    status.message = "the supervisor was told to stop";
  }
  run.status = std::move(status);
  LeaveTurn(run);
  HoldOrFinish(run);
}

// What ran on a pretended device holds it as long as the device would have been busy.
void RunTable::HoldOrFinish(Run& run) {
  const bool ran =
      run.status->outcome == RunOutcome::kExited || run.status->outcome == RunOutcome::kSignalled;
  const absl::Duration left = run.started
                                  ? *run.started + run.key.order.hold - EventLoop::SinceBoot()
                                  : absl::ZeroDuration();
  if (!ran || left <= absl::ZeroDuration()) return Finish(run);
  if (run.cancel_asked) {  // what it pretends to run is cut short
    run.status->outcome = RunOutcome::kCancelled;
    return Finish(run);
  }
  const AttemptKey key = run.report.key;
  run.hold = loop_.After(left, [this, key] {
    runs_.at(key).hold.reset();
    Finish(runs_.at(key));
  });
}

void RunTable::Finish(Run& run) {
  const AttemptKey key = run.report.key;
  if (run.hold) loop_.Drop(*std::exchange(run.hold, std::nullopt));
  run.report.phase = RunPhase::kEnded;
  run.report.outcome = run.status->outcome;
  run.report.code = run.status->code;
  run.report.message = run.status->message;
  run.report.cpu_time = run.status->cpu_time;
  run.report.peak_memory = run.status->peak_memory;
  run.report.ended_at = absl::Now();
  options_.at_step("before-end");
  // Not synced here, for the older records stay until it is, and tell as much after a loss of
  // power.
  const bool written = records_
                           .Write(key, EndRecord{run.report, run.out, run.err, run.acknowledged},
                                  Durability::kSurvivesKill)
                           .ok();
  options_.at_step("end-written");
  if (written) unsynced_ends_.push_back(key);
  run.key = {};
  run.status.reset();
  --live_;
  NoteEnded(run);
  callbacks_.on_report(run.report);
  if (stopped_ && std::none_of(runs_.begin(), runs_.end(),
                               [](const auto& r) { return r.second.live != nullptr; })) {
    loop_.After(absl::ZeroDuration(), stopped_);
  }
}

void RunTable::NoteEnded(const Run& run) {
  ended_.push_back(run.report.key);
  if (run.logs_kept) {
    with_logs_.push_back(run.report.key);
    for (const LogShape* shape : {&run.out, &run.err}) {
      kept_log_bytes_ += std::min(shape->total, shape->head + shape->tail);
    }
  }
  const bool much =
      kept_log_bytes_ > options_.all_logs_bound || ended_.size() > options_.max_ended * 5 / 4;
  if (!much || std::exchange(sweep_due_, true)) return;
  loop_.After(absl::ZeroDuration(), [this] { Sweep(); });  // later: runs are in use here
}

}  // namespace spillway
