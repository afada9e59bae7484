#include "controller/budget_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class BudgetLogTest : public testing::Test {
 protected:
  BudgetLogTest() {
    TenantsSpec tenants{{{.name = "a"}}};
    tenants.tenants[0].budget = {.per_day = Usd(10'000'000'000), .when_spent = WhenSpent::kRefuse};
    log_.Use(tenants);
  }
  static record::BudgetRow Row(int warned, bool forecast = false, int day = 0) {
    return {.tenant = "a",
            .since = absl::UnixEpoch() + day * absl::Hours(24),
            .warned = warned,
            .forecast_warned = forecast};
  }

  std::vector<std::string> lines_;
  BudgetLog log_{[this](bool bad, std::string_view line) {
    lines_.push_back((bad ? "warn: " : "info: ") + std::string(line));
  }};
};

TEST_F(BudgetLogTest, EachStepIsToldOnceAPeriod) {
  log_.OnRow(Row(0));
  log_.OnRow(Row(50));
  log_.OnRow(Row(50));
  log_.OnRow(Row(100));
  EXPECT_THAT(
      lines_,
      ElementsAre(
          "info: budget of tenant a of this day (UTC): 50 % of 10.000000000 USD are spent",
          "warn: budget of tenant a of this day (UTC): 100 % of 10.000000000 USD are spent: "
          "new work is refused"));
  lines_.clear();
  log_.OnRow(Row(50, false, 1));
  EXPECT_EQ(lines_.size(), 1u) << "a new day";
}

TEST_F(BudgetLogTest, APaceThatLeadsPastTheLimitIsToldOnce) {
  log_.OnRow(Row(0, true));
  log_.OnRow(Row(0, true));
  EXPECT_THAT(lines_,
              ElementsAre("warn: budget of tenant a of this day (UTC): the pace so far leads "
                          "past its limit of 10.000000000 USD"));
}

TEST_F(BudgetLogTest, WithoutALimitThereIsNothingToSay) {
  record::BudgetRow month = Row(100, true);
  month.period = BudgetPeriod::kMonth;
  log_.OnRow(month);
  record::BudgetRow other = Row(100, true);
  other.tenant = "b";
  log_.OnRow(other);
  EXPECT_THAT(lines_, IsEmpty());
}

}  // namespace
}  // namespace spillway
