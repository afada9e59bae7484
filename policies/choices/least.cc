#include "policies/choices/least.h"

#include <algorithm>
#include <utility>

namespace spillway {

std::int64_t FigureOf(const Option& option, Figure figure) {
  switch (figure) {
    case Figure::kCost:
      return option.marginal_cost.value();
    case Figure::kLatency:
      return ToNanos(option.finish);
    case Figure::kEnergy:
      return option.energy.value();
    case Figure::kCarbon:
      return option.carbon.value();
    case Figure::kLoad:
      return units_internal::Round(option.load * 1e9);
  }
  return 0;
}

std::size_t LeastChoice::Pick(absl::Span<const Option> options, std::uint64_t) const {
  const auto rank = [&](const Option& o) { return std::pair(FigureOf(o, figure_), o.pool); };
  const auto best =
      std::min_element(options.begin(), options.end(),
                       [&](const Option& a, const Option& b) { return rank(a) < rank(b); });
  return static_cast<std::size_t>(best - options.begin());
}

}  // namespace spillway
