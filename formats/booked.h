#pragma once

#include <cstdint>

#include "core/record.h"
#include "core/units.h"

namespace spillway {

// Money of ledger rows that were added up: both books, and both sides of the saving, which are of
// the same work (allocated; what has no baseline is in neither, and counted).
struct Booked {
  Usd cost{}, marginal_cost{};
  Usd compared_cost{}, baseline_cost{};
  std::int64_t without_baseline = 0;

  Usd saved() const { return baseline_cost - compared_cost; }
  void Add(const record::LedgerRow& row) {
    cost += row.cost;
    marginal_cost += row.marginal_cost;
    compared_cost += row.compared_cost;
    baseline_cost += row.baseline_cost;
    without_baseline += row.without_baseline;
  }
};

}  // namespace spillway
