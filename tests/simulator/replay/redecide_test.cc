#include "simulator/replay/redecide.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/router.h"
#include "tests/simulator/replay/listed_log.h"
#include "tests/simulator/sim_world.h"
#include "tests/support/fleets.h"
#include "tests/support/random_values.h"

namespace spillway {
namespace {

using testing::HasSubstr;
using testing_support::RandomValues;

Config DemoConfig() {
  Config config;
  config.fleet = fixtures::DemoFleet();
  return config;
}

// Some hours with jobs, failures, operators and two restarts.
void Live(fixtures::World& world, std::uint64_t seed) {
  RandomValues random(seed);
  world.fate = [&random](const command::Launch&) {
    const Fault fault = random.OneIn(8) ? Fault::kOwn : Fault::kNone;
    return fixtures::Fate{absl::Seconds(static_cast<std::int64_t>(1 + random.Below(900))), fault};
  };
  for (int i = 0; i < 90; ++i) {
    world.RunFor(absl::Seconds(static_cast<std::int64_t>(random.Below(120))));
    if (i == 30 || i == 60) world.Restart();
    const PoolId pool{static_cast<std::uint32_t>(random.Below(world.pools.size()))};
    if (random.OneIn(10)) {
      world.Give(
          event::PoolStateSet{pool, random.OneIn(3) ? PoolState::kDraining : PoolState::kActive});
      continue;
    }
    Work work;
    work.name = "job";
    work.run.command = {"true"};
    work.needs.cpus = MilliCpus(static_cast<std::int64_t>(500 + random.Below(8000)));
    work.needs.devices.count = static_cast<int>(random.Below(2));
    work.demand =
        DeclaredSeconds{absl::Seconds(static_cast<std::int64_t>(5 + random.Below(600))), ""};
    world.Submit(work);
  }
  world.fate = [](const command::Launch&) { return fixtures::Fate{}; };
}

// Requests that end one after the other, routed by the brain's own inputs under loads by chance.
void Serve(fixtures::World& world, int count, std::uint64_t seed) {
  RandomValues random(seed);
  for (std::uint32_t p = 0; p < world.pools.size(); ++p) {
    for (int e = 0; e < EndpointsOf(*world.pools.at(PoolId{p}).spec); ++e)
      world.Give(event::EndpointSeen{{PoolId{p}, e}, true, {}});
  }
  for (int i = 0; i < count; ++i) {
    world.Advance(absl::Seconds(1));
    const auto view = *RouterView::Make(world.brain().router_inputs());
    Request request;
    request.id = MakeRequestId(1, static_cast<std::uint64_t>(i) + 1);
    request.view = view->id();
    request.features.arrived = world.Now();
    request.features.model = "qwen2-1.5b";
    request.features.models = {"qwen2-1.5b"};
    request.features.prompt_bytes = static_cast<std::int64_t>(100 + random.Below(4000));
    request.draw = random.Bits();
    const RequestShape shape = MakeRequestShape(*view, request.features);
    for (const std::uint32_t endpoint : shape.endpoints) {
      request.readings.push_back(
          {endpoint, {.running = static_cast<std::int32_t>(random.Below(6))}});
    }
    Router router;
    const RoutePlan& plan =
        router.Choose(*view, shape, request.features, request.readings, request.draw);
    ASSERT_EQ(plan.outcome, Routed::kRouted);
    request.order = plan.order;
    request.attempts = {{view->endpoints()[plan.order.front()].key, ForwardFault::kNone}};
    request.answered_by = "qwen2-1.5b";
    request.prompt_tokens = request.features.prompt_bytes / 4;
    request.output_tokens = static_cast<std::int64_t>(10 + random.Below(50));
    world.Advance(absl::Seconds(1));
    request.ended = world.Now();
    request.ttft = absl::Milliseconds(100);
    SettleRequest(*view, shape, request);
    world.Give(event::RequestsEnded{{std::make_shared<const Request>(request)}});
  }
}

Redecided Again(ListedLog& log) {
  auto redecided = Redecide(log);
  EXPECT_TRUE(redecided.ok()) << redecided.status();
  return redecided.ok() ? *redecided : Redecided();
}

TEST(Redecide, JobsComeOutAsTheyWereOverRestarts) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(seed);
    fixtures::World world(DemoConfig());
    Live(world, seed);
    ListedLog log(world);
    const Redecided redecided = Again(log);
    EXPECT_TRUE(redecided.all_equal());
    EXPECT_EQ(redecided.decisions.equal, static_cast<std::int64_t>(world.decisions.size()));
    EXPECT_GT(redecided.decisions.equal, 60);
    EXPECT_EQ(redecided.events, static_cast<std::int64_t>(world.log.size()));
    EXPECT_EQ(redecided.log.epochs.size(), 3u);
    EXPECT_EQ(redecided.until, world.log.back().at);
  }
}

TEST(Redecide, RequestsComeOutAsTheyWere) {
  fixtures::World world(*ConfigOf(kTwoPools));
  Serve(world, 60, 1);
  ListedLog log(world);
  const Redecided redecided = Again(log);
  EXPECT_EQ(redecided.requests.equal, 60);
  EXPECT_TRUE(redecided.all_equal());
}

// Whatever is not what the code decides is found, and named.
TEST(Redecide, ARowThatWasTamperedWithIsNamed) {
  fixtures::World world(DemoConfig());
  Live(world, 1);
  ListedLog log(world);
  auto changed = std::make_shared<Decision>(*log.decisions[7]);
  const PoolId other = changed->chosen == PoolId{0} ? PoolId{1} : PoolId{0};
  changed->chosen = other;
  log.decisions[7] = changed;
  const Redecided redecided = Again(log);
  EXPECT_FALSE(redecided.all_equal());
  EXPECT_EQ(redecided.decisions.differing, 1);
  ASSERT_EQ(redecided.first.size(), 1u);
  EXPECT_EQ(redecided.first[0].what, ToString(changed->id));
  EXPECT_THAT(redecided.first[0].how, HasSubstr("pool: recorded " + world.NameOf(other)));
}

TEST(Redecide, FiguresCountToo) {
  fixtures::World world(DemoConfig());
  Live(world, 2);
  ListedLog log(world);
  auto changed = std::make_shared<Decision>(*log.decisions[3]);
  changed->candidates.front().estimate.cost = Usd(1);
  log.decisions[3] = changed;
  const Redecided redecided = Again(log);
  ASSERT_EQ(redecided.first.size(), 1u);
  EXPECT_THAT(redecided.first[0].how, HasSubstr("figures of pool"));
}

TEST(Redecide, ARequestThatWasTamperedWithIsNamed) {
  fixtures::World world(*ConfigOf(kTwoPools));
  Serve(world, 20, 2);
  ListedLog log(world);
  for (Event& event : log.events) {
    const auto* ended = std::get_if<event::RequestsEnded>(&event.body);
    if (ended == nullptr) continue;
    Request request = *ended->requests.front();
    if (request.id != MakeRequestId(1, 13)) continue;
    std::swap(request.order.front(), request.order.back());
    event.body = event::RequestsEnded{{std::make_shared<const Request>(request)}};
  }
  const Redecided redecided = Again(log);
  EXPECT_EQ(redecided.requests.differing, 1);
  ASSERT_EQ(redecided.first.size(), 1u);
  EXPECT_EQ(redecided.first[0].what, "req-1-000013");
  EXPECT_THAT(redecided.first[0].how, HasSubstr("engines in order: recorded "));
}

TEST(Redecide, MissingAndForeignRowsAreFound) {
  fixtures::World world(DemoConfig());
  Live(world, 3);
  ListedLog log(world);
  log.decisions.erase(log.decisions.begin() + 5);
  auto foreign = std::make_shared<Decision>(*log.decisions.back());
  foreign->id = DecisionId{Number(foreign->id) + 1};
  log.decisions.push_back(foreign);
  const Redecided redecided = Again(log);
  EXPECT_EQ(redecided.decisions.differing, 2);
  ASSERT_EQ(redecided.first.size(), 2u);
  EXPECT_EQ(redecided.first[0].how, "made now, but not recorded");
  EXPECT_EQ(redecided.first[1].how, "recorded, but not made now");
}

// Jobs that were swept away take their decisions with them: nothing is wrong then.
TEST(Redecide, WhatIsNoLongerKeptIsNoDifference) {
  fixtures::World world(DemoConfig());
  Live(world, 1);
  ListedLog log(world);
  const JobId gone = log.decisions.front()->work;
  const auto of_it = std::count_if(log.decisions.begin(), log.decisions.end(),
                                   [&](const auto& d) { return d->work == gone; });
  std::erase_if(log.decisions, [&](const auto& d) { return d->work == gone; });
  log.jobs.erase(gone);
  const Redecided redecided = Again(log);
  EXPECT_TRUE(redecided.all_equal());
  EXPECT_EQ(redecided.decisions.not_kept, of_it);
}

TEST(Redecide, ALogThatWasCutSaysSoAndRoutesItsRequests) {
  fixtures::World world(*ConfigOf(kTwoPools));
  Serve(world, 20, 3);
  ListedLog log(world);
  log.Cut(EventNumber{12});
  log.routers.erase(log.routers.begin());
  const Redecided redecided = Again(log);
  EXPECT_FALSE(redecided.log.is_whole());
  EXPECT_TRUE(redecided.all_equal());
  EXPECT_GT(redecided.requests.equal, 5);
  EXPECT_EQ(redecided.decisions.compared(), 0);
}

TEST(Redecide, OfACutLogNoDecisionAboutJobsIsMadeAgain) {
  fixtures::World world(DemoConfig());
  Live(world, 1);
  ListedLog log(world);
  log.Cut(EventNumber{20});
  const Redecided redecided = Again(log);
  EXPECT_EQ(redecided.decisions.not_redone, static_cast<std::int64_t>(world.decisions.size()));
}

TEST(Redecide, RequestsWithoutTheirInputsAreCounted) {
  fixtures::World world(*ConfigOf(kTwoPools));
  Serve(world, 5, 4);
  ListedLog log(world);
  log.routers.clear();
  const Redecided redecided = Again(log);
  EXPECT_EQ(redecided.requests.not_redone, 5);
  EXPECT_TRUE(redecided.all_equal());
}

TEST(Redecide, EndsInWords) {
  fixtures::World world(DemoConfig());
  Live(world, 1);
  ListedLog log(world);
  EXPECT_TRUE(absl::IsCancelled(Redecide(log, {.cancelled = [] { return true; }}).status()));
  std::swap(log.events[3].at, log.events[40].at);
  EXPECT_EQ(Redecide(log).status().code(), absl::StatusCode::kDataLoss);
  log.Cut(EventNumber{1'000'000});
  EXPECT_THAT(std::string(Redecide(log).status().message()), HasSubstr("the log is empty"));
}

}  // namespace
}  // namespace spillway
