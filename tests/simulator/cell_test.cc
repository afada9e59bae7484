#include "simulator/cell.h"

#include <gmock/gmock.h>

#include <map>

#include "scheduler/router.h"
#include "tests/simulator/sim_world.h"

namespace spillway {
namespace {

using testing::HasSubstr;

CellOutcome Ran(std::vector<Arrival> arrivals, std::shared_ptr<Config> config = nullptr,
                ScenarioSpec scenario = PlainScenario(),
                std::function<void(const Request&)> on_request = nullptr) {
  ListedArrivals stream(std::move(arrivals));
  auto outcome = RunCell({.config = config ? config : ConfigOf(kTwoPools),
                          .scenario = &scenario,
                          .arrivals = &stream,
                          .on_request = std::move(on_request)});
  EXPECT_TRUE(outcome.ok()) << outcome.status();
  return outcome.ok() ? *outcome : CellOutcome();
}

TEST(Cell, LittleLoadGoesToWhatIsPaidFor) {
  const CellOutcome cell = Ran({Chat(absl::Seconds(1), 50, 20), Chat(absl::Seconds(40), 50, 20)});
  EXPECT_EQ(cell.submitted, 2);
  EXPECT_EQ(cell.completed, 2);
  EXPECT_EQ(PoolNamed(cell, "xeon").requests, 2);
  EXPECT_EQ(cell.nvidia_share, 0);
  EXPECT_EQ(cell.slo_attainment(), 1);
  EXPECT_EQ(cell.ttft.count, 2);
  EXPECT_GT(cell.ttft.p50, 0);
}

TEST(Cell, ABurstSpillsToNvidiaAndIsCounted) {
  std::vector<Arrival> burst;
  for (int i = 0; i < 60; ++i) burst.push_back(Chat(absl::Milliseconds(10 * i), 300, 150));
  const CellOutcome cell = Ran(std::move(burst));
  EXPECT_EQ(cell.completed + cell.refused + cell.failed + cell.unfinished, 60);
  EXPECT_GT(PoolNamed(cell, "xeon").requests, 0);
  EXPECT_GT(PoolNamed(cell, "a10").requests, 0);
  EXPECT_GT(cell.nvidia_share, 0);
  ASSERT_FALSE(cell.spills.empty());
  EXPECT_EQ(cell.spills.front().from, "xeon");
}

// The whole bill: every node of both pools for the whole span, to the nano-dollar, however it is
// split between work and idle; and the paid-for book leaves out what is committed.
TEST(Cell, TheBillIsThatOfEveryNodeForTheWholeSpan) {
  const CellOutcome cell = Ran(PoissonChats(400, 2, 400, 100, 1));
  const Usd xeon = UsdPerHour(714'000'000) * (cell.span * 2);
  const Usd a10 = UsdPerHour(1'006'000'000) * (cell.span * 2);
  EXPECT_NEAR(static_cast<double>(PoolNamed(cell, "xeon").bill().value()),
              static_cast<double>(xeon.value()), 10);
  EXPECT_NEAR(static_cast<double>(PoolNamed(cell, "a10").bill().value()),
              static_cast<double>(a10.value()), 10);
  EXPECT_EQ(cell.cost, PoolNamed(cell, "xeon").bill() + PoolNamed(cell, "a10").bill());
  EXPECT_EQ(cell.cost_paid_for, PoolNamed(cell, "a10").bill());  // the price includes energy
}

TEST(Cell, WorkInIsWorkOut) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    std::int64_t heard = 0;
    const CellOutcome cell = Ran(PoissonChats(300, 1.0 + static_cast<double>(seed), 500, 150, seed),
                                 nullptr, PlainScenario(), [&](const Request& request) {
                                   ++heard;
                                   EXPECT_GE(request.ended, request.features.arrived);
                                 });
    EXPECT_EQ(cell.submitted, 300);
    EXPECT_EQ(cell.completed + cell.refused + cell.failed + cell.unfinished, 300);
    EXPECT_EQ(heard, cell.completed + cell.refused + cell.failed);
    std::int64_t by_pool = 0;
    for (const PoolOutcome& pool : cell.pools) by_pool += pool.requests;
    EXPECT_EQ(by_pool, cell.completed);
  }
}

TEST(Cell, SameInputsSameOutcome) {
  const auto once = [] {
    std::vector<std::tuple<RequestId, absl::Time, Usd, std::int64_t>> all;
    Ran(PoissonChats(500, 4, 600, 150, 3), nullptr, PlainScenario(), [&](const Request& request) {
      all.emplace_back(request.id, request.ended, request.cost, ToNanos(request.held));
    });
    return all;
  };
  const auto first = once();
  EXPECT_EQ(first.size(), 500u);
  EXPECT_EQ(first, once());
}

// The time in which an engine held anything is shared out whole among its requests: the sum of
// what they held is never more, and requests on the same engine overlap.
TEST(Cell, SharesOfTimeNeverSumToMoreThanTheSpan) {
  std::map<EndpointKey, absl::Duration> held;
  const CellOutcome cell =
      Ran(PoissonChats(400, 3, 500, 150, 4), nullptr, PlainScenario(),
          [&](const Request& request) { held[request.endpoint()] += request.held; });
  ASSERT_FALSE(held.empty());
  for (const auto& [endpoint, sum] : held) {
    if (endpoint.pool != kNoPool) {
      EXPECT_LE(sum, cell.span);
    }
  }
}

// No policy may read the true output length: with other lengths the first decision is the same,
// and so is every one until the first answer ends otherwise.
TEST(Cell, TheTrueLengthOfAnAnswerDecidesNothing) {
  const auto first_choices = [](std::int64_t output) {
    std::vector<std::vector<std::uint32_t>> orders;
    std::vector<Arrival> arrivals;
    for (int i = 0; i < 12; ++i) arrivals.push_back(Chat(absl::Milliseconds(i), 400, output));
    std::map<RequestId, std::vector<std::uint32_t>> by_id;
    Ran(std::move(arrivals), nullptr, PlainScenario(),
        [&](const Request& request) { by_id[request.id] = request.order; });
    for (auto& [id, order] : by_id) orders.push_back(order);
    return orders;
  };
  EXPECT_EQ(first_choices(20), first_choices(900));
}

TEST(Cell, AnUnknownModelIsNamedWithTheNearest) {
  ListedArrivals stream({Chat(absl::Seconds(1), 10, 10, "qwen2-1.5")});
  const ScenarioSpec scenario = PlainScenario();
  const auto outcome =
      RunCell({.config = ConfigOf(kTwoPools), .scenario = &scenario, .arrivals = &stream});
  EXPECT_EQ(outcome.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(outcome.status().message()), HasSubstr("qwen2-1.5b"));
}

TEST(Cell, WhatIsNotOverWhenTheDrainEndsIsUnfinishedAndMissesTheObjective) {
  ScenarioSpec scenario = PlainScenario();
  scenario.drain = absl::Seconds(1);
  std::vector<Arrival> long_ones;
  for (int i = 0; i < 6; ++i) long_ones.push_back(Chat(absl::Seconds(i), 100, 1500));
  const CellOutcome cell = Ran(std::move(long_ones), nullptr, scenario);
  EXPECT_GT(cell.unfinished, 0);
  EXPECT_EQ(cell.completed + cell.unfinished, 6);
  EXPECT_LE(cell.slo_attainment(), static_cast<double>(cell.completed) / 6);
}

TEST(Cell, OverloadIsCalledSo) {
  std::vector<Arrival> flood = PoissonChats(3000, 60, 1500, 300, 9);
  const CellOutcome cell = Ran(std::move(flood));
  EXPECT_EQ(cell.label, LoadLabel::kOverloaded);
  EXPECT_GT(cell.refused, 0);
  EXPECT_LT(cell.slo_attainment(), 0.9);
  EXPECT_FALSE(cell.flags.empty());
}

// The last of three is a third of all work, and under way when it came.
TEST(Cell, AShortRunThatKeepsUpIsNotCalledOverloaded) {
  const CellOutcome cell = Ran({Chat(absl::Seconds(0), 100, 20), Chat(absl::Seconds(1), 100, 20),
                                Chat(absl::Seconds(2), 100, 20)});
  EXPECT_EQ(cell.slo_attainment(), 1);
  EXPECT_EQ(cell.label, LoadLabel::kStable);
}

TEST(Cell, WhatIsStillUnderWayAndLateAtTheEndIsAnOverload) {
  std::vector<Arrival> at_once;
  for (int i = 0; i < 40; ++i) at_once.push_back(Chat(absl::Milliseconds(i), 6000, 20));
  const CellOutcome cell = Ran(std::move(at_once));
  EXPECT_EQ(cell.label, LoadLabel::kOverloaded);
  EXPECT_THAT(cell.flags, testing::Contains(HasSubstr("when the last of it came, and late")));
}

TEST(Cell, WarmUpIsLeftOutOfWhatIsJudged) {
  ScenarioSpec scenario = PlainScenario();
  scenario.warm_up = absl::Seconds(30);
  const CellOutcome cell =
      Ran({Chat(absl::Seconds(1), 50, 20), Chat(absl::Seconds(40), 50, 20)}, nullptr, scenario);
  EXPECT_EQ(cell.completed, 2);
  EXPECT_EQ(cell.judged, 1);
  EXPECT_EQ(cell.ttft.count, 1);
}

// Nodes that fail lose what runs on them; what had not begun goes elsewhere, and everything is
// accounted for.
TEST(Cell, FailuresLoseRequestsButNoCount) {
  ScenarioSpec scenario = PlainScenario();
  scenario.world.failures = {.mtbf = absl::Seconds(60), .repair = absl::Seconds(20)};
  std::map<RequestEnd, int> ends;
  const CellOutcome cell = Ran(PoissonChats(600, 3, 300, 150, 5), nullptr, scenario,
                               [&](const Request& request) { ++ends[request.end]; });
  EXPECT_EQ(cell.completed + cell.refused + cell.failed + cell.unfinished, 600);
  EXPECT_GT(ends[RequestEnd::kBrokenOff], 0);
  EXPECT_GT(ends[RequestEnd::kAnswered], 300);
}

// A trace of how many nodes there are: the last ones go first, and whoever is told in time finishes
// what it has.
TEST(Cell, SpotNodesGoByTheTraceAndNoticeSavesWhatRuns) {
  ScenarioSpec scenario = PlainScenario();
  scenario.world.spot = {{.pools = {"xeon"}}};
  scenario.world.spot[0].available = {
      {absl::Seconds(0), 2}, {absl::Seconds(60), 0}, {absl::Seconds(120), 2}};
  std::vector<Arrival> arrivals;
  for (int i = 0; i < 90; ++i) arrivals.push_back(Chat(absl::Seconds(2 * i), 60, 60));
  const auto run = [&](absl::Duration notice) {
    scenario.world.spot[0].notice = notice;
    std::map<std::string, int> counts;
    const CellOutcome cell = Ran(arrivals, nullptr, scenario, [&](const Request& request) {
      const bool away = request.features.arrived >= scenario.start + absl::Seconds(60) &&
                        request.features.arrived < scenario.start + absl::Seconds(120);
      if (away && request.end == RequestEnd::kAnswered)
        ++counts[request.endpoint().pool == PoolId{0} ? "xeon" : "a10"];
      if (request.end == RequestEnd::kBrokenOff) ++counts["broken"];
    });
    counts["xeon in all"] = static_cast<int>(PoolNamed(cell, "xeon").requests);
    return counts;
  };
  auto told = run(absl::Seconds(30));
  EXPECT_EQ(told["xeon"], 0);
  EXPECT_EQ(told["a10"], 30);
  EXPECT_EQ(told["broken"], 0);
  EXPECT_GT(told["xeon in all"], 0) << "it came back";
  auto untold = run(absl::ZeroDuration());
  EXPECT_GT(untold["xeon in all"], told["xeon in all"]) << "nobody left it before";
}

TEST(Cell, TheGridsIntensityIsThatOfTheHour) {
  ScenarioSpec scenario = PlainScenario();
  scenario.start = absl::FromUnixSeconds(1'785'110'400) + absl::Minutes(59);
  const auto config = ConfigOf(std::string(kTwoPools));
  for (PoolSpec& pool : config->fleet.pools)
    pool.power = {.idle = Watts(100), .busy = Watts(100), .pue = 1.5};
  const std::vector<Arrival> two = {Chat(absl::Seconds(1), 50, 5), Chat(absl::Minutes(31), 50, 5)};
  scenario.world.carbon = CarbonSpec{
      .series = {{absl::FromUnixSeconds(1'785'110'400), GramsCo2ePerKwh(100)},
                 {absl::FromUnixSeconds(1'785'110'400) + absl::Hours(1), GramsCo2ePerKwh(400)}}};
  const CellOutcome cell = Ran(two, config, scenario);
  // Four nodes of 100 W and what the building adds: a minute at 100 g, half an hour at 400.
  const double hours = absl::ToDoubleHours(cell.span);
  const double kilowatts = 4 * 0.1 * 1.5;
  EXPECT_NEAR(static_cast<double>(cell.energy.value()) * 1e-6, kilowatts * 3.6e6 * hours, 100);
  const double grams = kilowatts * (1.0 / 60 * 100 + (hours - 1.0 / 60) * 400);
  EXPECT_NEAR(static_cast<double>(cell.carbon.value()) * 1e-6, grams, 0.1);
}

TEST(Cell, NoPolicyGoesBelowTheBound) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(seed);
    const CellOutcome cell = Ran(PoissonChats(300, static_cast<double>(seed), 500, 150, seed));
    ASSERT_TRUE(cell.lower_bound.has_value());
    EXPECT_GT(*cell.lower_bound, Usd(0));
    EXPECT_LE(*cell.lower_bound, cell.cost);
    // What is paid for stands in both.
    EXPECT_GE(*cell.lower_bound, PoolNamed(cell, "xeon").bill());
    if (cell.lower_bound_slo) {
      EXPECT_GE(*cell.lower_bound_slo, *cell.lower_bound);
      EXPECT_LE(*cell.lower_bound_slo, cell.cost);
    }
  }
}

// One place: the next one waits for it and has it as soon as it is free; who finds none within
// three seconds is refused.
TEST(Cell, AFullEngineIsWaitedForAndGivenUpInTime) {
  const auto run = [](std::int64_t output, std::map<RequestEnd, int>& ends) {
    auto config = A10sAlone();
    PoolSpec& pool = config->fleet.pools.front();
    pool.nodes = pool.serves.front().replicas = 1;
    pool.adapter.concurrency = 1;
    return Ran({Chat(absl::Seconds(1), 50, output), Chat(absl::Seconds(1), 50, 10)},
               std::move(config), PlainScenario(),
               [&](const Request& request) { ++ends[request.end]; });
  };
  std::map<RequestEnd, int> soon, late;
  const CellOutcome served = run(40, soon);  // a second or two
  EXPECT_EQ(soon[RequestEnd::kAnswered], 2);
  EXPECT_LT(served.span, absl::Seconds(4)) << "nobody woke it";
  run(900, late);
  EXPECT_EQ(late[RequestEnd::kAnswered], 1);
  EXPECT_EQ(late[RequestEnd::kRefused], 1);
}

// Prompts that begin alike find their beginning in the cache, whatever the size of the blocks that
// tell it: the first token comes sooner.
TEST(Cell, SharedBeginningsAreComputedOnce) {
  const auto mean_ttft = [](bool shared, std::int32_t block_tokens) {
    std::vector<Arrival> arrivals;
    for (int i = 0; i < 8; ++i) {
      Arrival arrival = Chat(absl::Seconds(30 * i), 4096, 20);
      arrival.block_tokens = block_tokens;
      for (int b = 0; b < 4096 / block_tokens; ++b)
        arrival.blocks.push_back(shared ? 1000 + b : 1000 * (i + 2) + b);
      arrivals.push_back(std::move(arrival));
    }
    return Ran(std::move(arrivals), A10sAlone()).ttft.mean;
  };
  const double alone = mean_ttft(false, 512);
  EXPECT_LT(mean_ttft(true, 512), 0.7 * alone);
  EXPECT_LT(mean_ttft(true, 256), 0.7 * alone);
}

}  // namespace
}  // namespace spillway
