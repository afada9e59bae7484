#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "core/policy_spec.h"
#include "core/text.h"
#include "core/units.h"
#include "scheduler/budgets.h"

// What tenants may still ask for: requests a minute, requests at once, dollars of their budgets
// (scheduler/budgets.h). All times are those of the caller's clock, which may jump.
namespace spillway {

// Counts what was granted, by second, for a minute and a second: within any 60 seconds never more
// than the limit is granted. After a jump of the clock backwards what was granted keeps its age.
// Not thread-safe.
class RateWindow {
 public:
  // Grants one more, unless `limit` or more are within the window.
  bool Take(std::int64_t limit, absl::Time now);
  std::int64_t Granted(absl::Time now);
  // Until fewer than `limit` are within the window; zero: now.
  absl::Duration UntilRoom(std::int64_t limit, absl::Time now);

 private:
  static constexpr int kSeconds = 61;  // the second that has begun, and 60 before it
  void MoveTo(absl::Time now);
  std::array<std::int64_t, kSeconds> counts_{};  // a ring
  int at_ = 0;                                   // the place of `second_`
  std::int64_t second_ = 0;                      // since 1970
  std::int64_t sum_ = 0;
};

enum class Over : std::uint8_t { kNone, kRate, kConcurrency, kDollars };

struct RateLeft {
  std::int64_t limit = 0, remaining = 0;
  absl::Duration reset;  // until the whole limit is there again
};

class QuotaAccount;

// One request's part of its tenant's quota. Gives back what it holds when it dies. Used by one
// thread at a time; may outlive the Quotas.
class QuotaTicket {
 public:
  QuotaTicket() = default;  // without bounds
  QuotaTicket(QuotaTicket&&) = default;
  QuotaTicket& operator=(QuotaTicket&& other) noexcept;
  ~QuotaTicket();

  // What the tenant is over, and then how long until it is worth another try.
  Over over() const { return over_; }
  // Whether Hold() and Done() matter: the tenant has bounds, and was not over one.
  bool counts() const { return account_ != nullptr; }
  absl::Duration retry_after() const { return retry_after_; }
  // None: the tenant has no bound of rate.
  const std::optional<RateLeft>& rate() const { return rate_; }

  // Sets aside the most that the request may cost (MostCostOf of scheduler/router.h): without it
  // many requests at once would each find money left. False: that is more than is left today, which
  // over() says from then on, or the tenant was over something before. A budget that demotes takes
  // all of it: the router keeps to the pools that may still be used.
  bool Hold(Usd most, absl::Time now);
  // What is left of a budget that refuses or demotes, none: no such budget.
  std::optional<Usd> left(absl::Time now) const;
  // How long until more is left of it: the budget that leaves least begins anew. Zero: there is
  // none.
  absl::Duration until_more(absl::Time now) const;
  bool demotes() const { return budget_.when_spent == WhenSpent::kDemote; }
  // The request is over and cost this much. Once; later calls change nothing.
  void Done(Usd cost, absl::Time now);

 private:
  friend class Quotas;
  std::shared_ptr<QuotaAccount> account_;  // null: nothing to give back
  Over over_ = Over::kNone;
  absl::Duration retry_after_;
  std::optional<RateLeft> rate_;
  BudgetLimits budget_;
  Usd held_{};
};

// Thread-safe. One lock a tenant, held for some ten nanoseconds; tenants without a quota take none.
class Quotas {
 public:
  // A place for one more request, or what the tenant is over. Its bounds are those of now: they may
  // be others at the next call.
  QuotaTicket Admit(const TenantSpec& tenant, absl::Time now);
  // What the tenant has spent within the period of `now`, at least: of the ledger, jobs included.
  void Spent(std::string_view tenant, BudgetPeriod period, Usd cost, absl::Time now);

 private:
  std::shared_ptr<QuotaAccount> AccountOf(std::string_view tenant);

  // As many as tenants were ever configured.
  std::shared_mutex mutex_;
  absl::flat_hash_map<std::string, std::shared_ptr<QuotaAccount>, TextHash, std::equal_to<>>
      accounts_;  // guarded by mutex_
};

}  // namespace spillway
