#include "performance/batch_times.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "core/check.h"
#include "core/units.h"
#include "performance/fabric.h"

namespace spillway {

BatchTimes::BatchTimes(absl::Span<const BatchProfile::Point> points, double slower, Basis basis)
    : basis_(basis) {
  SPILLWAY_CHECK(!points.empty());
  double longest = 0;
  for (const BatchProfile::Point& point : points) {
    longest = std::max(longest, static_cast<double>(ToNanos(point.time)) * slower);
    points_.push_back({static_cast<double>(point.items), longest});
  }
  per_item_ = points_.back().nanos / points_.back().items;
}

BatchTimes BatchTimes::OfRate(double items_per_second, double slower) {
  constexpr double kOnceNanos = 1e6;
  const double item = 1e9 / items_per_second * slower;
  return {{{1, kOnceNanos * slower + item}}, item, Basis::kAssumed};
}

absl::Duration BatchTimes::Of(int items) const {
  const double at = items;
  const auto above = std::lower_bound(points_.begin(), points_.end(), at,
                                      [](const Point& p, double x) { return p.items < x; });
  double nanos = 0;
  if (above == points_.end()) {
    const Point& last = points_.back();
    nanos = last.nanos + (at - last.items) * per_item_;
  } else if (above == points_.begin()) {
    nanos = above->nanos;
  } else {
    const Point& below = *(above - 1);
    nanos = below.nanos +
            (above->nanos - below.nanos) * (at - below.items) / (above->items - below.items);
  }
  return absl::Nanoseconds(std::max<std::int64_t>(1, std::llround(std::min(nanos, 9e18))));
}

std::optional<BatchSpeed> BatchSpeedFor(const Catalog& catalog,
                                        absl::Span<const BatchProfile> profiles,
                                        const PoolSpec& pool, std::string_view work_class) {
  const auto device = catalog.devices.find(pool.device);
  if (device == catalog.devices.end()) return std::nullopt;
  const double slower = ConfidentialFactor(pool, device->second.kind) / pool.speed;
  for (const BatchProfile& profile : profiles) {
    if (profile.device != pool.device || profile.work_class != work_class) continue;
    const Basis basis = profile.measured ? Basis::kProfile : Basis::kAssumed;
    return BatchSpeed{BatchTimes(profile.points, slower, basis), profile.instances,
                      profile.points.back().items};
  }
  const auto known = catalog.classes.find(std::string(work_class));
  if (known == catalog.classes.end()) return std::nullopt;
  const auto rate = known->second.rates.find(pool.device);
  if (rate == known->second.rates.end() || rate->second.units_per_second <= 0) return std::nullopt;
  return BatchSpeed{BatchTimes::OfRate(rate->second.units_per_second, slower)};
}

}  // namespace spillway
