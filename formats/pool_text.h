#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "core/catalog.h"
#include "core/machine.h"
#include "core/pool.h"
#include "formats/reader.h"

// A pool as an operator writes it, made whole: what the catalogue knows of its device and, for
// adapter `process`, what was found of this machine stands wherever the text says nothing.
namespace spillway {

// What pools are filled in from. Borrowed for the call.
struct PoolSources {
  const Catalog& catalog;
  const Machine& machine;
};

// Notes what is wrong; `out` is whole only if nothing was.
//  - vendor, arch, precisions (those with a peak), device_memory: of the device; `features` are
//    added to the device's. For `process`: vendor, arch, features and node of the machine.
//  - peak_ops: the node's best dense peak of 16 bits or fewer (its best at all if there is none):
//    devices x device, or a CPU slice scaled to `node.cpus`. Not sped up: it tells the order.
//  - power: devices x device, or the slice scaled to `node.cpus`.
//  - confidential: `tdx` and `sev-snp` among the features imply it.
//  - weights: all on the devices, or on the CPUs of a node that has none.
//  - `speedup: k` of a modelled pool: price of an hour x k, power x k, speed = k; the tariff stays.
void ReadPool(const Place& at, const PoolSources& sources, PoolSpec& out);

// The price of an hour, sped up like the pool's own: for prices that come later.
Price SpedUp(Price price, double speedup);
// And back: the price as its operator wrote it. With a speed-up of 1 or more this is exact.
Price AsWritten(Price price, double speedup);

// One pool, YAML or JSON, as POST /api/v1/pools takes it.
absl::StatusOr<PoolSpec> ParsePool(std::string_view text, const PoolSources& sources,
                                   std::string_view name = "");

// Keys node_hour, input, output, as_of, source.
void ReadPriceKeys(ObjectReader& r, Price& out);

}  // namespace spillway
