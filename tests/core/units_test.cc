#include "core/units.h"

#include <gtest/gtest.h>

#include <limits>

namespace spillway {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

TEST(Usd, RateTimesTimeRoundsOnceToTheNanoDollar) {
  EXPECT_EQ(UsdPerHour(1'000'000'000) * absl::Minutes(20), Usd(333'333'333));
  EXPECT_EQ(UsdPerHour(1'000'000'000) * absl::Minutes(40), Usd(666'666'667));
}
TEST(Usd, HalvesGoAwayFromZero) {
  EXPECT_EQ(UsdPerHour(1) * absl::Minutes(30), Usd(1));
  EXPECT_EQ(UsdPerHour(-1) * absl::Minutes(30), Usd(-1));
  EXPECT_EQ(UsdPerHour(1) * absl::Minutes(29), Usd(0));
}
TEST(Usd, WhatDoesNotFitIsTheDearestThereIs) {
  EXPECT_EQ(UsdPerHour(kMax) * absl::Hours(1000), Usd(kMax));
  EXPECT_EQ(UsdPerHour(1) * absl::InfiniteDuration(), Usd(kMax / 3'600'000'000'000 + 1));
  EXPECT_EQ(Scale(Usd(kMax), 3.0), Usd(kMax));
  EXPECT_EQ(Scale(Usd(1), std::numeric_limits<double>::quiet_NaN()), Usd(kMax));
}
TEST(Usd, TokensByTheMillion) { EXPECT_EQ(UsdPerMtoken(200'000'000) * Tokens(1500), Usd(300'000)); }
TEST(Joules, WattsTimesTime) { EXPECT_EQ(Watts(12.5) * absl::Seconds(24), Joules(300'000'000)); }
TEST(Usd, TariffTimesEnergy) {
  EXPECT_EQ(UsdPerKwh(120'000'000) * Joules(2'080'000'000), Usd(69'333));
}
TEST(GramsCo2e, OneKilowattHourAtThreeHundredIsThreeHundredGrams) {
  EXPECT_EQ(GramsCo2ePerKwh(300) * (Watts(1000) * absl::Hours(1)), GramsCo2e(300'000'000));
}
TEST(Duration, ScalesToWholeNanosecondsAndForeverStaysForever) {
  EXPECT_EQ(Scale(absl::Seconds(24), 1.25), absl::Seconds(30));
  EXPECT_EQ(Scale(absl::InfiniteDuration(), 0.5), absl::InfiniteDuration());
}

}  // namespace
}  // namespace spillway
