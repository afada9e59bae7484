#include "performance/fabric.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace spillway {
namespace {

template <std::size_t N>
bool HasAny(const std::vector<std::string>& features,
            const std::array<std::string_view, N>& wanted) {
  return std::any_of(features.begin(), features.end(), [&](const std::string& feature) {
    return std::find(wanted.begin(), wanted.end(), feature) != wanted.end();
  });
}

bool HasRdma(const PoolSpec& pool) {
  if (const auto label = pool.labels.find("fabric"); label != pool.labels.end()) {
    return label->second == "rdma";
  }
  constexpr std::array<std::string_view, 4> kRdma = {"rdma", "infiniband", "efa", "roce"};
  return HasAny(pool.features, kRdma);
}

}  // namespace

double EfficiencyInNode(const Device& device, double devices) {
  if (device.kind == DeviceKind::kCpu) return 1;
  constexpr std::array<std::string_view, 6> kLinks = {
      "nvlink", "infinity_fabric", "neuronlink", "roce", "ici", "hccs"};
  return Efficiency(HasAny(device.features, kLinks) ? kLossOverLink : kLossOverPcie, devices);
}

double EfficiencyOverNodes(const PoolSpec& pool, int nodes) {
  return Efficiency(HasRdma(pool) ? kLossOverRdma : kLossOverVpc, nodes);
}

double ConfidentialFactor(const PoolSpec& pool, DeviceKind kind) {
  if (pool.confidential.empty()) return 1;
  return kind == DeviceKind::kCpu ? 1.10 : 1.08;
}

}  // namespace spillway
