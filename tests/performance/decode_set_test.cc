#include "performance/decode_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace spillway {
namespace {

TEST(DecodeSet, CountsWhoWantsABlock) {
  DecodeSet set(4);
  set.Join(1, 0, 4, 100);  // its two blocks are full, and it wants a third now, and each 4 steps
  set.Join(2, 1, 5, 100);
  set.Join(3, 2, 8, 100);
  EXPECT_EQ(set.context(), 17);
  EXPECT_EQ(set.Growth(), 2);
  EXPECT_EQ(set.Growth(1), 0);
  EXPECT_EQ(set.Growth(3), 1);
  EXPECT_EQ(set.GrowthOver(0, 4), 3);
  EXPECT_EQ(set.GrowthOver(1, 9), 3 * 2 + 0);
  set.Pass(3);
  EXPECT_EQ(set.context(), 26);
  EXPECT_EQ(set.Growth(), 1);
}

TEST(DecodeSet, TellsHowManyStepsTheBlocksLast) {
  DecodeSet set(4);
  set.Join(1, 0, 4, 100);
  set.Join(2, 1, 5, 100);
  EXPECT_EQ(set.StepsWithin(0, 0, 50), 0);
  EXPECT_EQ(set.StepsWithin(1, 0, 50), 3);  // the fourth wants the second's
  EXPECT_EQ(set.StepsWithin(2, 0, 50), 4);
  EXPECT_EQ(set.StepsWithin(9, 0, 50), 4 * 4 + 3);
  EXPECT_EQ(set.StepsWithin(9, 0, 12), 12);
  EXPECT_EQ(set.StepsWithin(0, 1, 50), 2);  // after the first step
}

TEST(DecodeSet, ThoseThatEndTogetherComeInTheirOrder) {
  DecodeSet set(16);
  set.Join(1, 7, 10, 2);
  const DecodeSet::Member second = set.Join(2, 3, 10, 1);
  const DecodeSet::Member third = set.Join(3, 5, 10, 1);
  EXPECT_EQ(set.NextEnded(), std::nullopt);
  EXPECT_EQ(set.StepsToFirstEnd(), 1);
  set.Pass(1);
  EXPECT_EQ(set.NextEnded(), second);
  set.Leave(second, 11);
  EXPECT_EQ(set.NextEnded(), third);
  set.Leave(third, 11);
  EXPECT_EQ(set.NextEnded(), std::nullopt);
  EXPECT_EQ(set.StepsToFirstEnd(), 1);
}

TEST(DecodeSet, APlaceTakenAgainIsNotTheOneBefore) {
  DecodeSet set(16);
  const DecodeSet::Member first = set.Join(1, 0, 10, 5);
  set.Leave(first, 10);
  const DecodeSet::Member again = set.Join(2, 0, 20, 5);
  set.Pass(5);
  EXPECT_EQ(set.NextEnded(), again);
  set.Leave(again, 25);
  EXPECT_EQ(set.NextEnded(), std::nullopt);
  EXPECT_EQ(set.size(), 0);
  EXPECT_EQ(set.context(), 0);
}

// Against a list that is looked through.
class DecodeSetLaw : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Seeds, DecodeSetLaw, testing::Range(0, 30));

TEST_P(DecodeSetLaw, IsWhatItsMembersAreTogether) {
  std::mt19937 draw(static_cast<unsigned>(GetParam()));
  const auto up_to = [&](int n) { return static_cast<int>(draw() % static_cast<unsigned>(n)) + 1; };
  const int block = up_to(20);
  DecodeSet set(block);
  struct One {
    DecodeSet::Member member;
    std::int64_t computed, left;
  };
  std::vector<One> all;
  std::vector<std::uint32_t> free = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  std::uint64_t order = 0;
  const auto leave = [&](std::size_t i) {
    set.Leave(all[i].member, all[i].computed);
    free.push_back(all[i].member.slot);
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
  };
  for (int i = 0; i < 400; ++i) {
    const int what = up_to(10);
    if (what <= 4 && !free.empty()) {
      const std::int64_t computed = up_to(100), left = up_to(60);
      all.push_back({set.Join(++order, free.back(), computed, left), computed, left});
      free.pop_back();
    } else if (what == 5 && !all.empty()) {
      leave(static_cast<std::size_t>(up_to(static_cast<int>(all.size()))) - 1);
    } else if (!all.empty()) {
      std::int64_t first = 1000;
      for (const One& one : all) first = std::min(first, one.left);
      ASSERT_EQ(set.StepsToFirstEnd(), first);
      std::int64_t steps = up_to(static_cast<int>(first)), blocks = 0;
      for (const One& one : all) {
        blocks += (one.computed + steps + block - 1) / block - (one.computed + block - 1) / block;
      }
      ASSERT_EQ(set.GrowthOver(0, steps), blocks);
      ASSERT_GE(set.StepsWithin(blocks, 0, 1000), steps);
      if (blocks > 0) {
        ASSERT_LT(set.StepsWithin(blocks - 1, 0, 1000), steps);
      }
      set.Pass(steps);
      for (One& one : all) {
        one.computed += steps;
        one.left -= steps;
      }
      while (const auto ended = set.NextEnded()) {
        const auto is_it = [&](const One& one) { return one.left == 0; };
        const auto it = std::find_if(all.begin(), all.end(), is_it);
        ASSERT_NE(it, all.end());
        ASSERT_EQ(it->member, *ended);
        leave(static_cast<std::size_t>(it - all.begin()));
      }
      for (const One& one : all) ASSERT_GT(one.left, 0);
    }
    std::int64_t context = 0;
    for (const One& one : all) context += one.computed;
    ASSERT_EQ(set.context(), context);
    ASSERT_EQ(set.size(), static_cast<int>(all.size()));
  }
}

}  // namespace
}  // namespace spillway
