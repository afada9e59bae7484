#include "policies/choices/weighted.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace spillway {
namespace {

using Figures5 = std::array<double, 5>;  // cost, latency, energy, carbon, load

Figures5 FiguresOf(const Option& o) {
  return {static_cast<double>(o.marginal_cost.value()), static_cast<double>(ToNanos(o.finish)),
          static_cast<double>(o.energy.value()), static_cast<double>(o.carbon.value()), o.load};
}

// Infinite where no option has a positive figure: the ratio is then 0 for all.
Figures5 LeastPositive(absl::Span<const Option> options) {
  Figures5 least;
  least.fill(std::numeric_limits<double>::infinity());
  for (const Option& o : options) {
    const Figures5 figures = FiguresOf(o);
    for (std::size_t i = 0; i < figures.size(); ++i) {
      if (figures[i] > 0) least[i] = std::min(least[i], figures[i]);
    }
  }
  return least;
}

std::int64_t Billionths(const Option& option, const Figures5& least, const Figures5& weights) {
  const Figures5 figures = FiguresOf(option);
  double sum = 0;
  for (std::size_t i = 0; i < figures.size(); ++i) {
    if (weights[i] > 0) sum += weights[i] * (figures[i] / least[i]);
  }
  return units_internal::Round(sum * 1e9);
}

}  // namespace

std::size_t WeightedChoice::Pick(absl::Span<const Option> options, std::uint64_t) const {
  const Figures5 weights{weights_.cost, weights_.latency, weights_.energy, weights_.carbon,
                         weights_.load};
  const Figures5 least = LeastPositive(options);
  std::size_t best = 0;
  std::pair best_rank{Billionths(options[0], least, weights), options[0].pool};
  for (std::size_t i = 1; i < options.size(); ++i) {
    const std::pair rank{Billionths(options[i], least, weights), options[i].pool};
    if (rank >= best_rank) continue;
    best = i;
    best_rank = rank;
  }
  return best;
}

}  // namespace spillway
