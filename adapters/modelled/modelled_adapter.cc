#include "adapters/modelled/modelled_adapter.h"

#include "absl/strings/str_cat.h"

namespace spillway {
namespace {

// Commands of pretended hardware stand back behind what really belongs on this machine.
constexpr int kNiceness = 10;

}  // namespace

void ModelledAdapter::Complete(LaunchOrder& order, const command::Launch& launch,
                               const PoolSpec& pool) const {
  order.niceness = kNiceness;
  // The CPUs asked for are those of the pretended node: here they are not taken from anyone.
  order.cpus = MilliCpus(0);
  order.hold = launch.modelled_duration;
  order.turn_group = absl::StrCat("modelled/", Index(launch.pool));
  order.turn_limit = pool.adapter.max_commands;
}

}  // namespace spillway
