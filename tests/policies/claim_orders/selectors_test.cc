#include "policies/claim_orders/selectors.h"

#include <gtest/gtest.h>

#include "tests/policies/arranging.h"

namespace spillway {
namespace {

using fixtures::Dollars;

const PoolSelector kNvidia{.vendor = {"nvidia"}};
const PoolSelector kOffice{.site = {"office"}};
const PoolSelector kCpu{.kind = {DeviceKind::kCpu}};
const PoolSelector kNpu{.kind = {DeviceKind::kNpu}};
const PoolSelector kCloud{.site_kind = {SiteKind::kCloud}};
const Costs kCosts{{"local", Dollars(5)},
                   {"edge-npu", Dollars(4)},
                   {"gaudi2", Dollars(3)},
                   {"xeon-amx", Dollars(2)},
                   {"a10", Dollars(1)}};

TEST(SelectorsOrder, EachEntryIsATierAndAPoolBelongsToTheFirstThatMatches) {
  const SelectorsOrder order({kOffice, kCpu, kNpu, kNvidia}, std::nullopt);
  EXPECT_EQ(Arranged(order, fixtures::DemoFleet(), kCosts),
            (Tiers{{"local"}, {"xeon-amx"}, {"edge-npu", "gaudi2"}, {"a10"}}));
}

TEST(SelectorsOrder, AnEntryThatMatchesBothKindsIsSplitSoThatTheBackstopIsLastOfAll) {
  const SelectorsOrder order({kCloud, kNpu, kOffice}, kNvidia);
  EXPECT_EQ(Arranged(order, fixtures::DemoFleet(), kCosts),
            (Tiers{{"xeon-amx"}, {"edge-npu", "gaudi2"}, {"local"}, {"a10"}}));
}

TEST(SelectorsOrder, UnpricedPoolsComeBehindTheirOwnEntry) {
  const SelectorsOrder order({kNpu, PoolSelector()}, std::nullopt);
  Costs costs = kCosts;
  costs["edge-npu"] = std::nullopt;
  EXPECT_EQ(Arranged(order, fixtures::DemoFleet(), costs),
            (Tiers{{"gaudi2"}, {"edge-npu"}, {"local", "xeon-amx", "a10"}}));
}

TEST(SelectorsOrder, APoolThatIsNotNamedComesAfterAllThatAre) {
  const SelectorsOrder order({kNpu}, std::nullopt);
  EXPECT_EQ(Arranged(order, fixtures::DemoFleet(), {{"local", Dollars(1)}, {"gaudi2", Dollars(2)}}),
            (Tiers{{"gaudi2"}, {"local"}}));
}

}  // namespace
}  // namespace spillway
