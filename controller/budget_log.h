#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/time/time.h"
#include "core/policy_spec.h"
#include "core/record.h"

namespace spillway {

// Tells an operator when a tenant's budget has passed 50, 80 and 100 % of its limit, and when its
// pace leads past it before its end: once for each within a period, and again after a restart. Rows
// of committed batches come in; one thread at a time.
class BudgetLog {
 public:
  // `bad`: worth a warning.
  using Write = std::function<void(bool bad, std::string_view line)>;
  explicit BudgetLog(Write write) : write_(std::move(write)) {}

  // From the next row on.
  void Use(const TenantsSpec& tenants) { tenants_ = tenants; }
  void OnRow(const record::BudgetRow& row);

 private:
  void Say(const record::BudgetRow& row, Usd limit, WhenSpent when_spent);

  const Write write_;
  TenantsSpec tenants_;
  struct Told {
    absl::Time since;
    int warned = 0;
    bool forecast = false;
  };
  std::map<std::pair<std::string, BudgetPeriod>, Told> told_;
};

}  // namespace spillway
