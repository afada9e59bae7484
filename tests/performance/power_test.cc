#include "performance/power.h"

#include <gtest/gtest.h>

#include "tests/support/fleets.h"

namespace spillway {
namespace {

const Power kNode{.idle = Watts(100), .busy = Watts(500)};

TEST(Draw, PartOfANodePaysItsDynamicWattsOnly) {
  EXPECT_EQ(DrawOf(kNode, {.share = 0.25}), (Draw{.dynamic = Watts(100), .idle = Watts(0)}));
}
TEST(Draw, WhoeverHoldsTheWholeHasItsIdleWattsToo) {
  EXPECT_EQ(DrawOf(kNode, {.share = 1, .whole = 1}).total(), Watts(500));
}
TEST(Draw, OneDeviceOfTwoHasHalfTheIdleWatts) {
  EXPECT_EQ(DrawOf(kNode, {.share = 0.5, .whole = 0.5}),
            (Draw{.dynamic = Watts(200), .idle = Watts(50)}));
}
TEST(Draw, GangDrawsOnEachNode) {
  EXPECT_EQ(DrawOf(kNode, {.share = 1, .whole = 1, .nodes = 3}).total(), Watts(1500));
}
TEST(Draw, NothingHeldDrawsNothing) { EXPECT_EQ(DrawOf(kNode, {}).total(), Watts(0)); }
TEST(Draw, BusyBelowIdleIsNoNegativeEnergy) {
  EXPECT_EQ(DrawOf({.idle = Watts(50), .busy = Watts(40)}, {.share = 1}).dynamic, Watts(0));
}

// The parts of a full node draw what the node draws when it is busy: no watt is lost or found.
TEST(Draw, WholeDevicesOfANodeSumToItsBusyWatts) {
  Watts sum{};
  for (int device = 0; device < 8; ++device) {
    sum += DrawOf(kNode, {.share = 0.125, .whole = 0.125}).total();
  }
  EXPECT_DOUBLE_EQ(sum.value(), 500);
}

TEST(Footprint, CarbonCountsTheBuildingAndEnergyDoesNot) {
  PoolSpec pool = fixtures::LocalPool();
  pool.power = {.idle = Watts(0), .busy = Watts(1000), .pue = 1.5};
  pool.site.carbon = GramsCo2ePerKwh(400);
  const Footprint out = FootprintOf(pool, {.share = 1, .whole = 1}, absl::Hours(1));
  EXPECT_EQ(out.energy, Joules(3'600'000 * kMicrosPerJoule));
  EXPECT_EQ(out.carbon, GramsCo2e(600 * kMicrosPerGram));
}
TEST(Footprint, UnknownIntensityIsNoCarbon) {
  PoolSpec pool = fixtures::LocalPool();
  pool.site.carbon.reset();
  EXPECT_EQ(FootprintOf(pool, {.share = 1}, absl::Hours(1)).carbon, GramsCo2e(0));
}
TEST(Footprint, PriceThatIncludesEnergyMakesItFree) {
  EXPECT_EQ(FootprintOf(fixtures::XeonAmxPool(), {.share = 1}, absl::Hours(1)).energy_cost, Usd(0));
}
// Idle watts are drawn in any case: they are shown, but one more job does not add them to the bill.
TEST(Footprint, EnergyCostIsOfTheDynamicPart) {
  const PoolSpec pool = fixtures::EdgeNpuPool();  // 4 and 14 W, 0.30 USD/kWh, PUE 1
  const Footprint out = FootprintOf(pool, {.share = 1, .whole = 1}, absl::Hours(100));
  EXPECT_EQ(out.energy, Joules(14LL * 360'000 * kMicrosPerJoule));
  EXPECT_EQ(out.dynamic, Joules(10LL * 360'000 * kMicrosPerJoule));
  EXPECT_EQ(out.energy_cost, fixtures::Dollars(0.30));  // 1 kWh
}

// A pool that is k times as fast and thirsty uses the same energy, emits the same, costs the same.
TEST(Footprint, SpeedUpLeavesItUnchanged) {
  const PoolSpec slow = fixtures::EdgeNpuPool();
  PoolSpec fast = slow;
  fast.power.idle = Scale(slow.power.idle, 20);
  fast.power.busy = Scale(slow.power.busy, 20);
  const Holding held{.share = 1, .whole = 1};
  EXPECT_EQ(FootprintOf(slow, held, absl::Seconds(60)), FootprintOf(fast, held, absl::Seconds(3)));
}

}  // namespace
}  // namespace spillway
