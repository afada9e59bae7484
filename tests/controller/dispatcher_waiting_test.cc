// Requests that wait for room, and bodies that are bounded in sum.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/controller/dispatcher_rig.h"

namespace spillway {
namespace {

using testing::ElementsAre;

TEST(Dispatcher, WhoWaitsIsWokenInOrder) {
  Rig rig(RouterWorld({One("a")}));
  auto busy = rig.Taken();
  std::vector<std::shared_ptr<Bell>> bells;
  std::vector<std::unique_ptr<LiveRequest>> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.push_back(rig.Routed());
    ASSERT_EQ(rig.last, Routed::kFull);
    bells.push_back(std::make_shared<Bell>());
    ASSERT_TRUE(rig.dispatcher.Wait(bells.back(), *waiting.back()));
  }
  EXPECT_EQ(rig.dispatcher.waiting(), 3u);
  const auto rung = [&] {
    return std::vector<int>{bells[0]->rung, bells[1]->rung, bells[2]->rung};
  };
  rig.Finish(*busy);
  EXPECT_THAT(rung(), ElementsAre(1, 0, 0));
  // Another was quicker: the first one waits again, and keeps its place.
  busy = rig.Taken();
  ASSERT_EQ(rig.dispatcher.Route(*waiting[0]), Routed::kFull);
  ASSERT_TRUE(rig.dispatcher.Wait(bells[0], *waiting[0]));
  rig.dispatcher.GiveUp(*busy, ForwardFault::kConnect);
  EXPECT_THAT(rung(), ElementsAre(2, 0, 0));
  rig.dispatcher.StopWaiting(bells[1]);
  EXPECT_EQ(rig.dispatcher.waiting(), 1u);
  ASSERT_EQ(rig.dispatcher.Route(*waiting[0]), Routed::kRouted);
  ASSERT_TRUE(rig.dispatcher.Take(*waiting[0]));
  rig.Finish(*waiting[0]);
  EXPECT_THAT(rung(), ElementsAre(2, 0, 1)) << "who stopped waiting is not woken";
  rig.dispatcher.StopWaiting(bells[1]);  // nothing
}

// Four single requests wait behind one of four answers: all of them have room when it ends.
TEST(Dispatcher, AsManyAreWokenAsThereIsRoomFor) {
  PoolSpec four = One("a");
  four.adapter.concurrency = 4;
  Rig rig(RouterWorld({four}));
  RequestFeatures wide = ChatRequest();
  wide.choices = 4;
  const auto busy = rig.Taken(wide);
  std::vector<std::shared_ptr<Bell>> bells;
  std::vector<std::unique_ptr<LiveRequest>> waiting;
  for (int i = 0; i < 5; ++i) {
    waiting.push_back(rig.Routed());
    ASSERT_EQ(rig.last, Routed::kFull);
    bells.push_back(std::make_shared<Bell>());
    ASSERT_TRUE(rig.dispatcher.Wait(bells.back(), *waiting.back()));
  }
  rig.Finish(*busy);
  std::vector<int> rung;
  for (const auto& bell : bells) rung.push_back(bell->rung);
  EXPECT_THAT(rung, ElementsAre(1, 1, 1, 1, 0));
}

TEST(Dispatcher, RoomThatOthersLeaveWakesToo) {
  Rig rig(RouterWorld({One("a")}));
  rig.dispatcher.OnSigns({PoolId{0}, 0}, {.running = 3, .waiting = 0});
  const auto waits = rig.Routed();
  ASSERT_EQ(rig.last, Routed::kFull);
  const auto bell = std::make_shared<Bell>();
  ASSERT_TRUE(rig.dispatcher.Wait(bell, *waits));
  rig.dispatcher.OnSigns({PoolId{0}, 0}, {.running = 3, .waiting = 0});
  EXPECT_EQ(bell->rung, 0);
  rig.dispatcher.OnSigns({PoolId{0}, 0}, {.running = 0, .waiting = 0});
  EXPECT_EQ(bell->rung, 1);
}

TEST(Dispatcher, AnEngineWakesWhomItCanServe) {
  Rig rig(RouterWorld({One("a"), One("b", "other")}));
  const auto on_a = rig.Taken(), on_b = rig.Taken(ChatRequest("other"));
  const auto for_a = rig.Routed(), for_b = rig.Routed(ChatRequest("other"));
  const auto bell_a = std::make_shared<Bell>(), bell_b = std::make_shared<Bell>();
  ASSERT_TRUE(rig.dispatcher.Wait(bell_a, *for_a));
  ASSERT_TRUE(rig.dispatcher.Wait(bell_b, *for_b));
  rig.Finish(*on_b);
  EXPECT_EQ(bell_a->rung, 0);
  EXPECT_EQ(bell_b->rung, 1);
  rig.Finish(*on_a);
  EXPECT_EQ(bell_a->rung, 1);
  EXPECT_EQ(rig.dispatcher.waiting(), 0u);
}

// A client that leaves in the moment in which it is woken takes nobody's turn.
TEST(Dispatcher, AWakeUpThatIsNotUsedIsPassedOn) {
  Rig rig(RouterWorld({One("a")}));
  const auto busy = rig.Taken();
  const auto leaves = rig.Routed(), next = rig.Routed();
  const auto first = std::make_shared<Bell>(), second = std::make_shared<Bell>();
  ASSERT_TRUE(rig.dispatcher.Wait(first, *leaves));
  ASSERT_TRUE(rig.dispatcher.Wait(second, *next));
  rig.Finish(*busy);
  EXPECT_EQ(first->rung, 1);
  EXPECT_EQ(second->rung, 0);
  EXPECT_FALSE(rig.dispatcher.StopWaiting(first)) << "it was woken";
  rig.dispatcher.PassOn(*leaves);
  EXPECT_EQ(second->rung, 1);
  EXPECT_FALSE(rig.dispatcher.StopWaiting(second));
  rig.dispatcher.PassOn(*next);  // nobody is left
}

TEST(Dispatcher, BodiesAreBoundedInSum) {
  Rig rig(RouterWorld({One("a")}), {.held_bytes = 100});
  EXPECT_TRUE(rig.dispatcher.HoldBytes(60));
  EXPECT_FALSE(rig.dispatcher.HoldBytes(41));
  EXPECT_TRUE(rig.dispatcher.HoldBytes(40));
  EXPECT_EQ(rig.dispatcher.stats().held_bytes, 100u);
  rig.dispatcher.FreeBytes(60);
  EXPECT_TRUE(rig.dispatcher.HoldBytes(60));
}

TEST(Dispatcher, NewInputsWakeAll) {
  Rig rig(RouterWorld({One("a")}));
  const auto busy = rig.Taken();
  std::vector<std::shared_ptr<Bell>> bells;
  std::vector<std::unique_ptr<LiveRequest>> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.push_back(rig.Routed());
    bells.push_back(std::make_shared<Bell>());
    rig.dispatcher.Wait(bells.back(), *waiting.back());
  }
  rig.Publish();
  for (const auto& bell : bells) EXPECT_EQ(bell->rung, 1);
  EXPECT_EQ(rig.dispatcher.waiting(), 0u);
}

TEST(Dispatcher, OnlySoManyMayWait) {
  Rig rig(RouterWorld({One("a")}), {.waiting = 2});
  const auto busy = rig.Taken();
  std::vector<std::unique_ptr<LiveRequest>> live;
  for (int i = 0; i < 3; ++i) live.push_back(rig.Routed());
  const auto bell = std::make_shared<Bell>();
  EXPECT_TRUE(rig.dispatcher.Wait(std::make_shared<Bell>(), *live[0]));
  EXPECT_TRUE(rig.dispatcher.Wait(bell, *live[1]));
  EXPECT_FALSE(rig.dispatcher.Wait(std::make_shared<Bell>(), *live[2]));
  rig.dispatcher.StopWaiting(bell);
  EXPECT_TRUE(rig.dispatcher.Wait(std::make_shared<Bell>(), *live[2]));
  EXPECT_EQ(rig.dispatcher.stats().waiting, 2u);
}

}  // namespace
}  // namespace spillway
