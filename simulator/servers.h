#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "performance/engine.h"
#include "scheduler/router_view.h"
#include "scheduler/time_share.h"
#include "simulator/time_strip.h"

namespace spillway {

// Prompts of traces come in blocks of so many tokens; engines keep beginnings by them.
inline constexpr std::int32_t kPrefixTokens = 512;

// One engine of the fleet in virtual time: the true one, while the router sees counts only.
struct VirtualEngine {
  EndpointKey key;
  std::uint32_t pool = 0;  // place in the view
  std::string model;
  std::vector<int> nodes;  // of its pool, that it runs on
  std::shared_ptr<const StepTimes> steps;
  EngineLimits limits;
  absl::Duration way{};  // round trip
  std::unique_ptr<Engine> engine;
  bool up = true;
  absl::Time due = absl::InfiniteFuture();  // the step event that counts

  // What the router may read: sequences and tokens, by its own estimates.
  std::int32_t waiting = 0, running = 0;
  std::int64_t waiting_tokens = 0, context_tokens = 0;
  TimeShare share;
  TimeStrip strip;

  // The fuller one of batch and cache; all of it while anything waits.
  double Utilization() const;
};

// One for every endpoint of the view, in its order. kFailedPrecondition: an endpoint that nothing
// is known of (an address without `serves`), with what to write.
absl::StatusOr<std::vector<VirtualEngine>> MakeServers(const RouterView& view);

}  // namespace spillway
