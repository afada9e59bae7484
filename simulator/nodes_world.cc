#include "simulator/nodes_world.h"

#include <algorithm>
#include <boost/random/exponential_distribution.hpp>

#include "absl/strings/str_cat.h"

namespace spillway {

absl::Duration NodesWorld::Draw(absl::Duration mean, RandomStream& random) {
  boost::random::exponential_distribution<double> unit(1.0);
  return std::max(RoundToNanos(unit(random) * mean), absl::Nanoseconds(1));
}

NodesWorld::NodesWorld(const FleetSpec& fleet, const WorldSpec& world, std::uint64_t seed,
                       Agenda& agenda)
    : agenda_(agenda) {
  for (std::size_t p = 0; p < fleet.pools.size(); ++p) {
    const PoolSpec& pool = fleet.pools[p];
    const auto own = world.pool_failures.find(pool.name);
    const FailureSpec& fails = own == world.pool_failures.end() ? world.failures : own->second;
    const auto& spot = world.spot.pools;
    const bool reclaimed =
        world.spot.mtbr && std::find(spot.begin(), spot.end(), pool.name) != spot.end();
    const absl::Duration up = reclaimed ? *world.spot.mtbr : fails.mtbf;
    const absl::Duration down = reclaimed ? world.spot.away : fails.repair;
    if (up == absl::InfiniteDuration()) continue;
    for (int n = 0; n < pool.nodes; ++n) {
      const Node node{PoolId{static_cast<std::uint32_t>(p)}, n, true};
      nodes_.push_back({node, up, down,
                        MakeRandomStream(seed, absl::StrCat("node/", pool.name, "/", n))});
      const auto id = static_cast<std::uint32_t>(nodes_.size() - 1);
      agenda_.At(agenda_.start() + Draw(up, nodes_.back().random), EventClass::kFault,
                 {TickKind::kNodeDown, id});
    }
  }
}

const NodesWorld::Node& NodesWorld::Change(const Tick& tick, absl::Time now) {
  Process& process = nodes_[tick.id];
  process.node.up = tick.kind == TickKind::kNodeUp;
  const absl::Duration mean = process.node.up ? process.up_mean : process.down_mean;
  const TickKind next = process.node.up ? TickKind::kNodeDown : TickKind::kNodeUp;
  agenda_.At(now + Draw(mean, process.random), EventClass::kFault, {next, tick.id});
  return process.node;
}

}  // namespace spillway
