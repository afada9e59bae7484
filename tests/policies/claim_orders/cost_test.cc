#include "policies/claim_orders/cost.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/policies/arranging.h"

namespace spillway {
namespace {

using fixtures::Dollars;

const PoolSelector kNvidia{.vendor = {"nvidia"}};
constexpr double kBand = 0.02;

TEST(CostOrder, PaidForPoolsComeFirstAndTheLeastCapableOfThemBeforeAll) {
  const FleetSpec fleet = fixtures::DemoFleet();
  const Costs costs{{"local", Dollars(0.9)},
                    {"edge-npu", Dollars(0.5)},
                    {"gaudi2", Dollars(0.1)},
                    {"xeon-amx", Dollars(0.01)},
                    {"a10", Dollars(0.001)}};
  EXPECT_EQ(Arranged(CostOrder(kNvidia, kBand), fleet, costs),
            (Tiers{{"local"}, {"edge-npu"}, {"gaudi2"}, {"xeon-amx"}, {"a10"}}));
}

TEST(CostOrder, WithoutBackstopACheaperNvidiaPoolGoesBeforeADearerXeon) {
  const FleetSpec fleet = fixtures::DemoFleet();
  const Costs costs{{"xeon-amx", Dollars(0.01)}, {"a10", Dollars(0.001)}};
  EXPECT_EQ(Arranged(CostOrder(std::nullopt, kBand), fleet, costs), (Tiers{{"a10"}, {"xeon-amx"}}));
}

TEST(CostOrder, RentedPoolsGoByDollarsForTheWorkNotByDollarsAnHour) {
  FleetSpec fleet{{RentedPool("slow"), RentedPool("fast")}};
  fleet.pools[0].price.node_hour = fixtures::HourlyDollars(1);
  fleet.pools[1].price.node_hour = fixtures::HourlyDollars(10);
  EXPECT_EQ(Arranged(CostOrder(std::nullopt, kBand), fleet,
                     {{"slow", Dollars(12)}, {"fast", Dollars(10)}}),
            (Tiers{{"fast"}, {"slow"}}));
}

TEST(CostOrder, ATierTakesAllWithinTheBandOfItsCheapestAndNoMore) {
  const FleetSpec fleet{{RentedPool("a"), RentedPool("b"), RentedPool("c"), RentedPool("d")}};
  // c is within 2 % of b but not of a, which began the tier.
  const Costs costs{
      {"a", Usd(1'000'000)}, {"b", Usd(1'020'000)}, {"c", Usd(1'020'001)}, {"d", Usd(2'000'000)}};
  EXPECT_EQ(Arranged(CostOrder(std::nullopt, kBand), fleet, costs),
            (Tiers{{"a", "b"}, {"c"}, {"d"}}));
  EXPECT_EQ(Arranged(CostOrder(std::nullopt, 0), fleet, costs),
            (Tiers{{"a"}, {"b"}, {"c"}, {"d"}}));
  EXPECT_EQ(Arranged(CostOrder(std::nullopt, 1), fleet, costs), (Tiers{{"a", "b", "c", "d"}}));
}

TEST(CostOrder, TheBandAroundNothingIsNothing) {
  const FleetSpec fleet{{RentedPool("cheap"), RentedPool("free"), RentedPool("free too")}};
  EXPECT_EQ(Arranged(CostOrder(std::nullopt, 1), fleet,
                     {{"cheap", Usd(1)}, {"free", Usd(0)}, {"free too", Usd(0)}}),
            (Tiers{{"free", "free too"}, {"cheap"}}));
}

TEST(CostOrder, PaidForPoolsTieOnlyWhenTheyAreEquallyCapable) {
  FleetSpec fleet{{OwnedPool("big", 4e12), OwnedPool("one", 1e12), OwnedPool("two", 1e12),
                   OwnedPool("thirsty", 1e12), OwnedPool("roomy", 1e12)}};
  fleet.pools[4].node.memory = fixtures::GiB(64);
  const Costs costs{{"big", Usd(100)},
                    {"one", Usd(101)},
                    {"two", Usd(100)},
                    {"thirsty", Usd(200)},
                    {"roomy", Usd(100)}};
  EXPECT_EQ(Arranged(CostOrder(std::nullopt, kBand), fleet, costs),
            (Tiers{{"two", "one"}, {"thirsty"}, {"roomy"}, {"big"}}));
}

TEST(CostOrder, UnpricedPoolsComeAfterEveryKnownCostAndTieWithEachOther) {
  FleetSpec fleet{{RentedPool("unknown"), OwnedPool("unknown too", 1e12), RentedPool("dear")}};
  EXPECT_EQ(
      Arranged(CostOrder(std::nullopt, kBand), fleet,
               {{"unknown", std::nullopt}, {"unknown too", std::nullopt}, {"dear", Dollars(1e6)}}),
      (Tiers{{"dear"}, {"unknown", "unknown too"}}));
}

TEST(CostOrder, BackstopPoolsAreOrderedTheSameWayAmongThemselves) {
  FleetSpec fleet{
      {fixtures::A10Pool(), fixtures::A10Pool(), fixtures::A10Pool(), RentedPool("unpriced xeon")}};
  fleet.pools[0].name = "rented";
  fleet.pools[1].name = "owned";
  fleet.pools[1].billing = Billing::kCommitted;
  fleet.pools[2].name = "unpriced";
  std::vector<Claim> claims;
  CostOrder(kNvidia, kBand)
      .Arrange(fixtures::SmallJob(),
               ClaimantsOf(fleet, {{"rented", Dollars(1)},
                                   {"owned", Dollars(2)},
                                   {"unpriced", std::nullopt},
                                   {"unpriced xeon", std::nullopt}}),
               0, claims);
  EXPECT_EQ(InTiers(fleet, claims),
            (Tiers{{"unpriced xeon"}, {"owned"}, {"rented"}, {"unpriced"}}));
  EXPECT_FALSE(claims[0].backstop);
  EXPECT_TRUE(claims[1].backstop && claims[2].backstop && claims[3].backstop);
}

TEST(CostOrder, ABackstopPoolNeverTiesWithAnother) {
  const FleetSpec fleet = fixtures::DemoFleet();
  const Costs costs{{"xeon-amx", Dollars(1)}, {"a10", Dollars(1)}};
  EXPECT_EQ(Arranged(CostOrder(kNvidia, 1), fleet, costs), (Tiers{{"xeon-amx"}, {"a10"}}));
}

TEST(CostOrder, AbsurdCostsStayLastInsteadOfOverflowing) {
  const FleetSpec fleet{{RentedPool("absurd"), RentedPool("plain")}};
  const Usd most(std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(Arranged(CostOrder(std::nullopt, 1), fleet, {{"absurd", most}, {"plain", Dollars(1)}}),
            (Tiers{{"plain"}, {"absurd"}}));
}

TEST(CostOrder, NobodyAbleIsAnEmptyOrder) {
  std::vector<Claim> claims{Claim{}};
  CostOrder(std::nullopt, kBand).Arrange(fixtures::SmallJob(), {}, 0, claims);
  EXPECT_THAT(claims, testing::IsEmpty());
}

}  // namespace
}  // namespace spillway
