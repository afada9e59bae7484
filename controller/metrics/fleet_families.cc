#include "controller/metrics/fleet_families.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>

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

// An engine that others run has no node that we could see.
double Healthy(const Snapshot& snapshot, const PoolStatus& pool) {
  const std::size_t place = Index(pool.id);
  if (!pool.spec->adapter.urls.empty() && snapshot.router &&
      place < snapshot.router->pools.size()) {
    const auto& endpoints = snapshot.router->pools[place].endpoints;
    const auto up = std::count_if(endpoints.begin(), endpoints.end(),
                                  [](const EndpointState& engine) { return engine.up; });
    return endpoints.empty() ? 0 : static_cast<double>(up) / static_cast<double>(endpoints.size());
  }
  return static_cast<double>(pool.nodes_up) / std::max(pool.spec->nodes, 1);
}

void WritePrices(FamilyWriter& w, const Snapshot& snapshot, absl::Time now) {
  w.Gauge("spillway_pool_node_price_usd_per_hour",
          "Price of one node in force; absent where it is unknown.");
  ForEachPool(snapshot, [&](const PoolStatus& pool, const Labels& labels) {
    if (pool.price.node_hour)
      w.Value(static_cast<double>(pool.price.node_hour->value()) / kNanosPerUsd, labels);
  });
  w.Gauge("spillway_pool_price_age_seconds",
          "Time since the day that the price in force was true, as whoever wrote it says; absent "
          "where nobody does.");
  ForEachPool(snapshot, [&](const PoolStatus& pool, const Labels& labels) {
    absl::Time day;
    std::string error;
    if (pool.price.as_of.empty() || !absl::ParseTime("%Y-%m-%d", pool.price.as_of, &day, &error))
      return;
    w.Value(std::max(absl::ToDoubleSeconds(now - day), 0.0), labels);
  });
}

void WriteQueue(FamilyWriter& w, const QueueStatus& queue, absl::Time now) {
  w.Gauge("spillway_queue_depth", "Work that waits for a pool.")
      .Value(static_cast<double>(queue.depth), {{"class", "job"}});
  const absl::Duration age =
      queue.oldest ? std::max(now - *queue.oldest, absl::ZeroDuration()) : absl::ZeroDuration();
  w.Gauge("spillway_queue_oldest_age_seconds", "How long the oldest of it has waited.")
      .Value(absl::ToDoubleSeconds(age), {{"class", "job"}});
}

}  // namespace

void WriteFleet(FamilyWriter& w, const Snapshot& snapshot, absl::Time now) {
  w.Gauge("spillway_pool_capacity", "What the nodes that are up have (CPUs, bytes, devices).");
  WriteResources(w, snapshot, /*busy=*/false);
  w.Gauge("spillway_pool_busy", "What running work holds of it (CPUs, bytes, devices).");
  WriteResources(w, snapshot, /*busy=*/true);
  w.Gauge("spillway_pool_healthy",
          "Part of the pool that is up: of its nodes, or of its engines where others run them.");
  ForEachPool(snapshot, [&](const PoolStatus& pool, const Labels& labels) {
    w.Value(Healthy(snapshot, pool), labels);
  });
  w.Gauge("spillway_pool_utilization_ratio",
          "Busy part of the devices, or of the CPUs where a node has no devices.");
  ForEachPool(snapshot, [&](const PoolStatus& pool, const Labels& labels) {
    w.Value(Utilization(pool), labels);
  });
  w.Gauge("spillway_pool_running_jobs", "Attempts that run or start there.");
  ForEachPool(snapshot,
              [&](const PoolStatus& pool, const Labels& labels) { w.Value(pool.running, labels); });
  w.Gauge("spillway_pool_awaited_by_jobs", "Queued jobs that count on the pool.");
  ForEachPool(snapshot, [&](const PoolStatus& pool, const Labels& labels) {
    w.Value(pool.awaited_by, labels);
  });
  w.Gauge("spillway_pool_state", "1 for the state that operators have put the pool in.");
  ForEachPool(snapshot, [&](const PoolStatus& pool, Labels labels) {
    labels.emplace_back("state", "");
    for (const auto state : {PoolState::kActive, PoolState::kCordoned, PoolState::kDraining}) {
      labels.back().second = NameOf(state);
      w.Value(pool.state == state ? 1 : 0, labels);
    }
  });
  WritePrices(w, snapshot, now);
  WriteQueue(w, snapshot.queue, now);
  w.Gauge("spillway_policy_version", "Version of the policy in force.")
      .Value(static_cast<double>(snapshot.policy_version));
}

void WriteOpenHour(FamilyWriter& w, const Snapshot& snapshot,
                   const std::vector<record::LedgerRow>& rows) {
  std::map<std::pair<PoolId, record::Category>, Usd> sums;
  for (const record::LedgerRow& row : rows) sums[{row.pool, row.category}] += row.cost;
  w.Gauge("spillway_hour_cost_usd",
          "Cost of the current hour (UTC) so far, idle time included, as the ledger would have it "
          "if the hour ended now.");
  for (const auto& [key, cost] : sums) {
    w.Value(static_cast<double>(cost.value()) / kNanosPerUsd,
            {{"pool", snapshot.NameOf(key.first)}, {"category", NameOf(key.second)}});
  }
}

void WriteEngines(FamilyWriter& w, const Dispatcher& dispatcher) {
  const Dispatcher::Stats stats = dispatcher.stats();
  w.Gauge("spillway_requests_in_flight", "Requests that an engine works for.")
      .Value(static_cast<double>(stats.in_flight));
  w.Gauge("spillway_requests_waiting", "Requests that wait for room in an engine.")
      .Value(static_cast<double>(stats.waiting));
  w.Counter("spillway_request_retries_total", "Requests sent on to the next engine.")
      .Value(static_cast<double>(stats.retries));
  w.Counter("spillway_request_retries_refused_total", "Retries that the budget did not allow.")
      .Value(static_cast<double>(stats.refused_retries));
  const auto view = dispatcher.view();
  if (!view) return;
  const auto each = [&](auto value) {
    for (const ViewEndpoint& endpoint : view->endpoints()) {
      const PoolSpec& pool = *view->pools()[endpoint.pool].spec;
      w.Value(value(endpoint), {{"endpoint", endpoint.name}, {"pool", pool.name}});
    }
  };
  w.Gauge("spillway_endpoint_up", "1 if the engine answered when it was last asked.");
  each([](const ViewEndpoint& endpoint) { return endpoint.up ? 1 : 0; });
  w.Gauge("spillway_endpoint_ejected", "1 if the engine is left out after failures.");
  each([](const ViewEndpoint& endpoint) { return endpoint.ejected ? 1 : 0; });
  w.Gauge("spillway_endpoint_in_flight", "Sequences in flight on the engine, by our own count.");
  each([&](const ViewEndpoint& endpoint) { return dispatcher.InFlight(endpoint.key); });
  w.Gauge("spillway_endpoint_capacity", "Sequences that the engine takes at once.");
  each([](const ViewEndpoint& endpoint) { return endpoint.concurrency; });
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
