#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "core/pool.h"
#include "core/units.h"

namespace spillway {

// One of several tied pools on which work could start at once.
struct Option {
  PoolId pool = kNoPool;
  Usd marginal_cost{};
  absl::Duration finish{};  // p50: wait + duration (requests: TTFT)
  Joules energy{};
  GramsCo2e carbon{};
  double load = 0;  // busy share of the pool's largest resource, [0, 1]
};

// Which of the tied. `turn` counts placements, for round robin. Ties go to the first in fleet
// order.
class Choice {
 public:
  virtual ~Choice() = default;
  // `options` is not empty; the answer is an index into it.
  virtual std::size_t Pick(absl::Span<const Option> options, std::uint64_t turn) const = 0;
};

}  // namespace spillway
