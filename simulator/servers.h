#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "scheduler/router_view.h"
#include "scheduler/time_share.h"
#include "simulator/server_model.h"
#include "simulator/time_strip.h"

namespace spillway {

// One endpoint of the fleet in virtual time: what truly answers there, and what the router sees of
// it, which is counts only.
struct VirtualServer {
  EndpointKey key;
  std::uint32_t pool = 0;  // place in the view
  std::string name;        // of the model that it answers with
  std::vector<int> nodes;  // of its pool, that it runs on
  std::unique_ptr<ServerModel> model;
  bool up = true;
  absl::Time due = absl::InfiniteFuture();  // the step event that counts

  // What the router may read: sequences and tokens, by its own estimates.
  std::int32_t waiting = 0, running = 0;
  std::int64_t waiting_tokens = 0, context_tokens = 0;
  TimeShare share;
  TimeStrip strip;
};

// One for every endpoint of the view, in its order. kFailedPrecondition: an endpoint that nothing
// is known of (an address without `serves`), with what to write.
absl::StatusOr<std::vector<VirtualServer>> MakeServers(const RouterView& view);

}  // namespace spillway
