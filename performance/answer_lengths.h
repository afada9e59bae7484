#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"

// How long a batch goes on until one of its sequences ends: what a request waits for that finds
// every place taken. Pure; sums, products and one root, so the same everywhere to the last bit.
namespace spillway {

// The answers of one model. What counts is not how long answers are but how much those under way
// still have to come: at any moment long ones are over-represented (renewal theory: the density of
// the rest t is P(length > t) / mean), and nobody knows which of them are about to end.
class AnswerLengths {
 public:
  static constexpr std::size_t kPoints = 20;  // of the rest's distribution: at 5 %, 10 %, ... 100 %

  // `left`: tokens, rising, kPoints of them; fewer than that or a mean below 1: as WithMedian.
  AnswerLengths(double mean, absl::Span<const std::int64_t> left);
  // Nothing is known but what is typical: memoryless lengths (exponential).
  static AnswerLengths WithMedian(double tokens);

  struct Steps {
    double p50 = 0, p90 = 0;
  };
  // Steps until `ends` sequences have ended (>= 0) of `batch` that decode side by side (>= 1), each
  // followed by another. The first end is the least of `batch` rests, exactly; beyond it ends come
  // at one in mean / batch steps, and the deviation of their sum grows as the root of their number.
  Steps Until(double ends, double batch) const;

  double mean() const { return mean_; }

 private:
  AnswerLengths() = default;
  double RestAt(double part) const;  // tokens, 0 < part <= 1
  double mean_ = 1;
  std::array<double, kPoints + 1> left_{};  // from 0 %
};

}  // namespace spillway
