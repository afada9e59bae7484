#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/time/time.h"

namespace spillway {

// Times from 100 us to a day, counted in buckets that are 4.4 % wide, so that a quantile is off by
// 2.2 % at most and costs the same whatever was added. Not thread-safe.
class TimeSpread {
 public:
  void Add(absl::Duration time);
  void Add(const TimeSpread& other);
  void Clear() { *this = TimeSpread(); }
  std::uint64_t count() const { return count_; }
  // The time that `part` (0 to 1) of all were within; none: nothing was added.
  std::optional<absl::Duration> Quantile(double part) const;

 private:
  static constexpr int kPerOctave = 16;
  static constexpr std::size_t kBuckets = 30 * kPerOctave;  // 100 us x 2^30 = 30 h

  std::array<std::uint32_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
};

}  // namespace spillway
