#include "simulator/job_flow.h"

#include <algorithm>
#include <utility>

#include "simulator/nodes_world.h"

namespace spillway {

JobFlow::JobFlow(const FleetSpec& fleet, const Catalog& catalog, const WorldSpec& world,
                 Agenda& agenda)
    : fleet_(fleet), speeds_(catalog), agenda_(agenda), pools_(fleet.pools.size()), world_(world) {
  for (const PoolSpec& pool : fleet.pools) pool_speeds_.push_back(speeds_.SpeedOf(pool));
}

absl::Duration JobFlow::DurationOn(PoolId pool, const WorkFace& face, JobId job,
                                   absl::Duration otherwise) const {
  const auto truth = truths_.find(job);
  if (truth == truths_.end() || std::holds_alternative<std::monostate>(truth->second))
    return otherwise;
  const auto named = [this](std::string_view name) -> const PoolSpeed* {
    const auto found = std::find_if(pool_speeds_.begin(), pool_speeds_.end(),
                                    [name](const PoolSpeed& speed) { return speed.pool == name; });
    return found == pool_speeds_.end() ? nullptr : &*found;
  };
  return LengthOf(Resolve(truth->second, speeds_, named), face.needs, pool_speeds_[Index(pool)],
                  otherwise)
      .p50;
}

absl::Duration JobFlow::DurationOf(const command::Launch& launch) const {
  const auto saved = saved_.find(launch.key.job);
  const double left = saved == saved_.end() ? 1 : 1 - saved->second;
  return Scale(DurationOn(launch.pool, FaceOf(*launch.work, launch.alternative), launch.key.job,
                          launch.modelled_duration),
               left);
}

// Nodes that are bought while they are used are switched on for the first work on them.
bool JobFlow::OpensNode(const command::Launch& launch) const {
  const PoolSpec& pool = fleet_.pools[Index(launch.pool)];
  if (pool.boot <= absl::ZeroDuration()) return false;
  return std::any_of(launch.nodes.begin(), launch.nodes.end(), [&](const NodeShare& share) {
    return !held_.contains({launch.pool, share.node});
  });
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
  if (on_held) on_held(id, pool.held, now);
}

void JobFlow::Run(const command::Launch& launch, absl::Time now, std::vector<event::Body>& events) {
  if (by_key_.contains(launch.key)) return;
  const std::uint32_t id = ++last_;
  Running run{.key = launch.key,
              .pool = launch.pool,
              .share = ShareOf(launch),
              .begins = now,
              .takes = DurationOf(launch)};
  if (OpensNode(launch)) run.begins = now + fleet_.pools[Index(launch.pool)].boot;
  for (const NodeShare& share : launch.nodes) {
    run.nodes.push_back(share.node);
    ++held_[{launch.pool, share.node}];
  }
  by_key_.emplace(launch.key, id);
  Hold(launch.pool, run.share, now);
  agenda_.At(run.begins + run.takes, EventClass::kStep, {TickKind::kJobEnd, id});
  if (run.begins > now) {
    agenda_.At(run.begins, EventClass::kStep, {TickKind::kJobStart, id});
  } else {
    events.push_back(event::AttemptStarted{launch.key});
  }
  running_.emplace(id, std::move(run));
}

void JobFlow::Start(std::uint32_t id, absl::Time, std::vector<event::Body>& events) {
  const auto running = running_.find(id);
  if (running != running_.end()) events.push_back(event::AttemptStarted{running->second.key});
}

// What it held is free again.
void JobFlow::Leave(std::uint32_t id, absl::Time now) {
  const auto running = running_.find(id);
  const Running& run = running->second;
  Hold(run.pool, -run.share, now);
  for (const int node : run.nodes) {
    const auto held = held_.find({run.pool, node});
    if (--held->second == 0) held_.erase(held);
  }
  by_key_.erase(run.key);
  running_.erase(running);
}

void JobFlow::Notice(PoolId pool, int node, absl::Time now) {
  for (auto& [id, run] : running_) {
    const bool is_there = std::find(run.nodes.begin(), run.nodes.end(), node) != run.nodes.end();
    if (run.pool == pool && is_there && !run.told) run.told = now;
  }
}

// It worked until the time that was left was just enough to save.
void JobFlow::Save(const Running& run, absl::Time now) {
  const SpotSpec* spot = SpotOf(world_, fleet_.pools[Index(run.pool)].name);
  const auto checkpoint = spot ? spot->checkpoint : std::nullopt;
  if (!run.told || !checkpoint || now - *run.told < *checkpoint) return;
  const absl::Duration worked = now - *checkpoint - run.begins;
  if (worked <= absl::ZeroDuration() || run.takes <= absl::ZeroDuration()) return;
  const double part = std::min(absl::FDivDuration(worked, run.takes), 1.0);
  double& saved = saved_[run.key.job];
  saved += (1 - saved) * part;
}

void JobFlow::Run(const command::Cancel& cancel, absl::Time now, std::vector<event::Body>& events) {
  const auto known = by_key_.find(cancel.key);
  if (known == by_key_.end()) return;
  const std::uint32_t id = known->second;
  Save(running_.at(id), now);
  Leave(id, now);
  events.push_back(event::AttemptEnded{.key = cancel.key, .fault = Fault::kCancelled});
}

void JobFlow::End(std::uint32_t id, absl::Time now, std::vector<event::Body>& events) {
  const auto running = running_.find(id);
  if (running == running_.end()) return;  // cancelled or lost before
  events.push_back(event::AttemptEnded{.key = running->second.key, .exit_code = 0});
  Leave(id, now);
}

void JobFlow::CloseStrips(absl::Time now) {
  for (OnPool& pool : pools_) pool.strip.Close(now - agenda_.start());
}

}  // namespace spillway
