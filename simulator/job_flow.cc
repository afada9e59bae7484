#include "simulator/job_flow.h"

#include <algorithm>
#include <utility>

#include "performance/fabric.h"

namespace spillway {

JobFlow::JobFlow(const FleetSpec& fleet, const Catalog& catalog, Agenda& agenda)
    : fleet_(fleet), speeds_(catalog), agenda_(agenda), pools_(fleet.pools.size()) {
  for (const PoolSpec& pool : fleet.pools) pool_speeds_.push_back(speeds_.SpeedOf(pool));
}

absl::Duration JobFlow::DurationOf(const command::Launch& launch) const {
  // What trusted domains cost is learned by observing: catalogue rates are without it.
  const PoolSpec& spec = fleet_.pools[Index(launch.pool)];
  const double slower = ConfidentialFactor(spec, spec.kind);
  const auto truth = truths_.find(launch.key.job);
  if (truth == truths_.end() || std::holds_alternative<std::monostate>(truth->second))
    return Scale(launch.modelled_duration, slower);
  const auto named = [this](std::string_view name) -> const PoolSpeed* {
    const auto found = std::find_if(pool_speeds_.begin(), pool_speeds_.end(),
                                    [name](const PoolSpeed& pool) { return pool.pool == name; });
    return found == pool_speeds_.end() ? nullptr : &*found;
  };
  const WorkFace face = FaceOf(*launch.work, launch.alternative);
  const JobLength length = LengthOf(Resolve(truth->second, speeds_, named), face.needs,
                                    pool_speeds_[Index(launch.pool)], launch.modelled_duration);
  return Scale(length.p50, slower);
}

double JobFlow::ShareOf(const command::Launch& launch) const {
  const PoolSpec& pool = fleet_.pools[Index(launch.pool)];
  const Needs& needs = FaceOf(*launch.work, launch.alternative).needs;
  double held = 0;  // nodes
  for (const NodeShare& node : launch.nodes) {
    held +=
        pool.node.devices > 0
            ? static_cast<double>(node.devices.size()) * needs.devices.fraction / pool.node.devices
            : static_cast<double>(needs.cpus.value()) / static_cast<double>(pool.node.cpus.value());
  }
  return held / pool.nodes;
}

void JobFlow::Hold(PoolId id, double share, absl::Time now) {
  OnPool& pool = pools_[Index(id)];
  pool.held += share;
  pool.strip.Set(now - agenda_.start(), std::clamp(pool.held, 0.0, 1.0));
}

void JobFlow::Run(const command::Launch& launch, absl::Time now, std::vector<event::Body>& events) {
  if (by_key_.contains(launch.key)) return;
  const std::uint32_t id = ++last_;
  const double share = ShareOf(launch);
  running_.emplace(id, Running{launch.key, launch.pool, share});
  by_key_.emplace(launch.key, id);
  Hold(launch.pool, share, now);
  agenda_.At(now + DurationOf(launch), EventClass::kStep, {TickKind::kJobEnd, id});
  events.push_back(event::AttemptStarted{launch.key});
}

void JobFlow::Run(const command::Cancel& cancel, absl::Time now, std::vector<event::Body>& events) {
  const auto known = by_key_.find(cancel.key);
  if (known == by_key_.end()) return;
  const auto running = running_.find(known->second);
  Hold(running->second.pool, -running->second.share, now);
  running_.erase(running);
  by_key_.erase(known);
  events.push_back(event::AttemptEnded{.key = cancel.key, .fault = Fault::kCancelled});
}

void JobFlow::End(std::uint32_t id, absl::Time now, std::vector<event::Body>& events) {
  const auto running = running_.find(id);
  if (running == running_.end()) return;  // cancelled or lost before
  Hold(running->second.pool, -running->second.share, now);
  events.push_back(event::AttemptEnded{.key = running->second.key, .exit_code = 0});
  by_key_.erase(running->second.key);
  running_.erase(running);
}

void JobFlow::CloseStrips(absl::Time now) {
  for (OnPool& pool : pools_) pool.strip.Close(now - agenda_.start());
}

}  // namespace spillway
