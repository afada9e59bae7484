#include "simulator/coverage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulator/cell_bound.h"
#include "simulator/experiment.h"
#include "tests/simulator/sim_world.h"

namespace spillway {
namespace {

using testing::HasSubstr;
using testing::Optional;

CellOutcome Ran(std::vector<Arrival> arrivals, std::shared_ptr<Config> config,
                ScenarioSpec scenario = PlainScenario()) {
  ListedArrivals stream(std::move(arrivals));
  auto outcome = RunCell({.config = config, .scenario = &scenario, .arrivals = &stream});
  EXPECT_TRUE(outcome.ok()) << outcome.status();
  return outcome.ok() ? *outcome : CellOutcome();
}

TEST(Coverage, OfRequestsIsModelsPromptsAndCompute) {
  auto config = ConfigOf(kTwoPools);
  config->fleet.pools[1].serves.push_back(config->fleet.pools[1].serves[0]);
  config->fleet.pools[1].serves[0].replicas = 1;
  config->fleet.pools[1].serves[1].replicas = 1;
  config->fleet.pools[1].serves[1].model = "qwen2-0.5b";
  std::vector<Arrival> arrivals;
  for (int i = 0; i < 3; ++i) arrivals.push_back(Chat(absl::Seconds(60 * i), 50, 51));
  arrivals.push_back(Chat(absl::Seconds(200), 8000, 2));  // no CPU does that in three seconds
  arrivals.push_back(Chat(absl::Seconds(300), 50, 50, "qwen2-0.5b"));
  const CellOutcome cell = Ran(arrivals, config);
  ASSERT_EQ(cell.completed, 5);
  const PoolCoverage& xeon = cell.pools[0].coverage;
  const PoolCoverage& a10 = cell.pools[1].coverage;
  EXPECT_THAT(xeon.models, Optional(0.5));
  EXPECT_THAT(a10.models, Optional(1.0));
  EXPECT_THAT(xeon.prompts, Optional(0.6));
  EXPECT_THAT(a10.prompts, Optional(1.0));
  EXPECT_FALSE(xeon.jobs.has_value());
  EXPECT_FALSE(xeon.classes.has_value());
  // Tokens times parameters: three short answers of the large model against all of it.
  const auto& models = config->catalog.models;
  const double large = models.at("qwen2-1.5b").active_parameters;
  const double small = models.at("qwen2-0.5b").active_parameters;
  const double on_xeon = 3 * 101 * large, all = on_xeon + 8002 * large + 100 * small;
  ASSERT_TRUE(xeon.request_compute && a10.request_compute);
  EXPECT_NEAR(*xeon.request_compute, on_xeon / all, 1e-9);
  EXPECT_NEAR(*xeon.request_compute + *a10.request_compute, 1, 1e-9);
}

// The boundary is where an idle engine is just in time, by the objective of the scenario.
TEST(Coverage, OfPromptsFollowsTheObjective) {
  const auto part = [](absl::Duration ttft) {
    ScenarioSpec scenario = PlainScenario();
    scenario.objective.ttft = ttft;
    std::vector<Arrival> arrivals;
    for (int i = 0; i < 20; ++i) arrivals.push_back(Chat(absl::Seconds(60 * i), 400 * (i + 1), 2));
    return *Ran(arrivals, ConfigOf(kTwoPools), scenario).pools[0].coverage.prompts;
  };
  const double tight = part(absl::Milliseconds(500)), loose = part(absl::Seconds(20));
  EXPECT_LT(tight, 0.5);
  EXPECT_GT(loose, tight);
}

TEST(Coverage, AnObjectiveThatNobodyCanMeetSaysWhichPartBinds) {
  const auto error = [](absl::Duration ttft, absl::Duration tpot) {
    ScenarioSpec scenario = PlainScenario();
    scenario.objective = {ttft, tpot, 0.99};
    scenario.fleets = {{.name = "mixed", .spec = ConfigOf(kTwoPools)->fleet}};
    scenario.policies = {{.name = "backstop"}};
    scenario.pairs = {{"mixed", "backstop"}};
    scenario.baseline = scenario.pairs.front();
    PartSpec part{.name = "chat", .arrivals = PoissonSpec{.rate = 1}, .lasts = absl::Minutes(1)};
    part.request.models = {{"qwen2-1.5b", 1}};
    part.request.prompt_tokens = LengthSpec{.constant = 200};
    part.request.output_tokens = LengthSpec{.constant = 20};
    scenario.workloads = {{.name = "chat", .parts = {part}}};
    const auto outcome = RunExperiment(scenario, TestCatalog());
    return outcome.ok() ? std::string("accepted") : std::string(outcome.status().message());
  };
  EXPECT_EQ(error(absl::Seconds(3), absl::Milliseconds(200)), "accepted");
  EXPECT_THAT(error(absl::Milliseconds(1), absl::Milliseconds(200)),
              testing::AllOf(HasSubstr("no fleet can meet it for workload chat"),
                             HasSubstr("what binds is the time to the first token"),
                             HasSubstr("`ttft: 1 ms` by 0.0 %, `tpot: 200 ms` by 100")));
  EXPECT_THAT(error(absl::Seconds(3), absl::Microseconds(100)),
              HasSubstr("what binds is the time between tokens"));
}

constexpr char kTrusted[] = R"(
kind: Fleet
pools:
  - name: plain
    adapter: {type: modelled}
    device: xeon-spr-amx-24vcpu
    kind: cpu
    node: {cpus: 24, memory: 48GiB}
    nodes: 2
    billing: metered
    price: {node_hour: 0.1 USD}
    runtimes: {ipex: "2.3"}
  - name: trusted
    adapter: {type: modelled}
    device: xeon-spr-amx-24vcpu
    kind: cpu
    node: {cpus: 24, memory: 48GiB}
    nodes: 2
    billing: metered
    price: {node_hour: 1 USD}
    confidential: [tdx]
    runtimes: {ipex: "2.3"}
)";

Arrival JobAt(absl::Duration at, std::string name, std::string confidential, double units) {
  auto work = std::make_shared<Work>();
  work->kind = WorkKind::kJob;
  work->name = std::move(name);
  work->tenant = "default";
  work->needs.cpus = MilliCpus(24'000);
  work->needs.memory = Bytes(std::int64_t{40} << 30);
  work->needs.runtime = {.name = "ipex"};
  work->needs.confidential = std::move(confidential);
  work->demand = ClassUnits{.work_class = work->name, .units = units};
  Arrival arrival;
  arrival.at = ToNanos(at);
  arrival.kind = WorkKind::kJob;
  arrival.job = work;
  arrival.truth.run = work->demand;
  return arrival;
}

TEST(Coverage, OfJobsIsClassesJobsAndCompute) {
  const CellOutcome cell = Ran({JobAt(absl::Seconds(1), "llm-batch-7b", "", 3000),
                                JobAt(absl::Seconds(2), "llm-batch-7b", "", 3000),
                                JobAt(absl::Seconds(3), "fine-tune-lora", "tdx", 100)},
                               ConfigOf(kTrusted));
  ASSERT_EQ(cell.completed, 3);
  const PoolCoverage& plain = cell.pools[0].coverage;
  const PoolCoverage& trusted = cell.pools[1].coverage;
  EXPECT_THAT(plain.classes, Optional(0.5));
  EXPECT_THAT(trusted.classes, Optional(1.0));
  ASSERT_TRUE(plain.jobs && plain.job_compute && trusted.job_compute);
  EXPECT_NEAR(*plain.jobs, 2.0 / 3, 1e-9);
  EXPECT_THAT(trusted.jobs, Optional(1.0));
  EXPECT_FALSE(plain.models.has_value());
  EXPECT_FALSE(plain.request_compute.has_value());
  EXPECT_NEAR(*plain.job_compute + *trusted.job_compute, 1, 1e-9);
  EXPECT_GT(*plain.job_compute, 0);
}

// What only the dear pool may take is bounded by the dear pool's price.
TEST(Bound, AJobIsBoundedByPoolsThatMayTakeIt) {
  const auto bound = [](std::string confidential) {
    const CellOutcome cell =
        Ran({JobAt(absl::Seconds(1), "llm-batch-7b", std::move(confidential), 3000)},
            ConfigOf(kTrusted));
    EXPECT_TRUE(cell.lower_bound.has_value());
    return static_cast<double>(cell.lower_bound.value_or(Usd(0)).value());
  };
  const double open = bound(""), sealed = bound("tdx");
  EXPECT_GT(open, 0);
  // Ten times the price, and 1.10 times as long in a trusted domain.
  EXPECT_NEAR(sealed / open, 11, 0.001);
}

}  // namespace
}  // namespace spillway
