// What nobody decides, seen from a cell: nodes that are taken back, what it takes until others are
// of use, the grid, the network.
#include <gmock/gmock.h>

#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "performance/model_load.h"
#include "simulator/cell.h"
#include "tests/simulator/sim_world.h"

namespace spillway {
namespace {

// One node of a metered pool that work opens and its owner may take back.
constexpr char kSpot[] = R"(
kind: Fleet
pools:
  - name: spot
    adapter: {type: modelled}
    device: nvidia-a10g-24g
    kind: gpu
    node: {cpus: 4, memory: 16GiB, devices: 1}
    nodes: 1
    billing: metered
    price: {node_hour: 1.000 USD}
    runtimes: {cuda: "12.4"}
)";

Arrival JobOf(absl::Duration at, absl::Duration takes) {
  Arrival arrival;
  arrival.at = ToNanos(at);
  arrival.kind = WorkKind::kJob;
  auto work = std::make_shared<Work>();
  work->name = "train";
  work->tenant = "default";
  work->needs.devices.count = 1;
  work->needs.cpus = MilliCpus(1000);
  work->needs.runtime.name = "cuda";
  work->demand = DeclaredSeconds{takes, ""};
  arrival.job = work;
  arrival.truth.run = work->demand;
  return arrival;
}

CellOutcome Ran(std::vector<Arrival> arrivals, std::shared_ptr<Config> config,
                const ScenarioSpec& scenario,
                std::function<void(const Request&)> on_request = nullptr) {
  ListedArrivals stream(std::move(arrivals));
  auto outcome = RunCell({.config = std::move(config),
                          .scenario = &scenario,
                          .arrivals = &stream,
                          .on_request = std::move(on_request)});
  EXPECT_TRUE(outcome.ok()) << outcome.status();
  return outcome.ok() ? *outcome : CellOutcome();
}

ScenarioSpec TakenBackAfterTenMinutes() {
  ScenarioSpec scenario = PlainScenario();
  scenario.drain = absl::Hours(3);
  scenario.world.spot = {{.pools = {"spot"}, .notice = absl::Minutes(2)}};
  scenario.world.spot[0].available = {
      {absl::Seconds(0), 1}, {absl::Minutes(10), 0}, {absl::Minutes(20), 1}};
  return scenario;
}

TEST(SpotJobs, BeginAnewWithoutACheckpointAndGoOnWithOne) {
  ScenarioSpec scenario = TakenBackAfterTenMinutes();
  const std::vector<Arrival> jobs = {JobOf(absl::Seconds(0), absl::Minutes(30))};
  const CellOutcome anew = Ran(jobs, ConfigOf(kSpot), scenario);
  ASSERT_EQ(anew.completed, 1);
  EXPECT_NEAR(absl::ToDoubleMinutes(anew.span), 50, 0.1);  // away until 20, and then all of it
  // Ten minutes were for nothing: they are the pool's overhead, not the job's cost.
  EXPECT_EQ(anew.pools[0].overhead_cost, UsdPerHour(1'000'000'000) * absl::Minutes(10));

  scenario.world.spot[0].checkpoint = absl::Minutes(1);
  const CellOutcome saved = Ran(jobs, ConfigOf(kSpot), scenario);
  // Nine of the first ten minutes are kept.
  EXPECT_NEAR(absl::ToDoubleMinutes(saved.span), 41, 0.1);

  scenario.world.spot[0].checkpoint = absl::Minutes(3);  // longer than the notice
  EXPECT_NEAR(absl::ToDoubleMinutes(Ran(jobs, ConfigOf(kSpot), scenario).span), 50, 0.1);
}

TEST(SpotJobs, NothingStartsOnANodeThatLeaves) {
  const ScenarioSpec scenario = TakenBackAfterTenMinutes();
  // It would be over before the node goes; but who knows that a node leaves, leaves it alone.
  const CellOutcome cell =
      Ran({JobOf(absl::Minutes(9), absl::Seconds(10))}, ConfigOf(kSpot), scenario);
  EXPECT_NEAR(absl::ToDoubleMinutes(cell.span), 20, 0.5);
  EXPECT_EQ(cell.pools[0].overhead_cost, Usd(0));
}

TEST(SpotNodes, AreNotPaidForWhileTheyAreGone) {
  constexpr char kServing[] = "    serves: [{model: qwen2-1.5b, precision: bf16}]\n";
  ScenarioSpec scenario = TakenBackAfterTenMinutes();
  const std::vector<Arrival> chats = {Chat(absl::Seconds(1), 50, 5),
                                      Chat(absl::Minutes(30), 50, 5)};
  const CellOutcome cell = Ran(chats, ConfigOf(absl::StrCat(kSpot, kServing)), scenario);
  ASSERT_EQ(cell.completed, 2);
  const Usd there = UsdPerHour(1'000'000'000) * (cell.span - absl::Minutes(10));
  EXPECT_NEAR(static_cast<double>(cell.cost.value()), static_cast<double>(there.value()), 10);
}

TEST(StartUp, ANodeThatWorkOpensBootsFirstAndIsPaidForMeanwhile) {
  ScenarioSpec scenario = PlainScenario();
  scenario.world.start_up = StartUpSpec{.boot = absl::Minutes(2)};
  // The second one finds the node in use.
  const CellOutcome cell =
      Ran({JobOf(absl::Seconds(0), absl::Minutes(10))}, ConfigOf(kSpot), scenario);
  ASSERT_EQ(cell.completed, 1);
  EXPECT_NEAR(absl::ToDoubleMinutes(cell.span), 12, 0.01);
  EXPECT_NEAR(static_cast<double>(cell.cost.value()), 12.0 / 60 * 1e9, 1e4);
  EXPECT_NEAR(cell.job_wait.p50, 120, 5);
}

TEST(StartUp, AnEngineThatComesBackBootsAndReadsItsModel) {
  constexpr char kServing[] = "    serves: [{model: qwen2-7b, precision: bf16}]\n";
  ScenarioSpec scenario = TakenBackAfterTenMinutes();
  std::vector<Arrival> chats;
  for (int i = 0; i < 400; ++i) chats.push_back(Chat(absl::Seconds(5 * i), 50, 5, "qwen2-7b"));
  const auto first_after = [&](std::optional<StartUpSpec> start_up) {
    scenario.world.start_up = start_up;
    absl::Time first = absl::InfiniteFuture();
    Ran(chats, ConfigOf(absl::StrCat(kSpot, kServing)), scenario, [&](const Request& request) {
      const bool back = request.features.arrived >= scenario.start + absl::Minutes(10);
      if (back && request.end == RequestEnd::kAnswered)
        first = std::min(first, request.features.arrived);
    });
    return absl::ToDoubleSeconds(first - scenario.start - absl::Minutes(20));
  };
  // A request waits three seconds for room at most.
  EXPECT_NEAR(first_after(std::nullopt), 0, 6);
  EXPECT_NEAR(first_after(StartUpSpec{.boot = absl::Seconds(100)}), 110, 6);  // 15 GB at 3 GB/s
  EXPECT_NEAR(first_after(StartUpSpec{.boot = absl::Seconds(100), .storage = Storage::kObject}),
              257, 6);
}

TEST(StartUp, ColdEnginesAnswerLaterThanWarmOnes) {
  ScenarioSpec scenario = PlainScenario();
  const std::vector<Arrival> chats = {Chat(absl::Seconds(1), 50, 5),
                                      Chat(absl::Minutes(10), 50, 5)};
  EXPECT_EQ(Ran(chats, ConfigOf(kTwoPools), scenario).completed, 2);
  scenario.world.start_up = StartUpSpec{.boot = absl::Minutes(2), .cold = true};
  const CellOutcome cold = Ran(chats, ConfigOf(kTwoPools), scenario);
  EXPECT_EQ(cold.completed, 1);
  EXPECT_EQ(cold.submitted, 2);
}

// The first hour the edge is clean, the second one the cloud: a policy by carbon follows.
TEST(Carbon, APolicyByCarbonDecidesByTheHour) {
  const auto config = ConfigOf(kTwoPools);
  for (PoolSpec& pool : config->fleet.pools) {
    pool.power = {.idle = Watts(100), .busy = Watts(200)};
    pool.site.name = pool.name;
    pool.site.carbon = GramsCo2ePerKwh(300);
  }
  config->policy.claim.order = OrderBy::kTiers;  // all in one tier
  config->policy.claim.backstop.reset();
  config->policy.choice = ChoiceRule::kLeastCarbon;
  ScenarioSpec scenario = PlainScenario();
  const absl::Time start = scenario.start;
  scenario.world.carbon = CarbonSpec{
      .sites = {"xeon"},
      .series = {{start, GramsCo2ePerKwh(1)}, {start + absl::Hours(1), GramsCo2ePerKwh(90'000)}}};
  std::map<bool, std::map<PoolId, int>> by_hour;
  const CellOutcome cell =
      Ran({Chat(absl::Minutes(5), 50, 5), Chat(absl::Minutes(65), 50, 5)}, config, scenario,
          [&](const Request& request) {
            ++by_hour[request.features.arrived >= start + absl::Hours(1)][request.endpoint().pool];
          });
  EXPECT_EQ(cell.completed, 2);
  EXPECT_EQ(by_hour[false][PoolId{0}], 1);
  EXPECT_EQ(by_hour[true][PoolId{1}], 1);
}

TEST(Network, BytesThatLeaveAreBilledAndTheLineTakesTime) {
  const auto run = [](UsdPerGib egress, std::optional<BytesPerSecond> line, Usd& cost,
                      double& ttft) {
    const auto config = ConfigOf(kTwoPools);
    for (PoolSpec& pool : config->fleet.pools) {
      pool.site.egress = egress;
      pool.site.bandwidth = line;
    }
    const CellOutcome cell = Ran({Chat(absl::Seconds(1), 1000, 100)}, config, PlainScenario(),
                                 [&](const Request& request) { cost = request.cost; });
    EXPECT_EQ(cell.completed, 1);
    ttft = cell.ttft.mean;
    return cell;
  };
  Usd plain{}, dear{};
  double fast = 0, slow = 0;
  const CellOutcome without = run(UsdPerGib(0), std::nullopt, plain, fast);
  // A line of 20 kB a second: the prompt's four kilobytes take a fifth of a second.
  const CellOutcome with = run(UsdPerGib(1'000'000'000'000), BytesPerSecond(20'000), dear, slow);
  const double bytes = 100 * TestCatalog().models.at("qwen2-1.5b").bytes_per_token;
  const double egress = bytes / (1 << 30) * 1e12;
  EXPECT_NEAR(static_cast<double>((dear - plain).value()), egress, 2);
  // It is a part of the bill, not of what stands idle.
  EXPECT_NEAR(static_cast<double>((with.cost - without.cost).value()), egress, 10);
  EXPECT_NEAR(slow - fast, 10 * bytes / 20'000, 0.02);
}

}  // namespace
}  // namespace spillway
