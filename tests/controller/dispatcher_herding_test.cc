#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "tests/controller/dispatcher_rig.h"

// Engines are asked now and then; requests come in between. What was sent out is counted as it
// goes, so that they do not all run to the engine that looked idle last.
namespace spillway {
namespace {

using testing::Each;
using Kept = std::vector<std::unique_ptr<LiveRequest>>;

// All in one instant: the clock stands, and no engine is asked. Others that come to nothing in
// between take their turns among engines that look equal, so that turns alone spread nothing.
void Arrive(Rig& rig, int requests, Kept& kept) {
  std::mt19937 dice(static_cast<std::uint32_t>(requests));
  for (int i = 0; i < requests; ++i) {
    for (auto others = dice() % 4; others > 0; --others) rig.Routed();
    kept.push_back(rig.Taken());
  }
}
std::vector<int> InFlight(const Rig& rig, int engines) {
  std::vector<int> counts;
  for (int n = 0; n < engines; ++n) counts.push_back(rig.dispatcher.InFlight(At(n)));
  return counts;
}

TEST(Herding, WhatComesBetweenTwoLooksSpreadsOverEqualEngines) {
  for (const int engines : {2, 3, 5, 8}) {
    Rig rig(RouterWorld({EnginePool("a", engines)}));
    for (int n = 0; n < engines; ++n) rig.dispatcher.OnSigns(At(n), {.running = 0, .waiting = 0});
    Kept kept;
    for (int come = 3; come <= 60; come += 3) {  // in time at first, late in the end
      Arrive(rig, 3, kept);
      const std::vector<int> counts = InFlight(rig, engines);
      const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
      EXPECT_LE(*most - *least, 1) << come << " over " << engines;
    }
  }
}

TEST(Herding, ALookThatMissesWhatIsOursDrawsNobody) {
  constexpr int kEngines = 3;
  Rig rig(RouterWorld({EnginePool("a", kEngines)}));
  Kept kept;
  Arrive(rig, 12, kept);
  ASSERT_THAT(InFlight(rig, kEngines), Each(4));
  // One answered as it was before they reached it, the others after.
  rig.dispatcher.OnSigns(At(1), {.running = 0, .waiting = 0});
  for (const int n : {0, 2}) rig.dispatcher.OnSigns(At(n), {.running = 1, .waiting = 3});
  Arrive(rig, 30, kept);
  EXPECT_THAT(InFlight(rig, kEngines), Each(14));
}

}  // namespace
}  // namespace spillway
