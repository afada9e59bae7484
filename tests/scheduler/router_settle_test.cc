// What a request is booked at, and what it is compared with.
#include <gtest/gtest.h>

#include <random>

#include "scheduler/router.h"
#include "tests/support/router_world.h"

namespace spillway {
namespace {

using absl::Milliseconds;
using absl::Seconds;
using fixtures::ChatRequest;
using fixtures::Costing;
using fixtures::Dollars;
using fixtures::EnginePool;
using fixtures::Loads;
using fixtures::NvidiaPool;
using fixtures::RouterWorld;
using fixtures::Routing;
using fixtures::Running;
using fixtures::UrlPool;

// Of an engine about which nothing is known.
constexpr absl::Duration kIdleTtft = Milliseconds(500), kIdleTpot = Milliseconds(40);

TEST(Settle, BooksTheShareThatWasHeld) {
  Routing routing(RouterWorld({EnginePool("a"), Costing(NvidiaPool("n"), 7.2)}).View(),
                  ChatRequest());
  Request& request = routing.request;
  request.attempts = {{{PoolId{0}, 0}, ForwardFault::kNone}};
  request.held = Seconds(2);
  request.prompt_tokens = 1000;
  request.output_tokens = 101;
  SettleRequest(*routing.view, routing.shape, request);
  EXPECT_EQ(request.cost, Dollars(0.002));
  EXPECT_EQ(request.marginal_cost, Dollars(0.002));
  EXPECT_EQ(request.energy, Joules(200 * kMicrosPerJoule));
  EXPECT_EQ(request.baseline_pool, PoolId{1});
  EXPECT_EQ(request.baseline_cost, Dollars(0.009)) << "one clean answer there, alone";
  EXPECT_EQ(request.baseline_code, Code::kChosen);
  EXPECT_EQ(request.raw_ttft, kIdleTtft);
  EXPECT_EQ(request.raw_tpot, kIdleTpot);
}

// What the router kept of its choice spares an estimate, and must change nothing.
TEST(Settle, WhatWasExpectedIsWhatWouldBeFoundAgain) {
  std::mt19937 random(20260102);
  const auto view = RouterWorld({EnginePool("a", 3), Costing(NvidiaPool("n"), 7.2)}).View();
  for (int round = 0; round < 200; ++round) {
    Loads loads;
    for (const char* name : {"a/0", "a/1", "a/2", "n/0"}) {
      EndpointLoad& load = loads[name];
      load.running = static_cast<int>(random() % 40);
      load.waiting = static_cast<int>(random() % 4);
      load.waiting_tokens = load.waiting * 300;
      load.context_tokens = load.running * 500;
    }
    Routing routing(view, ChatRequest(), loads, random());
    if (routing.plan.chosen < 0) continue;
    const RoutedPool& chosen = routing.plan.pools[static_cast<std::size_t>(routing.plan.chosen)];
    const Expectation known{chosen.endpoint, chosen.estimate, chosen.raw_ttft, chosen.raw_tpot};
    for (const std::uint32_t answered : routing.request.order) {  // not always the one chosen
      Request again = routing.request;
      again.attempts = {{view->endpoints()[answered].key, ForwardFault::kNone}};
      again.held = Seconds(2);
      again.output_tokens = 101;
      Request spared = again;
      SettleRequest(*view, routing.shape, again);
      SettleRequest(*view, routing.shape, spared, &known);
      ASSERT_EQ(spared, again) << "round " << round;
    }
  }
}

TEST(Settle, TokensAreBilledToTheLastOne) {
  PoolSpec pool = UrlPool("api", 1);
  pool.billing = Billing::kToken;
  pool.price = {.input = UsdPerMtoken(1'000'000), .output = UsdPerMtoken(10'000'000)};
  RequestFeatures two = ChatRequest();
  two.choices = 2;
  Routing routing(RouterWorld({pool}).View(), two);
  routing.request.attempts = {{{PoolId{0}, 0}, ForwardFault::kNone}};
  routing.request.prompt_tokens = 7;
  routing.request.output_tokens = 101;  // of both choices; odd
  SettleRequest(*routing.view, routing.shape, routing.request);
  EXPECT_EQ(routing.request.cost, Usd(7 + 1010));
}

TEST(Settle, TheBaselineIsTheCheapestAblePricedNvidiaPool) {
  PoolSpec small = Costing(NvidiaPool("small"), 0.1);
  small.serves[0].kv_blocks = 10;
  PoolSpec free = NvidiaPool("free");
  free.billing = Billing::kToken;
  free.price = {};
  RouterWorld world({EnginePool("a"), Costing(NvidiaPool("dear"), 9), free, NvidiaPool("n"),
                     NvidiaPool("elsewhere", 1, "other"), small});
  const auto settled = [&] {
    Routing routing(world.View(), ChatRequest());
    routing.request.attempts = {{{PoolId{0}, 0}, ForwardFault::kNone}};
    routing.request.held = Seconds(1);
    routing.request.output_tokens = 101;
    SettleRequest(*routing.view, routing.shape, routing.request);
    return routing.request;
  };
  Request request = settled();
  EXPECT_EQ(request.baseline_pool, PoolId{3});
  EXPECT_EQ(request.baseline_cost, Dollars(0.0045));
  EXPECT_EQ(request.baseline_code, Code::kChosen) << "though a later one could not";
  world.policy.baseline = "dear";
  EXPECT_EQ(settled().baseline_pool, PoolId{1});
  world.policy.baseline = "cheapest-nvidia";
  for (const char* name : {"dear", "n"}) world[name].removed = true;
  request = settled();
  EXPECT_EQ(request.baseline_cost, std::nullopt);
  EXPECT_EQ(request.baseline_code, Code::kMemory);
  world["small"].removed = true;
  EXPECT_EQ(settled().baseline_code, Code::kUnpriced) << "no price is no baseline of nothing";
  world["free"].removed = true;
  EXPECT_EQ(settled().baseline_code, Code::kModel);
}

// An idle baseline would flatter every saving.
TEST(Settle, TheBaselineSharesWhatIsInFlight) {
  const auto view = RouterWorld({EnginePool("a", 2), NvidiaPool("n")}).View();
  const auto baseline = [&](int running) {
    Routing routing(view, ChatRequest(), {{"a/0", Running(running)}, {"a/1", Running(running)}});
    routing.request.attempts = {{{PoolId{0}, 0}, ForwardFault::kNone}};
    routing.request.output_tokens = 101;
    SettleRequest(*view, routing.shape, routing.request);
    return *routing.request.baseline_cost;
  };
  EXPECT_EQ(baseline(0), Dollars(0.0045));
  EXPECT_LT(baseline(8).value(), Dollars(0.0045).value() / 4);
  EXPECT_GT(baseline(8), Usd(0));
}

TEST(Settle, WhatNobodyAnsweredCostsNothing) {
  Routing routing(RouterWorld({EnginePool("a")}).View(), ChatRequest());
  SettleRequest(*routing.view, routing.shape, routing.request);
  EXPECT_EQ(routing.request.cost, Usd(0));
  EXPECT_EQ(routing.request.baseline_cost, std::nullopt);
}

}  // namespace
}  // namespace spillway
