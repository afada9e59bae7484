#include "simulator/nodes_world.h"

#include <algorithm>
#include <boost/random/exponential_distribution.hpp>
#include <map>

#include "absl/strings/str_cat.h"

namespace spillway {

const SpotSpec* SpotOf(const WorldSpec& world, std::string_view pool) {
  for (const SpotSpec& spot : world.spot) {
    if (std::find(spot.pools.begin(), spot.pools.end(), pool) != spot.pools.end()) return &spot;
  }
  return nullptr;
}

absl::Duration NodesWorld::Draw(absl::Duration mean, RandomStream& random) {
  boost::random::exponential_distribution<double> unit(1.0);
  return std::max(RoundToNanos(unit(random) * mean), absl::Nanoseconds(1));
}

void NodesWorld::PlanDown(std::uint32_t id, absl::Time at) {
  const absl::Duration notice = nodes_[id].notice;
  if (notice > absl::ZeroDuration()) {
    agenda_.At(std::max(at - notice, agenda_.start()), EventClass::kFault,
               {TickKind::kNodeNotice, id});
  }
  agenda_.At(at, EventClass::kFault, {TickKind::kNodeDown, id});
}

void NodesWorld::FollowTrace(const SpotSpec& spot, const std::vector<std::uint32_t>& nodes) {
  auto there = static_cast<int>(nodes.size());
  for (const auto& [since, available] : spot.available) {
    const absl::Time at = agenda_.start() + since;
    const int now = std::clamp(available, 0, static_cast<int>(nodes.size()));
    for (int n = there; n < now; ++n)
      agenda_.At(at, EventClass::kFault, {TickKind::kNodeUp, nodes[static_cast<std::size_t>(n)]});
    for (int n = now; n < there; ++n) PlanDown(nodes[static_cast<std::size_t>(n)], at);
    there = now;
  }
}

NodesWorld::NodesWorld(const FleetSpec& fleet, const WorldSpec& world, std::uint64_t seed,
                       Agenda& agenda)
    : agenda_(agenda) {
  std::map<const SpotSpec*, std::vector<std::uint32_t>> traced;
  for (std::size_t p = 0; p < fleet.pools.size(); ++p) {
    const PoolSpec& pool = fleet.pools[p];
    const auto own = world.pool_failures.find(pool.name);
    const FailureSpec& fails = own == world.pool_failures.end() ? world.failures : own->second;
    const SpotSpec* spot = SpotOf(world, pool.name);
    const bool by_trace = spot != nullptr && !spot->available.empty();
    const absl::Duration up = by_trace             ? absl::InfiniteDuration()
                              : spot && spot->mtbr ? *spot->mtbr
                                                   : fails.mtbf;
    const absl::Duration down = spot ? spot->away : fails.repair;
    if (up == absl::InfiniteDuration() && !by_trace) continue;
    for (int n = 0; n < pool.nodes; ++n) {
      const Node node{PoolId{static_cast<std::uint32_t>(p)}, n, true, spot != nullptr};
      nodes_.push_back({node, up, down, spot ? spot->notice : absl::ZeroDuration(),
                        MakeRandomStream(seed, absl::StrCat("node/", pool.name, "/", n))});
      const auto id = static_cast<std::uint32_t>(nodes_.size() - 1);
      if (by_trace) {
        traced[spot].push_back(id);
      } else {
        PlanDown(id, agenda_.start() + Draw(up, nodes_.back().random));
      }
    }
  }
  for (const SpotSpec& spot : world.spot) {
    if (const auto nodes = traced.find(&spot); nodes != traced.end())
      FollowTrace(spot, nodes->second);
  }
}

const NodesWorld::Node& NodesWorld::Change(const Tick& tick, absl::Time now) {
  Process& process = nodes_[tick.id];
  if (tick.kind == TickKind::kNodeNotice) return process.node;
  process.node.up = tick.kind == TickKind::kNodeUp;
  if (process.up_mean == absl::InfiniteDuration()) return process.node;
  if (process.node.up) {
    PlanDown(tick.id, now + Draw(process.up_mean, process.random));
  } else {
    agenda_.At(now + Draw(process.down_mean, process.random), EventClass::kFault,
               {TickKind::kNodeUp, tick.id});
  }
  return process.node;
}

}  // namespace spillway
