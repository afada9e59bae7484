#include "policies/queue_orders/priority.h"

#include <algorithm>

#include "core/units.h"

namespace spillway {
namespace {

constexpr int kTimeBits = 55;  // of microseconds: 1,141 years
constexpr std::int64_t kLastMicro = (std::int64_t{1} << kTimeBits) - 1;

std::int64_t StrictKey(int priority, absl::Time submitted) {
  const std::int64_t micros =
      std::clamp(absl::ToUnixMicros(submitted), std::int64_t{0}, kLastMicro);
  return (std::int64_t{kMaxPriority - priority} << kTimeBits) + micros;
}

}  // namespace

std::int64_t PriorityOrder::KeyOf(const Work& work, absl::Time submitted) const {
  const int priority = std::clamp(work.priority, -kMaxPriority, kMaxPriority);
  if (aging_ >= absl::Hours(24 * 365)) return StrictKey(priority, submitted);
  const absl::int128 credit = absl::int128(ToNanos(aging_)) * priority;
  return units_internal::Saturate(absl::int128(absl::ToUnixNanos(submitted)) - credit);
}

}  // namespace spillway
