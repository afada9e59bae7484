#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "core/config.h"
#include "core/ids.h"
#include "scheduler/brain.h"

// What readers see of the brain: a copy made on the control thread, let out only after everything
// that it shows has been committed, never changed afterwards.
namespace spillway {

struct Snapshot {
  EventNumber version{};  // the last event folded in
  absl::Time at;
  std::vector<PoolStatus> pools;  // by PoolId; pools that left the configuration included
  QueueStatus queue;
  std::uint64_t policy_version = 0;
  std::shared_ptr<const PolicySpec> policy;
  // As last read from the file: catalogue, tenants and the fleet's order. Pools, prices and the
  // policy may have changed since: `pools` and `policy` say how.
  std::shared_ptr<const Config> config;
  std::shared_ptr<const RouterInputs> router;  // what requests are routed by; null: no engines

  // Null: no such pool.
  const PoolStatus* Find(PoolId id) const {
    return Index(id) < pools.size() ? &pools[Index(id)] : nullptr;
  }
  const PoolStatus* Find(std::string_view name) const {
    const PoolStatus* gone = nullptr;
    for (const PoolStatus& pool : pools) {
      if (pool.spec->name != name) continue;
      if (!pool.removed) return &pool;
      gone = &pool;
    }
    return gone;
  }
  // "?" for an id that no pool has.
  std::string_view NameOf(PoolId id) const {
    const PoolStatus* pool = Find(id);
    return pool != nullptr ? std::string_view(pool->spec->name) : std::string_view("?");
  }
  // The pools that stand in the configuration now, as one fleet: what a policy is checked against.
  FleetSpec Fleet() const {
    FleetSpec fleet;
    for (const PoolStatus& pool : pools) {
      if (!pool.removed) fleet.pools.push_back(*pool.spec);
    }
    return fleet;
  }
};

}  // namespace spillway
