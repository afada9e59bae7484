#pragma once

#include <cstdint>

#include "absl/time/time.h"

namespace spillway {

// The time of one engine, shared out among the sequences in flight: each of n gets dt/n. What all
// of them got sums to the time in which anything was in flight (less rounding, never more). Not
// thread-safe.
class TimeShare {
 public:
  // Marks where a request begins that holds `sequences`.
  std::uint64_t Enter(absl::Time now, int sequences);
  // Its share since `mark`.
  absl::Duration Leave(absl::Time now, int sequences, std::uint64_t mark);

 private:
  static constexpr int kFraction = 10;  // bits below a nanosecond
  // Threads come in another order than they read the time; a clock that is this far back was set.
  static constexpr absl::Duration kSetBack = absl::Seconds(1);
  void Advance(absl::Time now);

  absl::Time last_;
  std::int64_t in_flight_ = 0;
  std::uint64_t turns_ = 0;  // nanoseconds x 2^kFraction that a sequence would have got, wraps
};

}  // namespace spillway
