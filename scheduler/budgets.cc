#include "scheduler/budgets.h"

#include <algorithm>

namespace spillway {
namespace {

constexpr BudgetPeriod kPeriods[] = {BudgetPeriod::kDay, BudgetPeriod::kMonth};

}  // namespace

BudgetLimits LimitsOf(const TenantSpec& tenant) {
  const Budget& budget = tenant.budget;
  BudgetLimits limits{budget.per_day, budget.per_month, budget.when_spent};
  const std::optional<Usd>& in_short = tenant.quota.usd_per_day;
  if (!in_short) return limits;
  limits.per_day = limits.per_day ? std::min(*limits.per_day, *in_short) : *in_short;
  if (limits.when_spent == WhenSpent::kWarn) limits.when_spent = WhenSpent::kRefuse;
  return limits;
}

absl::Time StartOf(BudgetPeriod period, absl::Time now) {
  const absl::TimeZone utc = absl::UTCTimeZone();
  if (period == BudgetPeriod::kDay) return absl::FromCivil(absl::ToCivilDay(now, utc), utc);
  return absl::FromCivil(absl::ToCivilMonth(now, utc), utc);
}

absl::Time EndOf(BudgetPeriod period, absl::Time now) {
  const absl::TimeZone utc = absl::UTCTimeZone();
  if (period == BudgetPeriod::kDay) return absl::FromCivil(absl::ToCivilDay(now, utc) + 1, utc);
  return absl::FromCivil(absl::ToCivilMonth(now, utc) + 1, utc);
}

std::optional<Usd> ForecastOf(BudgetPeriod period, Usd spent, absl::Time now) {
  const absl::Time start = StartOf(period, now);
  const double passed = absl::FDivDuration(now - start, EndOf(period, now) - start);
  if (passed < 0.05) return std::nullopt;
  return Scale(spent, 1 / passed);
}

void Budgets::Configure(const TenantsSpec& tenants) {
  tenants_.clear();
  binds_ = false;
  for (const TenantSpec& tenant : tenants.tenants) {
    const BudgetLimits limits = LimitsOf(tenant);
    if (!limits.any()) continue;
    tenants_.emplace(tenant.name, Tenant{limits, tenant.budget.demote_to});
    binds_ |= limits.binds();
  }
}

void Budgets::Restore(std::vector<record::BudgetRow> rows) {
  for (record::BudgetRow& row : rows) {
    Key key(row.tenant, row.period);
    rows_.insert_or_assign(std::move(key), std::move(row));
  }
}

void Budgets::Spend(const std::string& tenant, absl::Time hour, Usd grown) {
  for (const BudgetPeriod period : kPeriods) {
    record::BudgetRow& row = rows_[Key(tenant, period)];
    const absl::Time since = StartOf(period, hour);
    if (since < row.since && !row.tenant.empty()) continue;
    if (row.tenant.empty() || since > row.since)
      row = {.tenant = tenant, .period = period, .since = since};
    row.spent += grown;
    changed_.emplace_back(tenant, period);
  }
}

Usd Budgets::SpentOf(const std::string& tenant, BudgetPeriod period, absl::Time now) const {
  const auto found = rows_.find(Key(tenant, period));
  if (found == rows_.end() || found->second.since < StartOf(period, now)) return Usd(0);
  return found->second.spent;
}

BudgetBound Budgets::BoundOf(const std::string& tenant, Usd held, absl::Time now) const {
  BudgetBound bound;
  if (!binds_) return bound;
  const auto found = tenants_.find(tenant);
  if (found == tenants_.end() || !found->second.limits.binds()) return bound;
  const Tenant& of = found->second;
  for (const BudgetPeriod period : kPeriods) {
    const std::optional<Usd> limit = of.limits.Of(period);
    if (!limit) continue;
    const Usd left = std::max(*limit - SpentOf(tenant, period, now) - held, Usd(0));
    bound.left = bound.left ? std::min(*bound.left, left) : left;
  }
  if (of.limits.when_spent == WhenSpent::kDemote && of.demote_to) bound.demote_to = &*of.demote_to;
  return bound;
}

void Budgets::Warn(record::BudgetRow& row, absl::Time now) const {
  const auto found = tenants_.find(row.tenant);
  if (found == tenants_.end()) return;
  const std::optional<Usd> limit = found->second.limits.Of(row.period);
  if (!limit) return;
  for (const int step : kBudgetSteps) {
    if (absl::int128(row.spent.value()) * 100 >= absl::int128(limit->value()) * step)
      row.warned = std::max(row.warned, step);
  }
  const std::optional<Usd> forecast = ForecastOf(row.period, row.spent, now);
  row.forecast_warned |= forecast && *forecast > *limit;
}

std::vector<record::BudgetRow> Budgets::TakeChanged(absl::Time now) {
  std::sort(changed_.begin(), changed_.end());
  changed_.erase(std::unique(changed_.begin(), changed_.end()), changed_.end());
  std::vector<record::BudgetRow> rows;
  for (const Key& key : changed_) {
    record::BudgetRow& row = rows_.at(key);
    if (row.since == StartOf(row.period, now)) Warn(row, now);
    rows.push_back(row);
  }
  changed_.clear();
  return rows;
}

absl::Time Budgets::NextPeriod(absl::Time now) const {
  return binds_ ? EndOf(BudgetPeriod::kDay, now) : absl::InfiniteFuture();
}

}  // namespace spillway
