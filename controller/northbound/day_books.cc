#include "controller/northbound/day_books.h"

namespace spillway {

void TenantBooks::Add(const TenantBooks& other) {
  cost += other.cost;
  overhead += other.overhead;
  compared += other.compared;
  baseline += other.baseline;
  jobs += other.jobs;
  requests += other.requests;
  without_baseline += other.without_baseline;
}

void DayBooks::Add(const record::LedgerRow& row) {
  if (Index(row.pool) >= pools.size() && row.pool != kNoPool) pools.resize(Index(row.pool) + 1);
  if (row.pool != kNoPool) pools[Index(row.pool)] += row.cost;
  if (row.category == record::Category::kIdle) {
    idle += row.cost;
    return;
  }
  TenantBooks& tenant = tenants[row.tenant];
  (row.category == record::Category::kOverhead ? tenant.overhead : tenant.cost) += row.cost;
  tenant.compared += row.compared_cost;
  tenant.baseline += row.baseline_cost;
  (row.kind == WorkKind::kRequest ? tenant.requests : tenant.jobs) += row.finished;
  tenant.without_baseline += row.without_baseline;
}

TenantBooks DayBooks::Sum(const std::optional<std::string>& tenant) const {
  TenantBooks sum;
  if (tenant) {
    const auto found = tenants.find(*tenant);
    return found != tenants.end() ? found->second : sum;
  }
  for (const auto& [name, books] : tenants) sum.Add(books);
  return sum;
}

std::optional<UsdPerHour> RateBetween(Usd before, Usd after, absl::Duration between) {
  if (between < absl::Milliseconds(500)) return std::nullopt;
  const absl::int128 grown = absl::int128((after - before).value()) * 3600 * 1'000'000'000;
  return UsdPerHour(
      static_cast<std::int64_t>(grown / absl::int128(absl::ToInt64Nanoseconds(between))));
}

}  // namespace spillway
