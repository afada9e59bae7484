// Servers of whole batches among the router's endpoints.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/router.h"
#include "tests/support/allocations.h"
#include "tests/support/router_world.h"

namespace spillway {
namespace {

using absl::Milliseconds;
using fixtures::Committed;
using fixtures::Dollars;
using fixtures::EnginePool;
using fixtures::NvidiaPool;
using fixtures::RouterWorld;
using fixtures::Routing;
using testing::ElementsAre;

// A batch of n items takes 4 n ms on the slow device, 1 ms and 0.1 ms an item on the fast one; both
// as measured, so that p90 is 1.25 x p50.
RouterWorld World() {
  RouterWorld world;
  for (const char* device : {"slow", "fast"}) {
    Device& entry = world.catalog.devices[device];
    entry.name = device;
    entry.kind = DeviceKind::kNpu;
  }
  world.catalog.classes["ranking"].name = "ranking";
  world.catalog.batches = {
      {.work_class = "ranking",
       .device = "fast",
       .points = {{1, absl::Microseconds(1100)}, {50, Milliseconds(6)}}},
      {.work_class = "ranking", .device = "slow", .points = {{1, Milliseconds(4)}}}};
  PoolSpec slow = Committed(EnginePool("slow", 2, "ranking"));
  slow.device = "slow";
  slow.serves[0].work_class = "ranking";
  slow.serves[0].max_items = 3;
  slow.serves[0].max_delay = absl::ZeroDuration();
  PoolSpec fast = NvidiaPool("fast", 1, "ranking");
  fast.device = "fast";
  fast.serves[0].work_class = "ranking";
  fast.serves[0].max_items = 50;
  fast.serves[0].max_delay = Milliseconds(1);
  world.Add(slow);
  world.Add(fast);
  return world;
}

RequestFeatures Ranking(int items, absl::Duration within = Milliseconds(15)) {
  RequestFeatures features;
  features.arrived = absl::FromUnixSeconds(1'790'000'000);
  features.model = "ranking";
  features.models = {"ranking"};
  features.kind = ModelKind::kBatch;
  features.items = items;
  features.ttft = within;
  return features;
}
EndpointLoad InFlight(int requests, int items) {
  return {.waiting = requests, .waiting_tokens = items};
}

TEST(RouterOfBatches, AnIdleServerIsEstimatedExactly) {
  const Routing routing(World().View(), Ranking(10));
  const RoutedPool& fast = routing.On("fast");
  EXPECT_EQ(fast.estimate.wait.p50, Milliseconds(1)) << "for others";
  EXPECT_EQ(fast.estimate.ttft, Milliseconds(1 + 2));
  EXPECT_EQ(fast.ttft_p90, Milliseconds(3) * 1.25);
  EXPECT_EQ(fast.estimate.tpot, std::nullopt) << "there are no tokens";
  EXPECT_EQ(fast.estimate.basis, Basis::kProfile);
  EXPECT_EQ(fast.estimate.cost, Dollars(0.000003)) << "3 ms at 0.001 USD a second";
  EXPECT_EQ(routing.plan.prompt_tokens, 10) << "what it counts as while it is in flight";
}

TEST(RouterOfBatches, TheCheapServerComesFirstAndNvidiaLast) {
  const Routing routing(World().View(), Ranking(1));
  EXPECT_EQ(routing.Chosen(), "slow");
  EXPECT_TRUE(routing.On("fast").backstop);
}

// Ability depends on the size: three items take 12 ms there, 15 ms at p90 with nobody before them.
TEST(RouterOfBatches, ALargeRequestIsTooLateOnASlowServerEvenIfItIsIdle) {
  EXPECT_EQ(Routing(World().View(), Ranking(3)).Chosen(), "slow");
  const Routing routing(World().View(), Ranking(3, Milliseconds(14)));
  EXPECT_EQ(routing.Chosen(), "fast");
  EXPECT_TRUE(routing.On("slow").codes.Has(Code::kTooLate));
  const Routing four(World().View(), Ranking(4, absl::Seconds(10)));
  EXPECT_EQ(four.Chosen(), "fast");
  EXPECT_TRUE(four.On("slow").codes.Has(Code::kMemory)) << "no batch has room for four";
}

TEST(RouterOfBatches, AQueueSpillsAndTheLeastLoadedServerIsAsked) {
  const auto view = World().View();
  const Routing one(view, Ranking(1), {{"slow/0", InFlight(2, 2)}});
  EXPECT_EQ(one.Chosen(), "slow");
  EXPECT_EQ(view->endpoints()[one.plan.order.front()].name, "slow/1");
  const Routing both(view, Ranking(1), {{"slow/0", InFlight(6, 12)}, {"slow/1", InFlight(6, 12)}});
  EXPECT_EQ(both.Chosen(), "fast");
}

// The share of a batch: beside 9 items one pays a tenth.
TEST(RouterOfBatches, CostIsTheShareAmongAllItemsInFlight) {
  const auto view = World().View();
  const auto cost = [&](int items, EndpointLoad load) {
    return Routing(view, Ranking(items), {{"fast/0", load}}).On("fast").estimate.cost;
  };
  const Usd alone = cost(1, {});
  EXPECT_EQ(alone, Dollars(0.0000021)) << "1 ms for others and 1.1 ms";
  EXPECT_LT(cost(1, InFlight(9, 9)).value() * 5, alone.value());
  const Usd one = cost(1, InFlight(40, 40)), four = cost(4, InFlight(40, 40));
  EXPECT_NEAR(static_cast<double>(four.value()) / static_cast<double>(one.value()), 4, 0.5);
}

TEST(RouterOfBatches, WhoAsksForTokensGetsNoneThere) {
  RequestFeatures chat = fixtures::ChatRequest("ranking");
  const Routing routing(World().View(), chat);
  EXPECT_EQ(routing.plan.outcome, Routed::kRefused);
  EXPECT_EQ(routing.plan.code, Code::kModel);
  RouterWorld tokens({EnginePool("chat")});
  RequestFeatures images = Ranking(1);
  images.models = {"chat"};
  EXPECT_EQ(Routing(tokens.View(), images).plan.outcome, Routed::kRefused);
}

TEST(RouterOfBatches, WhatIsObservedCorrectsTheTable) {
  RouterWorld world = World();
  world.Observe("fast", 2, 1, 1.5, "ranking");
  const Routing routing(world.View(), Ranking(10));
  EXPECT_EQ(routing.On("fast").estimate.ttft, Milliseconds(6));
  EXPECT_EQ(routing.On("fast").ttft_p90, Milliseconds(9));
}

// What is booked is the share of time that it held; the baseline is its share on NVIDIA, where all
// that is in flight would be together.
TEST(RouterOfBatches, SettlesByItemsAndComparesWithNvidia) {
  const auto view = World().View();
  Request request;
  request.features = Ranking(2);
  const RequestShape shape = MakeRequestShape(*view, request.features);
  request.readings = fixtures::ReadingsOf(*view, shape, {{"slow/0", InFlight(3, 8)}});
  request.attempts = {{EndpointKey{PoolId{0}, 0}, ForwardFault::kNone}};
  request.held = Milliseconds(4);
  request.answered_by = "ranking";
  SettleRequest(*view, shape, request);
  EXPECT_EQ(request.cost, Dollars(0.000004));
  EXPECT_EQ(request.output_tokens, std::nullopt);
  ASSERT_TRUE(request.baseline_cost.has_value());
  EXPECT_EQ(request.baseline_pool, PoolId{1});
  // Beside 8 items: at most 1 ms for others and a batch of 10, a fifth of it.
  EXPECT_GT(*request.baseline_cost, Dollars(0.0000003));
  EXPECT_LT(*request.baseline_cost, Dollars(0.0000008));
  EXPECT_EQ(MostCostOf(*view, shape, request), Usd(0)) << "nothing was to be tried";
}

TEST(RouterOfBatches, IsDecidedAgainAlike) {
  const auto view = World().View();
  for (int items = 1; items <= 6; ++items) {
    Request request;
    request.features = Ranking(items);
    const RequestShape shape = MakeRequestShape(*view, request.features);
    request.readings = fixtures::ReadingsOf(*view, shape, {{"slow/0", InFlight(items, 2 * items)}});
    Router router;
    request.order =
        router.Choose(*view, shape, request.features, request.readings, request.draw).order;
    EXPECT_TRUE(SameRoute(*view, request)) << items;
    EXPECT_NE(ExplainRequest(*view, request).chosen, kNoPool) << items;
  }
}

TEST(RouterOfBatches, DoesNotAllocateOnceWarm) {
  const auto view = World().View();
  const RequestFeatures features = Ranking(2);
  const RequestShape shape = MakeRequestShape(*view, features);
  const auto readings = fixtures::ReadingsOf(*view, shape, {{"slow/0", InFlight(5, 9)}});
  Router router;
  for (std::uint64_t draw = 0; draw < 4; ++draw)
    router.Choose(*view, shape, features, readings, draw);
  const std::int64_t before = fixtures::Allocations();
  for (std::uint64_t draw = 0; draw < 100; ++draw)
    router.Choose(*view, shape, features, readings, draw);
  EXPECT_EQ(fixtures::Allocations(), before);
}

}  // namespace
}  // namespace spillway
