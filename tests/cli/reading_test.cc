#include "cli/reading.h"

#include <gtest/gtest.h>

namespace spillway::cli {
namespace {

Value Json(std::string_view text) { return ParseJson(text).value(); }

TEST(Reading, WhatIsMissingOrNullIsUnknown) {
  const Value job = Json(R"({"pool": null, "run": {"command": ["a"]}, "n": 3})");
  EXPECT_EQ(TextAt(job, {"pool"}), "");
  EXPECT_EQ(TextAt(job, {"no", "such", "key"}), "");
  EXPECT_EQ(TextAt(job, {"run"}), "");  // no text
  EXPECT_EQ(TextAt(job, {"n"}), "3");
  EXPECT_EQ(TextAt(job, {"n", "deeper"}), "");
  EXPECT_EQ(ListAt(job, {"run", "command"}).size(), 1u);
  EXPECT_TRUE(ListAt(job, {"n"}).empty());
  EXPECT_EQ(NumberAt(job, {"pool"}), std::nullopt);
}

TEST(Reading, MoneyIsExactAndMayBeNegative) {
  const Value row = Json(R"({"a": "0.001190000", "b": "-0.000000001", "c": "cheap", "d": 0.5})");
  EXPECT_EQ(MoneyAt(row, {"a"}), Usd(1'190'000));
  EXPECT_EQ(MoneyAt(row, {"b"}), Usd(-1));
  EXPECT_EQ(MoneyAt(row, {"c"}), std::nullopt);
  EXPECT_EQ(MoneyAt(row, {"none"}), std::nullopt);
}

TEST(ShowMoney, KeepsAsManyPlacesAsMatter) {
  EXPECT_EQ(ShowMoney(Usd(1'190'000)), "$0.001190");
  EXPECT_EQ(ShowMoney(Usd(450'000'000)), "$0.4500");
  EXPECT_EQ(ShowMoney(Usd(12'500'000'000)), "$12.50");
  EXPECT_EQ(ShowMoney(Usd(-1'190'000)), "-$0.001190");
  EXPECT_EQ(ShowMoney(Usd(0)), "$0.000000");
  EXPECT_EQ(ShowMoney(Usd(-1)), "$0.000000");
  EXPECT_EQ(ShowMoney(Usd(-1000)), "-$0.000001");
  EXPECT_EQ(ShowMoney(std::nullopt), "-");
}

TEST(ShowEnergy, ChangesItsUnitBeforeItGrowsLong) {
  EXPECT_EQ(ShowEnergy(0.000001), "0 J");
  EXPECT_EQ(ShowEnergy(3372), "3372 J");
  EXPECT_EQ(ShowEnergy(35148), "9.8 Wh");
  EXPECT_EQ(ShowEnergy(67430), "18.7 Wh");
  EXPECT_EQ(ShowEnergy(4.32e6), "1.20 kWh");
}

TEST(ShowAge, IsShort) {
  const absl::Time now = absl::FromUnixSeconds(1'000'000);
  EXPECT_EQ(ShowAge(now - absl::Milliseconds(300), now), "now");
  EXPECT_EQ(ShowAge(now - absl::Milliseconds(12'900), now), "12 s");
  EXPECT_EQ(ShowAge(now - absl::Minutes(30), now), "30 min");
  EXPECT_EQ(ShowAge(std::nullopt, now), "-");
}

TEST(ShowSeconds, UnknownIsADash) {
  EXPECT_EQ(ShowSeconds(95.0), "95 s");
  EXPECT_EQ(ShowSeconds(std::nullopt), "-");
}

}  // namespace
}  // namespace spillway::cli
