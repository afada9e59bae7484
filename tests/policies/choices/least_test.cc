#include "policies/choices/least.h"

#include <gtest/gtest.h>

#include "tests/policies/choices/options.h"

namespace spillway {
namespace {

// Pool 1 is cheapest, 2 quickest, 3 takes least energy, 4 least carbon, 5 is least loaded.
std::vector<Option> OneBestInEach() {
  std::vector<Option> options;
  for (std::uint32_t pool = 1; pool <= 5; ++pool) {
    options.push_back({.pool = PoolId(pool),
                       .marginal_cost = Usd(pool == 1 ? 10 : 11),
                       .finish = absl::Seconds(pool == 2 ? 10 : 11),
                       .energy = Joules(pool == 3 ? 10 : 11),
                       .carbon = GramsCo2e(pool == 4 ? 10 : 11),
                       .load = pool == 5 ? 0.10 : 0.11});
  }
  return options;
}

TEST(LeastChoice, LooksAtItsOwnFigureOnly) {
  EXPECT_EQ(Picked(LeastChoice(Figure::kCost), OneBestInEach()), 1u);
  EXPECT_EQ(Picked(LeastChoice(Figure::kLatency), OneBestInEach()), 2u);
  EXPECT_EQ(Picked(LeastChoice(Figure::kEnergy), OneBestInEach()), 3u);
  EXPECT_EQ(Picked(LeastChoice(Figure::kCarbon), OneBestInEach()), 4u);
  EXPECT_EQ(Picked(LeastChoice(Figure::kLoad), OneBestInEach()), 5u);
}

TEST(LeastChoice, TieGoesToTheFirstInFleetOrderWhereverItStandsInTheList) {
  for (const Figure figure :
       {Figure::kCost, Figure::kLatency, Figure::kEnergy, Figure::kCarbon, Figure::kLoad}) {
    EXPECT_EQ(Picked(LeastChoice(figure), {OptionOn(4), OptionOn(2), OptionOn(3)}), 2u);
  }
}

TEST(LeastChoice, LoadsThatDifferByRoundingOnlyAreTied) {
  Option first = OptionOn(1), second = OptionOn(2);
  first.load = 0.1 + 0.2;
  second.load = 0.3;
  EXPECT_EQ(Picked(LeastChoice(Figure::kLoad), {first, second}), 1u);
}

TEST(LeastChoice, ForeverIsLongerThanAnyTime) {
  Option never = OptionOn(1), late = OptionOn(2);
  never.finish = absl::InfiniteDuration();
  late.finish = absl::Hours(24 * 365);
  EXPECT_EQ(Picked(LeastChoice(Figure::kLatency), {never, late}), 2u);
}

}  // namespace
}  // namespace spillway
