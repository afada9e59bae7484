#include "controller/northbound/activity.h"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "controller/northbound/day_books.h"
#include "controller/northbound/time_spread.h"

namespace spillway {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);  // a step begins

Request Ended(absl::Time at, absl::Duration took, RequestEnd end = RequestEnd::kAnswered) {
  Request request;
  request.features.arrived = at - took;
  request.ended = at;
  request.end = end;
  request.ttft = took / 2;
  request.attempts = {{.endpoint = {PoolId{1}, 0}}};
  return request;
}

TEST(TimeSpread, SaysNothingOfNothing) { EXPECT_EQ(TimeSpread().Quantile(0.95), std::nullopt); }

TEST(TimeSpread, QuantilesAreWithinTwoPointThreePercent) {
  constexpr unsigned kSeed = 7;
  std::mt19937 draw(kSeed);
  std::lognormal_distribution<double> seconds(-1, 2);
  std::vector<double> all;
  TimeSpread spread;
  for (int i = 0; i < 5000; ++i) {
    all.push_back(std::clamp(seconds(draw), 2e-4, 8e4));
    spread.Add(absl::Seconds(all.back()));
  }
  std::sort(all.begin(), all.end());
  for (const double part : {0.01, 0.5, 0.9, 0.95, 0.99, 1.0}) {
    const double exact = all[static_cast<std::size_t>(std::ceil(part * 5000)) - 1];
    EXPECT_NEAR(absl::ToDoubleSeconds(*spread.Quantile(part)), exact, 0.023 * exact)
        << "seed " << kSeed << ", part " << part;
  }
}

TEST(TimeSpread, TakesTimesBeyondItsEnds) {
  TimeSpread spread;
  spread.Add(-absl::Seconds(1));
  spread.Add(absl::Hours(1000));
  spread.Add(absl::InfiniteDuration());
  EXPECT_EQ(spread.count(), 3u);
  EXPECT_GT(*spread.Quantile(1), absl::Hours(24));
  EXPECT_LT(*spread.Quantile(0.1), absl::Milliseconds(1));
}

TEST(Activity, CountsByStepAndPool) {
  Activity activity;
  activity.JobEnded(kStart, PoolId{0}, absl::Seconds(2));
  activity.RequestEnded(kStart + absl::Seconds(9), Ended(kStart, absl::Seconds(1)));
  activity.RequestEnded(kStart + absl::Seconds(10), Ended(kStart, absl::Seconds(1)));
  const std::int64_t step = Activity::StepOf(kStart);
  ASSERT_NE(activity.Find(step), nullptr);
  EXPECT_EQ(activity.Find(step)->jobs, 1);
  EXPECT_EQ(activity.Find(step)->requests, 1);
  EXPECT_EQ(activity.Find(step)->pools[0].jobs, 1u);
  EXPECT_EQ(activity.Find(step)->pools[1].requests, 1u);
  EXPECT_EQ(activity.Find(step + 1)->requests, 1);
  EXPECT_EQ(activity.Find(step + 2), nullptr);
}

TEST(Activity, RefusedRequestsHaveNoTimes) {
  Activity activity;
  activity.RequestEnded(kStart, Ended(kStart, absl::Seconds(1), RequestEnd::kRefused));
  activity.RequestEnded(kStart, Ended(kStart, absl::Seconds(1), RequestEnd::kClientGone));
  const Activity::Step sum = activity.Sum(kStart, absl::Minutes(1));
  EXPECT_EQ(sum.requests, 2);
  EXPECT_EQ(sum.refused, 1);
  EXPECT_EQ(sum.request.count(), 0u);
}

TEST(Activity, ForgetsAfterFiveMinutes) {
  Activity activity;
  for (int i = 0; i < 100; ++i)
    activity.JobEnded(kStart + i * Activity::kStep, PoolId{0}, absl::Seconds(1));
  const absl::Time now = kStart + 99 * Activity::kStep;
  EXPECT_EQ(activity.Sum(now, absl::Hours(1)).jobs, 30);
  EXPECT_EQ(activity.Sum(now, absl::Minutes(1)).jobs, 6);
  EXPECT_EQ(activity.Find(Activity::StepOf(kStart)), nullptr);
}

TEST(Activity, AClockThatWasSetBackCountsNow) {
  Activity activity;
  activity.JobEnded(kStart, PoolId{0}, absl::Seconds(1));
  activity.JobEnded(kStart - absl::Hours(2), PoolId{0}, absl::Seconds(1));
  EXPECT_EQ(activity.Find(Activity::StepOf(kStart))->jobs, 2);
}

TEST(SeriesRing, KeepsAnHourAndNothingOfWhatWasSleptThrough) {
  SeriesRing ring;
  ring.Put(100, 1);
  ring.Put(101, std::nullopt);
  ring.Put(104, 4);
  EXPECT_EQ(ring.At(99), std::nullopt);
  EXPECT_EQ(ring.At(100), 1);
  EXPECT_EQ(ring.At(101), std::nullopt);
  EXPECT_EQ(ring.At(103), std::nullopt);
  EXPECT_EQ(ring.At(104), 4);
  EXPECT_EQ(ring.At(105), std::nullopt);
  ring.Put(102, 7);  // too late
  EXPECT_EQ(ring.At(102), std::nullopt);
  ring.Put(100 + SeriesRing::kSteps, 5);
  EXPECT_EQ(ring.At(100), std::nullopt);
  EXPECT_EQ(ring.At(104), 4);
  ring.Put(100'000, 6);
  EXPECT_EQ(ring.At(104), std::nullopt);
  EXPECT_EQ(ring.At(99'999), std::nullopt);
}

TEST(DayBooks, TellsWorkOverheadAndIdleApart) {
  DayBooks books;
  record::LedgerRow row{.hour = kStart, .pool = PoolId{2}, .tenant = "a"};
  row.cost = Usd(100);
  row.compared_cost = Usd(60);
  row.baseline_cost = Usd(90);
  row.finished = 3;
  row.without_baseline = 1;
  books.Add(row);
  row.tenant = "b";
  row.category = record::Category::kOverhead;
  row.compared_cost = row.baseline_cost = Usd();
  row.cost = Usd(7);
  books.Add(row);
  books.Add(
      {.hour = kStart, .pool = PoolId{0}, .category = record::Category::kIdle, .cost = Usd(5)});
  EXPECT_EQ(books.BillOf(PoolId{2}), Usd(107));
  EXPECT_EQ(books.BillOf(PoolId{0}), Usd(5));
  EXPECT_EQ(books.BillOf(PoolId{9}), Usd());
  EXPECT_EQ(books.idle, Usd(5));
  const TenantBooks all = books.Sum(std::nullopt);
  EXPECT_EQ(all.cost, Usd(100));
  EXPECT_EQ(all.overhead, Usd(7));
  EXPECT_EQ(all.jobs, 6);
  EXPECT_EQ(all.requests, 0);
  EXPECT_EQ(books.Sum("a").baseline - books.Sum("a").compared, Usd(30));
  EXPECT_EQ(books.Sum("b").cost, Usd());
  EXPECT_EQ(books.Sum("nobody"), TenantBooks());
}

TEST(RateBetween, IsWhatAnHourWouldCost) {
  EXPECT_EQ(RateBetween(Usd(1000), Usd(1010), absl::Seconds(36)), UsdPerHour(1000));
  EXPECT_EQ(RateBetween(Usd(0), Usd(1), absl::Milliseconds(100)), std::nullopt);
  EXPECT_EQ(RateBetween(Usd(0), Usd(1), -absl::Seconds(10)), std::nullopt);
}

}  // namespace
}  // namespace spillway
