#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/pool.h"
#include "core/units.h"
#include "formats/reader.h"

// How dirty the electricity of sites is, as grids say it: where to ask (`kind: Carbon` of the
// configuration), and what the answers mean.
namespace spillway {

// Where a site's intensity comes from: a file that somebody renews, or a URL that is asked.
struct CarbonSource {
  std::string site, zone;  // zone: as the source names it; empty: the source tells of one alone
  std::string file, url;   // one of them
  absl::Duration every = absl::Minutes(5);      // at least ten seconds
  absl::Duration stale_after = absl::Hours(2);  // a reading older than this is said to be old
  friend bool operator==(const CarbonSource&, const CarbonSource&) = default;
};

// `kind: Carbon`: {sources: [{site, zone, file | url, every, stale_after}]}. Sites are those of the
// fleet's pools; each has one source.
void ReadCarbonSources(const Place& at, const FleetSpec& fleet, std::vector<CarbonSource>& out);

struct CarbonReading {
  GramsCo2ePerKwh intensity{};
  absl::Time as_of;
};
// The newest entry of the zone that is not of the future, from JSON of the shape {zone,
// carbonIntensity, datetime}: one such object, a list of them, or {data: [...]}. Intensities are
// gCO2eq/kWh, from 0 to 5,000. Anything that cannot be read refuses the whole.
absl::StatusOr<CarbonReading> ParseCarbonReading(std::string_view json, std::string_view zone,
                                                 absl::Time now);

}  // namespace spillway
