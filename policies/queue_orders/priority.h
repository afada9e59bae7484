#pragma once

#include "policies/queue_order.h"

namespace spillway {

// Larger priority first; waiting `aging` is worth one point, so nothing starves: work of priority p
// is passed only by work of priority q that came at most (q - p) x aging later.
//
// Assumes: priority in [-100, 100].
// Key: submitted - priority x aging, in nanoseconds since 1970; two waiting jobs age alike, so
// their order never changes and the key need not either. Saturates at the ends of the range, which
// no date before 2160 reaches.
// Without aging (a year or more counts as never): strict priority, then microseconds of submission,
// packed into one key.
class PriorityOrder final : public QueueOrder {
 public:
  explicit PriorityOrder(absl::Duration aging) : aging_(aging) {}  // > 0; infinite: never
  std::int64_t KeyOf(const Work& work, absl::Time submitted) const override;

 private:
  absl::Duration aging_;
};

}  // namespace spillway
