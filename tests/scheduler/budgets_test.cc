// Budgets of tenants, as the brain counts and holds them.
#include "scheduler/budgets.h"

#include <gtest/gtest.h>

#include "tests/support/fleets.h"
#include "tests/support/world.h"

namespace spillway {
namespace {

using absl::Hours;
using absl::Minutes;
using absl::Seconds;
using fixtures::Dollars;
using fixtures::World;

absl::Time At(std::string_view text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, std::string(text), &time, &error)) << error;
  return time;
}

// ---- Periods

TEST(BudgetPeriods, AreDaysAndMonthsOfUtc) {
  const absl::Time leap = At("2028-02-29T23:59:59Z");
  EXPECT_EQ(StartOf(BudgetPeriod::kDay, leap), At("2028-02-29T00:00:00Z"));
  EXPECT_EQ(EndOf(BudgetPeriod::kDay, leap), At("2028-03-01T00:00:00Z"));
  EXPECT_EQ(StartOf(BudgetPeriod::kMonth, leap), At("2028-02-01T00:00:00Z"));
  EXPECT_EQ(EndOf(BudgetPeriod::kMonth, leap), At("2028-03-01T00:00:00Z"));
  EXPECT_EQ(EndOf(BudgetPeriod::kMonth, At("2026-12-31T12:00:00Z")), At("2027-01-01T00:00:00Z"));
}

TEST(BudgetPeriods, AForecastGoesOnAsItBegan) {
  EXPECT_EQ(ForecastOf(BudgetPeriod::kDay, Dollars(2), At("2026-11-23T06:00:00Z")), Dollars(8));
  EXPECT_EQ(ForecastOf(BudgetPeriod::kDay, Dollars(2), At("2026-11-23T00:30:00Z")), std::nullopt)
      << "half an hour says nothing about a day";
  EXPECT_EQ(ForecastOf(BudgetPeriod::kMonth, Dollars(3), At("2026-11-16T00:00:00Z")), Dollars(6));
}

TEST(BudgetLimits, AQuotaOfDollarsIsABudgetThatRefuses) {
  TenantSpec tenant{.name = "a", .quota = {.usd_per_day = Dollars(5)}};
  const BudgetLimits limits = LimitsOf(tenant);
  EXPECT_EQ(limits.per_day, Dollars(5));
  EXPECT_EQ(limits.when_spent, WhenSpent::kRefuse);
  EXPECT_TRUE(limits.binds());
  EXPECT_FALSE(LimitsOf({.name = "b"}).any());
}

// ---- Counting

TEST(Budgets, WhatIsSpentCountsInItsOwnPeriodAlone) {
  Budgets budgets;
  TenantsSpec tenants{{{.name = "a"}}};
  tenants.tenants[0].budget = {
      .per_day = Usd(100), .per_month = Usd(150), .when_spent = WhenSpent::kRefuse};
  budgets.Configure(tenants);
  const absl::Time first = At("2026-11-23T10:00:00Z"), second = At("2026-11-24T10:00:00Z");
  budgets.Spend("a", first, Usd(90));
  EXPECT_EQ(budgets.BoundOf("a", Usd(0), first).left, Usd(10));
  EXPECT_EQ(budgets.BoundOf("a", Usd(7), first).left, Usd(3)) << "what runs is set aside";
  EXPECT_EQ(budgets.BoundOf("a", Usd(0), second).left, Usd(60)) << "the month is tighter now";
  budgets.Spend("a", second, Usd(5));
  budgets.Spend("a", first, Usd(1000));  // an hour of yesterday is closed late
  EXPECT_EQ(budgets.BoundOf("a", Usd(0), second).left, Usd(0)) << "of the month";
  const auto rows = budgets.TakeChanged(second);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].spent, Usd(5)) << "the day";
  EXPECT_EQ(rows[1].spent, Usd(1095));
}

TEST(Budgets, EachStepIsTakenOnce) {
  Budgets budgets;
  TenantsSpec tenants{{{.name = "a"}}};
  tenants.tenants[0].budget = {.per_day = Usd(1000)};
  budgets.Configure(tenants);
  const absl::Time noon = At("2026-11-23T12:00:00Z");
  const auto warned = [&](std::int64_t nanos) {
    budgets.Spend("a", noon, Usd(nanos));
    return budgets.TakeChanged(noon).front();
  };
  EXPECT_EQ(warned(499).warned, 0);
  EXPECT_FALSE(warned(0).forecast_warned);
  const record::BudgetRow half = warned(2);  // 501
  EXPECT_EQ(half.warned, 50);
  EXPECT_TRUE(half.forecast_warned) << "half of the day, more than half of the money";
  EXPECT_EQ(warned(299).warned, 80);
  EXPECT_EQ(warned(200).warned, 100);
  EXPECT_EQ(budgets.BoundOf("a", Usd(0), noon).left, std::nullopt) << "it only warns";
}

// ---- In the brain

Config ConfigWith(Budget budget) {
  Config config{.fleet = {{fixtures::LocalPool()}}, .policy = fixtures::BackstopPolicy()};
  config.tenants.tenants = {{.name = "a"}};
  config.tenants.tenants[0].budget = std::move(budget);
  return config;
}
// One CPU of eight for an hour, of a node at 0.10 USD an hour: 0.0125 USD.
Work HourLong(std::string tenant = "a") {
  Work work = fixtures::SmallJob();
  work.name = "";
  work.tenant = std::move(tenant);
  work.needs.cpus = fixtures::Cpus(1);
  fixtures::Lasting(work, Hours(1));
  return work;
}

TEST(BrainBudgets, WorkBeyondTheBudgetIsRefusedWithItsCode) {
  World world(ConfigWith({.per_day = Dollars(0.03), .when_spent = WhenSpent::kRefuse}));
  world.fate = [](const command::Launch&) { return fixtures::Fate{Hours(1)}; };
  EXPECT_TRUE(world.Submit(HourLong()).status.ok());
  EXPECT_TRUE(world.Submit(HourLong()).status.ok());
  const Reply refused = world.Submit(HourLong());
  EXPECT_EQ(refused.status.code(), absl::StatusCode::kResourceExhausted)
      << "two run: what they will cost is set aside";
  ASSERT_NE(refused.decision, nullptr);
  EXPECT_EQ(refused.decision->outcome, Outcome::kRefused);
  EXPECT_EQ(refused.decision->candidates[0].codes.First(), Code::kBudget);
  EXPECT_EQ(refused.decision->candidates[0].figures.found, Dollars(0.0125).value());
  EXPECT_EQ(refused.decision->candidates[0].figures.wanted, Dollars(0.005).value());
  EXPECT_TRUE(world.Submit(HourLong("b")).status.ok()) << "other tenants have no budget";
}

TEST(BrainBudgets, ANewDayIsANewBudget) {
  World world(ConfigWith({.per_day = Dollars(0.02), .when_spent = WhenSpent::kRefuse}));
  world.fate = [](const command::Launch&) { return fixtures::Fate{Hours(1)}; };
  EXPECT_TRUE(world.Submit(HourLong()).status.ok());
  EXPECT_FALSE(world.Submit(HourLong()).status.ok());
  world.RunUntil(EndOf(BudgetPeriod::kDay, world.Now()));
  EXPECT_TRUE(world.Submit(HourLong()).status.ok());
}

TEST(BrainBudgets, ARestartForgetsNothing) {
  World world(ConfigWith({.per_day = Dollars(0.03), .when_spent = WhenSpent::kRefuse}));
  world.fate = [](const command::Launch&) { return fixtures::Fate{Minutes(30)}; };
  world.Submit(HourLong());
  world.RunFor(Hours(1));  // half as long as was thought: 0.00625 USD
  world.fate = [](const command::Launch&) { return fixtures::Fate{Hours(1)}; };
  world.Submit(HourLong());
  world.Restart();
  const Reply refused = world.Submit(HourLong());
  ASSERT_NE(refused.decision, nullptr);
  EXPECT_EQ(refused.decision->candidates[0].figures.wanted, Dollars(0.01125).value());
  EXPECT_EQ(world.budgets.at({"a", BudgetPeriod::kDay}).spent, Dollars(0.00625));
}

TEST(BrainBudgets, ASpentBudgetMayDemoteToOtherPools) {
  PoolSpec dear = fixtures::LocalPool();
  dear.name = "first";
  dear.power.tariff = UsdPerKwh(0);  // claims first
  PoolSpec cheap = fixtures::LocalPool();
  cheap.price.node_hour = fixtures::HourlyDollars(0.01);
  Config config = ConfigWith({.per_day = Dollars(0.02),
                              .when_spent = WhenSpent::kDemote,
                              .demote_to = PoolSelector{.name = {"local"}}});
  config.fleet.pools = {dear, cheap};
  World world(config);
  world.fate = [](const command::Launch&) { return fixtures::Fate{Hours(1)}; };
  const JobId first = world.Submit(HourLong()).job;
  const JobId second = world.Submit(HourLong()).job;
  EXPECT_EQ(world.PoolOf(first), "first");
  EXPECT_EQ(world.PoolOf(second), "local");
  EXPECT_TRUE(world.decision(second).candidates[0].codes.Has(Code::kBudget));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(world.Submit(HourLong()).status.ok()) << "it is no end";
}

TEST(BrainBudgets, WhoWaitsGoesOnWhenTheBudgetBeginsAnew) {
  Config config = ConfigWith({.per_day = Dollars(0.02), .when_spent = WhenSpent::kRefuse});
  config.fleet.pools[0].node.cpus = fixtures::Cpus(1);  // 0.10 USD an hour for the one
  World world(config);
  Work work = HourLong();
  fixtures::Lasting(work, Minutes(6));
  world.fate = [](const command::Launch&) { return fixtures::Fate{Minutes(11)}; };  // 0.0183 USD
  const JobId first = world.Submit(work).job;
  const JobId second = world.Submit(work).job;  // within the budget still: it waits
  world.RunFor(Hours(1));
  EXPECT_EQ(world.job(first).state, JobState::kSucceeded);
  EXPECT_EQ(world.job(second).state, JobState::kQueued) << "the first took longer than it said";
  world.RunUntil(EndOf(BudgetPeriod::kDay, world.Now()) + Minutes(20));
  EXPECT_EQ(world.job(second).state, JobState::kSucceeded);
}

// ---- Carbon

TEST(BrainCarbon, AReadingCountsFromThenOn) {
  Config config{.fleet = {{fixtures::LocalPool()}}, .policy = fixtures::BackstopPolicy()};
  World world(config);
  world.fate = [](const command::Launch&) { return fixtures::Fate{Hours(2)}; };
  Work work = HourLong();
  fixtures::Lasting(work, Hours(2));
  const JobId id = world.Submit(work).job;
  world.RunFor(Hours(1));
  world.Give(event::CarbonSeen{"office", GramsCo2ePerKwh(600), world.Now()});
  world.Give(event::CarbonSeen{"elsewhere", GramsCo2ePerKwh(9), world.Now()});
  world.RunFor(Hours(2));
  const Attempt& attempt = world.job(id).attempts.back();
  // An hour at 300 and one at 600 g/kWh, PUE 1.3.
  const double kwh = static_cast<double>(attempt.energy.value()) / 1e6 / kJoulesPerKwh;
  EXPECT_NEAR(static_cast<double>(attempt.carbon.value()) / 1e6, kwh * 1.3 * 450, 1e-3);
  EXPECT_EQ(world.brain().Pools()[0].spec->site.carbon, GramsCo2ePerKwh(600));
}

}  // namespace
}  // namespace spillway
