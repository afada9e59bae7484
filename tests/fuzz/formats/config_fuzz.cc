// Any bytes as a configuration file: they are read whole or refused with findings, and every pool
// that comes out can be used as it is.
#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "formats/config_file.h"
#include "tests/formats/sources.h"

using namespace spillway;  // NOLINT: a program of one file

namespace {

void CheckPool(const PoolSpec& pool) {
  SPILLWAY_CHECK(IsName(pool.name) && !pool.vendor.empty());
  SPILLWAY_CHECK(pool.nodes >= 1 && pool.node.devices >= 0 && pool.node.devices <= 64);
  SPILLWAY_CHECK(pool.node.cpus > MilliCpus(0) && pool.node.memory > Bytes(0));
  SPILLWAY_CHECK(pool.power.busy >= pool.power.idle && pool.power.idle >= Watts(0));
  SPILLWAY_CHECK(pool.power.pue >= 1 && pool.speed > 0);
  const bool is_priced = pool.billing == Billing::kMetered || pool.billing == Billing::kCommitted;
  SPILLWAY_CHECK(is_priced == pool.price.node_hour.has_value());
  SPILLWAY_CHECK(!pool.price.node_hour || *pool.price.node_hour >= UsdPerHour(0));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Catalog kCatalog = SmallCatalog();
  static const Machine kMachine = SmallMachine();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto loaded = ParseConfig(text, "fuzz.yaml", kCatalog, kMachine);
  if (!loaded.ok()) {
    SPILLWAY_CHECK(!FindingsOf(loaded.status()).empty());
    return 0;
  }
  SPILLWAY_CHECK(!loaded->config.fleet.pools.empty());
  for (const PoolSpec& pool : loaded->config.fleet.pools) CheckPool(pool);
  return 0;
}
