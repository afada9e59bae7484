#pragma once

#include "core/pool.h"
#include "core/work.h"

// What work holds of the nodes of a pool, as fractions. Money and dynamic watts are split by
// `share`, idle watts by `whole`.
namespace spillway {

struct Holding {
  // Of one node's rate, [0, 1]: sum of weight x fraction held over CPUs, memory and devices.
  double share = 0;
  // Of one node's idle watts, [0, 1]: its whole devices by all its devices; on a node without
  // devices 1 for work that holds every CPU, else 0. Idle watts of what is held in part belong to
  // the pool's idle row.
  double whole = 0;
  // On how many nodes the same is held (a gang); at least 1.
  int nodes = 1;
  friend bool operator==(const Holding&, const Holding&) = default;
};

// `weights` that are all zero mean the default: all on the devices, on the CPUs where a node has
// none. Work that needs more than a node has holds all of it; it would not have been placed there.
Holding HoldingOf(const NodeShape& node, const ShareWeights& weights, const Needs& needs);
Holding HoldingOf(const PoolSpec& pool, const Needs& needs);

}  // namespace spillway
