#include "simulator/experiment.h"

#include <gmock/gmock.h>

#include "simulator/fleet_size.h"
#include "simulator/results_file.h"
#include "tests/simulator/sim_world.h"

namespace spillway {
namespace {

using testing::HasSubstr;

PartSpec Poisson(double rate, absl::Duration lasts, double prompt, double output) {
  PartSpec part;
  part.name = "chat";
  part.arrivals = PoissonSpec{.rate = rate};
  part.lasts = lasts;
  part.request.models = {{"qwen2-1.5b", 1}};
  part.request.prompt_tokens = LengthSpec{.constant = prompt};
  part.request.output_tokens = LengthSpec{.constant = output};
  return part;
}

// Two pools against as many A10s as it takes.
ScenarioSpec TwoFleets(double rate) {
  ScenarioSpec scenario = PlainScenario();
  scenario.fleets = {{.name = "mixed", .spec = ConfigOf(kTwoPools)->fleet},
                     {.name = "a10s", .size = FleetSize{.device = "nvidia-a10g-24g", .most = 16}}};
  scenario.policies = {{.name = "backstop"}, {.name = "other"}};
  scenario.pairs = {{"mixed", "backstop"}, {"a10s", "other"}};
  scenario.baseline = {"a10s", "other"};
  scenario.workloads = {{"chats", {Poisson(rate, absl::Minutes(3), 300, 120)}}};
  scenario.seeds = 3;
  return scenario;
}

TEST(Experiment, RunsEveryCellInOrderAndComparesSeedBySeed) {
  const auto outcome = RunExperiment(TwoFleets(3), TestCatalog());
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  ASSERT_EQ(outcome->cells.size(), 6u);
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(outcome->cells[static_cast<std::size_t>(i)].seed, i % 3);
    EXPECT_EQ(outcome->cells[static_cast<std::size_t>(i)].fleet, i < 3 ? "mixed" : "a10s");
  }
  // Common random numbers: both fleets met the same load.
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_EQ(outcome->cells[i].submitted, outcome->cells[i + 3].submitted);
  ASSERT_EQ(outcome->rows.size(), 2u);
  EXPECT_FALSE(outcome->rows[0].is_baseline);
  EXPECT_TRUE(outcome->rows[1].is_baseline);
  double mean = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    mean += (1 - static_cast<double>(outcome->cells[i].cost.value()) /
                     static_cast<double>(outcome->cells[i + 3].cost.value())) /
            3;
  }
  EXPECT_NEAR(outcome->rows[0].saving->mean, mean, 1e-9);
  EXPECT_EQ(outcome->rows[1].saving->mean, 0);
  EXPECT_FALSE(outcome->verdict.empty());
}

TEST(Experiment, TheSameBytesAtAnyNumberOfThreads) {
  const ScenarioSpec scenario = TwoFleets(2);
  const auto text = [&](int jobs) {
    const auto outcome = RunExperiment(scenario, TestCatalog(), {.jobs = jobs});
    EXPECT_TRUE(outcome.ok()) << outcome.status();
    return outcome.ok() ? ResultsJson(*outcome, scenario) : std::string();
  };
  const std::string one = text(1);
  EXPECT_GT(one.size(), 1000u);
  EXPECT_EQ(one, text(4));
}

// 100 % of nothing is no result.
TEST(Experiment, WhereNothingIsJudgedThereIsNoVerdict) {
  ScenarioSpec scenario = TwoFleets(3);
  scenario.warm_up = absl::Hours(1);
  EXPECT_THAT(std::string(RunExperiment(scenario, TestCatalog()).status().message()),
              testing::HasSubstr("during the warm-up, and none after"));
  scenario.warm_up = absl::ZeroDuration();
  scenario.workloads[0].parts[0].arrivals = PoissonSpec{1e-9};
  EXPECT_THAT(std::string(RunExperiment(scenario, TestCatalog()).status().message()),
              testing::HasSubstr("nothing comes"));
}

// A policy that says more than is simulated must not look as if it had been.
TEST(Experiment, CascadesAreNotSimulatedAndThatIsSaid) {
  ScenarioSpec scenario = TwoFleets(1);
  scenario.seeds = 1;
  const auto plain = RunExperiment(scenario, TestCatalog());
  ASSERT_TRUE(plain.ok()) << plain.status();
  EXPECT_THAT(plain->notes, testing::IsEmpty());
  scenario.policies[0].spec.cascades = {
      {.name = "small-first",
       .first = "small",
       .escalate_when = {.finish_reason = {FinishReason::kLength}}}};
  const auto outcome = RunExperiment(scenario, TestCatalog());
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_THAT(
      outcome->notes,
      testing::ElementsAre(testing::StartsWith("policy backstop: its cascades are not simulated")));
  EXPECT_EQ(outcome->cells[0].cost, plain->cells[0].cost);
}

TEST(Experiment, NoRunIsLongerThanTenYears) {
  ScenarioSpec scenario = TwoFleets(3);
  scenario.workloads[0].parts[0].arrivals = PoissonSpec{1.0 / 86400};
  scenario.workloads[0].parts[0].lasts = absl::Hours(24 * 36500);
  scenario.pairs = {{"mixed", "backstop"}};
  scenario.baseline = scenario.pairs.front();
  EXPECT_THAT(std::string(RunExperiment(scenario, TestCatalog()).status().message()),
              testing::HasSubstr("more than ten years after the start"));
}

TEST(Experiment, ASizedFleetIsTheSmallestThatReachesTheObjective) {
  ScenarioSpec scenario = TwoFleets(60);
  scenario.objective.ttft = absl::Milliseconds(400);
  scenario.objective.tpot = absl::Milliseconds(40);
  const auto outcome = RunExperiment(scenario, TestCatalog());
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  ASSERT_EQ(outcome->sized.size(), 1u);
  const SizedFleet& sized = outcome->sized.front();
  ASSERT_TRUE(sized.reached);
  EXPECT_GE(outcome->cells[3].slo_attainment(), 0.99);
  ASSERT_GT(sized.nodes, 1);
  // One node fewer misses it.
  const auto fewer = FleetOf(scenario.fleets[1], scenario.workloads[0], scenario, TestCatalog(),
                             {sized.nodes - 1});
  ASSERT_TRUE(fewer.ok()) << fewer.status();
  scenario.fleets[1] = {.name = "a10s", .spec = *fewer};
  scenario.seeds = 1;
  const auto again = RunExperiment(scenario, TestCatalog());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_LT(again->cells[1].slo_attainment(), 0.99);
}

// Whoever asks for an alias is content with any of its models: a sized fleet needs the cheapest
// one.
TEST(Experiment, ASizedFleetKnowsTheAliasesOfTheOthersAndStandsWhereTheyStand) {
  ScenarioSpec scenario = TwoFleets(3);
  FleetSpec& mixed = scenario.fleets[0].spec;
  mixed.aliases["assistant"] = {"qwen2-7b", "qwen2-1.5b"};
  for (PoolSpec& pool : mixed.pools) pool.site.round_trip = absl::Milliseconds(70);
  scenario.workloads[0].parts[0].request.models = {{"assistant", 1}};
  scenario.seeds = 1;
  const auto outcome = RunExperiment(scenario, TestCatalog());
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  const CellOutcome& sized = outcome->cells[1];
  EXPECT_EQ(sized.completed, sized.submitted);
  EXPECT_GT(sized.completed, 0);
  EXPECT_EQ(sized.pools.size(), 1u) << "one of the two models is enough";
  EXPECT_GT(sized.ttft.p50, 0.07) << "as far away as the others";
  EXPECT_TRUE(outcome->sized[0].reached);
  // Who asks for the big one by its name gets it as well.
  scenario.workloads[0].parts.push_back(Poisson(0.5, absl::Minutes(3), 300, 50));
  scenario.workloads[0].parts.back().name = "hard";
  scenario.workloads[0].parts.back().request.models = {{"qwen2-1.5b", 1}};
  const auto both = RunExperiment(scenario, TestCatalog());
  ASSERT_TRUE(both.ok()) << both.status();
  ASSERT_EQ(both->cells[1].pools.size(), 1u) << "it answers everything";
  EXPECT_EQ(both->cells[1].pools[0].name, "a10s-qwen2-1.5b");
}

TEST(Experiment, AModelThatFitsNowhereIsSaid) {
  ScenarioSpec scenario = TwoFleets(1);
  scenario.fleets[1].size->device = "stm32n6-4m";
  const auto outcome = RunExperiment(scenario, TestCatalog());
  EXPECT_FALSE(outcome.ok());
  EXPECT_THAT(std::string(outcome.status().message()), HasSubstr("qwen2-1.5b on stm32n6-4m"));
}

TEST(Experiment, WhoCancelsGetsNothing) {
  const auto outcome =
      RunExperiment(TwoFleets(40), TestCatalog(), {.cancelled = [] { return true; }});
  EXPECT_TRUE(absl::IsCancelled(outcome.status())) << outcome.status();
}

}  // namespace
}  // namespace spillway
