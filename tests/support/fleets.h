#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "core/check.h"
#include "core/device.h"
#include "core/policy_spec.h"
#include "core/pool.h"
#include "core/runtime.h"
#include "core/units.h"
#include "core/work.h"

// Pools, policies and work for tests, built in C++: what the example files say after they were read
// and the catalogue's values were filled in. Figures are those of configs/catalog/devices.yaml.
namespace spillway::fixtures {

constexpr MilliCpus Cpus(double count) {
  return MilliCpus(static_cast<std::int64_t>(count * 1000));
}
constexpr Bytes GiB(double count) {
  return Bytes(static_cast<std::int64_t>(count * 1024 * 1024 * 1024));
}
constexpr Bytes MiB(double count) { return Bytes(static_cast<std::int64_t>(count * 1024 * 1024)); }
constexpr Usd Dollars(double usd) {
  return Usd(static_cast<std::int64_t>(usd * kNanosPerUsd + (usd < 0 ? -0.5 : 0.5)));
}
constexpr UsdPerHour HourlyDollars(double usd) { return UsdPerHour(Dollars(usd).value()); }
constexpr UsdPerKwh DollarsPerKwh(double usd) { return UsdPerKwh(Dollars(usd).value()); }

inline Version V(std::string_view text) {
  auto version = Version::Parse(text);
  SPILLWAY_CHECK(version.ok());
  return *std::move(version);
}
inline RuntimeNeed Runtime(std::string_view text) {
  auto need = RuntimeNeed::Parse(text);
  SPILLWAY_CHECK(need.ok());
  return *std::move(need);
}

// ---- The demo fleet: five pools, from paid for and small to rented and versatile.

// The machine itself: plain x86, no accelerator, paid for.
inline PoolSpec LocalPool() {
  PoolSpec p;
  p.name = "local";
  p.adapter.type = "process";
  p.kind = DeviceKind::kCpu;
  p.vendor = "intel";
  p.node = {.cpus = Cpus(8), .memory = GiB(16), .devices = 0};
  p.nodes = 1;
  p.runtimes = {{"none", V("1")}};
  p.precisions = {Precision::kFp64, Precision::kFp32};
  p.features = {"avx2"};
  p.peak_ops = 0.46e12;
  p.billing = Billing::kCommitted;
  p.price = {.node_hour = HourlyDollars(0.10), .as_of = "2026-07-20", .source = "example"};
  p.weights = {.cpus = 1};
  p.power = {.idle = Watts(40), .busy = Watts(120), .pue = 1.3, .tariff = DollarsPerKwh(0.12)};
  p.site = {.name = "office",
            .kind = SiteKind::kEdge,
            .round_trip = absl::Milliseconds(1),
            .carbon = GramsCo2ePerKwh(300)};
  return p;
}

// Cheap and paid for, but small: much of the work is not able to run here.
inline PoolSpec EdgeNpuPool() {
  PoolSpec p;
  p.name = "edge-npu";
  p.adapter.type = "modelled";
  p.kind = DeviceKind::kNpu;
  p.vendor = "intel";
  p.device = "edge-npu-8g";
  p.device_memory = GiB(8);
  p.node = {.cpus = Cpus(4), .memory = GiB(8), .devices = 1};
  p.nodes = 2;
  p.runtimes = {{"openvino", V("2024.4")}, {"none", V("1")}};
  p.precisions = {Precision::kFp16, Precision::kInt8};
  p.peak_ops = 9.5e12;
  p.billing = Billing::kCommitted;
  p.price = {.node_hour = HourlyDollars(0.02), .as_of = "2026-07-20", .source = "example"};
  p.weights = {.devices = 1};
  p.power = {.idle = Watts(4), .busy = Watts(14), .pue = 1.0, .tariff = DollarsPerKwh(0.30)};
  p.site = {.name = "shop",
            .kind = SiteKind::kEdge,
            .round_trip = absl::Milliseconds(15),
            .carbon = GramsCo2ePerKwh(300)};
  p.modelled = true;
  return p;
}

// An owned accelerator with much memory that few programs were ported to.
inline PoolSpec Gaudi2Pool() {
  PoolSpec p;
  p.name = "gaudi2";
  p.adapter.type = "modelled";
  p.kind = DeviceKind::kNpu;
  p.vendor = "habana";
  p.device = "gaudi2-96g";
  p.device_memory = GiB(96);
  p.node = {.cpus = Cpus(16), .memory = GiB(128), .devices = 2};
  p.nodes = 1;
  p.runtimes = {{"synapse", V("1.18")}};
  p.precisions = {Precision::kBf16, Precision::kFp8};
  p.features = {"roce"};
  p.peak_ops = 2 * 865e12;
  p.billing = Billing::kCommitted;
  p.price = {.node_hour = HourlyDollars(2.60), .as_of = "2026-07-20", .source = "example"};
  p.weights = {.devices = 1};
  p.power = {.idle = Watts(136), .busy = Watts(1200), .pue = 1.2, .tariff = DollarsPerKwh(0.12)};
  p.site = {.name = "lab",
            .kind = SiteKind::kEdge,
            .round_trip = absl::Milliseconds(2),
            .carbon = GramsCo2ePerKwh(300)};
  p.modelled = true;
  return p;
}

// Rented CPUs with AMX; CPUs share the price of a node.
inline PoolSpec XeonAmxPool() {
  PoolSpec p;
  p.name = "xeon-amx";
  p.adapter.type = "modelled";
  p.kind = DeviceKind::kCpu;
  p.vendor = "intel";
  p.device = "xeon-spr-amx-16vcpu";
  p.node = {.cpus = Cpus(16), .memory = GiB(32), .devices = 0};
  p.nodes = 4;
  p.runtimes = {{"ipex", V("2.3")}, {"openvino", V("2024.4")}, {"none", V("1")}};
  p.precisions = {Precision::kFp32, Precision::kBf16, Precision::kInt8};
  p.features = {"avx2", "avx512", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx", "tdx"};
  p.peak_ops = 39.3e12;
  p.billing = Billing::kMetered;
  p.price = {
      .node_hour = HourlyDollars(0.714), .as_of = "2026-07-20", .source = "c7i.4xlarge, us-east-1"};
  p.weights = {.cpus = 1};
  p.power = {.idle = Watts(17), .busy = Watts(67), .pue = 1.2};
  p.site = {.name = "cloud-a",
            .kind = SiteKind::kCloud,
            .round_trip = absl::Milliseconds(8),
            .carbon = GramsCo2ePerKwh(300)};
  p.modelled = true;
  return p;
}

// NVIDIA: rented, able to do nearly everything, the spillway.
inline PoolSpec A10Pool() {
  PoolSpec p;
  p.name = "a10";
  p.adapter.type = "modelled";
  p.kind = DeviceKind::kGpu;
  p.vendor = "nvidia";
  p.device = "nvidia-a10g-24g";
  p.device_memory = GiB(24);
  p.node = {.cpus = Cpus(4), .memory = GiB(16), .devices = 1};
  p.nodes = 2;
  p.runtimes = {{"cuda", V("12.4")}};
  p.precisions = {Precision::kFp32, Precision::kTf32, Precision::kBf16, Precision::kFp16,
                  Precision::kInt8};
  p.peak_ops = 140e12;
  p.billing = Billing::kMetered;
  p.price = {
      .node_hour = HourlyDollars(1.006), .as_of = "2026-07-20", .source = "g5.xlarge, us-east-1"};
  p.weights = {.devices = 1};
  p.power = {.idle = Watts(25), .busy = Watts(150), .pue = 1.2};
  p.site = {.name = "cloud-a",
            .kind = SiteKind::kCloud,
            .round_trip = absl::Milliseconds(8),
            .carbon = GramsCo2ePerKwh(300)};
  p.modelled = true;
  return p;
}

inline FleetSpec DemoFleet() {
  return {{LocalPool(), EdgeNpuPool(), Gaudi2Pool(), XeonAmxPool(), A10Pool()}};
}

// The pool of that name; aborts if there is none.
inline const PoolSpec& PoolNamed(const FleetSpec& fleet, std::string_view name) {
  for (const PoolSpec& pool : fleet.pools) {
    if (pool.name == name) return pool;
  }
  SPILLWAY_CHECK(false);
  std::abort();
}
inline PoolId IdOf(const FleetSpec& fleet, std::string_view name) {
  return PoolId(static_cast<std::uint32_t>(&PoolNamed(fleet, name) - fleet.pools.data()));
}

// ---- Policies.

// The default policy: computed cost, NVIDIA last.
inline PolicySpec BackstopPolicy() {
  PolicySpec policy;
  policy.name = "backstop";
  policy.claim.backstop = PoolSelector{.vendor = {"nvidia"}};
  return policy;
}
inline PolicySpec LeastCostPolicy() {
  PolicySpec policy;
  policy.name = "least-cost";
  return policy;
}
inline PolicySpec NvidiaOnlyPolicy() {
  PolicySpec policy;
  policy.name = "nvidia-only";
  policy.claim.only = PoolSelector{.vendor = {"nvidia"}};
  return policy;
}

// ---- Work. Each builder gives a valid job; tests then change the field they are about.

// A plain program that says nothing but its size. Start within a minute, as all jobs by default.
inline Work JobNeeding(MilliCpus cpus, Bytes memory) {
  Work work;
  work.kind = WorkKind::kJob;
  work.name = "plain";
  work.run.command = {"true"};
  work.needs.cpus = cpus;
  work.needs.memory = memory;
  work.objective.start_within = absl::Seconds(60);
  return work;
}
inline Work SmallJob() { return JobNeeding(Cpus(1), MiB(256)); }

// A program for devices of one runtime: JobNeedingDevices(1, "cuda>=12").
inline Work JobNeedingDevices(int count, std::string_view runtime) {
  Work work = SmallJob();
  work.name = "accelerated";
  work.needs.devices.count = count;
  work.needs.runtime = Runtime(runtime);
  return work;
}

// Lets the work run on pools of that vendor with `count` devices and `runtime` too.
inline Work& AlsoOn(Work& work, std::string vendor, int count, std::string_view runtime) {
  Alternative other{.on = PoolSelector{.vendor = {std::move(vendor)}},
                    .run = work.run,
                    .needs = work.needs,
                    .demand = work.demand,
                    .objective = work.objective};
  other.needs.devices.count = count;
  other.needs.runtime = Runtime(runtime);
  work.alternatives.push_back(std::move(other));
  return work;
}

// Thumbnails of the example: plain CPUs, else Gaudi through synapse, else NVIDIA through CUDA. What
// can run on every pool of the demo fleet but edge-npu (whose nodes are not for CPU work).
inline Work PortableJob() {
  Work work = JobNeeding(Cpus(2), GiB(1));
  work.name = "thumbnails";
  work.demand = ClassUnits{.work_class = "image-resize", .units = 120};
  AlsoOn(work, "habana", 1, "synapse");
  AlsoOn(work, "nvidia", 1, "cuda>=12");
  return work;
}

// Takes `duration` (p50) on whatever runs it.
inline Work& Lasting(Work& work, absl::Duration duration) {
  work.demand = DeclaredSeconds{.seconds = duration, .on = ""};
  for (Alternative& a : work.alternatives) a.demand = work.demand;
  return work;
}

inline Work RequestFor(std::string model) {
  Work work;
  work.kind = WorkKind::kRequest;
  work.needs.model = std::move(model);
  work.demand = TokenCounts{.prompt = Tokens(200), .output = Tokens(100)};
  work.objective.ttft = absl::Seconds(3);
  work.objective.tpot = absl::Milliseconds(200);
  return work;
}

}  // namespace spillway::fixtures
