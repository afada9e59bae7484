#include "controller/quota.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace spillway {
namespace {

constexpr Usd kMost{std::numeric_limits<std::int64_t>::max()};

}  // namespace

// --- RateWindow ----------------------------------------------------------------------------------

void RateWindow::MoveTo(absl::Time now) {
  const std::int64_t second = absl::ToUnixSeconds(now);
  const std::int64_t steps = std::clamp<std::int64_t>(second - second_, 0, kSeconds);
  for (std::int64_t i = 0; i < steps; ++i) {
    at_ = (at_ + 1) % kSeconds;
    sum_ -= std::exchange(counts_[static_cast<std::size_t>(at_)], 0);
  }
  // Threads read the clock before they come here: a second back is no jump.
  if (second > second_ || second < second_ - 1) second_ = second;
}

bool RateWindow::Take(std::int64_t limit, absl::Time now) {
  MoveTo(now);
  if (sum_ >= limit) return false;
  ++counts_[static_cast<std::size_t>(at_)];
  ++sum_;
  return true;
}

std::int64_t RateWindow::Granted(absl::Time now) {
  MoveTo(now);
  return sum_;
}

absl::Duration RateWindow::UntilRoom(std::int64_t limit, absl::Time now) {
  MoveTo(now);
  std::int64_t left = sum_;
  for (int age = kSeconds - 1; age >= 0 && left >= limit; --age) {
    left -= counts_[static_cast<std::size_t>((at_ + kSeconds - age) % kSeconds)];
    if (left < limit) return absl::FromUnixSeconds(second_ + kSeconds - age) - now;
  }
  return absl::ZeroDuration();
}

// --- QuotaAccount --------------------------------------------------------------------------------

class QuotaAccount {
 public:
  // Takes a place if nothing is over.
  Over Admit(const Quota& quota, const BudgetLimits& budget, absl::Time now,
             absl::Duration& retry_after, std::optional<RateLeft>& rate) {
    const std::lock_guard lock(mutex_);
    MoveTo(now);
    const Over over = WhatIsOver(quota, budget, now, retry_after);
    if (over == Over::kNone) ++running_;
    if (quota.requests_per_minute) {
      const std::int64_t limit = *quota.requests_per_minute;
      rate = RateLeft{.limit = limit,
                      .remaining = std::max<std::int64_t>(limit - rate_.Granted(now), 0),
                      .reset = rate_.UntilRoom(1, now)};
    }
    return over;
  }

  bool Hold(Usd most, const BudgetLimits& budget, absl::Time now, absl::Duration& retry_after) {
    const std::lock_guard lock(mutex_);
    MoveTo(now);
    if (budget.when_spent == WhenSpent::kRefuse && most > *LeftOf(budget)) {
      retry_after = UntilLeft(budget, most, now);
      return false;
    }
    held_ += most;
    return true;
  }

  std::optional<Usd> Left(const BudgetLimits& budget, absl::Time now) {
    const std::lock_guard lock(mutex_);
    MoveTo(now);
    return LeftOf(budget);
  }

  absl::Duration UntilMore(const BudgetLimits& budget, absl::Time now) {
    const std::lock_guard lock(mutex_);
    MoveTo(now);
    const std::optional<Usd> left = LeftOf(budget);
    return left ? UntilLeft(budget, *left + Usd(1), now) : absl::ZeroDuration();
  }

  void Release(Usd held) {
    const std::lock_guard lock(mutex_);
    --running_;
    held_ -= held;
  }

  void Book(Usd cost, absl::Time now) {
    const std::lock_guard lock(mutex_);
    MoveTo(now);
    if (cost <= Usd(0)) return;
    for (Period& p : periods_) p.spent = cost > kMost - p.spent ? kMost : p.spent + cost;
  }

  void Spent(BudgetPeriod period, Usd cost, absl::Time now) {
    const std::lock_guard lock(mutex_);
    MoveTo(now);
    Period& p = periods_[static_cast<std::size_t>(period)];
    p.spent = std::max(p.spent, cost);
  }

 private:
  struct Period {
    BudgetPeriod length;
    absl::Time start = absl::InfinitePast(), end = absl::InfinitePast();
    Usd spent{};

    // Never more than the limit: nothing that was booked gives any back.
    Usd LeftOf(Usd limit, Usd held) const {
      return spent >= limit ? Usd(0) : std::max(limit - spent - held, Usd(0));
    }
  };

  // Of the tightest; none: no budget that refuses or demotes.
  std::optional<Usd> LeftOf(const BudgetLimits& budget) const {
    std::optional<Usd> left;
    if (!budget.binds()) return left;
    for (const Period& p : periods_) {
      const std::optional<Usd> limit = budget.Of(p.length);
      if (!limit) continue;
      const Usd of_it = p.LeftOf(*limit, held_);
      left = left ? std::min(*left, of_it) : of_it;
    }
    return left;
  }

  // Until every budget that has less left than this has begun anew.
  absl::Duration UntilLeft(const BudgetLimits& budget, Usd most, absl::Time now) const {
    absl::Duration until;
    for (const Period& p : periods_) {
      const std::optional<Usd> limit = budget.Of(p.length);
      if (limit && p.LeftOf(*limit, held_) < most) until = std::max(until, p.end - now);
    }
    return until;
  }

  Over WhatIsOver(const Quota& quota, const BudgetLimits& budget, absl::Time now,
                  absl::Duration& retry_after) {
    if (budget.binds() && budget.when_spent == WhenSpent::kRefuse && *LeftOf(budget) <= Usd(0)) {
      retry_after = UntilLeft(budget, Usd(1), now);
      return Over::kDollars;
    }
    if (quota.concurrency && running_ >= *quota.concurrency) {
      retry_after = absl::Seconds(1);
      return Over::kConcurrency;
    }
    // Last, since it takes.
    if (quota.requests_per_minute && !rate_.Take(*quota.requests_per_minute, now)) {
      retry_after = rate_.UntilRoom(*quota.requests_per_minute, now);
      return Over::kRate;
    }
    return Over::kNone;
  }

  // What is spent in a period is spent in no other. A clock that is set back a little does not give
  // it back.
  void MoveTo(absl::Time now) {
    for (Period& p : periods_) {
      const bool within = now >= p.start - absl::Hours(24) && now < p.end;
      if (within) continue;
      if (now >= p.end) p.spent = Usd();
      p.start = StartOf(p.length, now);
      p.end = EndOf(p.length, now);
    }
  }

  std::mutex mutex_;  // guards all below
  RateWindow rate_;
  int running_ = 0;
  std::array<Period, 2> periods_{{{BudgetPeriod::kDay}, {BudgetPeriod::kMonth}}};
  Usd held_{};
};

// --- QuotaTicket ---------------------------------------------------------------------------------

QuotaTicket::~QuotaTicket() {
  if (account_) account_->Release(held_);
}

QuotaTicket& QuotaTicket::operator=(QuotaTicket&& other) noexcept {
  std::swap(account_, other.account_);
  std::swap(held_, other.held_);
  over_ = other.over_;
  retry_after_ = other.retry_after_;
  rate_ = other.rate_;
  budget_ = other.budget_;
  return *this;
}

bool QuotaTicket::Hold(Usd most, absl::Time now) {
  if (over_ != Over::kNone) return false;
  if (!account_ || !budget_.binds()) return true;
  if (account_->Hold(most, budget_, now, retry_after_)) {
    held_ += most;
    return true;
  }
  over_ = Over::kDollars;
  return false;
}

std::optional<Usd> QuotaTicket::left(absl::Time now) const {
  return account_ ? account_->Left(budget_, now) : std::nullopt;
}

absl::Duration QuotaTicket::until_more(absl::Time now) const {
  return account_ ? account_->UntilMore(budget_, now) : absl::ZeroDuration();
}

void QuotaTicket::Done(Usd cost, absl::Time now) {
  if (!account_) return;
  account_->Book(cost, now);  // first: what is held and spent never dips
  account_->Release(std::exchange(held_, Usd()));
  account_.reset();
}

// --- Quotas --------------------------------------------------------------------------------------

std::shared_ptr<QuotaAccount> Quotas::AccountOf(std::string_view tenant) {
  {
    const std::shared_lock lock(mutex_);
    if (const auto found = accounts_.find(tenant); found != accounts_.end()) return found->second;
  }
  const std::lock_guard lock(mutex_);
  auto& account = accounts_[std::string(tenant)];
  if (!account) account = std::make_shared<QuotaAccount>();
  return account;
}

QuotaTicket Quotas::Admit(const TenantSpec& tenant, absl::Time now) {
  QuotaTicket ticket;
  const BudgetLimits budget = LimitsOf(tenant);
  if (tenant.quota == Quota() && !budget.binds()) return ticket;
  std::shared_ptr<QuotaAccount> account = AccountOf(tenant.name);
  ticket.budget_ = budget;
  ticket.over_ = account->Admit(tenant.quota, budget, now, ticket.retry_after_, ticket.rate_);
  if (ticket.over_ == Over::kNone) ticket.account_ = std::move(account);
  return ticket;
}

void Quotas::Spent(std::string_view tenant, BudgetPeriod period, Usd cost, absl::Time now) {
  AccountOf(tenant)->Spent(period, cost, now);
}

}  // namespace spillway
