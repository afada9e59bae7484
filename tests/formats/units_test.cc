#include "formats/units.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "absl/strings/str_cat.h"
#include "core/explain.h"

namespace spillway {
namespace {

// A reader as text to text: the canonical form, or the error.
template <class Parse>
std::function<std::string(std::string_view)> Through(Parse parse) {
  return [parse](std::string_view text) {
    const auto value = parse(text);
    return value.ok() ? Format(*value) : std::string(value.status().message());
  };
}
std::string Percent(std::string_view text) {
  const auto value = ParsePercent(text);
  return value.ok() ? FormatPercent(*value) : std::string(value.status().message());
}
std::string Slack(std::string_view text) {
  const auto value = ParsePercentOf(text, "slack");
  return value.ok() ? FormatPercentOf(*value, "slack") : std::string(value.status().message());
}
std::string OnePer(std::string_view text) {
  const auto value = ParseOnePer(text);
  return value.ok() ? FormatOnePer(*value) : std::string(value.status().message());
}
std::string PerSecond(std::string_view text) {
  const auto value = ParsePerSecond(text);
  return value.ok() ? FormatPerSecond(*value) : std::string(value.status().message());
}
std::string Dollars(std::string_view text) {
  const auto value = ParseDecimalUsd(text);
  return value.ok() ? Decimal(*value) : std::string(value.status().message());
}
std::string Day(std::string_view text) {
  const auto value = ParseDay(text);
  return value.ok() ? *value : std::string(value.status().message());
}

struct Case {
  std::function<std::string(std::string_view)> reader;
  std::string_view text, result;
};
class Quantities : public testing::TestWithParam<Case> {};
TEST_P(Quantities, ReadAsWrittenOrSayWhatToWrite) {
  const Case& c = GetParam();
  EXPECT_EQ(c.reader(c.text), c.result) << c.text;
}

const auto kBytes = Through(ParseBytes);
INSTANTIATE_TEST_SUITE_P(
    Sizes, Quantities,
    testing::Values(
        Case{kBytes, "80GiB", "80GiB"}, Case{kBytes, "80 GiB", "80GiB"},
        Case{kBytes, "1024MiB", "1GiB"}, Case{kBytes, "1.5GiB", "1536MiB"},
        Case{kBytes, "16 GB", "15625000KiB"}, Case{kBytes, "0B", "0B"}, Case{kBytes, "1B", "1B"},
        Case{kBytes, "8191PiB", "8191PiB"},
        Case{kBytes, "16", "`16` has no unit: write a size like `16GiB`"},
        Case{kBytes, "16gib",
             "`16gib` has an unknown unit `gib` (did you mean GiB?): write a size like "
             "`16GiB`"},
        Case{kBytes, "-1GiB", "`-1GiB` is negative: write a size like `16GiB`"},
        Case{kBytes, "GiB", "`GiB` does not begin with a plain number: write a size like `16GiB`"},
        Case{kBytes, "1e3MiB",
             "`1e3MiB` has an unknown unit `e3MiB` (did you mean MiB?): write a size like `16GiB`"},
        Case{kBytes, "nan",
             "`nan` does not begin with a plain number: write a size "
             "like `16GiB`"},
        Case{kBytes, "inf GiB",
             "`inf GiB` does not begin with a plain number: write a "
             "size like `16GiB`"},
        Case{kBytes, "0.3GiB",
             "`0.3GiB` is too large or too finely divided: write a size like `16GiB`"},
        Case{kBytes, "8192PiB",
             "`8192PiB` is too large or too finely divided: write a size like `16GiB`"},
        Case{kBytes, "99999999999999999999B",
             "`99999999999999999999B` is too large or too finely divided: write a size "
             "like `16GiB`"},
        Case{kBytes, "1  GiB",
             "`1  GiB` has an unknown unit ` GiB` (did you mean GiB?): write a size like "
             "`16GiB`"},
        Case{kBytes, "1.2.3GiB",
             "`1.2.3GiB` does not begin with a plain number: write "
             "a size like `16GiB`"},
        Case{kBytes, "", "`` is empty: write a size like `16GiB`"}));

const auto kDuration = Through(ParseDuration);
INSTANTIATE_TEST_SUITE_P(
    Durations, Quantities,
    testing::Values(
        Case{kDuration, "30s", "30s"}, Case{kDuration, "1h30m", "1h30min"},
        Case{kDuration, "250ms", "250ms"}, Case{kDuration, "10min", "10min"},
        Case{kDuration, "10 min", "10min"}, Case{kDuration, "2d", "48h"},
        Case{kDuration, "1.5h", "1h30min"}, Case{kDuration, "0.25s", "250ms"},
        Case{kDuration, "1.25s", "1.25s"}, Case{kDuration, "90.5s", "1min30.5s"},
        Case{kDuration, "0s", "0s"}, Case{kDuration, "1ns", "1ns"},
        Case{kDuration, "1500us", "1500us"}, Case{kDuration, "36525d", "876600h"},
        Case{kDuration, "30", "`30` has no unit: write a duration like `30s`"},
        Case{kDuration, "1h30", "`30` has no unit: write a duration like `30s`"},
        Case{kDuration, "30s1h",
             "`30s1h` names its units out of order: write a duration like `30s`"},
        Case{kDuration, "1s1s", "`1s1s` names its units out of order: write a duration like `30s`"},
        Case{kDuration, "-5s", "`-5s` is negative: write a duration like `30s`"},
        Case{kDuration, "5sec",
             "`5sec` has an unknown unit `sec` (did you mean s?): write a duration like `30s`"},
        Case{kDuration, "0.5ns",
             "`0.5ns` is too long or too finely divided: write a "
             "duration like `30s`"},
        Case{kDuration, "36526d", "`36526d` is longer than 100 years: write a duration like `30s`"},
        Case{kDuration, "36525d1ns",
             "`36525d1ns` is longer than 100 years: write a duration like `30s`"},
        Case{kDuration, "inf",
             "`inf` does not begin with a plain number: write a duration like `30s`"}));

const auto kHour = Through(ParseUsdPerHour);
INSTANTIATE_TEST_SUITE_P(
    Money, Quantities,
    testing::Values(
        Case{kHour, "0.45 USD", "0.45 USD"}, Case{kHour, "2 USD", "2.00 USD"},
        Case{kHour, "0.82112 USD", "0.82112 USD"},
        Case{kHour, "0.000000001 USD", "0.000000001 USD"},
        Case{kHour, "9223372036.854775807 USD", "9223372036.854775807 USD"},
        Case{kHour, "0.45", "`0.45` has no unit: write an amount like `0.45 USD`"},
        Case{kHour, "0.45 EUR",
             "`0.45 EUR` has an unknown unit `EUR`: write an amount like `0.45 USD`"},
        Case{kHour, "-1 USD", "`-1 USD` is negative: write an amount like `0.45 USD`"},
        Case{kHour, "0.0000000001 USD",
             "`0.0000000001 USD` is too large or too finely divided: write an amount like "
             "`0.45 USD`"},
        Case{kHour, "9223372036.854775808 USD",
             "`9223372036.854775808 USD` is too large or too finely divided: write an amount like "
             "`0.45 USD`"},
        Case{Through(ParseUsdPerMtoken), "0.20 USD/Mtoken", "0.20 USD/Mtoken"},
        Case{Through(ParseUsdPerMtoken), "0.20 USD",
             "`0.20 USD` has an unknown unit `USD`: write a price like `0.20 USD/Mtoken`"},
        Case{Through(ParseUsdPerGib), "0.09 USD/GiB", "0.09 USD/GiB"},
        Case{Through(ParseUsdPerKwh), "0.12 USD/kWh", "0.12 USD/kWh"},
        Case{Dollars, "0.05", "0.050000000"}, Case{Dollars, "12", "12.000000000"},
        Case{Dollars, "0.0000000001",
             "`0.0000000001` is too large or finer than a nano-dollar: write dollars as decimal "
             "text "
             "like `0.05`"},
        Case{Dollars, "-0.05", "`-0.05` is negative: write dollars as decimal text like `0.05`"},
        Case{Dollars, "5e-2",
             "`5e-2` is not a plain decimal number: write dollars as decimal text like `0.05`"},
        Case{Dollars, "0.05 USD",
             "`0.05 USD` is not a plain decimal number: write dollars as decimal text like "
             "`0.05`"}));

INSTANTIATE_TEST_SUITE_P(
    Rates, Quantities,
    testing::Values(
        Case{Through(ParseWatts), "40 W", "40 W"}, Case{Through(ParseWatts), "1.2kW", "1200 W"},
        Case{Through(ParseWatts), "300 mW", "0.3 W"}, Case{Through(ParseWatts), "0 W", "0 W"},
        Case{Through(ParseWatts), "40", "`40` has no unit: write a power like `40 W`"},
        Case{Through(ParseWatts), "1000000000000000000000000000000000 W",
             "`1000000000000000000000000000000000 W` is too large: write a power like `40 W`"},
        Case{Through(ParseCarbon), "250 gCO2e/kWh", "250 gCO2e/kWh"},
        Case{Through(ParseCarbon), "250 g/kWh",
             "`250 g/kWh` has an unknown unit `g/kWh`: write an intensity like `250 gCO2e/kWh`"},
        Case{Through(ParseBytesPerSecond), "600 GB/s", "600 GB/s"},
        Case{Through(ParseBytesPerSecond), "1 Gbit/s", "0.125 GB/s"},
        Case{Through(ParseBytesPerSecond), "1 GiB/s", "1.073741824 GB/s"},
        Case{Through(ParseOpsPerSecond), "312 TFLOP/s", "312 TOP/s"},
        Case{Through(ParseOpsPerSecond), "140 TOP/s", "140 TOP/s"},
        Case{Through(ParseOpsPerSecond), "512 MOP/s", "0.000512 TOP/s"},
        Case{Through(ParseOpsPerSecond), "312 TFLOPS",
             "`312 TFLOPS` has an unknown unit `TFLOPS` (did you mean TFLOP/s?): write a rate like "
             "`312 TFLOP/s`"},
        Case{PerSecond, "420/s", "420/s"}, Case{PerSecond, "0.5/s", "0.5/s"},
        Case{PerSecond, "0/s", "`0/s` is not more than zero: write a rate like `420/s`"},
        Case{PerSecond, "420", "`420` has no unit: write a rate like `420/s`"},
        Case{Percent, "2%", "2%"}, Case{Percent, "0.1%", "0.1%"}, Case{Percent, "100%", "100%"},
        Case{Percent, "0.02", "`0.02` has no unit: write a percentage like `0.02%`"},
        Case{Percent, "101%", "`101%` is more than 100%: write a percentage like `2%`"},
        Case{Slack, "75% of slack", "75% of slack"},
        Case{Slack, "75%", "`75%` does not end in `of slack`: write a part like `75% of slack`"},
        Case{Slack, "75% of ttft",
             "`75% of ttft` does not end in `of slack`: write a part like `75% of slack`"},
        Case{OnePer, "1 per 10min", "1 per 10min"}, Case{OnePer, "2 per 10min", "1 per 5min"},
        Case{OnePer, "never", "never"},
        Case{OnePer, "10min",
             "`10min` does not say how often: write how fast like `1 per 10min` or `never`"},
        Case{OnePer, "0 per 10min",
             "`0 per 10min` does not begin with a whole number: write how fast like `1 per 10min` "
             "or `never`"},
        Case{Through(ParseCpus), "0.25", "0.25"}, Case{Through(ParseCpus), "8", "8"},
        Case{Through(ParseCpus), "0.0005",
             "`0.0005` has more than three decimals or is too large: write a number of CPUs like "
             "`0.25`"},
        Case{Through(ParseCpus), "2 cores",
             "`2 cores` is not a plain number: write a number of CPUs like `0.25`"}));

const auto kTime = Through(ParseTime);
INSTANTIATE_TEST_SUITE_P(
    Times, Quantities,
    testing::Values(
        Case{kTime, "2026-08-01T00:00:00Z", "2026-08-01T00:00:00Z"},
        Case{kTime, "2026-08-01t02:30:00.250+02:30", "2026-08-01T00:00:00.25Z"},
        Case{kTime, "1970-01-01T00:00:00.000000001Z", "1970-01-01T00:00:00.000000001Z"},
        Case{kTime, "2026-08-01",
             "`2026-08-01` is no RFC 3339 time with an offset: write a time like "
             "`2026-08-01T00:00:00Z`"},
        Case{kTime, "2026-02-30T00:00:00Z",
             "`2026-02-30T00:00:00Z` is no RFC 3339 time with an offset: write a time like "
             "`2026-08-01T00:00:00Z`"},
        Case{kTime, "infinite-future",
             "`infinite-future` is no RFC 3339 time with an offset: write a time like "
             "`2026-08-01T00:00:00Z`"},
        Case{kTime, " 2026-08-01T00:00:00Z",
             "` 2026-08-01T00:00:00Z` is no RFC 3339 time with an offset: write a time like "
             "`2026-08-01T00:00:00Z`"},
        Case{kTime, "1969-12-31T23:59:59Z",
             "`1969-12-31T23:59:59Z` is not between 1970 and 2200: write a time like "
             "`2026-08-01T00:00:00Z`"},
        Case{Day, "2026-07-20", "2026-07-20"},
        Case{Day, "2026-7-20", "`2026-7-20` is no day: write one like `2026-07-20`"},
        Case{Day, "2026-02-29", "`2026-02-29` is no day: write one like `2026-07-20`"}));

// Values over many magnitudes, the same for a seed.
std::int64_t Draw(std::mt19937_64& draw) {
  return static_cast<std::int64_t>(draw() >> 1 >> draw() % 63);
}

TEST(Quantities, WholeAmountsReadBackExactly) {
  constexpr std::int64_t kCentury = 36'525ll * 86'400 * 1'000'000'000;
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    std::mt19937_64 draw(seed);
    const std::int64_t n = Draw(draw);
    ASSERT_EQ(*ParseBytes(Format(Bytes(n))), Bytes(n)) << "seed " << seed;
    ASSERT_EQ(*ParseUsdPerHour(Format(UsdPerHour(n))), UsdPerHour(n)) << "seed " << seed;
    ASSERT_EQ(*ParseUsdPerKwh(Format(UsdPerKwh(n))), UsdPerKwh(n)) << "seed " << seed;
    ASSERT_EQ(*ParseDecimalUsd(Decimal(Usd(n))), Usd(n)) << "seed " << seed;
    ASSERT_EQ(*ParseCpus(Format(MilliCpus(n))), MilliCpus(n)) << "seed " << seed;
    const absl::Duration span = absl::Nanoseconds(n % kCentury);
    ASSERT_EQ(*ParseDuration(Format(span)), span) << "seed " << seed << " " << Format(span);
    const absl::Time time = absl::UnixEpoch() + absl::Nanoseconds(n % (2 * kCentury));
    ASSERT_EQ(*ParseTime(Format(time)), time) << "seed " << seed;
  }
}

TEST(Quantities, RealAmountsReadBackExactly) {
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    std::mt19937_64 draw(seed);
    const double x = static_cast<double>(Draw(draw)) / static_cast<double>(1 + (draw() >> 12));
    const double part = static_cast<double>(draw() >> 11) * 0x1p-53;
    ASSERT_EQ(*ParseWatts(Format(Watts(x))), Watts(x)) << "seed " << seed;
    ASSERT_EQ(*ParseOpsPerSecond(Format(OpsPerSecond(x))), OpsPerSecond(x)) << "seed " << seed;
    ASSERT_EQ(*ParseBytesPerSecond(Format(BytesPerSecond(x))), BytesPerSecond(x))
        << "seed " << seed;
    ASSERT_EQ(*ParsePercent(FormatPercent(part)), part) << "seed " << seed;
  }
}

}  // namespace
}  // namespace spillway
