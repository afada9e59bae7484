// The configuration file, read again while the brain runs.
#include <gtest/gtest.h>

#include "tests/support/fleets.h"
#include "tests/support/router_world.h"
#include "tests/support/world.h"

namespace spillway {
namespace {

using absl::Hours;
using fixtures::Dollars;
using fixtures::World;

// Eight CPUs a node, one node unless it is said otherwise.
Config Started() {
  Config config;
  config.fleet.pools = {fixtures::LocalPool()};
  return config;
}
PoolSpec Named(std::string name, double usd_per_hour) {
  PoolSpec pool = fixtures::LocalPool();
  pool.name = std::move(name);
  pool.price.node_hour = fixtures::HourlyDollars(usd_per_hour);
  return pool;
}
event::FileRead Read(Config config) { return {std::make_shared<const Config>(std::move(config))}; }
// Its second rule is never reached.
PolicySpec Impossible() {
  PolicySpec policy;
  policy.name = "impossible";
  const RuleSpec all{.name = "all", .claim = {{.kind = {DeviceKind::kCpu}}}};
  policy.rules = {all, all};
  policy.rules[1].name = "never";
  return policy;
}
Work Job(std::string tenant = "a") {
  Work work = fixtures::SmallJob();
  work.name = "";
  work.tenant = std::move(tenant);
  fixtures::Lasting(work, Hours(1));
  return work;
}

TEST(FileRead, ItsPolicyAndPricesAreInForce) {
  World world(Started());
  Config now = Started();
  now.policy.name = "second";
  now.prices.prices.push_back({.pool = "local",
                               .from = world.Now() - Hours(1),
                               .price = {.node_hour = fixtures::HourlyDollars(7)}});
  ASSERT_TRUE(world.Give(Read(now)).status.ok());
  EXPECT_EQ(world.brain().policy()->name, "second");
  EXPECT_TRUE(world.policies.rbegin()->second.from_file);
  EXPECT_EQ(world.brain().Pools()[0].price.node_hour, fixtures::HourlyDollars(7));
}

TEST(FileRead, AFileThatSaysWhatItSaidDoesNotUndoWhatTheApiHasSet) {
  World world(Started());
  PolicySpec mine;
  mine.name = "mine";
  world.Give(event::PolicySet{std::make_shared<const PolicySpec>(mine)});
  const std::uint64_t version = world.brain().policy_version();
  ASSERT_TRUE(world.Give(Read(Started())).status.ok());
  EXPECT_EQ(world.brain().policy()->name, "mine");
  EXPECT_EQ(world.brain().policy_version(), version);
  Config other = Started();
  other.policy.name = "theirs";
  ASSERT_TRUE(world.Give(Read(other)).status.ok());
  EXPECT_EQ(world.brain().policy()->name, "theirs");
}

TEST(FileRead, NewPoolsJoinAndTakeWorkThatCouldGoNowhere) {
  World world(Started());
  Work large = Job();
  large.needs.cpus = fixtures::Cpus(8);
  world.fate = [](const command::Launch&) { return fixtures::Fate{Hours(1)}; };
  const JobId first = world.Submit(large).job, second = world.Submit(large).job;
  EXPECT_EQ(world.PoolOf(second), "") << "it waits";
  Config now = Started();
  now.fleet.pools.push_back(Named("more", 5));
  ASSERT_TRUE(world.Give(Read(now)).status.ok());
  EXPECT_EQ(world.PoolOf(second), "more");
  EXPECT_EQ(world.PoolOf(first), "local");
  EXPECT_FALSE(world.pools.at(world.IdOf("more")).added) << "it came from the file";
  world.Reconfigure(now);
  world.Restart();
  EXPECT_EQ(world.jobs.at(second).attempts.size(), 1u) << "and stays over a restart";
  EXPECT_FALSE(IsTerminal(world.jobs.at(second).state));
}

TEST(FileRead, PoolsThatItChangesOrLeavesOutStayAsTheyAre) {
  Config config = Started();
  config.fleet.pools.push_back(Named("other", 1));
  World world(config);
  Config now = Started();
  now.fleet.pools[0].nodes = 50;
  ASSERT_TRUE(world.Give(Read(now)).status.ok());
  EXPECT_EQ(world.brain().Pools()[0].nodes_up, 1);
  EXPECT_FALSE(world.brain().Pools()[1].removed);
  world.Reconfigure(now);
  world.Restart();
  EXPECT_EQ(world.brain().Pools()[0].nodes_up, 50) << "until a restart";
  EXPECT_TRUE(world.brain().Pools()[1].removed);
}

TEST(FileRead, APoolThatOnceLeftHasItsNumberAgain) {
  Config both = Started();
  both.fleet.pools.push_back(Named("other", 1));
  World world(both);
  world.Reconfigure(Started());
  world.Restart();
  ASSERT_TRUE(world.Give(Read(both)).status.ok());
  ASSERT_EQ(world.brain().Pools().size(), 2u);
  EXPECT_FALSE(world.brain().Pools()[1].removed);
}

TEST(FileRead, BudgetsFollow) {
  const auto with = [](Usd per_day) {
    Config config = Started();
    config.tenants.tenants.push_back(
        {.name = "a", .budget = {.per_day = per_day, .when_spent = WhenSpent::kRefuse}});
    return config;
  };
  World world(with(Dollars(0.02)));
  world.fate = [](const command::Launch&) { return fixtures::Fate{Hours(1)}; };
  EXPECT_TRUE(world.Submit(Job()).status.ok());
  EXPECT_FALSE(world.Submit(Job()).status.ok());
  ASSERT_TRUE(world.Give(Read(with(Dollars(0.05)))).status.ok());
  EXPECT_TRUE(world.Submit(Job()).status.ok()) << "what was held counts on";
  EXPECT_FALSE(world.Submit(Job()).status.ok() && world.Submit(Job()).status.ok() &&
               world.Submit(Job()).status.ok());
  ASSERT_TRUE(world.Give(Read(Started())).status.ok());
  EXPECT_TRUE(world.Submit(Job()).status.ok()) << "no budget any more";
}

TEST(FileRead, ReservationsFollowAndWhatRunsGoesOn) {
  Config config = Started();
  config.fleet.pools[0].nodes = 2;
  World world(config);
  world.fate = [](const command::Launch&) { return fixtures::Fate{Hours(1)}; };
  Work large = Job("blue");
  large.needs.cpus = fixtures::Cpus(8);
  const JobId first = world.Submit(large).job;
  const int taken = world.jobs.at(first).attempts.back().nodes.front().node;
  Config now = config;
  now.tenants.tenants.push_back({.name = "red", .reserved = {{.pool = "local", .nodes = 2}}});
  ASSERT_TRUE(world.Give(Read(now)).status.ok());
  EXPECT_EQ(world.jobs.at(first).attempts.size(), 1u);
  EXPECT_FALSE(IsTerminal(world.jobs.at(first).state));
  Work small = Job("blue");
  const JobId second = world.Submit(small).job;
  EXPECT_TRUE(second == JobId{} || world.PoolOf(second).empty()) << "every node is red's";
  const JobId red = world.Submit(Job("red")).job;
  EXPECT_EQ(world.PoolOf(red), "local");
  EXPECT_NE(world.jobs.at(red).attempts.back().nodes.front().node, taken);
}

TEST(FileRead, WhatCannotBeIsRefusedWhole) {
  World world(Started());
  Config now = Started();
  now.policy = Impossible();
  now.fleet.pools.push_back(Named("more", 5));
  now.fleet.aliases["fast"] = {"m"};
  now.prices.prices.push_back({.pool = "local",
                               .from = world.Now() - Hours(1),
                               .price = {.node_hour = fixtures::HourlyDollars(7)}});
  const Price before = world.brain().Pools()[0].price;
  const std::size_t records = world.records.size();
  EXPECT_FALSE(world.Give(Read(now)).status.ok());
  EXPECT_EQ(world.brain().Pools().size(), 1u);
  EXPECT_EQ(world.brain().Pools()[0].price.node_hour, before.node_hour);
  EXPECT_TRUE(world.brain().config()->fleet.aliases.empty());
  for (std::size_t i = records; i < world.records.size(); ++i)
    EXPECT_TRUE(std::holds_alternative<record::CountersRow>(world.records[i])) << "record " << i;
}

TEST(FileRead, AliasesAndTenantsReachTheRouter) {
  Config config;
  config.fleet.pools = {fixtures::EnginePool("chatty")};
  World world(config);
  Config now = config;
  now.fleet.aliases["fast"] = {"chat"};
  now.tenants.tenants.push_back({.name = "red", .quota = {.requests_per_minute = 3}});
  ASSERT_TRUE(world.Give(Read(now)).status.ok());
  const auto inputs = world.brain().router_inputs();
  ASSERT_NE(inputs, nullptr);
  EXPECT_EQ(inputs->aliases.at("fast"), std::vector<std::string>{"chat"});
  ASSERT_EQ(inputs->tenants->tenants.size(), 1u);
  EXPECT_EQ(inputs->tenants->tenants[0].quota.requests_per_minute, 3);
  EXPECT_EQ(world.routers.rbegin()->second, inputs) << "and the record that decisions rest on";
}

}  // namespace
}  // namespace spillway
