#include "performance/power.h"

#include <algorithm>

namespace spillway {

Draw DrawOf(const Power& node, const Holding& held) {
  const double range = std::max(node.busy.value() - node.idle.value(), 0.0);
  return {.dynamic = Watts(range * held.share * held.nodes),
          .idle = Watts(node.idle.value() * held.whole * held.nodes)};
}

Footprint FootprintOf(const PoolSpec& pool, const Holding& held, absl::Duration duration) {
  const Draw draw = DrawOf(pool.power, held);
  Footprint out{.energy = draw.total() * duration, .dynamic = draw.dynamic * duration};
  if (pool.site.carbon) out.carbon = *pool.site.carbon * Scale(out.energy, pool.power.pue);
  if (pool.power.tariff) out.energy_cost = *pool.power.tariff * Scale(out.dynamic, pool.power.pue);
  return out;
}

}  // namespace spillway
