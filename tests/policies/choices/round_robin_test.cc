#include "policies/choices/round_robin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/policies/choices/options.h"

namespace spillway {
namespace {

TEST(RoundRobinChoice, ObservedSplitIsEqual) {
  const std::vector<Option> options{OptionOn(5), OptionOn(6), OptionOn(7)};
  std::map<std::uint32_t, int> picks;
  for (std::uint64_t turn = 1; turn <= 300; ++turn)
    ++picks[Picked(RoundRobinChoice(), options, turn)];
  EXPECT_THAT(picks, testing::ElementsAre(testing::Pair(5, 100), testing::Pair(6, 100),
                                          testing::Pair(7, 100)));
}

TEST(RoundRobinChoice, NeighbouringTurnsGoToNeighbours) {
  const std::vector<Option> options{OptionOn(5), OptionOn(6), OptionOn(7)};
  EXPECT_EQ(Picked(RoundRobinChoice(), options, 3), 5u);
  EXPECT_EQ(Picked(RoundRobinChoice(), options, 4), 6u);
  EXPECT_EQ(Picked(RoundRobinChoice(), options, ~std::uint64_t{0}), 5u);  // 2^64 - 1 = 3 x ...
}

TEST(RoundRobinChoice, ALoneOptionAlwaysHasItsTurn) {
  EXPECT_EQ(Picked(RoundRobinChoice(), {OptionOn(5)}, 17), 5u);
}

}  // namespace
}  // namespace spillway
