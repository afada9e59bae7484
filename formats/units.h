#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/units.h"

// Quantities as people write them, with their units, and back. Each Parse takes the whole text
// (one space may stand before the unit), is exact or refuses, and says in its error what to write.
// Negative amounts, NaN, infinities and what the type cannot hold are refused. Each Format writes a
// text that Parse reads back as the same value.
namespace spillway {

// "16GiB", "1.5 TiB", "512 MB", "0B": B, kB KB MB GB TB PB (powers of 1000), KiB MiB GiB TiB PiB
// (of 1024). Whole bytes only.
absl::StatusOr<Bytes> ParseBytes(std::string_view text);
std::string Format(Bytes bytes);  // the largest binary unit that divides it: "16GiB"

// "30s", "1h30m", "250ms", "10min", "2d": ns us ms s m=min h d, largest first, at most 100 years.
absl::StatusOr<absl::Duration> ParseDuration(std::string_view text);
std::string Format(absl::Duration duration);  // "1h30min"; finite and not negative

// "0.25", "8": CPUs with at most three decimals. No unit.
absl::StatusOr<MilliCpus> ParseCpus(std::string_view text);
std::string Format(MilliCpus cpus);

// "0.45 USD", exact to the nano-dollar. UsdPerHour: what stands under a key that says "hour".
absl::StatusOr<UsdPerHour> ParseUsdPerHour(std::string_view text);
absl::StatusOr<UsdPerMtoken> ParseUsdPerMtoken(std::string_view text);  // "0.20 USD/Mtoken"
absl::StatusOr<UsdPerGib> ParseUsdPerGib(std::string_view text);        // "0.09 USD/GiB"
absl::StatusOr<UsdPerKwh> ParseUsdPerKwh(std::string_view text);        // "0.12 USD/kWh"
std::string Format(UsdPerHour rate);
std::string Format(UsdPerMtoken price);
std::string Format(UsdPerGib price);
std::string Format(UsdPerKwh tariff);

// "0.05": dollars as a decimal string without a unit, as in every JSON (keys end in _usd). Core's
// Decimal(Usd) writes them.
absl::StatusOr<Usd> ParseDecimalUsd(std::string_view text);

absl::StatusOr<Watts> ParseWatts(std::string_view text);  // "40 W": mW W kW
std::string Format(Watts watts);
absl::StatusOr<GramsCo2ePerKwh> ParseCarbon(std::string_view text);  // "250 gCO2e/kWh"
std::string Format(GramsCo2ePerKwh intensity);
absl::StatusOr<GramsCo2e> ParseGramsCo2e(std::string_view text);  // "1500 kgCO2e": g kg t
// "600 GB/s": kB MB GB TB KiB MiB GiB TiB, and in bits kbit Mbit Gbit, a second.
absl::StatusOr<BytesPerSecond> ParseBytesPerSecond(std::string_view text);
std::string Format(BytesPerSecond bandwidth);
// "312 TFLOP/s", "140 TOP/s": M G T P.
absl::StatusOr<OpsPerSecond> ParseOpsPerSecond(std::string_view text);
std::string Format(OpsPerSecond peak);  // in TOP/s

absl::StatusOr<double> ParsePerSecond(std::string_view text);  // "420/s": units a second, > 0
std::string FormatPerSecond(double rate);

// "2%" is 0.02. From 0 to 100 %.
absl::StatusOr<double> ParsePercent(std::string_view text);
std::string FormatPercent(double fraction);
// "75% of slack" with whole = "slack".
absl::StatusOr<double> ParsePercentOf(std::string_view text, std::string_view whole);
std::string FormatPercentOf(double fraction, std::string_view whole);

// "1 per 10min" is 10 minutes: how long it takes to count one. "never" is infinite.
absl::StatusOr<absl::Duration> ParseOnePer(std::string_view text);
std::string FormatOnePer(absl::Duration each);

// RFC 3339, with an offset: "2026-08-01T00:00:00Z". Years 1970 to 2200.
absl::StatusOr<absl::Time> ParseTime(std::string_view text);
std::string Format(absl::Time time);  // UTC, up to nine decimals, as many as it takes
// "2026-07-20": checked to be a day, kept as text.
absl::StatusOr<std::string> ParseDay(std::string_view text);

}  // namespace spillway
