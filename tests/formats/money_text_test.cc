// What the configuration says of money and carbon: budgets, dated prices, hardware of one's own,
// what making it emitted, and where intensities come from.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "formats/carbon_text.h"
#include "formats/config_file.h"
#include "tests/formats/sources.h"

namespace spillway {
namespace {

using testing::HasSubstr;

constexpr std::string_view kFleet = R"(kind: Fleet
pools:
- {name: b, adapter: {type: modelled}, device: nvidia-a10g-24g, node: {cpus: 4, memory: 16GiB, devices: 1},
   billing: metered, price: {node_hour: 1 USD}, site: {name: lab}}
---
)";

absl::StatusOr<LoadedConfig> Parse(std::string_view rest) {
  return ParseConfig(absl::StrCat(std::string(kFleet), std::string(rest)), "c.yaml", SmallCatalog(),
                     SmallMachine());
}
std::string Error(std::string_view rest) {
  const auto loaded = Parse(rest);
  return loaded.ok() ? "accepted" : std::string(loaded.status().message());
}
absl::Time At(std::string_view text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, std::string(text), &time, &error)) << error;
  return time;
}

// ---- Budgets

std::string Tenant(std::string_view budget) {
  return absl::StrCat("kind: Tenants\ntenants: [{name: t, budget: {", std::string(budget), "}}]");
}

TEST(BudgetText, SaysLimitsAndWhatThen) {
  const auto loaded =
      Parse(Tenant("usd_per_day: '5.00', usd_per_month: '100', when_spent: demote, "
                   "demote_to: {vendor: nvidia}"));
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  const Budget& budget = loaded->config.tenants.tenants[0].budget;
  EXPECT_EQ(budget.per_day, Usd(5'000'000'000));
  EXPECT_EQ(budget.per_month, Usd(100'000'000'000));
  EXPECT_EQ(budget.when_spent, WhenSpent::kDemote);
  EXPECT_EQ(budget.demote_to, (PoolSelector{.vendor = {"nvidia"}}));
}

TEST(BudgetText, WhatMakesNoSenseIsRefused) {
  EXPECT_THAT(Error(Tenant("when_spent: refuse")), HasSubstr("usd_per_day"));
  EXPECT_THAT(Error(Tenant("usd_per_day: 5 EUR")), HasSubstr("5 EUR"));
  EXPECT_THAT(Error(Tenant("usd_per_day: '-1'")), HasSubstr("negative"));
  EXPECT_THAT(Error(Tenant("usd_per_day: '1', when_spent: demote")), HasSubstr("demote_to"));
  EXPECT_THAT(Error(Tenant("usd_per_day: '1', demote_to: {vendor: nvidia}")),
              HasSubstr("when_spent: demote"));
  EXPECT_THAT(Error(Tenant("usd_per_day: '1', when_spent: demote, demote_to: {vendor: amd}")),
              HasSubstr("no pool of the fleet"));
  EXPECT_THAT(Error(Tenant("usd_per_day: '1', when_spend: refuse")), HasSubstr("when_spent"));
  EXPECT_THAT(Error("kind: Tenants\ntenants: [{name: t, quota: {usd_per_day: '1'}, budget: "
                    "{usd_per_month: '9'}}]"),
              HasSubstr("a budget in short"));
}

// ---- Dated prices

std::string Prices(std::string_view entries) {
  return absl::StrCat("kind: Prices\nprices: [", std::string(entries), "]");
}

TEST(PriceText, OneThatEndsGivesWayToTheFleetsOwn) {
  const auto loaded = Parse(Prices(
      "{pool: b, from: 2026-01-01T00:00:00Z, until: 2026-02-01T00:00:00Z, node_hour: 3 USD}, "
      "{pool: b, from: 2026-03-01T00:00:00Z, until: 2026-04-01T00:00:00Z, node_hour: 4 USD}, "
      "{pool: b, from: 2026-04-01T00:00:00Z, node_hour: 5 USD}"));
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  std::vector<std::pair<absl::Time, std::int64_t>> found;
  for (const PriceChange& change : loaded->config.prices.prices)
    found.emplace_back(change.from, change.price.node_hour->value() / kNanosPerUsd);
  const std::vector<std::pair<absl::Time, std::int64_t>> wanted = {{At("2026-01-01T00:00:00Z"), 3},
                                                                   {At("2026-02-01T00:00:00Z"), 1},
                                                                   {At("2026-03-01T00:00:00Z"), 4},
                                                                   {At("2026-04-01T00:00:00Z"), 5}};
  EXPECT_EQ(found, wanted);
}

TEST(PriceText, WhatOverlapsIsRefused) {
  EXPECT_THAT(
      Error(Prices(
          "{pool: b, from: 2026-01-01T00:00:00Z, until: 2026-03-01T00:00:00Z, node_hour: 3 USD}, "
          "{pool: b, from: 2026-02-01T00:00:00Z, node_hour: 4 USD}")),
      HasSubstr("the price of pool `b` from 2026-01-01T00:00:00Z holds until 2026-03-01T00:00:00Z: "
                "they overlap"));
  EXPECT_THAT(Error(Prices("{pool: b, from: 2026-01-01T00:00:00Z, until: 2026-01-01T00:00:00Z, "
                           "node_hour: 3 USD}")),
              HasSubstr("`until` is not after `from`"));
  EXPECT_THAT(Error(Prices("{pool: b, from: 2026-01-01T00:00:00Z, node_hour: 3 EUR}")),
              HasSubstr("unknown unit `EUR`"));
}

TEST(PriceText, HardwareOfOnesOwnIsSpreadOverItsLife) {
  const auto loaded =
      Parse(Prices("{pool: b, from: 2026-01-01T00:00:00Z, own: {capital: 35064 USD, life: 1461d, "
                   "operation: 0.20 USD, energy: {draw: 500 W, pue: 1.2, tariff: 0.10 USD/kWh}}}"));
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  const Price& price = loaded->config.prices.prices[0].price;
  // 35,064 USD over 35,064 hours, 0.20 for operation, 0.6 kWh at 0.10.
  EXPECT_EQ(price.node_hour, UsdPerHour(1'260'000'000));
  EXPECT_THAT(price.source, HasSubstr("35064.00 USD over 35064h"));
  EXPECT_THAT(Error(Prices("{pool: b, from: 2026-01-01T00:00:00Z, own: {capital: 1 USD}}")),
              HasSubstr("life"));
  EXPECT_THAT(
      Error(Prices("{pool: b, from: 2026-01-01T00:00:00Z, own: {capital: 1 USD, life: 0s}}")),
      HasSubstr("not more than zero"));
  EXPECT_THAT(
      Error(Prices("{pool: b, from: 2026-01-01T00:00:00Z, node_hour: 1 USD, own: {capital: 1 "
                   "USD, life: 1d}}")),
      HasSubstr("say one of them"));
}

// ---- Carbon

TEST(PowerText, WhatMakingItEmittedIsSpreadOverItsLife) {
  const auto with = [](std::string_view power) {
    return ParseConfig(
        absl::StrCat("kind: Fleet\npools:\n- {name: b, adapter: {type: modelled}, device: "
                     "nvidia-a10g-24g, node: {cpus: 4, memory: 16GiB, devices: 1}, power: {",
                     std::string(power), "}}"),
        "c.yaml", SmallCatalog(), SmallMachine());
  };
  const auto loaded = with("embodied: 1461 kgCO2e, life: 1461d");
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  EXPECT_EQ(loaded->config.fleet.pools[0].power.embodied, GramsCo2e(41'666'667));  // 1 kg a day
  EXPECT_THAT(std::string(with("embodied: 5 kgCO2e").status().message()),
              HasSubstr("belong together"));
  EXPECT_THAT(std::string(with("embodied: 5 kg, life: 1d").status().message()),
              HasSubstr("unknown unit `kg`"));
}

TEST(CarbonText, SaysWhereToAsk) {
  const auto loaded = Parse(
      "kind: Carbon\nsources: [{site: lab, zone: DE, url: 'http://127.0.0.1:9/x', every: 1min}]");
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  const CarbonSource wanted{
      .site = "lab", .zone = "DE", .url = "http://127.0.0.1:9/x", .every = absl::Minutes(1)};
  EXPECT_EQ(loaded->carbon, std::vector{wanted});
  EXPECT_THAT(Error("kind: Carbon\nsources: [{site: lap, file: x}]"), HasSubstr("lab"));
  EXPECT_THAT(Error("kind: Carbon\nsources: [{site: lab}]"), HasSubstr("`file` or `url`"));
  EXPECT_THAT(Error("kind: Carbon\nsources: [{site: lab, url: 'ftp://x'}]"), HasSubstr("no URL"));
  EXPECT_THAT(Error("kind: Carbon\nsources: [{site: lab, file: x, every: 1s}]"), HasSubstr("10s"));
  EXPECT_THAT(Error("kind: Carbon\nsources: [{site: lab, file: x}, {site: lab, file: y}]"),
              HasSubstr("has a source already"));
}

TEST(CarbonReading, TheNewestThatIsNotOfTheFuture) {
  const absl::Time now = At("2026-11-23T10:30:00Z");
  constexpr std::string_view kSeries = R"([
    {"zone":"DE","carbonIntensity":310,"datetime":"2026-11-23T09:00:00Z"},
    {"zone":"DE","carbonIntensity":295.5,"datetime":"2026-11-23T10:00:00.000Z"},
    {"zone":"DE","carbonIntensity":99,"datetime":"2026-11-23T11:00:00Z"},
    {"zone":"FR","carbonIntensity":40,"datetime":"2026-11-23T10:15:00Z"}])";
  const auto reading = ParseCarbonReading(kSeries, "DE", now);
  ASSERT_TRUE(reading.ok()) << reading.status();
  EXPECT_EQ(reading->intensity, GramsCo2ePerKwh(295.5));
  EXPECT_EQ(reading->as_of, At("2026-11-23T10:00:00Z"));
  EXPECT_EQ(ParseCarbonReading(kSeries, "FR", now)->intensity, GramsCo2ePerKwh(40));
  EXPECT_EQ(ParseCarbonReading(kSeries, "ES", now).status().code(), absl::StatusCode::kNotFound);
  const auto one = ParseCarbonReading(
      R"({"zone":"DE","carbonIntensity":7,"datetime":"2026-11-23T10:00:00Z"})", "", now);
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(one->intensity, GramsCo2ePerKwh(7));
  EXPECT_TRUE(
      ParseCarbonReading(absl::StrCat("{\"data\":", std::string(kSeries), "}"), "DE", now).ok());
}

TEST(CarbonReading, NonsenseIsRefusedWhole) {
  const absl::Time now = At("2026-11-23T10:30:00Z");
  for (const std::string_view bad :
       {"", "[]", "7", "{", R"([{"zone":"DE"}])",
        R"([{"zone":"DE","carbonIntensity":"310","datetime":"2026-11-23T09:00:00Z"}])",
        R"([{"zone":"DE","carbonIntensity":-1,"datetime":"2026-11-23T09:00:00Z"}])",
        R"([{"zone":"DE","carbonIntensity":1e9,"datetime":"2026-11-23T09:00:00Z"}])",
        R"([{"zone":"DE","carbonIntensity":310,"datetime":"yesterday"}])", R"(["DE"])"})
    EXPECT_FALSE(ParseCarbonReading(bad, "DE", now).ok()) << bad;
}

}  // namespace
}  // namespace spillway
