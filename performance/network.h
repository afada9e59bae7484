#pragma once

#include "absl/time/time.h"
#include "core/pool.h"
#include "core/units.h"

// The way between clients and a site. Bytes that come in cost nothing; those that leave cost what
// the site's provider asks for (egress). Text is counted without the frames around it: of answers,
// tokens x the bytes of one.
namespace spillway {

// The round trip, and the time that what is sent takes over a line of the site's bandwidth. Lines
// are not shared: a prompt does not wait for others.
inline absl::Duration WayTo(const Site& site, Bytes sent) {
  if (!site.bandwidth || site.bandwidth->value() <= 0) return site.round_trip;
  const double seconds = static_cast<double>(sent.value()) / site.bandwidth->value();
  return site.round_trip + RoundToNanos(absl::Seconds(seconds));
}

// Rounded once, to the nano-dollar.
inline Usd EgressOf(const Site& site, Bytes leaving) {
  constexpr std::int64_t kGib = std::int64_t{1} << 30;
  return Usd(
      units_internal::RoundedQuotient(absl::int128(site.egress.value()) * leaving.value(), kGib));
}

}  // namespace spillway
