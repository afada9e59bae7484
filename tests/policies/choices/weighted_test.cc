#include "policies/choices/weighted.h"

#include <gtest/gtest.h>

#include "tests/policies/choices/options.h"

namespace spillway {
namespace {

// Twice as dear against three times as slow.
std::vector<Option> CheapOrQuick() {
  return {{.pool = PoolId(1), .marginal_cost = Usd(100), .finish = absl::Seconds(30)},
          {.pool = PoolId(2), .marginal_cost = Usd(200), .finish = absl::Seconds(10)}};
}

TEST(WeightedChoice, SumsRatiosToTheLeastByTheirWeights) {
  // pool 1: cost 1, latency 3; pool 2: cost 2, latency 1. Even at weights 2 : 1.
  EXPECT_EQ(Picked(WeightedChoice({.cost = 2.1, .latency = 1}), CheapOrQuick()), 1u);
  EXPECT_EQ(Picked(WeightedChoice({.cost = 1.9, .latency = 1}), CheapOrQuick()), 2u);
  EXPECT_EQ(Picked(WeightedChoice({.cost = 2, .latency = 1}), CheapOrQuick()), 1u);  // a tie
}

TEST(WeightedChoice, AWeightDrawsWorkToTheLesserFigureNotToTheGreater) {
  const std::vector<Option> options{
      {.pool = PoolId(1), .energy = Joules(10), .carbon = GramsCo2e(1), .load = 0.9},
      {.pool = PoolId(2), .energy = Joules(1), .carbon = GramsCo2e(10), .load = 0.5},
      {.pool = PoolId(3), .energy = Joules(5), .carbon = GramsCo2e(5), .load = 0.1}};
  EXPECT_EQ(Picked(WeightedChoice({.cost = 0, .carbon = 1}), options), 1u);
  EXPECT_EQ(Picked(WeightedChoice({.cost = 0, .energy = 1}), options), 2u);
  EXPECT_EQ(Picked(WeightedChoice({.cost = 0, .load = 1}), options), 3u);
}

TEST(WeightedChoice, ScaleOfAUnitDoesNotMatter) {
  std::vector<Option> options = CheapOrQuick();
  for (Option& o : options) o.marginal_cost = o.marginal_cost * 1'000'000;
  EXPECT_EQ(Picked(WeightedChoice({.cost = 2.1, .latency = 1}), options), 1u);
  EXPECT_EQ(Picked(WeightedChoice({.cost = 1.9, .latency = 1}), options), 2u);
}

TEST(WeightedChoice, AFigureOfNothingIsTheBestThereIs) {
  const std::vector<Option> options{{.pool = PoolId(1), .marginal_cost = Usd(1)},
                                    {.pool = PoolId(2), .marginal_cost = Usd(0)}};
  EXPECT_EQ(Picked(WeightedChoice({.cost = 1}), options), 2u);
}

TEST(WeightedChoice, AFigureThatIsNothingEverywhereTellsNothingApart) {
  std::vector<Option> options = CheapOrQuick();
  EXPECT_EQ(Picked(WeightedChoice({.cost = 1, .energy = 1000, .carbon = 1000}), options), 1u);
  EXPECT_EQ(Picked(WeightedChoice({.cost = 0, .energy = 1}), {OptionOn(3), OptionOn(2)}), 2u);
}

TEST(WeightedChoice, AllWeightsZeroIsTheFirstInFleetOrder) {
  EXPECT_EQ(Picked(WeightedChoice({.cost = 0}), CheapOrQuick()), 1u);
}

}  // namespace
}  // namespace spillway
