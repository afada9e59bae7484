#include "performance/model_load.h"

#include <algorithm>

#include "core/status.h"
#include "performance/engine_memory.h"
#include "performance/replica.h"

namespace spillway {

BytesPerSecond SpeedOf(Storage storage) {
  switch (storage) {
    case Storage::kNvme:
      return BytesPerSecond(3e9);
    case Storage::kBlock:
      return BytesPerSecond(1e9);
    case Storage::kNetwork:
      return BytesPerSecond(0.5e9);
    case Storage::kObject:
      return BytesPerSecond(0.1e9);
  }
  return BytesPerSecond(0.1e9);
}

absl::StatusOr<absl::Duration> LoadTimeOf(const Catalog& catalog, const PoolSpec& pool,
                                          const ServeSpec& serve, Storage storage) {
  SPILLWAY_ASSIGN_OR_RETURN(const Replica replica, ReplicaOf(catalog, pool, serve));
  SPILLWAY_ASSIGN_OR_RETURN(const EngineMemory memory, MemoryOf(catalog, pool, serve));
  const double weights = static_cast<double>(memory.weights.value()) / replica.nodes;
  double seconds = weights / SpeedOf(storage).value();
  // A CPU's memory is where the weights are read to.
  if (!replica.by_cpu())
    seconds = std::max(seconds, weights / (kLinkOfDevice.value() * std::max(replica.units, 1.0)));
  return RoundToNanos(absl::Seconds(seconds)) + kEngineSetUp;
}

}  // namespace spillway
