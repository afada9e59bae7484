#include "simulator/regret.h"

#include <gtest/gtest.h>

#include <vector>

namespace spillway {
namespace {

// What was chosen, and two others: one that was busy for 3 s, one that was free at once but dearer.
std::vector<HindsightCandidate> Candidates() {
  return {{.pool = "nvidia",
           .backstop = true,
           .able = true,
           .takes = absl::Seconds(1),
           .cost = Usd(50)},
          {.pool = "cpu",
           .able = true,
           .free_after = absl::Seconds(3),
           .takes = absl::Seconds(2),
           .cost = Usd(10)},
          {.pool = "npu", .able = true, .takes = absl::Seconds(2), .cost = Usd(30)}};
}

TEST(Regret, IsTheCheapestThatWouldHaveBeenInTime) {
  EXPECT_EQ(RegretOf(Candidates(), 0, absl::Seconds(4)), (Regret{"npu", Usd(20)}));
  EXPECT_EQ(RegretOf(Candidates(), 0, absl::Seconds(5)), (Regret{"cpu", Usd(40)}));
}
TEST(Regret, ThereIsNoneIfNobodyCheaperWasInTime) {
  EXPECT_EQ(RegretOf(Candidates(), 0, absl::Seconds(1)), std::nullopt);
  auto dear = Candidates();
  dear[2].cost = Usd(50);
  EXPECT_EQ(RegretOf(dear, 0, absl::Seconds(4)), std::nullopt);
}
TEST(Regret, OnlyTheBackstopIsRegretted) {
  EXPECT_EQ(RegretOf(Candidates(), 2, absl::Seconds(9)), std::nullopt);
  auto two = Candidates();
  two[1].backstop = two[2].backstop = true;
  EXPECT_EQ(RegretOf(two, 0, absl::Seconds(9)), std::nullopt);
}
TEST(Regret, NeverPointsToAPoolThatCouldNot) {
  auto unable = Candidates();
  unable[1].able = false;
  EXPECT_EQ(RegretOf(unable, 0, absl::InfiniteDuration()), (Regret{"npu", Usd(20)}));
}
TEST(Regret, OfEqualCostsTheFirstWins) {
  auto tie = Candidates();
  tie[2].cost = tie[1].cost;
  EXPECT_EQ(RegretOf(tie, 0, absl::Seconds(9))->pool, "cpu");
}
TEST(RegretDeathTest, TheChosenPoolIsOneOfThem) {
  EXPECT_DEATH(RegretOf(Candidates(), 3, absl::Seconds(9)), "broken invariant");
}

}  // namespace
}  // namespace spillway
