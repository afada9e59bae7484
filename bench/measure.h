#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

// What the benches share: a clock and percentiles of what it showed.
namespace spillway::bench {

using Clock = std::chrono::steady_clock;

inline double MicrosSince(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

class Samples {
 public:
  explicit Samples(std::size_t expected) { values_.reserve(expected); }
  void Add(double value) { values_.push_back(value); }
  // Nearest rank; sorts on first use.
  double Percentile(double percent) {
    if (values_.empty()) return 0;
    std::sort(values_.begin(), values_.end());
    const auto rank = static_cast<std::size_t>(percent / 100 * static_cast<double>(values_.size()));
    return values_[std::min(rank, values_.size() - 1)];
  }

 private:
  std::vector<double> values_;
};

}  // namespace spillway::bench
