#pragma once

#include <string_view>

#include "core/pool.h"
#include "scheduler/brain.h"

namespace spillway {

// How much of what a pool has up is held, from 0 to 1: of its devices, or of its CPUs where it has
// none. None is up: 0.
inline double BusyRatio(const PoolStatus& pool) {
  if (pool.devices_total > 0) {
    return 1 - static_cast<double>(pool.devices_free) / static_cast<double>(pool.devices_total);
  }
  if (pool.cpus_total.value() <= 0) return 0;
  return 1 -
         static_cast<double>(pool.cpus_free.value()) / static_cast<double>(pool.cpus_total.value());
}

}  // namespace spillway
