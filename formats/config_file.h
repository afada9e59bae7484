#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/config.h"
#include "core/machine.h"
#include "formats/carbon_text.h"
#include "formats/findings.h"
#include "formats/reader.h"

// What `spillway serve --config` reads: one file of YAML documents of the kinds Server, Fleet,
// Policy, Prices, Tenants and Carbon, each at most once, in any order, all optional but Fleet.
namespace spillway {

struct LoadedConfig {
  ServerSpec server;
  Config config;  // pools whole (formats/pool_text.h), policy with defaults, catalogue copied in
  std::vector<InputFinding> warnings;
  std::vector<CarbonSource> carbon;
  Value policy;  // its document as it was written, for findings about what it means; null: none
};

// Everything that is wrong with the file is told at once, as findings (formats/findings.h). A
// reserved pool, a pool of a price or an address that makes no sense together is wrong, too;
// whether the policy makes sense over this fleet is up to policies/check.h.
absl::StatusOr<LoadedConfig> ParseConfig(std::string_view text, std::string_view name,
                                         const Catalog& catalog, const Machine& machine);
// The same of a file of at most 1 MiB.
absl::StatusOr<LoadedConfig> LoadConfig(const std::string& path, const Catalog& catalog,
                                        const Machine& machine);

struct PoolSources;
// The same from trees, for callers who look at the reading itself (known keys, warnings).
void ReadConfig(const std::vector<Value>& documents, const PoolSources& sources, Reading& reading,
                LoadedConfig& out);

// One `kind: Prices` document; YAML, or JSON if the first character is `{`. Prices of modelled
// pools are sped up like the pools. Sorted by pool in the order of the fleet, then by time.
absl::StatusOr<PricesSpec> ParsePrices(std::string_view text, const FleetSpec& fleet,
                                       std::string_view name = "");
// The same from a tree.
void ReadPrices(const Place& at, const FleetSpec& fleet, PricesSpec& prices);
// One price without a date, as PUT /api/v1/pools/{name}/price takes it: {node_hour, as_of, source},
// or what WritePrice (api_json.h) shows. Of a modelled pool it is sped up like the pool.
absl::StatusOr<Price> ParsePrice(std::string_view text, const PoolSpec& pool,
                                 std::string_view name = "");
absl::StatusOr<TenantsSpec> ParseTenants(std::string_view text, const FleetSpec& fleet,
                                         std::string_view name = "");

}  // namespace spillway
