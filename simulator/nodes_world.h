#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "core/pool.h"
#include "core/scenario.h"
#include "simulator/agenda.h"
#include "simulator/random_stream.h"

namespace spillway {

// What takes nodes of the pool back; null: nobody.
const SpotSpec* SpotOf(const WorldSpec& world, std::string_view pool);

// Nodes that fail and are repaired, or are taken back by their owner and replaced: what nobody
// decides. Times are exponential, each node by its own random stream, so that another policy or
// another fleet beside it meets the same failures; or, for spot pools, as a recorded trace says how
// many nodes there are: then the last ones go first. Who is taken back is told before (notice).
class NodesWorld {
 public:
  NodesWorld(const FleetSpec& fleet, const WorldSpec& world, std::uint64_t seed, Agenda& agenda);

  struct Node {
    PoolId pool = kNoPool;
    int node = 0;
    bool up = true;
    bool spot = false;  // its owner takes it back; else it fails
  };
  const Node& node(std::uint32_t id) const { return nodes_[id].node; }
  // A tick of kind kNodeNotice, kNodeDown or kNodeUp: what became of the node; schedules what comes
  // next.
  const Node& Change(const Tick& tick, absl::Time now);

 private:
  struct Process {
    Node node;
    absl::Duration up_mean, down_mean;  // infinite: a trace says when
    absl::Duration notice;
    RandomStream random;
  };
  static absl::Duration Draw(absl::Duration mean, RandomStream& random);
  void PlanDown(std::uint32_t id, absl::Time at);
  void FollowTrace(const SpotSpec& spot, const std::vector<std::uint32_t>& nodes);
  Agenda& agenda_;
  std::vector<Process> nodes_;
};

}  // namespace spillway
