#include "simulator/servers.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "scheduler/pool_run.h"

namespace spillway {

double VirtualEngine::Utilization() const {
  if (!engine) return 0;
  const EngineGauges gauges = engine->gauges();
  if (gauges.waiting > 0) return 1;
  const double batch = static_cast<double>(gauges.running) / std::max(limits.max_sequences, 1);
  const double cache = gauges.kv_blocks_total == 0
                           ? 0
                           : static_cast<double>(gauges.kv_blocks_used) /
                                 static_cast<double>(gauges.kv_blocks_total);
  return std::min(std::max(batch, cache), 1.0);
}

absl::StatusOr<std::vector<VirtualEngine>> MakeServers(const RouterView& view) {
  std::vector<VirtualEngine> servers;
  servers.reserve(view.endpoints().size());
  for (const ViewEndpoint& endpoint : view.endpoints()) {
    const ViewPool& pool = view.pools()[endpoint.pool];
    if (endpoint.serves.empty()) {
      return absl::FailedPreconditionError(
          absl::StrCat("pool ", pool.spec->name,
                       ": cannot be simulated: nothing says which models its engines serve; write "
                       "`serves: [{model: NAME}]`"));
    }
    const Served& served = endpoint.serves.front();
    VirtualEngine& server = servers.emplace_back();
    server.key = endpoint.key;
    server.pool = endpoint.pool;
    server.model = view.models()[static_cast<std::size_t>(served.model)].name;
    server.steps = served.steps;
    server.limits = served.limits;
    server.limits.prefix_tokens = kPrefixTokens;
    server.way = pool.spec->site.round_trip;
    server.engine = std::make_unique<Engine>(server.steps, server.limits, EnginePace::kRuns);
    const auto places = ReplicaNodes(*pool.spec);
    const auto number = static_cast<std::size_t>(endpoint.key.number);
    if (number < places.size()) server.nodes = places[number];
  }
  return servers;
}

}  // namespace spillway
