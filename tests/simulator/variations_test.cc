#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "performance/engine.h"
#include "simulator/break_even.h"
#include "simulator/experiment.h"
#include "simulator/results_file.h"
#include "simulator/sweep.h"
#include "tests/simulator/sim_world.h"

namespace spillway {
namespace {

using testing::Optional;

absl::Duration StepOf(const Config& config, std::int64_t prompt, int decodes) {
  const PoolSpec& pool = config.fleet.pools.front();
  const auto steps = StepTimesFor(config.catalog, pool, pool.serves.front());
  StepBatch batch;
  if (prompt > 0) batch.AddChunk(prompt, 0);
  for (int i = 0; i < decodes; ++i) batch.AddDecode(500);
  return steps->Of(batch);
}
double Over(absl::Duration a, absl::Duration b) { return absl::FDivDuration(a, b); }

constexpr char kXeon[] = "xeon-spr-amx-16vcpu";

TEST(Sweep, PrefillChangesPromptsAndNothingElse) {
  const auto config = ConfigOf(kTwoPools);
  for (const double factor : {0.5, 2.0, 4.0}) {
    SCOPED_TRACE(factor);
    const Config varied = VariedBy(*config, SweptInput::kPrefill, kXeon, factor);
    EXPECT_NEAR(Over(StepOf(*config, 512, 0), StepOf(varied, 512, 0)), factor, 0.05 * factor);
    EXPECT_NEAR(Over(StepOf(*config, 3000, 0), StepOf(varied, 3000, 0)), factor, 0.05 * factor);
    EXPECT_EQ(StepOf(*config, 0, 4), StepOf(varied, 0, 4));
    // Weights must be read, however fast it computes.
    EXPECT_GE(StepOf(varied, 1, 0), StepOf(*config, 1, 0) * 0.99);
  }
  const Config same = VariedBy(*config, SweptInput::kPrefill, kXeon, 1);
  for (const int prompt : {1, 20, 100, 300, 512, 2000})
    EXPECT_NEAR(Over(StepOf(same, prompt, 0), StepOf(*config, prompt, 0)), 1, 0.03) << prompt;
  // The other pool's device is left alone.
  Config other = VariedBy(*config, SweptInput::kPrefill, kXeon, 2);
  std::swap(other.fleet.pools[0], other.fleet.pools[1]);
  Config base = *config;
  std::swap(base.fleet.pools[0], base.fleet.pools[1]);
  EXPECT_EQ(StepOf(other, 512, 0), StepOf(base, 512, 0));
}

TEST(Sweep, BandwidthChangesDecodes) {
  const auto config = ConfigOf(kTwoPools);
  const Config half = VariedBy(*config, SweptInput::kBandwidth, kXeon, 0.5);
  EXPECT_NEAR(Over(StepOf(half, 0, 1), StepOf(*config, 0, 1)), 2, 0.15);
}

TEST(Sweep, PriceChangesTheBillAndWhatIsDated) {
  const auto config = ConfigOf(kTwoPools);
  PriceChange later{.pool = "a10"};
  later.price.node_hour = UsdPerHour(2'000'000'000);
  config->prices.prices = {later};
  const Config half = VariedBy(*config, SweptInput::kPrice, "a10", 0.5);
  EXPECT_EQ(half.fleet.pools[1].price.node_hour, UsdPerHour(503'000'000));
  EXPECT_EQ(half.fleet.pools[0].price.node_hour, config->fleet.pools[0].price.node_hour);
  EXPECT_EQ(half.prices.prices[0].price.node_hour, UsdPerHour(1'000'000'000));
}

ScenarioSpec Scenario() {
  ScenarioSpec scenario = PlainScenario();
  ScenarioFleet mixed{.name = "mixed", .spec = ConfigOf(kTwoPools)->fleet};
  ScenarioFleet cpu{.name = "cpu"}, a10{.name = "a10"};
  cpu.size = FleetSize{.device = "xeon-spr-amx-24vcpu", .most = 8};
  cpu.size->node_hour = UsdPerHour(1'000'000'000);
  a10.size = FleetSize{.device = "nvidia-a10g-24g", .most = 8};
  a10.size->node_hour = UsdPerHour(1'000'000'000);
  scenario.fleets = {mixed, cpu, a10};
  scenario.policies = {{.name = "backstop"}};
  scenario.pairs = {{"mixed", "backstop"}};
  scenario.baseline = scenario.pairs.front();
  scenario.objective = {absl::Seconds(3), absl::Milliseconds(200), 0.95};
  PartSpec part{.name = "chat", .arrivals = PoissonSpec{.rate = 1}, .lasts = absl::Minutes(5)};
  part.request.models = {{"qwen2-1.5b", 1}};
  part.request.prompt_tokens = LengthSpec{.constant = 400};
  part.request.output_tokens = LengthSpec{.constant = 60};
  scenario.workloads = {{.name = "chat", .parts = {part}}};
  scenario.seeds = 2;
  return scenario;
}

TEST(Sweep, StandsBesideTheCellsWithTheRowAsItIsInItsPlace) {
  ScenarioSpec scenario = Scenario();
  scenario.sweeps = {{.name = "price",
                      .input = SweptInput::kPrice,
                      .of = "a10",
                      .factors = {0.5, 2},
                      .pairs = scenario.pairs}};
  const auto one = RunExperiment(scenario, TestCatalog(), {.jobs = 1});
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_EQ(one->cells.size(), 2u);
  ASSERT_EQ(one->sweeps.size(), 1u);
  const auto& points = one->sweeps[0].points;
  ASSERT_EQ(points.size(), 3u);
  EXPECT_EQ(points[0].factor, 0.5);
  EXPECT_EQ(points[1].factor, 1);
  EXPECT_EQ(points[2].factor, 2);
  EXPECT_EQ(points[1].row.cost.mean, one->rows[0].cost.mean);
  EXPECT_EQ(points[0].row.seeds, 2);
  EXPECT_LT(points[0].row.cost.mean, points[1].row.cost.mean);
  EXPECT_LT(points[1].row.cost.mean, points[2].row.cost.mean);
  EXPECT_GT(points[0].row.saving->mean, 0);
  const auto two = RunExperiment(scenario, TestCatalog(), {.jobs = 3});
  ASSERT_TRUE(two.ok());
  EXPECT_EQ(ResultsJson(*one, scenario), ResultsJson(*two, scenario));
}

BreakEvenNodes At(double rate, std::optional<int> first, std::optional<int> second) {
  return {.load = rate, .rate = rate, .first = first, .second = second};
}

TEST(BreakEven, IsTheLastLoadUpToWhichTheFirstIsCheaperThroughout) {
  const PriceListSpec list{.name = "list", .first = UsdPerHour(400), .second = UsdPerHour(1000)};
  // 400 < 1000, 800 < 1000, 1200 > 1000, 1600 < 2000: the last one does not count.
  const auto price = CheaperUpTo(list, {At(1, 1, 1), At(2, 2, 1), At(3, 3, 1), At(4, 4, 2)});
  EXPECT_THAT(price.up_to, Optional(2.0));
  EXPECT_FALSE(price.throughout);
  EXPECT_EQ(
      CheaperUpTo({.first = UsdPerHour(1000), .second = UsdPerHour(1000)}, {At(1, 1, 1)}).up_to,
      std::nullopt)
      << "as dear is not cheaper";
  const auto all = CheaperUpTo(list, {At(1, 1, 1), At(2, 1, 1)});
  EXPECT_TRUE(all.throughout);
  EXPECT_THAT(all.up_to, Optional(2.0));
  // The first cannot do it at any price; the second cannot, but the first can.
  EXPECT_EQ(CheaperUpTo(list, {At(1, std::nullopt, 1)}).up_to, std::nullopt);
  EXPECT_THAT(CheaperUpTo(list, {At(1, 9, std::nullopt)}).up_to, Optional(1.0));
}

TEST(BreakEven, LoadsScaleWhatArrives) {
  WorkloadSpec workload = Scenario().workloads[0];
  workload.parts.push_back(workload.parts[0]);
  workload.parts[1].arrivals = DiurnalSpec{.mean = 2, .peak = 3};
  EXPECT_DOUBLE_EQ(RateOf(workload), 3);
  EXPECT_DOUBLE_EQ(RateOf(AtLoad(workload, 2.5)), 7.5);
  workload.parts[1].arrivals =
      OnOffSpec{.on = absl::Seconds(1), .off = absl::Seconds(3), .rate = 8};
  EXPECT_DOUBLE_EQ(RateOf(AtLoad(workload, 0.5)), 0.5 + 1);
}

TEST(BreakEven, SizesBothFleetsForEveryLoad) {
  ScenarioSpec scenario = Scenario();
  const BreakEvenSpec even{.name = "sizes",
                           .first = {"cpu", "backstop"},
                           .second = {"a10", "backstop"},
                           .loads = {0.5, 8},
                           .prices = {{.name = "spot",
                                       .first = UsdPerHour(300'000'000),
                                       .second = UsdPerHour(1'000'000'000)}},
                           .workloads = scenario.workloads};
  const auto found = FindBreakEven(even, scenario, TestCatalog(), {.jobs = 2});
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_EQ(found->rows.size(), 1u);
  const auto& nodes = found->rows[0].nodes;
  ASSERT_EQ(nodes.size(), 2u);
  ASSERT_TRUE(nodes[0].first && nodes[0].second && nodes[1].first && nodes[1].second);
  EXPECT_EQ(*nodes[0].first, 1);
  EXPECT_EQ(*nodes[0].second, 1);
  EXPECT_GT(*nodes[1].first, *nodes[1].second) << "a slice does less than an A10";
  EXPECT_GE(*found->rows[0].prices[0].up_to, 0.5);
}

}  // namespace
}  // namespace spillway
