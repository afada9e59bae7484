#include "adapters/command_adapter.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace spillway {

CommandAdapter::CommandAdapter(std::string owner, CommandHost& host, AdapterSink& sink)
    : owner_(std::move(owner)), host_(host), sink_(sink) {}

absl::Status CommandAdapter::Start(std::uint64_t epoch, absl::Span<const AttemptKey> known) {
  {
    const std::lock_guard lock(mutex_);
    live_.clear();
    for (const AttemptKey key : known) live_.emplace(key, false);
  }
  return host_.Take(owner_, epoch, known, [this](const RunReport& report) { OnReport(report); });
}

void CommandAdapter::Launch(const command::Launch& launch) {
  {
    const std::lock_guard lock(mutex_);
    if (!live_.emplace(launch.key, false).second) return;
  }
  const auto pool = pools_.find(launch.pool);
  if (pool == pools_.end()) {
    return PostEnd(launch.key, Fault::kInfrastructure,
                   absl::StrCat("cannot start: adapter ", owner_, " has no such pool"));
  }
  const WorkFace face = FaceOf(*launch.work, launch.alternative);
  LaunchOrder order{
      .key = launch.key, .epoch = launch.epoch, .owner = owner_, .command = face.run.command};
  order.env.assign(face.run.env.begin(), face.run.env.end());
  order.cwd = face.run.cwd;
  order.memory = face.needs.memory;
  order.told = {{"SPILLWAY_POOL", pool->second.name},
                {"SPILLWAY_DEVICE", pool->second.device},
                {"SPILLWAY_DEVICES", DevicesText(launch.nodes)}};
  Complete(order, launch, pool->second);
  host_.Launch(order,
               [this, key = launch.key](const absl::Status& status) { OnLaunched(key, status); });
}

void CommandAdapter::OnLaunched(AttemptKey key, const absl::Status& status) {
  if (status.ok()) return;  // reports tell the rest
  if (absl::IsAborted(status)) {
    // The epoch is over: another controller has taken the run over, and hears of it.
    const std::lock_guard lock(mutex_);
    live_.erase(key);
    return;
  }
  PostEnd(key, absl::IsInvalidArgument(status) ? Fault::kOwn : Fault::kInfrastructure,
          std::string(status.message()));
}

void CommandAdapter::PostEnd(AttemptKey key, Fault fault, std::string message) {
  {
    const std::lock_guard lock(mutex_);
    if (live_.erase(key) == 0) return;
  }
  event::AttemptEnded ended{.key = key, .fault = fault};
  ended.message = std::move(message);
  sink_.Post(std::move(ended));
}

void CommandAdapter::OnReport(const RunReport& report) {
  const bool over = report.phase == RunPhase::kEnded;
  bool tell = false;
  {
    const std::lock_guard lock(mutex_);
    const auto run = live_.find(report.key);
    if (run != live_.end()) {
      tell = over || (report.phase == RunPhase::kRunning && !std::exchange(run->second, true));
      if (over) live_.erase(run);
    }
  }
  if (tell && over) sink_.Post(EndOf(report));
  if (tell && !over) sink_.Post(event::AttemptStarted{report.key});
  if (over) host_.Acknowledge(owner_, report.key);
}

void CommandAdapter::Cancel(const command::Cancel& cancel) {
  host_.Cancel(owner_, cancel.key, cancel.epoch);
}

void CommandAdapter::Logs(AttemptKey key, LogStream stream, std::uint64_t offset, std::size_t limit,
                          bool follow, LogAnswer answer) {
  host_.Logs(owner_, key, stream, offset, limit, follow, std::move(answer));
}

void CommandAdapter::Stop() { host_.Leave(owner_); }

event::AttemptEnded EndOf(const RunReport& report) {
  event::AttemptEnded ended{.key = report.key};
  ended.message = report.message;
  switch (report.outcome) {
    case RunOutcome::kExited:
      ended.exit_code = report.code;
      ended.fault = report.code == 0 ? Fault::kNone : Fault::kOwn;
      break;
    case RunOutcome::kSignalled:
      ended.signal = report.code;
      ended.fault = Fault::kOwn;
      break;
    case RunOutcome::kCannotStart:
      ended.fault = Fault::kOwn;
      break;
    case RunOutcome::kCancelled:
      ended.fault = Fault::kCancelled;
      break;
    case RunOutcome::kNone:
    case RunOutcome::kLost:
      ended.fault = Fault::kInfrastructure;
      break;
  }
  if (report.out_of_memory && ended.fault == Fault::kOwn && ended.message.empty()) {
    ended.message = "a process was ended because the job went past its memory limit";
  }
  return ended;
}

std::string DevicesText(const std::vector<NodeShare>& nodes) {
  if (nodes.size() == 1) return absl::StrJoin(nodes.front().devices, ",");
  return absl::StrJoin(nodes, ";", [](std::string* out, const NodeShare& share) {
    absl::StrAppend(out, share.node, ":", absl::StrJoin(share.devices, ","));
  });
}

}  // namespace spillway
