#pragma once

#include <cmath>
#include <compare>
#include <concepts>
#include <cstdint>
#include <limits>

#include "absl/numeric/int128.h"
#include "absl/time/time.h"

// Numbers that remember their unit. Money, energy and carbon are exact integers, so that sums do
// not depend on their order; each is rounded in one place, where a rate meets a time, half away
// from zero. Results that do not fit saturate at the ends of the range: a price book of absurd
// numbers may make work look infinitely dear, never cheap or negative.
namespace spillway {

// Usd + Joules and Usd + 1 do not compile. Default is zero.
template <class Tag, class Rep = double>
class Quantity {
 public:
  using rep = Rep;
  constexpr Quantity() = default;
  constexpr explicit Quantity(Rep value) : value_(value) {}
  constexpr Rep value() const { return value_; }

  friend constexpr Quantity operator+(Quantity a, Quantity b) {
    return Quantity(a.value_ + b.value_);
  }
  friend constexpr Quantity operator-(Quantity a, Quantity b) {
    return Quantity(a.value_ - b.value_);
  }
  friend constexpr Quantity operator-(Quantity a) { return Quantity(-a.value_); }
  friend constexpr auto operator<=>(Quantity, Quantity) = default;
  constexpr Quantity& operator+=(Quantity other) { return *this = *this + other; }
  constexpr Quantity& operator-=(Quantity other) { return *this = *this - other; }
  // Scaling by a whole number is exact; by a fraction it is rounded once (see Scale below).
  friend constexpr Quantity operator*(Quantity a, std::int64_t n) {
    return Quantity(a.value_ * static_cast<Rep>(n));
  }

 private:
  Rep value_{};
};

using Usd = Quantity<struct UsdTag, std::int64_t>;                // nano-dollars
using UsdPerHour = Quantity<struct UsdPerHourTag, std::int64_t>;  // nano-dollars an hour
using UsdPerMtoken =
    Quantity<struct UsdPerMtokenTag, std::int64_t>;             // nano-dollars a million tokens
using UsdPerGib = Quantity<struct UsdPerGibTag, std::int64_t>;  // nano-dollars a GiB (egress)
using UsdPerKwh = Quantity<struct UsdPerKwhTag, std::int64_t>;  // nano-dollars a kWh (tariff)
using Joules = Quantity<struct JoulesTag, std::int64_t>;        // microjoules
using Watts = Quantity<struct WattsTag>;
using GramsCo2e = Quantity<struct GramsCo2eTag, std::int64_t>;  // micrograms
using GramsCo2ePerKwh = Quantity<struct GramsCo2ePerKwhTag>;
using Tokens = Quantity<struct TokensTag, std::int64_t>;
using Bytes = Quantity<struct BytesTag, std::int64_t>;
using BytesPerSecond = Quantity<struct BytesPerSecondTag>;
using OpsPerSecond =
    Quantity<struct OpsPerSecondTag>;  // FLOP/s or integer operations a second, dense
using MilliCpus = Quantity<struct MilliCpusTag, std::int64_t>;  // 1000 = one CPU

inline constexpr double kJoulesPerKwh = 3.6e6;
inline constexpr std::int64_t kNanosPerUsd = 1'000'000'000;
inline constexpr std::int64_t kMicrosPerJoule = 1'000'000;
inline constexpr std::int64_t kMicrosPerGram = 1'000'000;

namespace units_internal {

inline std::int64_t Saturate(absl::int128 v) {
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  constexpr auto kMin = std::numeric_limits<std::int64_t>::min();
  if (v > absl::int128(kMax)) return kMax;
  if (v < absl::int128(kMin)) return kMin;
  return static_cast<std::int64_t>(v);
}
inline std::int64_t RoundedQuotient(absl::int128 exact, std::int64_t divisor) {
  const absl::int128 half = exact < 0 ? -absl::int128(divisor / 2) : absl::int128(divisor / 2);
  return Saturate((exact + half) / divisor);
}
inline std::int64_t Round(double v) {
  constexpr double kLimit = 9.2e18;  // llround is undefined past the range of int64
  if (std::isnan(v)) return std::numeric_limits<std::int64_t>::max();
  if (v >= kLimit) return std::numeric_limits<std::int64_t>::max();
  if (v <= -kLimit) return std::numeric_limits<std::int64_t>::min();
  return std::llround(v);
}

}  // namespace units_internal

// Times are rounded to nanoseconds before they are compared. InfiniteDuration saturates (292
// years).
inline std::int64_t ToNanos(absl::Duration d) { return absl::ToInt64Nanoseconds(d); }
inline absl::Duration RoundToNanos(absl::Duration d) {
  return d == absl::InfiniteDuration() ? d : absl::Nanoseconds(ToNanos(d));
}

// Rounds once, to the nearest nano-dollar; the product is exact in 128 bits.
inline Usd operator*(UsdPerHour rate, absl::Duration held) {
  constexpr std::int64_t kHour = 3'600'000'000'000;
  return Usd(units_internal::RoundedQuotient(absl::int128(rate.value()) * ToNanos(held), kHour));
}
inline Usd operator*(UsdPerMtoken price, Tokens tokens) {
  return Usd(
      units_internal::RoundedQuotient(absl::int128(price.value()) * tokens.value(), 1'000'000));
}
inline Joules operator*(Watts draw, absl::Duration held) {
  return Joules(
      units_internal::Round(draw.value() * absl::ToDoubleSeconds(held) * kMicrosPerJoule));
}
// g/kWh x uJ / (J/kWh) = ug
inline GramsCo2e operator*(GramsCo2ePerKwh grid, Joules used) {
  return GramsCo2e(
      units_internal::Round(grid.value() * static_cast<double>(used.value()) / kJoulesPerKwh));
}
// n$/kWh x uJ / (uJ/kWh) = n$
inline Usd operator*(UsdPerKwh tariff, Joules used) {
  constexpr std::int64_t kMicrojoulesPerKwh = 3'600'000 * kMicrosPerJoule;
  return Usd(units_internal::RoundedQuotient(absl::int128(tariff.value()) * used.value(),
                                             kMicrojoulesPerKwh));
}

// A part of a rate or an amount: `fraction` in [0, 1] for shares, any finite factor for ratios.
template <class Tag>
Quantity<Tag, std::int64_t> Scale(Quantity<Tag, std::int64_t> whole, double fraction) {
  return Quantity<Tag, std::int64_t>(
      units_internal::Round(static_cast<double>(whole.value()) * fraction));
}
template <class Tag>
Quantity<Tag, double> Scale(Quantity<Tag, double> whole, double fraction) {
  return Quantity<Tag, double>(whole.value() * fraction);
}
inline absl::Duration Scale(absl::Duration whole, double factor) {
  if (whole == absl::InfiniteDuration()) return whole;
  return absl::Nanoseconds(units_internal::Round(static_cast<double>(ToNanos(whole)) * factor));
}

}  // namespace spillway
