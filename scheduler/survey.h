#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/config.h"
#include "policies/policy.h"
#include "scheduler/estimator.h"
#include "scheduler/pool_run.h"
#include "scheduler/shape.h"

namespace spillway {

// What decisions are made from, but for load and time.
struct World {
  std::shared_ptr<const Config> config;
  std::shared_ptr<const Policy> policy;
  std::vector<std::unique_ptr<PoolRun>> pools;  // by PoolId; those that left the configuration stay
  Estimator estimator;
  std::uint64_t version = 1;  // rises when anything but the estimator changes
};

// Makes the shape true of the world again, if it is not: who is able, what it would take and cost
// there, the claim order, the baseline.
void Survey(Shape& shape, const World& world);
bool IsFresh(const Shape& shape, const World& world);

// Could any configured pool ever do it, health, cordon and load left aside? `kTooDear` and
// `kUnpriced` count as no: waiting would not help.
bool CouldEver(const Shape& shape, const Work& work, const World& world);

}  // namespace spillway
