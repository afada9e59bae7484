#pragma once

#include <map>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "controller/metrics/families.h"
#include "core/policy_spec.h"
#include "core/record.h"

namespace spillway {

// How the budgets of tenants stand, from the last row of each; a tenant without a budget is left
// out. As many tenants as the configuration names. Not thread-safe.
class BudgetFamilies {
 public:
  void Count(const record::BudgetRow& row) { rows_[{row.tenant, row.period}] = row; }
  // Limit, what was spent since the period began, and what its end will see at this pace / limit.
  void Write(FamilyWriter& w, const TenantsSpec& tenants, absl::Time now) const;

 private:
  std::map<std::pair<std::string, BudgetPeriod>, record::BudgetRow> rows_;
};

}  // namespace spillway
