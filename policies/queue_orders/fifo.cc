#include "policies/queue_orders/fifo.h"

namespace spillway {

std::int64_t FifoOrder::KeyOf(const Work&, absl::Time submitted) const {
  return absl::ToUnixNanos(submitted);
}

}  // namespace spillway
