#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "core/policy_spec.h"
#include "core/record.h"

// Budgets of tenants: what was spent of them, what is left, and what then becomes of new work.
// Pure: part of the brain, and of the account that requests are admitted by.
namespace spillway {

// What the tenant may spend, `quota.usd_per_day` folded in.
struct BudgetLimits {
  std::optional<Usd> per_day, per_month;
  WhenSpent when_spent = WhenSpent::kWarn;

  bool any() const { return per_day || per_month; }
  bool binds() const { return any() && when_spent != WhenSpent::kWarn; }
  std::optional<Usd> Of(BudgetPeriod period) const {
    return period == BudgetPeriod::kDay ? per_day : per_month;
  }
};
BudgetLimits LimitsOf(const TenantSpec& tenant);

// Days and months are those of UTC.
absl::Time StartOf(BudgetPeriod period, absl::Time now);
absl::Time EndOf(BudgetPeriod period, absl::Time now);

// What the period will have cost at its end if it goes on as since its start. None: less than a
// twentieth of it has passed, which says nothing.
std::optional<Usd> ForecastOf(BudgetPeriod period, Usd spent, absl::Time now);

// What new work of a tenant runs into. `left` is of the tightest budget, never below zero.
struct BudgetBound {
  std::optional<Usd> left;  // none: no bound that refuses or demotes
  // Not null: pools that match may be used whatever is left. Lives as long as the configuration.
  const PoolSelector* demote_to = nullptr;

  // May work that would cost this much go to the pool? `cost`: allocated; none: nobody knows.
  bool Allows(const PoolSpec& pool, std::optional<Usd> cost) const {
    if (!left || (cost && *cost <= *left)) return true;
    return demote_to != nullptr && demote_to->Matches(pool);
  }
};

// Percentages of a limit that are told when they are passed.
inline constexpr int kBudgetSteps[] = {50, 80, 100};

class Budgets {
 public:
  void Configure(const TenantsSpec& tenants);
  void Restore(std::vector<record::BudgetRow> rows);

  // The tenant's work rows of the hour have grown by this much. Times of calls do not fall; hours
  // of a period that is over count for nothing any more.
  void Spend(const std::string& tenant, absl::Time hour, Usd grown);
  // Does any budget refuse or demote?
  bool binds() const { return binds_; }
  // `held`: set aside for what runs.
  BudgetBound BoundOf(const std::string& tenant, Usd held, absl::Time now) const;

  // Rows that changed since the last call, warnings set.
  std::vector<record::BudgetRow> TakeChanged(absl::Time now);
  // When budgets that refuse or demote begin anew; infinite: there is none.
  absl::Time NextPeriod(absl::Time now) const;

 private:
  using Key = std::pair<std::string, BudgetPeriod>;
  Usd SpentOf(const std::string& tenant, BudgetPeriod period, absl::Time now) const;
  void Warn(record::BudgetRow& row, absl::Time now) const;

  struct Tenant {
    BudgetLimits limits;
    std::optional<PoolSelector> demote_to;
  };
  std::map<std::string, Tenant> tenants_;  // of those that have a budget
  std::map<Key, record::BudgetRow> rows_;
  std::vector<Key> changed_;
  bool binds_ = false;  // some budget refuses or demotes
};

}  // namespace spillway
