#include "controller/waiting_for_restart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fleets.h"

namespace spillway {
namespace {

using testing::HasSubstr;
using testing::Not;

Config Started() {
  Config config;
  config.fleet = {{fixtures::LocalPool(), fixtures::EdgeNpuPool()}};
  config.fleet.aliases = {{"fast", {"m1"}}};
  config.tenants.tenants = {{.name = "red", .quota = {.usd_per_day = Usd(5)}}};
  return config;
}

TEST(WaitingForRestart, NothingWhereOnlyPolicyAndPricesChanged) {
  Config now = Started();
  now.policy.name = "other";
  now.prices.prices.push_back({.pool = "local"});
  EXPECT_EQ(WaitingForRestart(Started(), now), "");
}

TEST(WaitingForRestart, NamesWhatDiffers) {
  Config now = Started();
  now.fleet.pools[1].nodes = 99;
  PoolSpec more = fixtures::EdgeNpuPool();
  more.name = "more";
  now.fleet.pools[0] = more;
  now.fleet.aliases["fast"] = {"m2"};
  now.tenants.tenants[0].quota.usd_per_day = Usd(6);
  now.tenants.tenants.push_back({.name = "blue"});
  EXPECT_EQ(WaitingForRestart(Started(), now),
            "pools `edge-npu` (changed), `more` (new), `local` (gone); aliases `fast` (changed); "
            "tenants `blue` (new), `red` (changed)");
}

TEST(WaitingForRestart, NamesAFewAndCountsTheOthers) {
  Config now = Started();
  for (int i = 0; i < 50; ++i) {
    PoolSpec pool = fixtures::EdgeNpuPool();
    pool.name = "p" + std::to_string(i);
    now.fleet.pools.push_back(pool);
  }
  const std::string words = WaitingForRestart(Started(), now);
  EXPECT_THAT(words, HasSubstr("and 40 more"));
  EXPECT_THAT(words, Not(HasSubstr("p45")));
}

}  // namespace
}  // namespace spillway
