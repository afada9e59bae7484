#include "performance/share.h"

#include <algorithm>

namespace spillway {
namespace {

double PartOf(double held, double all) { return all > 0 ? std::clamp(held / all, 0.0, 1.0) : 0.0; }

ShareWeights OrDefault(const ShareWeights& weights, const NodeShape& node) {
  if (weights.cpus + weights.memory + weights.devices > 0) return weights;
  return node.devices > 0 ? ShareWeights{.devices = 1} : ShareWeights{.cpus = 1};
}

double WholeOf(const NodeShape& node, const Needs& needs) {
  if (node.devices == 0) return needs.cpus >= node.cpus ? 1.0 : 0.0;
  return needs.devices.fraction < 1 ? 0.0 : PartOf(needs.devices.count, node.devices);
}

}  // namespace

Holding HoldingOf(const NodeShape& node, const ShareWeights& weights, const Needs& needs) {
  const ShareWeights w = OrDefault(weights, node);
  const auto as_double = [](auto quantity) { return static_cast<double>(quantity.value()); };
  const double cpus = PartOf(as_double(needs.cpus), as_double(node.cpus));
  const double memory = PartOf(as_double(needs.memory), as_double(node.memory));
  const double devices = PartOf(needs.devices.count * needs.devices.fraction, node.devices);
  const double share = w.cpus * cpus + w.memory * memory + w.devices * devices;
  return {.share = std::clamp(share, 0.0, 1.0),
          .whole = WholeOf(node, needs),
          .nodes = std::max(needs.nodes, 1)};
}

Holding HoldingOf(const PoolSpec& pool, const Needs& needs) {
  return HoldingOf(pool.node, pool.weights, needs);
}

}  // namespace spillway
