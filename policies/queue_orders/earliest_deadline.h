#pragma once

#include "policies/queue_order.h"

namespace spillway {

// What is due first goes first.
//
// Assumes: objectives can be met; work that cannot make its deadline is the claim order's affair
// (`too_late`), not the queue's. Only the default objective is read, not those of alternatives.
// Key: the deadline, else submitted + start_within, in nanoseconds since 1970. Work with neither
// comes after all that has one, first come first served (to the microsecond). Dates after 2116
// count as 2116.
class EarliestDeadlineOrder final : public QueueOrder {
 public:
  std::int64_t KeyOf(const Work& work, absl::Time submitted) const override;
};

}  // namespace spillway
