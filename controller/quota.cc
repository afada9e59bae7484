#include "controller/quota.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace spillway {
namespace {

constexpr std::int64_t kDay = 24 * 60 * 60;
constexpr Usd kMost{std::numeric_limits<std::int64_t>::max()};

std::int64_t DayOf(absl::Time now) {
  const std::int64_t second = absl::ToUnixSeconds(now);
  return second / kDay - (second % kDay < 0);
}

}  // namespace

absl::Time StartOfDay(absl::Time now) { return absl::FromUnixSeconds(DayOf(now) * kDay); }

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
  Over Admit(const Quota& quota, absl::Time now, absl::Duration& retry_after,
             std::optional<RateLeft>& rate) {
    const std::lock_guard lock(mutex_);
    MoveTo(now);
    const Over over = WhatIsOver(quota, now, retry_after);
    if (over == Over::kNone) ++running_;
    if (quota.requests_per_minute) {
      const std::int64_t limit = *quota.requests_per_minute;
      rate = RateLeft{.limit = limit,
                      .remaining = std::max<std::int64_t>(limit - rate_.Granted(now), 0),
                      .reset = rate_.UntilRoom(1, now)};
    }
    return over;
  }

  bool Hold(Usd most, Usd budget, absl::Time now) {
    const std::lock_guard lock(mutex_);
    MoveTo(now);
    if (most > LeftOf(budget)) return false;
    held_ += most;
    return true;
  }

  void Release(Usd held) {
    const std::lock_guard lock(mutex_);
    --running_;
    held_ -= held;
  }

  void Book(Usd cost, absl::Time now) {
    const std::lock_guard lock(mutex_);
    MoveTo(now);
    if (cost > Usd(0)) spent_ = cost > kMost - spent_ ? kMost : spent_ + cost;
  }

  void Spent(Usd cost, absl::Time now) {
    const std::lock_guard lock(mutex_);
    MoveTo(now);
    spent_ = std::max(spent_, cost);
  }

 private:
  // Never more than the budget: nothing that was booked gives any back.
  Usd LeftOf(Usd budget) const {
    return spent_ >= budget ? Usd(0) : std::max(budget - spent_ - held_, Usd(0));
  }

  Over WhatIsOver(const Quota& quota, absl::Time now, absl::Duration& retry_after) {
    if (quota.usd_per_day && LeftOf(*quota.usd_per_day) <= Usd(0)) {
      retry_after = absl::FromUnixSeconds((day_ + 1) * kDay) - now;
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

  // What is spent on a day is spent on no other. A clock set back does not give it back.
  void MoveTo(absl::Time now) {
    const std::int64_t day = DayOf(now);
    if (day > day_) spent_ = Usd();
    if (day > day_ || day < day_ - 1) day_ = day;
  }

  std::mutex mutex_;  // guards all below
  RateWindow rate_;
  int running_ = 0;
  std::int64_t day_ = 0;  // since 1970
  Usd spent_{}, held_{};
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
  if (!account_ || !budget_) return true;
  if (account_->Hold(most, *budget_, now)) {
    held_ += most;
    return true;
  }
  over_ = Over::kDollars;
  retry_after_ = StartOfDay(now) + absl::Hours(24) - now;
  return false;
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

QuotaTicket Quotas::Admit(std::string_view tenant, const Quota& quota, absl::Time now) {
  QuotaTicket ticket;
  if (quota == Quota()) return ticket;
  std::shared_ptr<QuotaAccount> account = AccountOf(tenant);
  ticket.budget_ = quota.usd_per_day;
  ticket.over_ = account->Admit(quota, now, ticket.retry_after_, ticket.rate_);
  if (ticket.over_ == Over::kNone) ticket.account_ = std::move(account);
  return ticket;
}

void Quotas::Spent(std::string_view tenant, Usd cost, absl::Time now) {
  AccountOf(tenant)->Spent(cost, now);
}

}  // namespace spillway
