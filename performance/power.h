#pragma once

#include "core/pool.h"
#include "core/work.h"

// What one piece of work draws while it holds its share of a pool's nodes.
namespace spillway {

// The part of one node's rate that work with these needs pays: the sum over cpus, memory and devices of
// weight x (asked / node has), within [0, 1]. DESIGN 3; the same share splits dynamic energy.
double ShareOf(const Needs& needs, const PoolSpec& pool);

struct Draw {
  Watts dynamic{};  // (busy - idle) x share, over all nodes of a gang
  Watts idle{};     // idle watts of whole devices that it holds (whole nodes, where they have no devices)
  Watts total() const { return dynamic + idle; }
};
Draw DrawOf(const Needs& needs, const PoolSpec& pool);

}  // namespace spillway
