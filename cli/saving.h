#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/units.h"

// What was saved against NVIDIA alone. Both sides are of the same book (allocated), and work that
// no NVIDIA pool could have done is left out of both.
namespace spillway::cli {

class Saving {
 public:
  // Work without a baseline is only counted.
  void Add(std::optional<Usd> cost, std::optional<Usd> baseline);

  Usd cost() const { return cost_; }          // of the work that has a baseline
  Usd baseline() const { return baseline_; }  // of the same work
  Usd all_cost() const { return all_cost_; }  // of all work
  std::int64_t without_baseline() const { return without_; }
  Usd saved() const { return baseline_ - cost_; }  // negative: NVIDIA alone would have been cheaper

 private:
  Usd cost_{}, baseline_{}, all_cost_{};
  std::int64_t without_ = 0;
};

// "81 %" of the baseline, "-12 %" where it cost more; empty without a baseline.
std::string SavedPercent(Usd cost, Usd baseline);
// "saved $0.004958 (81 %)", or "costs $0.000123 more (12 %)": said as plainly.
std::string DescribeSaving(std::optional<Usd> cost, std::optional<Usd> baseline);

}  // namespace spillway::cli
