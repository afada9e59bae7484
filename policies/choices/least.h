#pragma once

#include <cstdint>

#include "policies/choice.h"

namespace spillway {

// The tied pool with the smallest of one figure: least-cost, least-latency, least-energy,
// least-carbon and least-loaded.
//
// Assumes: figures of all options are in the unit that Option states, rounded already.
// Algorithm: one scan. Ties (loads are compared to a billionth) go to the smaller PoolId.
enum class Figure : std::uint8_t { kCost, kLatency, kEnergy, kCarbon, kLoad };

class LeastChoice final : public Choice {
 public:
  explicit LeastChoice(Figure figure) : figure_(figure) {}
  std::size_t Pick(absl::Span<const Option> options, std::uint64_t turn) const override;

 private:
  Figure figure_;
};

// The figure as a whole number: nano-dollars, nanoseconds, microjoules, micrograms, billionths.
std::int64_t FigureOf(const Option& option, Figure figure);

}  // namespace spillway
