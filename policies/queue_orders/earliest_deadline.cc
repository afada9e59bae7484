#include "policies/queue_orders/earliest_deadline.h"

#include <algorithm>

namespace spillway {
namespace {

constexpr std::int64_t kNoDeadline = std::int64_t{1} << 62;  // 2116-02-20, in nanoseconds

absl::Time DueAt(const Objective& objective, absl::Time submitted) {
  if (objective.deadline) return *objective.deadline;
  return objective.start_within ? submitted + *objective.start_within : absl::InfiniteFuture();
}

}  // namespace

std::int64_t EarliestDeadlineOrder::KeyOf(const Work& work, absl::Time submitted) const {
  const absl::Time due = DueAt(work.objective, submitted);
  if (due < absl::InfiniteFuture()) return std::min(absl::ToUnixNanos(due), kNoDeadline - 1);
  const std::int64_t micros =
      std::clamp(absl::ToUnixMicros(submitted), std::int64_t{0}, kNoDeadline - 1);
  return kNoDeadline + micros;
}

}  // namespace spillway
