#include "controller/metrics/cost_projection.h"

#include <gtest/gtest.h>

namespace spillway {
namespace {

const absl::Time kHour = absl::FromUnixSeconds(1'785'000'000 / 3600 * 3600);

record::LedgerRow Row(absl::Time hour, std::int64_t cost, std::string tenant = "default") {
  record::LedgerRow row;
  row.hour = hour;
  row.pool = PoolId{0};
  row.tenant = std::move(tenant);
  row.cost = Usd(cost);
  row.baseline_cost = Usd(2 * cost);
  row.compared_cost = Usd(cost);
  row.energy = Joules(10 * cost);
  return row;
}

TEST(CostProjection, ARowThatIsWrittenAgainAddsWhatItHasGrownBy) {
  LabelCap tenants(10);
  CostProjection costs(tenants);
  costs.Add(Row(kHour, 100), "local");
  costs.Add(Row(kHour, 130), "local");
  costs.Add(Row(kHour, 130), "local");
  const CostProjection::Key key{"local", "default", record::Category::kWork};
  EXPECT_EQ(costs.money().at(key).cost, Usd(130));
  EXPECT_EQ(costs.money().at(key).baseline, Usd(260));
  EXPECT_EQ(costs.matter().at("local").energy, Joules(1300));
}

TEST(CostProjection, HoursAddUpAndTheHourBeforeMayStillGrow) {
  LabelCap tenants(10);
  CostProjection costs(tenants);
  costs.Add(Row(kHour, 100), "local");
  costs.Add(Row(kHour + absl::Hours(1), 50), "local");
  costs.Add(Row(kHour, 110), "local");
  EXPECT_EQ(costs.money().begin()->second.cost, Usd(160));
}

// The same rows in one go, as after a restart, or growing step by step: the same sums.
TEST(CostProjection, ARestartSumsToTheSame) {
  LabelCap tenants(10);
  CostProjection live(tenants), restored(tenants);
  for (int h = 0; h < 5; ++h) {
    for (int step = 1; step <= 7; ++step)
      live.Add(Row(kHour + absl::Hours(h), 100 * step * (h + 1)), "p");
    restored.Add(Row(kHour + absl::Hours(h), 700 * (h + 1)), "p");
  }
  EXPECT_EQ(live.money().begin()->second.cost, restored.money().begin()->second.cost);
  EXPECT_EQ(live.money().begin()->second.cost, Usd(700 * 15));
}

TEST(CostProjection, TenantsBeyondTheCapAreOneAndNothingIsLost) {
  LabelCap tenants(2);
  CostProjection costs(tenants);
  for (int t = 0; t < 5; ++t) costs.Add(Row(kHour, 10, "t" + std::to_string(t)), "local");
  EXPECT_EQ(costs.money().size(), 3u);
  EXPECT_EQ(costs.money().at({"local", "other", record::Category::kWork}).cost, Usd(30));
  EXPECT_EQ(tenants.dropped(), 3u);
}

}  // namespace
}  // namespace spillway
