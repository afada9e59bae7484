// Servers of whole batches in virtual time: rankings under a bound of milliseconds.
#include <gmock/gmock.h>

#include <cmath>
#include <map>

#include "simulator/cell.h"
#include "simulator/random_stream.h"
#include "simulator/workloads/draw.h"
#include "tests/simulator/sim_world.h"

namespace spillway {
namespace {

constexpr char kRankers[] = R"(
kind: Fleet
pools:
  - name: xeon
    adapter: {type: modelled}
    device: xeon-spr-amx-24vcpu
    kind: cpu
    node: {cpus: 24, memory: 48GiB}
    nodes: 2
    billing: committed
    price: {node_hour: 1.071 USD}
    serves: [{class: ranking, replicas: 2, max_items: 3, max_delay: 0s}]
  - name: l40s
    adapter: {type: modelled}
    device: nvidia-l40s-48g
    kind: gpu
    node: {cpus: 4, memory: 32GiB, devices: 1}
    nodes: 1
    billing: metered
    price: {node_hour: 1.861 USD}
    serves: [{class: ranking, max_delay: 500us}]
)";

// `count` of them at `rate` a second, evenly of 1 to `most` items, each within 15 ms.
std::vector<Arrival> Pages(int count, double rate, int most, std::uint64_t seed) {
  RandomStream random = MakeRandomStream(seed, "pages");
  std::vector<Arrival> pages;
  double at = 0;
  for (int i = 0; i < count; ++i) {
    at += DrawExponential(random) / rate;
    Arrival page;
    page.at = std::llround(at * 1e9);
    page.model = "ranking";
    page.tenant = "default";
    page.items = 1 + static_cast<std::int64_t>(DrawBelow(random, static_cast<std::uint64_t>(most)));
    page.ttft = absl::Milliseconds(15);
    pages.push_back(page);
  }
  return pages;
}

CellOutcome Ran(std::vector<Arrival> arrivals, std::shared_ptr<Config> config = nullptr,
                std::function<void(const Request&)> on_request = nullptr) {
  ListedArrivals stream(std::move(arrivals));
  ScenarioSpec scenario = PlainScenario();
  scenario.objective.ttft = absl::Milliseconds(15);
  auto outcome = RunCell({.config = config ? config : ConfigOf(kRankers),
                          .scenario = &scenario,
                          .arrivals = &stream,
                          .on_request = std::move(on_request)});
  EXPECT_TRUE(outcome.ok()) << outcome.status();
  return outcome.ok() ? *outcome : CellOutcome();
}

TEST(BatchCell, QuietHoursStayOnWhatIsPaidFor) {
  const CellOutcome cell = Ran(Pages(2000, 100, 1, 1));
  EXPECT_EQ(cell.completed, 2000);
  EXPECT_EQ(PoolNamed(cell, "xeon").requests, 2000);
  EXPECT_EQ(cell.slo_attainment(), 1);
  EXPECT_NEAR(cell.ttft.p50, 0.0043, 0.0002) << "one sample, alone";
  EXPECT_EQ(cell.tpot.count, 0) << "there are no tokens";
}

// More than the Xeons can do: they are kept at the edge, where one in ten may be late at p90.
TEST(BatchCell, APeakSpillsToNvidiaAndStaysInTime) {
  const CellOutcome cell = Ran(Pages(60'000, 3000, 1, 2));
  EXPECT_EQ(cell.completed, 60'000);
  EXPECT_GT(PoolNamed(cell, "xeon").requests, 20'000);
  EXPECT_GT(PoolNamed(cell, "l40s").requests, 20'000);
  EXPECT_GT(cell.slo_attainment(), 0.93);
  // Who aims at less than was promised spills earlier and keeps it.
  auto early = ConfigOf(kRankers);
  early->policy.objectives.models["ranking"].ttft = absl::Milliseconds(11);
  EXPECT_GT(Ran(Pages(60'000, 3000, 1, 2), early).slo_attainment(), 0.99);
  ASSERT_FALSE(cell.spills.empty());
  EXPECT_EQ(cell.spills.front().from, "xeon");
  EXPECT_EQ(cell.spills.front().code, "too_late");
}

// Four samples are 17 ms on a CPU that does one after the other, however idle it is.
TEST(BatchCell, WhatNoCpuCanDoInTimeIsNeverSentThere) {
  std::map<PoolId, int> large;
  Ran(Pages(5000, 50, 8, 3), nullptr, [&](const Request& request) {
    if (request.features.items >= 4) ++large[request.endpoint().pool];
  });
  EXPECT_EQ(large[PoolId{0}], 0);
  EXPECT_GT(large[PoolId{1}], 2000);
}

// The endpoint's time is shared by items: all shares together are the time that it had something to
// do, and what a request pays grows with its items.
TEST(BatchCell, SharesOfTimeSumToTheBusyTime) {
  auto config = ConfigOf(kRankers);
  config->fleet.pools.erase(config->fleet.pools.begin());
  absl::Duration held{};
  std::map<int, std::pair<double, int>> by_items;
  const CellOutcome cell = Ran(Pages(40'000, 8000, 4, 4), config, [&](const Request& request) {
    held += request.held;
    by_items[request.features.items].first += absl::ToDoubleMicroseconds(request.held);
    ++by_items[request.features.items].second;
  });
  EXPECT_EQ(cell.completed, 40'000);
  // At this load something is in flight nearly always.
  EXPECT_LE(held, cell.span);
  EXPECT_GT(held, cell.span * 0.97);
  const auto mean = [&](int items) { return by_items[items].first / by_items[items].second; };
  EXPECT_NEAR(mean(4) / mean(1), 4, 0.4);
  // The bill is that of the node for the whole span, however it is split.
  EXPECT_NEAR(static_cast<double>(cell.cost.value()),
              static_cast<double>((UsdPerHour(1'861'000'000) * cell.span).value()), 10);
}

// One CPU instance that takes one sample at a time is M/D/1, router and all.
TEST(BatchCell, OneAtATimeIsTheTextbookQueue) {
  auto config = ConfigOf(kRankers);
  config->fleet.pools.pop_back();
  PoolSpec& pool = config->fleet.pools.front();
  pool.nodes = pool.serves.front().replicas = 1;
  pool.serves.front().instances = 1;
  pool.serves.front().max_items = 1;
  pool.adapter.concurrency = 10'000;
  const double service = 0.004289, load = 0.7;
  std::vector<Arrival> arrivals = Pages(150'000, load / service, 1, 5);
  for (Arrival& page : arrivals) page.ttft = absl::Seconds(3);
  const CellOutcome cell = Ran(std::move(arrivals), config);
  EXPECT_EQ(cell.completed, 150'000);
  EXPECT_NEAR(cell.ttft.mean, service + load * service / (2 * (1 - load)), 0.03 * 0.0095);
  EXPECT_NEAR(PoolNamed(cell, "xeon").utilization, load, 0.01);
}

TEST(BatchCell, SameInputsSameOutcome) {
  const CellOutcome a = Ran(Pages(5000, 3000, 6, 6)), b = Ran(Pages(5000, 3000, 6, 6));
  EXPECT_EQ(a.cost, b.cost);
  EXPECT_EQ(a.ttft.mean, b.ttft.mean);
  EXPECT_EQ(a.met, b.met);
  for (std::size_t i = 0; i < a.pools.size(); ++i)
    EXPECT_EQ(a.pools[i].requests, b.pools[i].requests);
}

// All of it at the best batch there is, on whatever is cheapest: nobody can do it for less.
TEST(BatchCell, NoPolicyGoesBelowTheBound) {
  for (const double rate : {200.0, 3000.0, 12'000.0}) {
    const CellOutcome cell = Ran(Pages(20'000, rate, 3, 7));
    ASSERT_TRUE(cell.lower_bound.has_value()) << rate;
    EXPECT_GE(*cell.lower_bound, PoolNamed(cell, "xeon").bill());
    EXPECT_LE(*cell.lower_bound, cell.cost);
    if (cell.lower_bound_slo) {
      EXPECT_GE(*cell.lower_bound_slo, *cell.lower_bound);
      EXPECT_LE(*cell.lower_bound_slo, cell.cost);
    }
  }
  // What the Xeons have no room for costs the L40S its best rate: 64 samples in 2.458 ms.
  auto config = ConfigOf(kRankers);
  config->fleet.pools.erase(config->fleet.pools.begin());
  const CellOutcome cell = Ran(Pages(20'000, 5000, 1, 8), config);
  ASSERT_TRUE(cell.lower_bound.has_value());
  EXPECT_NEAR(static_cast<double>(cell.lower_bound->value()),
              20'000 * 0.002458 / 64 / 3600 * 1.861e9, 100);
}

TEST(BatchCell, OverloadIsCalledSo) {
  auto config = ConfigOf(kRankers);
  config->fleet.pools.pop_back();
  const CellOutcome cell = Ran(Pages(60'000, 6000, 1, 9), config);
  EXPECT_EQ(cell.label, LoadLabel::kOverloaded);
  EXPECT_EQ(cell.completed + cell.refused + cell.failed + cell.unfinished, 60'000);
}

}  // namespace
}  // namespace spillway
