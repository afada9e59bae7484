#include "controller/quota.h"

#include <deque>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace spillway {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

TenantSpec Of(std::string name, const Quota& quota) {
  return {.name = std::move(name), .quota = quota};
}

// --- Rate ----------------------------------------------------------------------------------------

// Whatever the traffic, no 60 seconds see more than the limit; and who waits as he was told is
// taken.
TEST(RateWindow, NeverGrantsMoreThanTheLimitWithinAnyMinute) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937_64 random(seed);
    const std::int64_t limit = 1 + static_cast<std::int64_t>(random() % 40);
    const std::int64_t mean_ms = 1 + static_cast<std::int64_t>(random() % 3000);
    RateWindow window;
    std::deque<absl::Time> granted;  // within the last 60 s
    absl::Time now = kStart + absl::Milliseconds(random() % 1000);
    std::int64_t all = 0;
    for (int i = 0; i < 3000; ++i) {
      now += absl::Milliseconds(random() % (2 * static_cast<std::uint64_t>(mean_ms)));
      if (random() % 200 == 0) now += absl::Seconds(random() % 120);
      while (!granted.empty() && granted.front() <= now - absl::Seconds(60)) granted.pop_front();
      if (window.Take(limit, now)) {
        granted.push_back(now);
        ++all;
      } else {
        const absl::Duration wait = window.UntilRoom(limit, now);
        EXPECT_GT(wait, absl::ZeroDuration());
        EXPECT_LE(wait, absl::Seconds(61));
        RateWindow later = window;
        EXPECT_FALSE(later.Take(limit, now + wait - absl::Nanoseconds(1)));
        EXPECT_TRUE(later.Take(limit, now + wait));
      }
      ASSERT_LE(static_cast<std::int64_t>(granted.size()), limit) << "request " << i;
      ASSERT_EQ(window.UntilRoom(limit + 1'000'000, now), absl::ZeroDuration());
    }
    // Nor is it stingy: who always asks has his limit in each 61 s.
    const double minutes = absl::FDivDuration(now - kStart, absl::Seconds(61));
    if (mean_ms * limit < 1000) {
      EXPECT_GT(static_cast<double>(all), 0.5 * static_cast<double>(limit) * minutes);
    }
  }
}

TEST(RateWindow, TheWholeLimitAtOnceAndAllOfItAgainAfterAMinute) {
  RateWindow window;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(window.Take(100, kStart));
  EXPECT_FALSE(window.Take(100, kStart));
  EXPECT_EQ(window.UntilRoom(100, kStart), absl::Seconds(61));
  EXPECT_FALSE(window.Take(100, kStart + absl::Seconds(60)));
  EXPECT_EQ(window.Granted(kStart + absl::Seconds(60)), 100);
  EXPECT_EQ(window.Granted(kStart + absl::Seconds(61)), 0);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(window.Take(100, kStart + absl::Seconds(61)));
}

TEST(RateWindow, AClockThatIsSetNeitherLocksOutNorLetsIn) {
  RateWindow window;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(window.Take(5, kStart));
  const absl::Time back = kStart - absl::Hours(1);
  EXPECT_FALSE(window.Take(5, back)) << "what was granted keeps its age";
  EXPECT_FALSE(window.Take(5, back + absl::Seconds(60)));
  EXPECT_TRUE(window.Take(5, back + absl::Seconds(61)));
  EXPECT_EQ(window.Granted(kStart + absl::Hours(1000)), 0);
}

TEST(RateWindow, ThreadsMayComeASecondLate) {
  RateWindow window;
  EXPECT_TRUE(window.Take(2, kStart));
  EXPECT_TRUE(window.Take(2, kStart - absl::Milliseconds(1)));
  EXPECT_FALSE(window.Take(2, kStart + absl::Seconds(60)));
  EXPECT_TRUE(window.Take(2, kStart + absl::Seconds(61)));
}

// --- Concurrency ---------------------------------------------------------------------------------

TEST(Quotas, AsManyAtOnceAsAreAllowed) {
  Quotas quotas;
  const Quota quota{.concurrency = 2};
  QuotaTicket first = quotas.Admit(Of("a", quota), kStart);
  {
    const QuotaTicket second = quotas.Admit(Of("a", quota), kStart);
    EXPECT_EQ(second.over(), Over::kNone);
    const QuotaTicket third = quotas.Admit(Of("a", quota), kStart);
    EXPECT_EQ(third.over(), Over::kConcurrency);
    EXPECT_GT(third.retry_after(), absl::ZeroDuration());
    EXPECT_EQ(third.rate(), std::nullopt);
    EXPECT_EQ(quotas.Admit(Of("b", quota), kStart).over(), Over::kNone);
  }
  QuotaTicket fourth = quotas.Admit(Of("a", quota), kStart);
  EXPECT_EQ(fourth.over(), Over::kNone) << "what died gave its place back, and only its own";
  first.Done(Usd(), kStart);
  first.Done(Usd(), kStart);
  QuotaTicket fifth = quotas.Admit(Of("a", quota), kStart);
  EXPECT_EQ(fifth.over(), Over::kNone);
  EXPECT_EQ(quotas.Admit(Of("a", quota), kStart).over(), Over::kConcurrency) << "done once";
}

TEST(Quotas, BoundsAreThoseOfEachCall) {
  Quotas quotas;
  const Quota one{.concurrency = 1}, two{.concurrency = 2};
  const QuotaTicket first = quotas.Admit(Of("a", one), kStart);
  EXPECT_EQ(quotas.Admit(Of("a", one), kStart).over(), Over::kConcurrency);
  const QuotaTicket second = quotas.Admit(Of("a", two), kStart);
  EXPECT_EQ(second.over(), Over::kNone) << "its bound was raised";
  EXPECT_EQ(quotas.Admit(Of("a", one), kStart).over(), Over::kConcurrency) << "and lowered";
  quotas.Spent("a", BudgetPeriod::kDay, Usd(6), kStart);
  EXPECT_EQ(quotas.Admit(Of("a", {.usd_per_day = Usd(5)}), kStart).over(), Over::kDollars);
  EXPECT_EQ(quotas.Admit(Of("a", {.usd_per_day = Usd(9)}), kStart).over(), Over::kNone);
}

TEST(Quotas, ATicketThatMovedHoldsOnePlace) {
  Quotas quotas;
  const Quota quota{.concurrency = 1};
  QuotaTicket held;
  held = quotas.Admit(Of("a", quota), kStart);
  QuotaTicket moved = std::move(held);
  EXPECT_EQ(quotas.Admit(Of("a", quota), kStart).over(), Over::kConcurrency);
  moved = QuotaTicket();
  EXPECT_EQ(quotas.Admit(Of("a", quota), kStart).over(), Over::kNone);
}

TEST(Quotas, ATicketMayOutliveThem) {
  QuotaTicket ticket;
  {
    Quotas quotas;
    ticket = quotas.Admit(Of("a", {.concurrency = 1}), kStart);
  }
  ticket.Done(Usd(1), kStart);
}

TEST(Quotas, WhatIsRefusedCostsNoneOfTheRate) {
  Quotas quotas;
  const Quota quota{.requests_per_minute = 2, .concurrency = 1};
  QuotaTicket held = quotas.Admit(Of("a", quota), kStart);
  ASSERT_TRUE(held.rate().has_value());
  EXPECT_EQ(held.rate()->remaining, 1);
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(quotas.Admit(Of("a", quota), kStart).over(), Over::kConcurrency);
  held.Done(Usd(), kStart);
  const QuotaTicket next = quotas.Admit(Of("a", quota), kStart);
  EXPECT_EQ(next.over(), Over::kNone);
  EXPECT_EQ(next.rate()->remaining, 0);
  EXPECT_EQ(next.rate()->limit, 2);
  EXPECT_EQ(next.rate()->reset, absl::Seconds(61));
}

TEST(Quotas, NoneIsNoBound) {
  Quotas quotas;
  for (int i = 0; i < 1000; ++i) {
    QuotaTicket ticket = quotas.Admit(Of("a", {}), kStart);
    EXPECT_EQ(ticket.over(), Over::kNone);
    EXPECT_TRUE(ticket.Hold(Usd(INT64_MAX), kStart));
  }
}

// --- Dollars -------------------------------------------------------------------------------------

TEST(Quotas, AThousandAtOnceShareABudgetForTen) {
  Quotas quotas;
  const Quota quota{.usd_per_day = Usd(10'500)};
  std::vector<QuotaTicket> tickets;
  int held = 0;
  for (int i = 0; i < 1000; ++i) {
    tickets.push_back(quotas.Admit(Of("a", quota), kStart));
    if (tickets.back().over() == Over::kNone) held += tickets.back().Hold(Usd(1000), kStart);
  }
  EXPECT_EQ(held, 10);
  EXPECT_EQ(tickets.back().over(), Over::kDollars);
  // They cost half of what was thought: then there is room for more.
  for (QuotaTicket& ticket : tickets) {
    if (ticket.over() == Over::kNone) ticket.Done(Usd(500), kStart);
  }
  QuotaTicket next = quotas.Admit(Of("a", quota), kStart);
  EXPECT_TRUE(next.Hold(Usd(5'500), kStart));
  EXPECT_FALSE(quotas.Admit(Of("a", quota), kStart).Hold(Usd(1), kStart));
}

// However much is booked, nothing of it comes back.
TEST(Quotas, AnAbsurdCostUsesTheBudgetUpForTheDay) {
  Quotas quotas;
  const Quota quota{.usd_per_day = Usd(100)};
  for (const Usd cost : {Usd(INT64_MAX), Usd(INT64_MAX), Usd(-50), Usd(INT64_MIN)}) {
    QuotaTicket first = quotas.Admit(Of("b", Quota{.usd_per_day = Usd(INT64_MAX)}), kStart);
    first.Done(cost, kStart);
    EXPECT_EQ(quotas.Admit(Of("b", quota), kStart).over(), Over::kDollars);
  }
  EXPECT_FALSE(quotas.Admit(Of("c", quota), kStart).Hold(Usd(INT64_MAX), kStart));
  QuotaTicket credit = quotas.Admit(Of("c", quota), kStart);
  credit.Done(Usd(-1000), kStart);
  EXPECT_FALSE(quotas.Admit(Of("c", quota), kStart).Hold(Usd(101), kStart));
}

TEST(Quotas, EachDayOfUtcHasItsOwnDollars) {
  Quotas quotas;
  const Quota quota{.usd_per_day = Usd(100)};
  const absl::Time midnight = absl::FromUnixSeconds(1'800'000'000 / 86'400 * 86'400);
  const absl::Time evening = midnight - absl::Minutes(5);
  quotas.Spent("a", BudgetPeriod::kDay, Usd(100), evening);
  const QuotaTicket refused = quotas.Admit(Of("a", quota), evening);
  EXPECT_EQ(refused.over(), Over::kDollars);
  EXPECT_EQ(refused.retry_after(), absl::Minutes(5));
  EXPECT_EQ(quotas.Admit(Of("a", quota), midnight - absl::Nanoseconds(1)).over(), Over::kDollars);
  EXPECT_EQ(quotas.Admit(Of("a", quota), midnight).over(), Over::kNone);
  EXPECT_EQ(StartOf(BudgetPeriod::kDay, evening), midnight - absl::Hours(24));
  EXPECT_EQ(StartOf(BudgetPeriod::kDay, midnight), midnight);
}

TEST(Quotas, AClockThatGoesBackGivesNothingBack) {
  Quotas quotas;
  const Quota quota{.usd_per_day = Usd(100)};
  quotas.Spent("a", BudgetPeriod::kDay, Usd(100), kStart);
  for (const int days : {1, 3, 300}) {
    EXPECT_EQ(quotas.Admit(Of("a", quota), kStart - days * absl::Hours(24)).over(), Over::kDollars);
  }
}

TEST(Quotas, WhatTheLedgerSaysCountsOnce) {
  Quotas quotas;
  const Quota quota{.usd_per_day = Usd(100)};
  quotas.Admit(Of("a", quota), kStart).Done(Usd(60), kStart);
  quotas.Spent("a", BudgetPeriod::kDay, Usd(60), kStart);  // the same, booked
  EXPECT_TRUE(quotas.Admit(Of("a", quota), kStart).Hold(Usd(40), kStart));
  quotas.Spent("a", BudgetPeriod::kDay, Usd(90), kStart);
  EXPECT_FALSE(quotas.Admit(Of("a", quota), kStart).Hold(Usd(11), kStart));
}

// Never more at once, nor more dollars, than allowed, whatever the threads do.
TEST(Quotas, HoldTheirBoundsAmongThreads) {
  Quotas quotas;
  const Quota quota{.requests_per_minute = 2000, .concurrency = 3, .usd_per_day = Usd(1'000)};
  std::atomic<int> running{0}, most{0}, granted{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 3000; ++i) {
        QuotaTicket ticket = quotas.Admit(Of("a", quota), kStart);
        if (ticket.over() != Over::kNone) continue;
        const int now = ++running;
        for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
        }
        if (ticket.Hold(Usd(1), kStart)) ++granted;
        --running;
        ticket.Done(Usd(1), kStart);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most, 3);
  EXPECT_LE(granted, 1000);
  EXPECT_GE(granted, 1);
}

// --- Budgets -------------------------------------------------------------------------------------

TEST(Quotas, TheTighterOfDayAndMonthCounts) {
  Quotas quotas;
  TenantSpec tenant{.name = "a"};
  tenant.budget = {.per_day = Usd(100), .per_month = Usd(150), .when_spent = WhenSpent::kRefuse};
  EXPECT_EQ(quotas.Admit(tenant, kStart).left(kStart), Usd(100));
  quotas.Admit(tenant, kStart).Done(Usd(100), kStart);
  EXPECT_EQ(quotas.Admit(tenant, kStart).over(), Over::kDollars);
  const absl::Time next_day = EndOf(BudgetPeriod::kDay, kStart);
  ASSERT_LT(next_day, EndOf(BudgetPeriod::kMonth, kStart));
  EXPECT_EQ(quotas.Admit(tenant, next_day).left(next_day), Usd(50)) << "what the month has left";
  quotas.Admit(tenant, next_day).Done(Usd(50), next_day);
  const QuotaTicket refused = quotas.Admit(tenant, next_day);
  EXPECT_EQ(refused.over(), Over::kDollars);
  EXPECT_EQ(refused.retry_after(), EndOf(BudgetPeriod::kMonth, kStart) - next_day)
      << "another day does not help";
  EXPECT_EQ(refused.until_more(next_day), absl::ZeroDuration()) << "it holds nothing";
}

TEST(Quotas, MoreIsLeftOnceTheBudgetThatLeavesLeastBeginsAnew) {
  Quotas quotas;
  TenantSpec tenant{.name = "a"};
  tenant.budget = {.per_day = Usd(100),
                   .per_month = Usd(150),
                   .when_spent = WhenSpent::kDemote,
                   .demote_to = PoolSelector()};
  const absl::Duration day = EndOf(BudgetPeriod::kDay, kStart) - kStart;
  EXPECT_EQ(quotas.Admit(tenant, kStart).until_more(kStart), day);
  tenant.budget.per_month = Usd(70);
  EXPECT_EQ(quotas.Admit(tenant, kStart).until_more(kStart),
            EndOf(BudgetPeriod::kMonth, kStart) - kStart);
  tenant.budget.per_month.reset();
  quotas.Admit(tenant, kStart).Done(Usd(120), kStart);
  EXPECT_EQ(quotas.Admit(tenant, kStart).until_more(kStart), day);
  EXPECT_EQ(quotas.Admit({.name = "b"}, kStart).until_more(kStart), absl::ZeroDuration());
}

TEST(Quotas, ABudgetThatWarnsRefusesNobody) {
  Quotas quotas;
  TenantSpec tenant{.name = "a"};
  tenant.budget = {.per_day = Usd(100)};
  QuotaTicket ticket = quotas.Admit(tenant, kStart);
  EXPECT_EQ(ticket.left(kStart), std::nullopt);
  EXPECT_TRUE(ticket.Hold(Usd(1000), kStart));
}

TEST(Quotas, ABudgetThatDemotesTakesItAllAndSaysWhatIsLeft) {
  Quotas quotas;
  TenantSpec tenant{.name = "a"};
  tenant.budget = {
      .per_day = Usd(100), .when_spent = WhenSpent::kDemote, .demote_to = PoolSelector()};
  QuotaTicket first = quotas.Admit(tenant, kStart);
  EXPECT_TRUE(first.demotes());
  EXPECT_TRUE(first.Hold(Usd(70), kStart));
  EXPECT_EQ(quotas.Admit(tenant, kStart).left(kStart), Usd(30));
  first.Done(Usd(120), kStart);
  QuotaTicket second = quotas.Admit(tenant, kStart);
  EXPECT_EQ(second.over(), Over::kNone);
  EXPECT_EQ(second.left(kStart), Usd(0));
  EXPECT_TRUE(second.Hold(Usd(50), kStart));
}

}  // namespace
}  // namespace spillway
