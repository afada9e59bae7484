#include "policies/claim_orders/tiers.h"

#include <gtest/gtest.h>

#include "tests/policies/arranging.h"

namespace spillway {
namespace {

using fixtures::Dollars;

FleetSpec FleetOfTiers() {
  FleetSpec fleet = fixtures::DemoFleet();
  fleet.pools[0].tier = 3;   // local
  fleet.pools[1].tier = -1;  // edge-npu
  fleet.pools[2].tier = 3;   // gaudi2
  fleet.pools[3].tier = 2;   // xeon-amx
  fleet.pools[4].tier = 0;   // a10
  return fleet;
}
const Costs kCosts{{"local", Dollars(1)},
                   {"edge-npu", Dollars(2)},
                   {"gaudi2", Dollars(3)},
                   {"xeon-amx", Dollars(4)},
                   {"a10", Dollars(5)}};

TEST(TiersOrder, SmallestFirstWhateverItCosts) {
  EXPECT_EQ(Arranged(TiersOrder(std::nullopt), FleetOfTiers(), kCosts),
            (Tiers{{"edge-npu"}, {"a10"}, {"xeon-amx"}, {"local", "gaudi2"}}));
}

TEST(TiersOrder, TheBackstopComesLastWhateverItsTier) {
  EXPECT_EQ(Arranged(TiersOrder(PoolSelector{.vendor = {"nvidia"}}), FleetOfTiers(), kCosts),
            (Tiers{{"edge-npu"}, {"xeon-amx"}, {"local", "gaudi2"}, {"a10"}}));
}

TEST(TiersOrder, UnpricedPoolsComeBehindTheirOwnTierNotBehindLaterOnes) {
  Costs costs = kCosts;
  costs["edge-npu"] = std::nullopt;
  costs["local"] = std::nullopt;
  EXPECT_EQ(Arranged(TiersOrder(std::nullopt), FleetOfTiers(), costs),
            (Tiers{{"edge-npu"}, {"a10"}, {"xeon-amx"}, {"gaudi2"}, {"local"}}));
}

}  // namespace
}  // namespace spillway
