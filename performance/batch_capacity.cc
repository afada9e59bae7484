#include "performance/batch_capacity.h"

#include <algorithm>
#include <cmath>

#include "core/units.h"
#include "performance/replica.h"

namespace spillway {
namespace {

constexpr double kAssumedItemsPerSecond = 100;

// How many times the catalogue's entry one replica holds.
double UnitsOf(const Catalog& catalog, const PoolSpec& pool, const ServeSpec& serve) {
  const auto found = catalog.devices.find(pool.device);
  if (found == catalog.devices.end()) return 1;
  const Device& device = found->second;
  if (device.kind != DeviceKind::kCpu)
    return serve.nodes * std::max(serve.devices > 0 ? serve.devices : pool.node.devices, 1);
  const MilliCpus cpus = serve.cpus > MilliCpus(0) ? serve.cpus : pool.node.cpus;
  if (device.vcpus == 0 || cpus <= MilliCpus(0)) return serve.nodes;
  return serve.nodes * static_cast<double>(cpus.value()) / (1000.0 * device.vcpus);
}

// Batches in the steady state with so many items in flight.
struct Steady {
  int items = 1;  // of a batch
  absl::Duration time{};
  bool by_delay = false;  // an instance is free whenever a batch may begin
};

// How many are in flight if batches have `items`: those computed, and half a batch that gathers.
double InFlight(const BatchCapacity& server, int items) {
  double busy = server.limits.instances;
  if (server.limits.max_delay > absl::ZeroDuration())
    busy = std::min(busy, absl::FDivDuration(server.times.Of(items), server.limits.max_delay));
  return items * (busy + 0.5);
}

Steady SteadyWith(const BatchCapacity& server, int least, double in_flight) {
  int low = least, high = server.limits.max_items;
  while (low < high) {
    const int middle = low + (high - low) / 2;
    (InFlight(server, middle) >= in_flight ? high : low) =
        InFlight(server, middle) >= in_flight ? middle : middle + 1;
  }
  Steady out{.items = low, .time = server.times.Of(low)};
  out.by_delay = out.time < server.limits.max_delay * server.limits.instances;
  return out;
}

// How long those that gather for a batch wait for others, on average: its first for all of the
// delay, the others for what is left of it.
absl::Duration GatheringOf(const BatchLimits& limits, double requests) {
  const double of_batch = std::max(requests, 1.0);
  return limits.max_delay * ((of_batch + 1) / (2 * of_batch));
}

}  // namespace

std::shared_ptr<const BatchCapacity> BatchCapacityFor(const Catalog& catalog, const PoolSpec& pool,
                                                      const ServeSpec& serve) {
  const auto speed = BatchSpeedFor(catalog, catalog.batches, pool, serve.work_class);
  const double units = UnitsOf(catalog, pool, serve);
  BatchLimits limits;
  const int instances = speed ? speed->instances : 1;
  limits.instances = serve.instances.value_or(std::max(1, static_cast<int>(instances * units)));
  limits.max_items =
      serve.max_items.value_or(speed && speed->measured_items > 1 ? speed->measured_items : 64);
  limits.max_delay = serve.max_delay.value_or(limits.max_delay);
  return std::make_shared<const BatchCapacity>(
      BatchCapacity{speed ? speed->times : BatchTimes::OfRate(kAssumedItemsPerSecond, 1), limits});
}

BatchAnswerTimes AnswerTimesOf(const BatchCapacity& server, const BatchLoad& load, int items) {
  const BatchLimits& limits = server.limits;
  if (items > limits.max_items)
    return {absl::InfiniteDuration(), absl::InfiniteDuration(), absl::InfiniteDuration()};
  const bool is_full = items == limits.max_items;
  if (load.requests <= 0) {
    const absl::Duration alone = is_full ? absl::ZeroDuration() : limits.max_delay;
    return {alone, alone, server.times.Of(items)};
  }
  const double in_flight = static_cast<double>(std::max<std::int64_t>(load.items, load.requests));
  const double each = in_flight / load.requests;
  const int least = std::min(limits.max_items, std::max(1, static_cast<int>(std::lround(each))));
  const Steady steady = SteadyWith(server, least, in_flight);
  const double of_batch = steady.items / each;
  BatchAnswerTimes out;
  out.wait = is_full ? absl::ZeroDuration() : GatheringOf(limits, of_batch);
  out.wait_p90 = is_full ? absl::ZeroDuration() : limits.max_delay;
  const bool gathers = of_batch > 1.5;
  out.batch = server.times.Of(gathers ? std::max(steady.items, items) : items);
  if (load.requests < limits.instances || steady.by_delay) return out;

  // All instances are at work: to the first end, then the batches of those before it.
  const int parts = limits.instances;
  const double next_p90 = 1 - std::pow(0.1, 1.0 / parts);
  const int held = std::max(least, limits.max_items / least * least);  // requests stay whole
  const double before =
      std::max(0.0, in_flight - static_cast<double>(steady.items) * limits.instances);
  const double batches = std::floor((before + items - 1) / held);
  const absl::Duration queue = batches * server.times.Of(held) / parts;
  out.wait = std::max(out.wait, steady.time / (parts + 1) + queue);
  out.wait_p90 = std::max(out.wait_p90, next_p90 * steady.time + queue);
  const int together = static_cast<int>(std::min<double>(held, before + items));
  out.batch = server.times.Of(std::max({items, together, gathers ? steady.items : 1}));
  return out;
}

}  // namespace spillway
