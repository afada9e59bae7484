#include "cli/saving.h"

#include <gtest/gtest.h>

namespace spillway::cli {
namespace {

TEST(Saving, WorkWithoutABaselineIsLeftOutOfBothSides) {
  Saving saving;
  saving.Add(Usd(200), Usd(1000));
  saving.Add(Usd(5000), std::nullopt);
  saving.Add(std::nullopt, std::nullopt);  // not over yet: in no book
  EXPECT_EQ(saving.cost(), Usd(200));
  EXPECT_EQ(saving.baseline(), Usd(1000));
  EXPECT_EQ(saving.saved(), Usd(800));
  EXPECT_EQ(saving.all_cost(), Usd(5200));
  EXPECT_EQ(saving.without_baseline(), 1);
}

TEST(DescribeSaving, SaysItAsPlainlyWhenNvidiaIsCheaper) {
  EXPECT_EQ(DescribeSaving(Usd(1'190'000), Usd(6'147'778)), "saves $0.004958 (81 %)");
  EXPECT_EQ(DescribeSaving(Usd(6'000'000), Usd(5'000'000)), "costs $0.001000 more (-20 %)");
  EXPECT_EQ(DescribeSaving(Usd(5), Usd(5)), "saves nothing");
  EXPECT_EQ(DescribeSaving(Usd(1), std::nullopt), "");
}

TEST(SavedPercent, NothingToCompareWithIsNoPercent) {
  EXPECT_EQ(SavedPercent(Usd(1), Usd(0)), "");
  EXPECT_EQ(SavedPercent(Usd(100), Usd(100)), "0 %");
  EXPECT_EQ(SavedPercent(Usd(0), Usd(100)), "100 %");
  EXPECT_EQ(SavedPercent(Usd(1), Usd(1'000'000)), "99.9 %");  // nearly all is not all
}

}  // namespace
}  // namespace spillway::cli
