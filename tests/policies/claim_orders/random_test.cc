#include "policies/claim_orders/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/policies/arranging.h"

namespace spillway {
namespace {

const Costs kCosts{{"local", Usd(1)},
                   {"edge-npu", Usd(2)},
                   {"gaudi2", Usd(3)},
                   {"xeon-amx", Usd(4)},
                   {"a10", std::nullopt}};

TEST(RandomOrder, EachPoolIsATierOfItsOwn) {
  EXPECT_THAT(Arranged(RandomOrder(std::nullopt, 7), fixtures::DemoFleet(), kCosts, 1),
              testing::AllOf(testing::SizeIs(5), testing::Each(testing::SizeIs(1))));
}

// Known answers (checked against an XXH64 written in another language): a new compiler, machine or
// library must not change old runs.
TEST(RandomOrder, EqualSeedAndDrawGiveTheSameOrderEverywhere) {
  EXPECT_EQ(Arranged(RandomOrder(std::nullopt, 7), fixtures::DemoFleet(), kCosts, 1),
            (Tiers{{"a10"}, {"xeon-amx"}, {"local"}, {"edge-npu"}, {"gaudi2"}}));
  EXPECT_NE(Arranged(RandomOrder(std::nullopt, 7), fixtures::DemoFleet(), kCosts, 1),
            Arranged(RandomOrder(std::nullopt, 7), fixtures::DemoFleet(), kCosts, 2));
  EXPECT_NE(Arranged(RandomOrder(std::nullopt, 7), fixtures::DemoFleet(), kCosts, 1),
            Arranged(RandomOrder(std::nullopt, 8), fixtures::DemoFleet(), kCosts, 1));
}

TEST(RandomOrder, EachPoolIsFirstAboutEquallyOften) {
  std::map<std::string, int> firsts;
  for (std::uint64_t draw = 0; draw < 5000; ++draw)
    ++firsts[Arranged(RandomOrder(std::nullopt, 7), fixtures::DemoFleet(), kCosts, draw)[0][0]];
  // 1000 each; five standard deviations are 141.
  EXPECT_THAT(firsts, testing::AllOf(
                          testing::SizeIs(5),
                          testing::Each(testing::Pair(
                              testing::_, testing::AllOf(testing::Gt(859), testing::Lt(1141))))));
}

TEST(RandomOrder, TheBackstopStaysLast) {
  const RandomOrder order(PoolSelector{.vendor = {"nvidia"}}, 7);
  for (std::uint64_t draw = 0; draw < 100; ++draw)
    EXPECT_EQ(Arranged(order, fixtures::DemoFleet(), kCosts, draw).back()[0], "a10");
}

}  // namespace
}  // namespace spillway
