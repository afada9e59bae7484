#pragma once

#include "policies/queue_order.h"

namespace spillway {

// First come, first served. Key: nanoseconds since 1970 at submission.
class FifoOrder final : public QueueOrder {
 public:
  std::int64_t KeyOf(const Work& work, absl::Time submitted) const override;
};

}  // namespace spillway
