#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "core/scenario.h"
#include "formats/reader.h"
#include "formats/scenario_inputs.h"

// The `world:` of a scenario, and the series that it reads.
namespace spillway {

// What the world may name, and when it begins. Borrowed for the call.
struct WorldSources {
  const FleetSpec& pools;  // of all fleets that are read from files
  bool pools_are_known;    // false: some fleet could not be read, so names are not checked
  absl::Time start;
};
void ReadWorld(const Place& at, const WorldSources& sources, ScenarioInputs& inputs,
               WorldSpec& out);

// CSV with the columns pool, from (RFC 3339) and node_hour_usd, or input_usd_per_mtoken and
// output_usd_per_mtoken for tokens; as_of and source if they stand there. The rules of
// `kind: Prices` hold (formats/config_file.h).
absl::StatusOr<PricesSpec> ReadPricesCsv(const std::string& path, const FleetSpec& fleet);

// CSV of the nodes that could be had: columns seconds and available; or, as recorded by Bamboo
// (Thorpe et al., NSDI 2023), time_ms, event (add, remove) and node. Times rise or stay; entries of
// one instant are folded into one.
absl::StatusOr<std::vector<std::pair<absl::Duration, int>>> ReadSpotTrace(const std::string& path);

struct CarbonColumns {
  std::string zone;    // empty: the file has no column `zone`, or all of it is meant
  std::string column;  // empty: gCO2eq_per_kWh_lca, else gCO2eq_per_kWh
};
// CSV with a column datetime_utc ("2023-01-01 00:00:00", or RFC 3339) and grams of CO2e a kWh.
absl::StatusOr<std::vector<std::pair<absl::Time, GramsCo2ePerKwh>>> ReadCarbonCsv(
    const std::string& path, const CarbonColumns& columns);

}  // namespace spillway
