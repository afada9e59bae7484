#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/check.h"
#include "core/request.h"
#include "core/router_inputs.h"
#include "scheduler/router.h"
#include "scheduler/router_view.h"
#include "tests/support/fleets.h"

// Engines and requests for the tests of the router. Unless a test names a device, nothing is known
// of its engines, so that a test can compute their times in its head: half a millisecond for each
// token of a prompt, 40 ms for each later one, 64 sequences at once, p90 twice p50.
namespace spillway::fixtures {

// A pool of nodes with one device each, one engine on each, rented for 3.60 USD an hour (a
// thousandth of a dollar a second).
inline PoolSpec EnginePool(std::string name, int engines = 1, std::string model = "chat") {
  PoolSpec p;
  p.name = std::move(name);
  p.adapter.type = "modelled";
  p.kind = DeviceKind::kNpu;
  p.vendor = "habana";
  p.node = {.cpus = Cpus(4), .memory = GiB(16), .devices = 1};
  p.nodes = engines;
  p.device_memory = GiB(24);
  p.runtimes = {{"synapse", V("1.18")}};
  p.billing = Billing::kMetered;
  p.price = {.node_hour = HourlyDollars(3.60)};
  p.weights = {.devices = 1};
  p.power = {.idle = Watts(20), .busy = Watts(120), .pue = 1.0, .tariff = DollarsPerKwh(0.36)};
  p.serves = {{.model = std::move(model), .replicas = engines}};
  return p;
}
inline PoolSpec NvidiaPool(std::string name, int engines = 1, std::string model = "chat") {
  PoolSpec p = EnginePool(std::move(name), engines, std::move(model));
  p.kind = DeviceKind::kGpu;
  p.vendor = "nvidia";
  return p;
}
// Engines that others run, at `urls` addresses.
inline PoolSpec UrlPool(std::string name, int urls, std::vector<std::string> models = {"chat"}) {
  PoolSpec p = EnginePool(std::move(name), urls);
  p.adapter.type = "openai";
  for (int i = 0; i < urls; ++i)
    p.adapter.urls.push_back("http://127.0.0.1:" + std::to_string(9000 + i) + "/v1");
  p.serves.clear();
  for (std::string& model : models) p.serves.push_back({.model = std::move(model)});
  p.placement = PlacedBy::kTheirs;
  return p;
}
inline PoolSpec Costing(PoolSpec pool, double usd_per_hour) {
  pool.price.node_hour = HourlyDollars(usd_per_hour);
  return pool;
}
inline PoolSpec Committed(PoolSpec pool) {
  pool.billing = Billing::kCommitted;
  return pool;
}

// What a router rests on, put together by hand.
class RouterWorld {
 public:
  explicit RouterWorld(std::vector<PoolSpec> pools = {}) {
    for (PoolSpec& pool : pools) Add(std::move(pool));
  }
  // All of its engines are up.
  RouterPool& Add(PoolSpec spec) {
    RouterPool pool;
    pool.price = spec.price;
    pool.endpoints.assign(static_cast<std::size_t>(EndpointsOf(spec)), {.up = true});
    pool.spec = std::make_shared<const PoolSpec>(std::move(spec));
    return inputs.pools.emplace_back(std::move(pool));
  }
  RouterPool& operator[](const std::string& name) {
    for (RouterPool& pool : inputs.pools) {
      if (pool.spec->name == name) return pool;
    }
    SPILLWAY_CHECK(false);
    std::abort();
  }
  // Answers of the model there take so many times as long as estimated: observed, so p90 is known.
  void Observe(const std::string& pool, double ttft, double tpot, double p90 = 1,
               const std::string& model = "chat") {
    const auto micro = [](double x) { return static_cast<std::int64_t>(x * kMillion); };
    (*this)[pool].speeds.push_back({.model = model,
                                    .observed = true,
                                    .ttft_p50 = micro(ttft),
                                    .ttft_p90 = micro(ttft * p90),
                                    .tpot_p50 = micro(tpot),
                                    .tpot_p90 = micro(tpot * p90)});
  }
  std::shared_ptr<const RouterInputs> Inputs() const {
    auto all = std::make_shared<RouterInputs>(inputs);
    all->policy = std::make_shared<const PolicySpec>(policy);
    all->tenants = std::make_shared<const TenantsSpec>(tenants);
    all->catalog = std::make_shared<const Catalog>(catalog);
    return all;
  }
  std::shared_ptr<const RouterView> View() const {
    auto view = RouterView::Make(Inputs());
    SPILLWAY_CHECK(view.ok());
    return *std::move(view);
  }

  RouterInputs inputs{.id = EventNumber{1}};
  PolicySpec policy = BackstopPolicy();
  TenantsSpec tenants;
  Catalog catalog;
};

// 1,000 tokens of prompt (half a second), 101 of answer (four seconds).
inline RequestFeatures ChatRequest(std::string model = "chat") {
  RequestFeatures features;
  features.arrived = absl::FromUnixSeconds(1'790'000'000);
  features.model = model;
  features.models = {std::move(model)};
  features.prompt_bytes = 4000;
  features.max_tokens = 101;
  features.stream = true;
  return features;
}

// Loads by the name of the endpoint; idle where none is given.
using Loads = std::map<std::string, EndpointLoad>;

inline EndpointLoad Running(int sequences, std::int64_t tokens_each = 100) {
  return {.running = sequences, .context_tokens = sequences * tokens_each};
}
inline EndpointLoad Waiting(int sequences, std::int64_t tokens_each = 1000) {
  return {.waiting = sequences, .waiting_tokens = sequences * tokens_each};
}

inline std::vector<EndpointReading> ReadingsOf(const RouterView& view, const RequestShape& shape,
                                               const Loads& loads) {
  std::vector<EndpointReading> readings;
  for (const std::uint32_t place : shape.endpoints) {
    const auto load = loads.find(view.endpoints()[place].name);
    readings.push_back({place, load == loads.end() ? EndpointLoad() : load->second});
  }
  return readings;
}

// One decision, with everything it rested on.
struct Routing {
  Routing(std::shared_ptr<const RouterView> v, RequestFeatures f, const Loads& loads = {},
          std::uint64_t draw = 0)
      : view(std::move(v)) {
    request.view = view->id();
    request.features = std::move(f);
    request.draw = draw;
    shape = MakeRequestShape(*view, request.features);
    request.readings = ReadingsOf(*view, shape, loads);
    Router router;
    plan = router.Choose(*view, shape, request.features, request.readings, draw);
    request.order = plan.order;
    request.code = plan.code;
  }

  // "a10/0", or "" if it was not routed.
  std::string First() const { return plan.order.empty() ? "" : NameOf(plan.order[0]); }
  std::vector<std::string> Order() const {
    std::vector<std::string> names;
    for (const std::uint32_t place : plan.order) names.push_back(NameOf(place));
    return names;
  }
  std::string NameOf(std::uint32_t place) const { return view->endpoints()[place].name; }
  std::string Chosen() const {
    if (plan.chosen < 0) return "";
    const auto& pool = plan.pools[static_cast<std::size_t>(plan.chosen)];
    return view->pools()[pool.pool].spec->name;
  }
  // Of an able pool; aborts where it is none.
  const RoutedPool& On(const std::string& name) const {
    for (const RoutedPool& pool : plan.pools) {
      if (view->pools()[pool.pool].spec->name == name) return pool;
    }
    SPILLWAY_CHECK(false);
    std::abort();
  }
  // Of any pool, able or not.
  CodeSet Codes(const std::string& name) const {
    for (const RoutedPool& pool : plan.pools) {
      if (view->pools()[pool.pool].spec->name == name) return pool.codes;
    }
    for (std::size_t i = 0; i < view->pools().size(); ++i) {
      if (view->pools()[i].spec->name == name) return shape.pools[i].codes;
    }
    SPILLWAY_CHECK(false);
    std::abort();
  }

  std::shared_ptr<const RouterView> view;
  RequestShape shape;
  RoutePlan plan;
  Request request;
};

}  // namespace spillway::fixtures
