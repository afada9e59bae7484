#include "controller/waiting_for_restart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fleets.h"

namespace spillway {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::vector<PoolSpec> kBefore = {fixtures::LocalPool(), fixtures::EdgeNpuPool()};

PoolSpec Other(const std::string& name) {
  PoolSpec pool = fixtures::EdgeNpuPool();
  pool.name = name;
  return pool;
}

TEST(WaitingForRestart, NothingWherePoolsAreTheSameOrNew) {
  std::vector<PoolSpec> now = {kBefore[1], Other("more"), kBefore[0]};
  EXPECT_EQ(WaitingForRestart(kBefore, kBefore, now), "");
}

TEST(WaitingForRestart, NamesWhatTheFileChangesAndWhatItLeavesOut) {
  std::vector<PoolSpec> now = {kBefore[1]};
  now[0].nodes = 99;
  EXPECT_EQ(WaitingForRestart(kBefore, kBefore, now), "pools `edge-npu` (changed), `local` (gone)");
}

TEST(WaitingForRestart, APoolOfTheApiStaysWhereTheFileSaysOtherwise) {
  std::vector<PoolSpec> standing = kBefore, now = kBefore;
  standing.push_back(Other("mine"));
  EXPECT_EQ(WaitingForRestart(kBefore, standing, now), "") << "it is not the file's to leave out";
  now.push_back(Other("mine"));
  EXPECT_EQ(WaitingForRestart(kBefore, standing, now), "");
  now.back().nodes = 99;
  EXPECT_EQ(WaitingForRestart(kBefore, standing, now), "pools `mine` (added by the API)");
}

TEST(WaitingForRestart, NamesAFewAndCountsTheOthers) {
  std::vector<PoolSpec> before;
  for (int i = 0; i < 50; ++i) before.push_back(Other("p" + std::to_string(i)));
  const std::string words = WaitingForRestart(before, before, {});
  EXPECT_THAT(words, HasSubstr("and 40 more"));
  EXPECT_THAT(words, Not(HasSubstr("p45")));
}

}  // namespace
}  // namespace spillway
