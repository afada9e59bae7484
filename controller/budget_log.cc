#include "controller/budget_log.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/explain.h"
#include "core/text.h"
#include "formats/units.h"
#include "scheduler/budgets.h"

namespace spillway {
namespace {

std::string_view Consequence(WhenSpent when_spent) {
  switch (when_spent) {
    case WhenSpent::kWarn:
      return "its work goes on";
    case WhenSpent::kRefuse:
      return "new work is refused";
    case WhenSpent::kDemote:
      return "new work goes to the pools of `demote_to` only";
  }
  return "";
}

}  // namespace

void BudgetLog::OnRow(const record::BudgetRow& row) {
  const auto of_it = [&](const TenantSpec& tenant) { return tenant.name == row.tenant; };
  const auto tenant = std::find_if(tenants_.tenants.begin(), tenants_.tenants.end(), of_it);
  if (tenant == tenants_.tenants.end()) return;
  const BudgetLimits limits = LimitsOf(*tenant);
  if (const auto limit = limits.Of(row.period)) Say(row, *limit, limits.when_spent);
}

void BudgetLog::Say(const record::BudgetRow& row, Usd limit, WhenSpent when_spent) {
  Told& told = told_[{row.tenant, row.period}];
  if (told.since != row.since) told = {.since = row.since};
  const std::string name = absl::StrCat("budget of tenant ", row.tenant, " of this ",
                                        ToAbsl(NameOf(row.period)), " (UTC)");
  const std::string of = absl::StrCat(" of ", Decimal(limit), " USD");
  if (row.warned > told.warned) {
    told.warned = row.warned;
    const std::string then =
        row.warned >= 100 ? absl::StrCat(": ", ToAbsl(Consequence(when_spent))) : "";
    write_(row.warned >= 80, absl::StrCat(name, ": ", row.warned, " %", of, " are spent", then));
  }
  if (row.forecast_warned && !told.forecast) {
    told.forecast = true;
    if (row.warned < 100)
      write_(true, absl::StrCat(name, ": the pace so far leads past its limit", of));
  }
}

}  // namespace spillway
