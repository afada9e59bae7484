#include "formats/units.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "core/status.h"
#include "core/text.h"
#include "formats/decimal_text.h"

namespace spillway {
namespace {

struct WholeUnit {
  std::string_view name;
  std::int64_t factor;
};
struct RealUnit {
  std::string_view name;
  int exponent;       // of ten
  double binary = 1;  // times this: exact, a power of two
};

constexpr std::int64_t kKi = 1024, kMi = kKi << 10, kGi = kMi << 10, kTi = kGi << 10,
                       kPi = kTi << 10;
constexpr WholeUnit kByteUnits[] = {{"GiB", kGi},
                                    {"MiB", kMi},
                                    {"KiB", kKi},
                                    {"TiB", kTi},
                                    {"PiB", kPi},
                                    {"GB", 1'000'000'000},
                                    {"MB", 1'000'000},
                                    {"kB", 1000},
                                    {"KB", 1000},
                                    {"TB", 1'000'000'000'000},
                                    {"PB", 1'000'000'000'000'000},
                                    {"B", 1}};
// Largest first: a duration names them in this order. `m` and `min` are one.
constexpr WholeUnit kTimeUnits[] = {{"d", 86'400'000'000'000},
                                    {"h", 3'600'000'000'000},
                                    {"min", 60'000'000'000},
                                    {"m", 60'000'000'000},
                                    {"s", 1'000'000'000},
                                    {"ms", 1'000'000},
                                    {"us", 1000},
                                    {"ns", 1}};
constexpr WholeUnit kUsd[] = {{"USD", kNanosPerUsd}};
constexpr WholeUnit kUsdPerMtoken[] = {{"USD/Mtoken", kNanosPerUsd}};
constexpr WholeUnit kUsdPerGib[] = {{"USD/GiB", kNanosPerUsd}};
constexpr WholeUnit kUsdPerKwh[] = {{"USD/kWh", kNanosPerUsd}};
constexpr RealUnit kWatts[] = {{"W", 0}, {"mW", -3}, {"kW", 3}};
constexpr RealUnit kCarbon[] = {{"gCO2e/kWh", 0}};
constexpr WholeUnit kCo2e[] = {{"kgCO2e", 1000 * kMicrosPerGram},
                               {"gCO2e", kMicrosPerGram},
                               {"tCO2e", 1'000'000 * kMicrosPerGram}};
constexpr RealUnit kByteRates[] = {{"GB/s", 9},         {"MB/s", 6},          {"kB/s", 3},
                                   {"KB/s", 3},         {"TB/s", 12},         {"B/s", 0},
                                   {"GiB/s", 0, kGi},   {"MiB/s", 0, kMi},    {"KiB/s", 0, kKi},
                                   {"TiB/s", 0, kTi},   {"Gbit/s", 9, 0.125}, {"Mbit/s", 6, 0.125},
                                   {"kbit/s", 3, 0.125}};
constexpr RealUnit kOpRates[] = {{"TFLOP/s", 12}, {"TOP/s", 12}, {"GFLOP/s", 9},  {"GOP/s", 9},
                                 {"MFLOP/s", 6},  {"MOP/s", 6},  {"PFLOP/s", 15}, {"POP/s", 15}};
constexpr RealUnit kPerSecond[] = {{"/s", 0}};
constexpr RealUnit kPercent[] = {{"%", -2}};

// What a quantity is called and what a right one looks like.
struct Words {
  std::string_view what, example;
};

absl::Status Wrong(std::string_view text, std::string_view why, const Words& words) {
  return absl::InvalidArgumentError(absl::StrCat("`", ToAbsl(text), "` ", ToAbsl(why), ": write ",
                                                 ToAbsl(words.what), " like `",
                                                 ToAbsl(words.example), "`"));
}
std::string_view WithoutNumber(const Words& words) { return SplitNumber(words.example).unit; }
bool IsSpaced(const Words& words) { return words.example.find(' ') != std::string_view::npos; }

// "80" where "16GiB" is right: shows the same number with a unit.
absl::Status NoUnit(std::string_view number, const Words& words) {
  return absl::InvalidArgumentError(
      absl::StrCat("`", ToAbsl(number), "` has no unit: write ", ToAbsl(words.what), " like `",
                   ToAbsl(number), IsSpaced(words) ? " " : "", ToAbsl(WithoutNumber(words)), "`"));
}

template <class Unit>
absl::Status UnknownUnit(std::string_view text, std::string_view unit, absl::Span<const Unit> known,
                         const Words& words) {
  std::vector<std::string> names;
  for (const Unit& u : known) names.emplace_back(u.name);
  const std::string nearest = NearestWord(unit, names);
  const std::string hint =
      nearest.empty() || names.size() == 1 ? "" : absl::StrCat(" (did you mean ", nearest, "?)");
  return Wrong(text, absl::StrCat("has an unknown unit `", ToAbsl(unit), "`", hint), words);
}

template <class Unit>
const Unit* FindUnit(std::string_view name, absl::Span<const Unit> known) {
  const auto found =
      std::find_if(known.begin(), known.end(), [&](const Unit& unit) { return unit.name == name; });
  return found == known.end() ? nullptr : &*found;
}

// The checks that every quantity shares: a decimal number, not negative, with a known unit.
template <class Unit>
absl::StatusOr<const Unit*> ParseUnit(std::string_view text, absl::Span<const Unit> known,
                                      const Words& words) {
  if (text.empty()) return Wrong(text, "is empty", words);
  if (text.starts_with('-')) return Wrong(text, "is negative", words);
  const auto [number, unit] = SplitNumber(text);
  if (!IsDecimal(number)) return Wrong(text, "does not begin with a plain number", words);
  if (unit.empty()) return NoUnit(number, words);
  if (const Unit* found = FindUnit(unit, known)) return found;
  return UnknownUnit(text, unit, known, words);
}

absl::StatusOr<std::int64_t> ParseWhole(std::string_view text, absl::Span<const WholeUnit> known,
                                        const Words& words) {
  SPILLWAY_ASSIGN_OR_RETURN(const WholeUnit* unit, ParseUnit(text, known, words));
  const auto amount = ExactProduct(SplitNumber(text).number, unit->factor);
  if (!amount) return Wrong(text, "is too large or too finely divided", words);
  return *amount;
}
absl::StatusOr<double> ParseReal(std::string_view text, absl::Span<const RealUnit> known,
                                 const Words& words) {
  SPILLWAY_ASSIGN_OR_RETURN(const RealUnit* unit, ParseUnit(text, known, words));
  const auto amount = RealProduct(SplitNumber(text).number, unit->exponent);
  if (!amount) return Wrong(text, "is too large", words);
  return *amount * unit->binary;
}

template <class Q>
absl::StatusOr<Q> As(absl::StatusOr<typename Q::rep> amount) {
  if (!amount.ok()) return amount.status();
  return Q(*amount);
}

std::string WithUnit(std::int64_t nanos, std::string_view unit) {
  return absl::StrCat(FixedText(nanos, 9, 2), " ", ToAbsl(unit));
}
std::string WithUnit(double amount, int exponent, std::string_view unit) {
  return absl::StrCat(ShortestText(amount, exponent), ToAbsl(unit));
}

constexpr Words kSize{"a size", "16GiB"}, kDuration{"a duration", "30s"},
    kPrice{"an amount", "0.45 USD"}, kTokenPrice{"a price", "0.20 USD/Mtoken"},
    kEgressPrice{"a price", "0.09 USD/GiB"}, kTariff{"a tariff", "0.12 USD/kWh"},
    kPower{"a power", "40 W"}, kIntensity{"an intensity", "250 gCO2e/kWh"},
    kMass{"a mass of CO2e", "1500 kgCO2e"}, kBandwidth{"a bandwidth", "600 GB/s"},
    kPeak{"a rate", "312 TFLOP/s"}, kRate{"a rate", "420/s"}, kPart{"a percentage", "2%"},
    kAging{"how fast", "1 per 10min` or `never"};

}  // namespace

absl::StatusOr<Bytes> ParseBytes(std::string_view text) {
  return As<Bytes>(ParseWhole(text, kByteUnits, kSize));
}
std::string Format(Bytes bytes) {
  constexpr WholeUnit kBinary[] = {{"PiB", kPi}, {"TiB", kTi}, {"GiB", kGi},
                                   {"MiB", kMi}, {"KiB", kKi}, {"B", 1}};
  for (const WholeUnit& unit : kBinary) {
    const bool divides = bytes.value() != 0 && bytes.value() % unit.factor == 0;
    if (divides) return absl::StrCat(bytes.value() / unit.factor, ToAbsl(unit.name));
  }
  return "0B";
}

absl::StatusOr<absl::Duration> ParseDuration(std::string_view text) {
  constexpr std::int64_t kMost = 36'525 * kTimeUnits[0].factor;  // 100 years
  if (text.empty()) return Wrong(text, "is empty", kDuration);
  if (text.starts_with('-')) return Wrong(text, "is negative", kDuration);
  std::int64_t sum = 0;
  std::int64_t above = kMost;  // parts come largest unit first, each unit once
  for (std::string_view rest = text; !rest.empty();) {
    const auto number = SplitNumber(rest).number;
    const auto after = SplitNumber(rest).unit;
    const auto length = std::min(after.find_first_of("0123456789."), after.size());
    const std::string_view part(rest.data(),
                                static_cast<std::size_t>(after.data() - rest.data()) + length);
    SPILLWAY_ASSIGN_OR_RETURN(const WholeUnit* unit,
                              ParseUnit(part, absl::MakeConstSpan(kTimeUnits), kDuration));
    const auto amount = ExactProduct(number, unit->factor);
    if (!amount) return Wrong(text, "is too long or too finely divided", kDuration);
    if (unit->factor >= above) return Wrong(text, "names its units out of order", kDuration);
    if (*amount > kMost - sum) return Wrong(text, "is longer than 100 years", kDuration);
    sum += *amount;
    above = unit->factor;
    rest.remove_prefix(part.size());
  }
  return absl::Nanoseconds(sum);
}
std::string Format(absl::Duration duration) {
  std::int64_t rest = ToNanos(duration);
  if (rest == 0) return "0s";
  std::string text;
  for (const auto& [name, factor] : {kTimeUnits[1], kTimeUnits[2]}) {  // h, min
    if (rest >= factor) absl::StrAppend(&text, rest / factor, ToAbsl(name));
    rest %= factor;
  }
  if (rest == 0) return text;
  if (!text.empty() || rest >= kTimeUnits[4].factor) {
    return absl::StrCat(text, FixedText(rest, 9, 0), "s");
  }
  for (const WholeUnit* unit = &kTimeUnits[5]; unit != std::end(kTimeUnits); ++unit) {  // ms us ns
    if (rest % unit->factor == 0) return absl::StrCat(rest / unit->factor, ToAbsl(unit->name));
  }
  return text;
}

absl::StatusOr<MilliCpus> ParseCpus(std::string_view text) {
  constexpr Words kCpus{"a number of CPUs", "0.25"};
  if (text.starts_with('-')) return Wrong(text, "is negative", kCpus);
  if (!IsDecimal(text)) return Wrong(text, "is not a plain number", kCpus);
  const auto amount = ExactProduct(text, 1000);
  if (!amount) return Wrong(text, "has more than three decimals or is too large", kCpus);
  return MilliCpus(*amount);
}
std::string Format(MilliCpus cpus) { return FixedText(cpus.value(), 3, 0); }

absl::StatusOr<UsdPerHour> ParseUsdPerHour(std::string_view text) {
  return As<UsdPerHour>(ParseWhole(text, kUsd, kPrice));
}
absl::StatusOr<UsdPerMtoken> ParseUsdPerMtoken(std::string_view text) {
  return As<UsdPerMtoken>(ParseWhole(text, kUsdPerMtoken, kTokenPrice));
}
absl::StatusOr<UsdPerGib> ParseUsdPerGib(std::string_view text) {
  return As<UsdPerGib>(ParseWhole(text, kUsdPerGib, kEgressPrice));
}
absl::StatusOr<UsdPerKwh> ParseUsdPerKwh(std::string_view text) {
  return As<UsdPerKwh>(ParseWhole(text, kUsdPerKwh, kTariff));
}
std::string Format(UsdPerHour rate) { return WithUnit(rate.value(), "USD"); }
std::string Format(UsdPerMtoken price) { return WithUnit(price.value(), "USD/Mtoken"); }
std::string Format(UsdPerGib price) { return WithUnit(price.value(), "USD/GiB"); }
std::string Format(UsdPerKwh tariff) { return WithUnit(tariff.value(), "USD/kWh"); }

absl::StatusOr<Usd> ParseDecimalUsd(std::string_view text) {
  constexpr Words kDollars{"dollars as decimal text", "0.05"};
  if (text.starts_with('-')) return Wrong(text, "is negative", kDollars);
  if (!IsDecimal(text)) return Wrong(text, "is not a plain decimal number", kDollars);
  const auto amount = ExactProduct(text, kNanosPerUsd);
  if (!amount) return Wrong(text, "is too large or finer than a nano-dollar", kDollars);
  return Usd(*amount);
}

absl::StatusOr<Watts> ParseWatts(std::string_view text) {
  return As<Watts>(ParseReal(text, kWatts, kPower));
}
std::string Format(Watts watts) { return WithUnit(watts.value(), 0, " W"); }
absl::StatusOr<GramsCo2ePerKwh> ParseCarbon(std::string_view text) {
  return As<GramsCo2ePerKwh>(ParseReal(text, kCarbon, kIntensity));
}
absl::StatusOr<GramsCo2e> ParseGramsCo2e(std::string_view text) {
  return As<GramsCo2e>(ParseWhole(text, kCo2e, kMass));
}
std::string Format(GramsCo2ePerKwh intensity) {
  return WithUnit(intensity.value(), 0, " gCO2e/kWh");
}
absl::StatusOr<BytesPerSecond> ParseBytesPerSecond(std::string_view text) {
  return As<BytesPerSecond>(ParseReal(text, kByteRates, kBandwidth));
}
std::string Format(BytesPerSecond bandwidth) { return WithUnit(bandwidth.value(), -9, " GB/s"); }
absl::StatusOr<OpsPerSecond> ParseOpsPerSecond(std::string_view text) {
  return As<OpsPerSecond>(ParseReal(text, kOpRates, kPeak));
}
std::string Format(OpsPerSecond peak) { return WithUnit(peak.value(), -12, " TOP/s"); }

absl::StatusOr<double> ParsePerSecond(std::string_view text) {
  SPILLWAY_ASSIGN_OR_RETURN(const double rate, ParseReal(text, kPerSecond, kRate));
  if (rate <= 0) return Wrong(text, "is not more than zero", kRate);
  return rate;
}
std::string FormatPerSecond(double rate) { return WithUnit(rate, 0, "/s"); }

absl::StatusOr<double> ParsePercent(std::string_view text) {
  SPILLWAY_ASSIGN_OR_RETURN(const double part, ParseReal(text, kPercent, kPart));
  if (part > 1) return Wrong(text, "is more than 100%", kPart);
  return part;
}
std::string FormatPercent(double fraction) { return WithUnit(fraction, 2, "%"); }

absl::StatusOr<double> ParsePercentOf(std::string_view text, std::string_view whole) {
  const std::string tail = absl::StrCat(" of ", ToAbsl(whole));
  const std::string example = absl::StrCat("75%", tail);
  if (!text.ends_with(tail)) {
    return Wrong(text, absl::StrCat("does not end in `", tail.substr(1), "`"), {"a part", example});
  }
  return ParsePercent(text.substr(0, text.size() - tail.size()));
}
std::string FormatPercentOf(double fraction, std::string_view whole) {
  return absl::StrCat(FormatPercent(fraction), " of ", ToAbsl(whole));
}

absl::StatusOr<absl::Duration> ParseOnePer(std::string_view text) {
  constexpr std::string_view kPer = " per ";
  if (text == "never") return absl::InfiniteDuration();
  const auto at = text.find(kPer);
  if (at == std::string_view::npos) return Wrong(text, "does not say how often", kAging);
  const std::string_view count = text.substr(0, at);
  const auto points = IsDecimal(count) ? ExactProduct(count, 1) : std::nullopt;
  if (!points || *points < 1) return Wrong(text, "does not begin with a whole number", kAging);
  SPILLWAY_ASSIGN_OR_RETURN(const absl::Duration each,
                            ParseDuration(text.substr(at + kPer.size())));
  if (each / *points < absl::Nanoseconds(1)) return Wrong(text, "is too often", kAging);
  return absl::Nanoseconds(ToNanos(each) / *points);
}
std::string FormatOnePer(absl::Duration each) {
  return each == absl::InfiniteDuration() ? "never" : absl::StrCat("1 per ", Format(each));
}

}  // namespace spillway
