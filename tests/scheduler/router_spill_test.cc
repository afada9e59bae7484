// What spills to a later tier, and why.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/router.h"
#include "tests/support/router_world.h"

namespace spillway {
namespace {

using fixtures::ChatRequest;
using fixtures::EnginePool;
using fixtures::NvidiaPool;
using fixtures::RouterWorld;
using fixtures::Routing;
using testing::ElementsAre;

// An operator who looks at the bill wants to know why NVIDIA has it, whatever the reason.
TEST(Router, APoolThatIsNotThereSpillsLikeOneThatIsLate) {
  RouterWorld world({EnginePool("a"), NvidiaPool("n")});
  const auto spill = [&] {
    const Routing routing(world.View(), ChatRequest());
    EXPECT_EQ(routing.plan.spilled_from == PoolId{0}, routing.Chosen() == "n");
    return routing.plan.spilled_code;
  };
  EXPECT_EQ(spill(), Code::kChosen) << "it went where it should";
  world.Observe("a", 100, 1);
  EXPECT_EQ(spill(), Code::kTooLate);
  world["a"].speeds.clear();
  world["a"].state = PoolState::kCordoned;
  EXPECT_EQ(spill(), Code::kCordoned);
  world["a"].state = PoolState::kDraining;
  EXPECT_EQ(spill(), Code::kDraining);
  world["a"].state = PoolState::kActive;
  world["a"].endpoints[0].up = false;
  EXPECT_EQ(spill(), Code::kDown);
  // Another of the same tier stands in: nothing spills.
  world.Add(EnginePool("b"));
  EXPECT_EQ(Routing(world.View(), ChatRequest()).plan.spilled_from, kNoPool);
  EXPECT_EQ(Routing(world.View(), ChatRequest()).Chosen(), "b");
}

TEST(Router, APoolThatCouldNotDoItAnywaySpillsNothing) {
  RouterWorld world({EnginePool("a", 1, "other"), NvidiaPool("n")});
  world["a"].endpoints[0].up = false;
  EXPECT_EQ(Routing(world.View(), ChatRequest()).plan.spilled_from, kNoPool);
  RouterWorld nvidia_away({EnginePool("a"), NvidiaPool("n")});
  nvidia_away["n"].endpoints[0].up = false;
  EXPECT_EQ(Routing(nvidia_away.View(), ChatRequest()).plan.spilled_from, kNoPool);
}

TEST(Router, WhatFailsOverToALaterTierHasSpilled) {
  RouterWorld world({EnginePool("a", 2), NvidiaPool("n")});
  Routing routing(world.View(), ChatRequest());
  EXPECT_THAT(routing.Order(), ElementsAre("a/0", "a/1", "n/0"));
  EXPECT_THAT(routing.plan.tiers, ElementsAre(0, 0, 1));
  NoteFailover(*routing.view, routing.plan.tiers, 1, routing.request);
  EXPECT_EQ(routing.request.spilled_from, kNoPool) << "another engine of the same pool";
  NoteFailover(*routing.view, routing.plan.tiers, 2, routing.request);
  EXPECT_EQ(routing.request.spilled_from, PoolId{0});
  EXPECT_EQ(routing.request.spilled_code, Code::kDown);
}

}  // namespace
}  // namespace spillway
