#include "controller/metrics/budget_families.h"

#include <functional>
#include <string_view>

#include "scheduler/budgets.h"

namespace spillway {
namespace {

double Dollars(Usd money) { return static_cast<double>(money.value()) / kNanosPerUsd; }

}  // namespace

void BudgetFamilies::Write(FamilyWriter& w, const TenantsSpec& tenants, absl::Time now) const {
  const auto spent_of = [&](const std::string& tenant, BudgetPeriod period) {
    const auto found = rows_.find({tenant, period});
    const bool now_is_in_it = found != rows_.end() && found->second.since == StartOf(period, now);
    return now_is_in_it ? found->second.spent : Usd(0);
  };
  // Calls f(labels, limit, spent, period) for each budget that there is.
  const auto each = [&](auto f) {
    for (const TenantSpec& tenant : tenants.tenants) {
      const BudgetLimits limits = LimitsOf(tenant);
      for (const BudgetPeriod period : {BudgetPeriod::kDay, BudgetPeriod::kMonth}) {
        const Labels labels = {{"tenant", tenant.name}, {"period", NameOf(period)}};
        if (const auto limit = limits.Of(period))
          f(labels, *limit, spent_of(tenant.name, period), period);
      }
    }
  };
  w.Gauge("spillway_budget_limit_usd", "What a tenant may spend within a UTC day or month.");
  each(
      [&](const Labels& labels, Usd limit, Usd, BudgetPeriod) { w.Value(Dollars(limit), labels); });
  w.Gauge("spillway_budget_spent_usd",
          "Allocated cost of the tenant's work since that day or month began.");
  each(
      [&](const Labels& labels, Usd, Usd spent, BudgetPeriod) { w.Value(Dollars(spent), labels); });
  w.Gauge("spillway_budget_burn_ratio",
          "What will have been spent at its end at the pace so far / the limit. Absent within the "
          "first twentieth.");
  each([&](const Labels& labels, Usd limit, Usd spent, BudgetPeriod period) {
    const auto forecast = ForecastOf(period, spent, now);
    if (forecast && limit > Usd(0)) w.Value(Dollars(*forecast) / Dollars(limit), labels);
  });
}

}  // namespace spillway
