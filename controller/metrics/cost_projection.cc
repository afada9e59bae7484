#include "controller/metrics/cost_projection.h"

#include <algorithm>

namespace spillway {

void CostProjection::Add(const record::LedgerRow& row, const std::string& pool) {
  if (row.hour > latest_) {
    latest_ = row.hour;
    Forget(latest_ - absl::Hours(2));  // the hour before may be closed a little late
  }
  record::LedgerRow& last = open_[record::KeyOf(row)];
  Money& money = money_[Key{pool, std::string(tenants_.Of(row.tenant)), row.category}];
  money.cost += row.cost - last.cost;
  money.compared += row.compared_cost - last.compared_cost;
  money.baseline += row.baseline_cost - last.baseline_cost;
  Matter& matter = matter_[pool];
  matter.energy += row.energy - last.energy;
  matter.carbon += row.carbon - last.carbon;
  last = row;
}

void CostProjection::Forget(absl::Time before) {
  open_.erase(open_.begin(), open_.lower_bound({before, PoolId{0}, "", {}, {}, ""}));
}

}  // namespace spillway
