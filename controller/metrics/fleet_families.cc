#include "controller/metrics/fleet_families.h"

#include <algorithm>
#include <array>

namespace spillway {
namespace {

struct Resource {
  std::string_view name;
  double (*total)(const PoolStatus&);
  double (*free)(const PoolStatus&);
};
constexpr std::array<Resource, 3> kResources = {{
    {"cpus", [](const PoolStatus& p) { return static_cast<double>(p.cpus_total.value()) / 1000; },
     [](const PoolStatus& p) { return static_cast<double>(p.cpus_free.value()) / 1000; }},
    {"memory", [](const PoolStatus& p) { return static_cast<double>(p.memory_total.value()); },
     [](const PoolStatus& p) { return static_cast<double>(p.memory_free.value()); }},
    {"devices", [](const PoolStatus& p) { return static_cast<double>(p.devices_total); },
     [](const PoolStatus& p) { return static_cast<double>(p.devices_free); }},
}};

// Of what the pool is there for: its devices, or the CPUs of one that has none.
double Utilization(const PoolStatus& pool) {
  const Resource& main = kResources[pool.spec->node.devices > 0 ? 2 : 0];
  const double total = main.total(pool);
  return total > 0 ? (total - main.free(pool)) / total : 0;
}

template <class F>
void ForEachPool(const Snapshot& snapshot, F f) {
  for (const PoolStatus& pool : snapshot.pools) {
    if (pool.removed) continue;
    f(pool, Labels{{"pool", pool.spec->name},
                   {"vendor", pool.spec->vendor},
                   {"kind", NameOf(pool.spec->kind)}});
  }
}

void WriteResources(FamilyWriter& w, const Snapshot& snapshot, bool busy) {
  ForEachPool(snapshot, [&](const PoolStatus& pool, Labels labels) {
    labels.emplace_back("resource", "");
    for (const Resource& resource : kResources) {
      labels.back().second = resource.name;
      const double total = resource.total(pool);
      w.Value(busy ? total - resource.free(pool) : total, labels);
    }
  });
}

}  // namespace

void WriteFleet(FamilyWriter& w, const Snapshot& snapshot, absl::Time now) {
  w.Gauge("spillway_pool_capacity", "What the nodes that are up have (CPUs, bytes, devices).");
  WriteResources(w, snapshot, /*busy=*/false);
  w.Gauge("spillway_pool_busy", "What running work holds of it (CPUs, bytes, devices).");
  WriteResources(w, snapshot, /*busy=*/true);
  w.Gauge("spillway_pool_healthy", "Part of the pool's nodes that are up.");
  ForEachPool(snapshot, [&](const PoolStatus& pool, const Labels& labels) {
    w.Value(static_cast<double>(pool.nodes_up) / std::max(pool.spec->nodes, 1), labels);
  });
  w.Gauge("spillway_pool_utilization_ratio",
          "Busy part of the devices, or of the CPUs where a node has no devices.");
  ForEachPool(snapshot, [&](const PoolStatus& pool, const Labels& labels) {
    w.Value(Utilization(pool), labels);
  });
  w.Gauge("spillway_pool_running_jobs", "Attempts that run or start there.");
  ForEachPool(snapshot,
              [&](const PoolStatus& pool, const Labels& labels) { w.Value(pool.running, labels); });
  w.Gauge("spillway_queue_depth", "Work that waits for a pool.")
      .Value(static_cast<double>(snapshot.queue.depth), {{"class", "job"}});
  const absl::Duration age = snapshot.queue.oldest
                                 ? std::max(now - *snapshot.queue.oldest, absl::ZeroDuration())
                                 : absl::ZeroDuration();
  w.Gauge("spillway_queue_oldest_age_seconds", "How long the oldest of it has waited.")
      .Value(absl::ToDoubleSeconds(age), {{"class", "job"}});
  w.Gauge("spillway_policy_version", "Version of the policy in force.")
      .Value(static_cast<double>(snapshot.policy_version));
}

void WriteBuffers(FamilyWriter& w, const std::vector<BufferUse>& buffers) {
  w.Gauge("spillway_buffer_used", "How full each queue, buffer and cache of the controller is.");
  for (const BufferUse& buffer : buffers) w.Value(buffer.used, {{"buffer", buffer.buffer}});
  w.Gauge("spillway_buffer_bound",
          "Where each of them ends; beyond it new entries are refused "
          "or old ones make room.");
  for (const BufferUse& buffer : buffers) w.Value(buffer.bound, {{"buffer", buffer.buffer}});
}

void WriteServer(FamilyWriter& w, const ServerStats& stats) {
  const auto count = [](std::uint64_t n) { return static_cast<double>(n); };
  w.Gauge("spillway_http_connections", "Open connections.").Value(count(stats.open));
  w.Counter("spillway_http_connections_total", "Connections by what became of them.")
      .Value(count(stats.accepted), {{"event", "accepted"}})
      .Value(count(stats.evicted), {{"event", "evicted"}})
      .Value(count(stats.turned_away), {{"event", "turned_away"}})
      .Value(count(stats.clients_gone), {{"event", "client_gone"}})
      .Value(count(stats.accept_errors), {{"event", "accept_error"}});
  w.Counter("spillway_http_timeouts_total", "Connections that were too slow, by what they did.")
      .Value(count(stats.head_timeouts), {{"phase", "head"}})
      .Value(count(stats.body_timeouts), {{"phase", "body"}})
      .Value(count(stats.write_timeouts), {{"phase", "write"}})
      .Value(count(stats.idle_timeouts), {{"phase", "idle"}});
  w.Counter("spillway_http_bytes_total", "Bytes read and written.")
      .Value(count(stats.bytes_in), {{"direction", "in"}})
      .Value(count(stats.bytes_out), {{"direction", "out"}});
  w.Gauge("spillway_http_body_bytes", "Memory of the bodies of requests that are being read.")
      .Value(count(stats.body_bytes));
  w.Counter("spillway_http_refused_bodies_total",
            "Requests that were answered 503 because bodies held all the memory that they may.")
      .Value(count(stats.bodies_refused));
  w.Counter("spillway_http_refused_heads_total", "Requests that the strict head check refused.");
  for (std::size_t fault = 1; fault < kHeadFaults; ++fault)
    w.Value(count(stats.refused[fault]), {{"fault", FaultName(static_cast<HeadFault>(fault))}});
  w.Counter("spillway_http_handler_failures_total", "Requests that ended in a fault of ours.")
      .Value(count(stats.handler_failures));
}

}  // namespace spillway
