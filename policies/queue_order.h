#pragma once

#include <cstdint>

#include "absl/time/time.h"
#include "core/work.h"

namespace spillway {

// The order of the one queue. A key is computed once, when work is queued, and never changes, so
// the queue is a sorted structure; the smallest key is first, ties go to the earlier job. (Priority
// with linear aging needs no more: two waiting jobs age alike, so their order never changes.)
class QueueOrder {
 public:
  virtual ~QueueOrder() = default;
  virtual std::int64_t KeyOf(const Work& work, absl::Time submitted) const = 0;
};

}  // namespace spillway
