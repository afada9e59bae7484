#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/simulator/sim_world.h"

namespace spillway {
namespace {

CellOutcome Ran(std::vector<Arrival> arrivals, std::shared_ptr<Config> config,
                ScenarioSpec scenario = PlainScenario()) {
  ListedArrivals stream(std::move(arrivals));
  auto outcome = RunCell({.config = std::move(config), .scenario = &scenario, .arrivals = &stream});
  EXPECT_TRUE(outcome.ok()) << outcome.status();
  return outcome.ok() ? *outcome : CellOutcome();
}
CellOutcome Ran(std::vector<Arrival> arrivals, const std::string& text,
                ScenarioSpec scenario = PlainScenario()) {
  return Ran(std::move(arrivals), ConfigOf(text), std::move(scenario));
}

// Whoever is fastest, whatever it costs: everything goes to the A10s while nothing is full.
constexpr char kFastest[] = R"(---
kind: Policy
name: fastest
claim: {order: tiers}
spill: {rule: at-once}
choice: least-latency
)";

std::vector<Arrival> Every(absl::Duration gap, int count, std::int64_t prompt,
                           std::int64_t output) {
  std::vector<Arrival> arrivals;
  for (int i = 0; i < count; ++i) arrivals.push_back(Chat(gap * i, prompt, output));
  return arrivals;
}

TEST(Hindsight, WhatAnIdleCpuWouldHaveDoneInTimeIsRegretted) {
  const CellOutcome cell =
      Ran(Every(absl::Seconds(30), 10, 50, 20), std::string(kTwoPools) + kFastest);
  ASSERT_EQ(cell.nvidia_share, 1);
  ASSERT_TRUE(cell.regret.has_value());
  EXPECT_EQ(cell.regret->placements, 10);
  EXPECT_EQ(cell.regret->examined, 10);
  EXPECT_EQ(cell.regret->avoidable, 10);
  EXPECT_GT(cell.regret->saved, Usd(0));
  ASSERT_EQ(cell.regret->pools.size(), 1u);
  EXPECT_EQ(cell.regret->pools[0].pool, "xeon");
  EXPECT_EQ(cell.regret->pools[0].count, 10);
  EXPECT_EQ(cell.regret->pools[0].saved, cell.regret->saved);
}

TEST(Hindsight, WhatTheCpuIsTooSlowForIsNot) {
  ScenarioSpec scenario = PlainScenario();
  scenario.objective.ttft = absl::Milliseconds(800);
  // Some 50 ms on the A10; seconds on sixteen CPUs.
  const CellOutcome cell =
      Ran(Every(absl::Seconds(30), 10, 3000, 20), std::string(kTwoPools) + kFastest, scenario);
  ASSERT_TRUE(cell.regret.has_value());
  EXPECT_EQ(cell.regret->placements, 10);
  EXPECT_EQ(cell.regret->examined, 10);
  EXPECT_EQ(cell.regret->avoidable, 0);
  EXPECT_EQ(cell.regret->saved, Usd(0));
}

// Tenant a is sent to the A10s, everybody else to the CPUs. What comes to the CPUs after a's
// request counts, too: it would have shared their steps.
TEST(Hindsight, WhatCameLaterSlowsTheTokensAfterTheFirst) {
  const std::string text = std::string(kTwoPools) + R"(---
kind: Policy
name: by-tenant
rules:
  - {name: a, when: {tenant: a}, claim: [{vendor: nvidia}, {kind: cpu}]}
  - {name: rest, when: {tenant: default}, claim: [{kind: cpu}, {vendor: nvidia}]}
spill: {rule: at-once}
---
kind: Tenants
tenants: [{name: a, weight: 1}]
)";
  ScenarioSpec scenario = PlainScenario();
  scenario.objective = {.ttft = absl::Seconds(3), .tpot = absl::Milliseconds(100)};
  const auto avoidable = [&](bool others) {
    std::vector<Arrival> arrivals = {Chat(absl::Seconds(1), 50, 40)};
    arrivals[0].tenant = "a";
    // Prompts that keep both engines computing while the answer would be under way.
    for (int i = 0; others && i < 4; ++i)
      arrivals.push_back(Chat(absl::Milliseconds(1200 + i), 2000, 2));
    const CellOutcome cell = Ran(std::move(arrivals), text, scenario);
    EXPECT_TRUE(cell.regret.has_value());
    EXPECT_EQ(cell.pools[0].requests > 0, others);
    return cell.regret ? cell.regret->avoidable : -1;
  };
  EXPECT_EQ(avoidable(false), 1);
  EXPECT_EQ(avoidable(true), 0);
}

// Looking on changes nothing, and of many placements an even sample is examined.
TEST(Hindsight, ABurstIsPartlyUnavoidable) {
  std::vector<Arrival> burst;
  for (int i = 0; i < 80; ++i) burst.push_back(Chat(absl::Milliseconds(10 * i), 600, 150));
  const CellOutcome cell = Ran(std::move(burst), kTwoPools);
  ASSERT_TRUE(cell.regret.has_value());
  EXPECT_GT(cell.regret->placements, 0);
  EXPECT_EQ(cell.regret->examined, cell.regret->placements);
  EXPECT_LT(cell.regret->avoidable, cell.regret->placements);
}

TEST(Hindsight, AFleetOfOneKindHasNothingToRegret) {
  const CellOutcome cell = Ran(Every(absl::Seconds(1), 3, 50, 20), A10sAlone());
  EXPECT_FALSE(cell.regret.has_value());
}

// ---- Jobs

constexpr char kJobFleet[] = R"(
kind: Fleet
pools:
  - name: amx
    adapter: {type: modelled}
    device: xeon-spr-amx-24vcpu
    kind: cpu
    node: {cpus: 24, memory: 48GiB}
    nodes: 1
    billing: committed
    price: {node_hour: 1.071 USD}
    runtimes: {ipex: "2.3"}
  - name: a10
    adapter: {type: modelled}
    device: nvidia-a10g-24g
    kind: gpu
    node: {cpus: 4, memory: 16GiB, devices: 1}
    nodes: 2
    billing: metered
    price: {node_hour: 1.006 USD}
    runtimes: {cuda: "12.4"}
---
kind: Policy
name: at-once
claim: {order: cost, backstop: {vendor: nvidia}}
spill: {rule: at-once}
)";

Arrival JobAt(absl::Duration at, absl::Duration takes, absl::Duration deadline) {
  auto work = std::make_shared<Work>();
  work->kind = WorkKind::kJob;
  work->name = "batch";
  work->tenant = "default";
  work->needs.cpus = MilliCpus(24'000);
  work->needs.memory = Bytes(std::int64_t{40} << 30);
  work->needs.runtime = {.name = "ipex"};
  Alternative alternative;
  alternative.on.vendor = {"nvidia"};
  alternative.needs.cpus = MilliCpus(4'000);
  alternative.needs.memory = Bytes(std::int64_t{8} << 30);
  alternative.needs.devices.count = 1;
  alternative.needs.runtime = {.name = "cuda"};
  alternative.demand = DeclaredSeconds{.seconds = takes};
  work->alternatives = {alternative};
  work->demand = DeclaredSeconds{.seconds = takes};
  work->objective.deadline = PlainScenario().start + at + deadline;
  Arrival arrival;
  arrival.at = ToNanos(at);
  arrival.kind = WorkKind::kJob;
  arrival.job = work;
  arrival.truth.run = work->demand;
  return arrival;
}

TEST(Hindsight, AJobThatCouldHaveWaitedIsRegretted) {
  // The second one finds the CPU taken for a minute, and has an hour.
  const CellOutcome loose = Ran({JobAt(absl::Seconds(1), absl::Minutes(1), absl::Hours(1)),
                                 JobAt(absl::Seconds(2), absl::Minutes(1), absl::Hours(1))},
                                kJobFleet);
  ASSERT_EQ(loose.pools[0].jobs, 1);
  ASSERT_EQ(loose.pools[1].jobs, 1);
  ASSERT_TRUE(loose.regret.has_value());
  EXPECT_EQ(loose.regret->placements, 1);
  EXPECT_EQ(loose.regret->avoidable, 1);
  // What the A10 cost for a minute; the CPU is paid for anyway.
  const double minute = 1.006 / 60;
  EXPECT_NEAR(static_cast<double>(loose.regret->saved.value()) * 1e-9, minute, minute * 0.001);

  // Ninety seconds are not enough for both, one after the other.
  const CellOutcome tight = Ran({JobAt(absl::Seconds(1), absl::Minutes(1), absl::Seconds(90)),
                                 JobAt(absl::Seconds(2), absl::Minutes(1), absl::Seconds(90))},
                                kJobFleet);
  ASSERT_TRUE(tight.regret.has_value());
  EXPECT_EQ(tight.regret->placements, 1);
  EXPECT_EQ(tight.regret->avoidable, 0);
}

}  // namespace
}  // namespace spillway
