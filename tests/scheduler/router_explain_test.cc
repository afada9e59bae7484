#include "scheduler/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/support/allocations.h"
#include "tests/support/router_world.h"

namespace spillway {
namespace {

using absl::Seconds;
using fixtures::ChatRequest;
using fixtures::Dollars;
using fixtures::EnginePool;
using fixtures::NvidiaPool;
using fixtures::RouterWorld;
using fixtures::Routing;
using fixtures::Running;
using fixtures::Waiting;

TEST(Router, ExplainsEveryPoolAsItWas) {
  RouterWorld world({EnginePool("a"), EnginePool("other", 1, "other"), NvidiaPool("n")});
  world.Observe("a", 9, 1);
  world.inputs.policy_version = 7;
  Routing routing(world.View(), ChatRequest(), {{"n/0", Running(2)}});
  routing.request.id = MakeRequestId(3, 9);
  routing.request.baseline_cost = Dollars(1);
  const Decision decision = ExplainRequest(*routing.view, routing.request);
  EXPECT_EQ(decision.outcome, Outcome::kPlaced);
  EXPECT_EQ(decision.chosen, PoolId{2});
  EXPECT_EQ(decision.request, routing.request.id);
  EXPECT_EQ(decision.policy, "backstop");
  EXPECT_EQ(decision.policy_version, 7u);
  EXPECT_EQ(decision.baseline.cost, Dollars(1));
  ASSERT_EQ(decision.candidates.size(), 3u);
  EXPECT_EQ(decision.candidates[0].code(), Code::kTooLate);
  EXPECT_TRUE(decision.candidates[0].has_estimate);
  EXPECT_EQ(decision.candidates[1].code(), Code::kModel);
  EXPECT_FALSE(decision.candidates[1].has_estimate);
  EXPECT_EQ(decision.candidates[2].code(), Code::kChosen);
  EXPECT_TRUE(SameRoute(*routing.view, routing.request));
  routing.request.readings[0].load = Waiting(100);
  routing.request.readings[1].load = Running(200);
  EXPECT_FALSE(SameRoute(*routing.view, routing.request)) << "other loads, another route";
}

TEST(Router, TheHashIsOfEverythingThatWasLookedAt) {
  const auto view = RouterWorld({EnginePool("a")}).View();
  const Request base = Routing(view, ChatRequest()).request;
  std::set<std::uint64_t> hashes{ExplainRequest(*view, base).inputs_hash};
  const auto differs = [&](auto change) {
    Request other = base;
    change(other);
    return hashes.insert(ExplainRequest(*view, other).inputs_hash).second;
  };
  EXPECT_TRUE(differs([](Request& r) { r.draw = 1; }));
  EXPECT_TRUE(differs([](Request& r) { r.readings[0].load.running = 1; }));
  EXPECT_TRUE(differs([](Request& r) { r.features.choices = 2; }));
  EXPECT_TRUE(differs([](Request& r) { r.features.max_cost = Usd(5); }));
  EXPECT_TRUE(differs([](Request& r) { r.features.ttft = Seconds(1); }));
  EXPECT_TRUE(differs([](Request& r) { r.features.tenant = "blue"; }));
  EXPECT_TRUE(differs([](Request& r) { r.features.pin = "a"; }));
  EXPECT_FALSE(differs([](Request& r) { r.status = 502; })) << "what came of it is no input";
}

TEST(Router, DoesNotAllocateOnceWarm) {
  const auto view =
      RouterWorld({EnginePool("a", 5), EnginePool("b", 3), NvidiaPool("n", 2)}).View();
  const Routing routing(view, ChatRequest());
  Router router;
  const auto decide = [&](std::uint64_t draw) {
    return router
        .Choose(*view, routing.shape, routing.request.features, routing.request.readings, draw)
        .order.size();
  };
  decide(0);
  const std::int64_t before = fixtures::Allocations();
  std::size_t tries = 0;
  for (std::uint64_t draw = 0; draw < 100; ++draw) tries += decide(draw);
  EXPECT_EQ(fixtures::Allocations(), before);
  EXPECT_EQ(tries, 400u);
}

}  // namespace
}  // namespace spillway
