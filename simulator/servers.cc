#include "simulator/servers.h"

#include "absl/strings/str_cat.h"
#include "scheduler/pool_run.h"

namespace spillway {

absl::StatusOr<std::vector<VirtualServer>> MakeServers(const RouterView& view) {
  std::vector<VirtualServer> servers;
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
    VirtualServer& server = servers.emplace_back();
    server.key = endpoint.key;
    server.pool = endpoint.pool;
    server.name = view.models()[static_cast<std::size_t>(served.model)].name;
    server.model = MakeServerModel(served);
    const auto places = ReplicaNodes(*pool.spec);
    const auto number = static_cast<std::size_t>(endpoint.key.number);
    if (number < places.size()) server.nodes = places[number];
  }
  return servers;
}

}  // namespace spillway
