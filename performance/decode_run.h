#pragma once

#include <cstdint>

#include "performance/step_time.h"

// Many steps of the same decodes at once. With n sequences and K tokens in their caches, step i (0,
// 1, ...) has K + i x n tokens before it; where its time is a line a + g x tokens, m of them take
//
//   m x (a + g x K) + g x n x m x (m - 1) / 2
//
// ticks exactly, which is what they come to one by one: whole numbers have no rounding.
namespace spillway {

class DecodeRun {
 public:
  DecodeRun() = default;
  DecodeRun(const DecodeCurve& curve, int sequences, std::int64_t context);

  // Of its first `steps` steps together.
  std::int64_t Ticks(std::int64_t steps) const {
    if (steps <= bend_) return Sum(before_, before_grows_, steps);
    return Sum(before_, before_grows_, bend_) + Sum(after_, after_grows_, steps - bend_);
  }
  // `steps`, or so few that their ticks surely fit their type (months).
  std::int64_t AtMost(std::int64_t steps) const;

 private:
  static std::int64_t Sum(std::int64_t first, std::int64_t grows, std::int64_t steps) {
    return steps * first + grows * (steps * (steps - 1) / 2);
  }

  std::int64_t bend_ = 0;  // so many steps are on the gentle line, the others on the steep one
  std::int64_t before_ = 0, before_grows_ = 0;  // the first of them, and from one to the next
  std::int64_t after_ = 0, after_grows_ = 0;
};

}  // namespace spillway
