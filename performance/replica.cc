#include "performance/replica.h"

#include <algorithm>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "performance/fabric.h"

namespace spillway {
namespace {

void HoldCpus(const PoolSpec& pool, const ServeSpec& serve, Replica& out) {
  const double whole = pool.node.cpus.value() > 0
                           ? static_cast<double>(pool.node.cpus.value()) / 1000
                           : std::max(1, out.device->vcpus);
  const double held =
      serve.cpus.value() > 0 ? static_cast<double>(serve.cpus.value()) / 1000 : whole;
  out.units = held / std::max(1, out.device->vcpus);
  const double share = std::min(1.0, held / whole);
  const double memory = pool.node.memory.value() > 0
                            ? static_cast<double>(pool.node.memory.value()) * share
                            : static_cast<double>(out.device->memory.value()) * out.units;
  out.memory = Bytes(static_cast<std::int64_t>(memory * out.nodes));
}

void HoldDevices(const PoolSpec& pool, const ServeSpec& serve, Replica& out) {
  const int devices = std::max(1, serve.devices > 0 ? serve.devices : pool.node.devices);
  const Bytes each = pool.device_memory.value() > 0 ? pool.device_memory : out.device->memory;
  out.units = devices;
  out.memory = each * devices * out.nodes;
}

bool SameWidth(Precision a, Precision b) {
  const auto is_16 = [](Precision p) { return p == Precision::kBf16 || p == Precision::kFp16; };
  return a == b || (is_16(a) && is_16(b));
}

}  // namespace

double KvElementBytes(Precision precision) { return std::max(2.0, BytesOf(precision)); }

double Replica::KvBytesPerToken() const {
  const double once =
      static_cast<double>(model->KvBytesPerToken(KvElementBytes(precision)).value());
  return by_cpu() ? once : once * std::max(1.0, units / std::max(1, model->kv_heads));
}

absl::StatusOr<Replica> ReplicaOf(const Catalog& catalog, const PoolSpec& pool,
                                  const ServeSpec& serve) {
  const auto device = catalog.devices.find(pool.device);
  if (device == catalog.devices.end()) {
    return absl::NotFoundError(
        pool.device.empty() ? absl::StrCat("pool `", pool.name, "` names no device")
                            : absl::StrCat("the catalogue has no device `", pool.device, "`"));
  }
  const auto model = catalog.models.find(serve.model);
  if (model == catalog.models.end()) {
    return absl::NotFoundError(absl::StrCat("the catalogue has no model `", serve.model, "`"));
  }
  Replica out{.device = &device->second,
              .model = &model->second,
              .precision = serve.precision,
              .nodes = std::max(1, serve.nodes),
              .speed = pool.speed};
  out.by_cpu() ? HoldCpus(pool, serve, out) : HoldDevices(pool, serve, out);
  out.efficiency = EfficiencyInNode(*out.device, out.units) * EfficiencyOverNodes(pool, out.nodes);
  out.slowdown = ConfidentialFactor(pool, out.device->kind);
  return out;
}

const EngineProfile* ProfileFor(const Catalog& catalog, const Replica& replica) {
  if (replica.nodes != 1) return nullptr;
  const EngineProfile* twin = nullptr;
  for (const EngineProfile& profile : catalog.profiles) {
    if (profile.device != replica.device->name || profile.model != replica.model->name) continue;
    if (std::abs(profile.devices - replica.units) > 1e-9) continue;
    if (profile.precision == replica.precision) return &profile;
    if (SameWidth(profile.precision, replica.precision)) twin = &profile;
  }
  return twin;
}

}  // namespace spillway
