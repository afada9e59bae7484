#pragma once

#include <optional>
#include <string_view>

#include "absl/time/time.h"
#include "core/device.h"
#include "core/estimate.h"
#include "core/pool.h"
#include "core/work.h"

// How long a job takes, from what it declares and what the catalogue knows. Nothing here remembers runs:
// that is the estimator's (scheduler/estimator.h).
namespace spillway {

// Units a second of one class of work on what the work holds of the pool: the catalogue's rate of the
// pool's device x speed of the pool x nodes x (devices held x fraction, or CPUs held / the slice's CPUs).
// Nothing if the class or the pool's device has no rate.
struct UnitRate {
  double units_per_second = 0;
  Basis basis = Basis::kProfile;  // kProfile: measured; kAssumed: scaled from another device
};
std::optional<UnitRate> UnitRateOf(const Catalog& catalog, std::string_view work_class, const PoolSpec& pool,
                                   const Needs& needs);

// p50 on the pool by `demand` alone: declared seconds (brought from the device or pool that they name,
// by speed), else class units / UnitRateOf, else `fallback` / speed of the pool.
struct Predicted {
  absl::Duration p50{};
  Basis basis = Basis::kAssumed;
};
Predicted PredictDuration(const Catalog& catalog, const FleetSpec& fleet, const WorkFace& face, const PoolSpec& pool,
                          absl::Duration fallback);

}  // namespace spillway
