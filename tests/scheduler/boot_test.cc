// Nodes that are bought while they are used are off until then: who decides expects the boot, in
// time and in money.
#include <gtest/gtest.h>

#include "scheduler/brain.h"
#include "tests/support/fleets.h"
#include "tests/support/world.h"

namespace spillway {
namespace {

using absl::Minutes;
using absl::Seconds;
using fixtures::Cpus;
using fixtures::Dollars;
using fixtures::GiB;
using fixtures::World;

// Rented nodes of 16 CPUs that boot for 40 s, and dearer ones that are on at once.
PoolSpec Cold(int nodes = 2) {
  PoolSpec pool = fixtures::XeonAmxPool();
  pool.name = "cold";
  pool.nodes = nodes;
  pool.price.node_hour = fixtures::HourlyDollars(0.36);
  pool.boot = Seconds(40);
  return pool;
}
PoolSpec Warm() {
  PoolSpec pool = fixtures::XeonAmxPool();
  pool.name = "warm";
  pool.price.node_hour = fixtures::HourlyDollars(0.72);
  return pool;
}
PoolSpec Committed(PoolSpec pool) {
  pool.billing = Billing::kCommitted;
  return pool;
}
Config ConfigOf(std::vector<PoolSpec> pools) {
  return {.fleet = {std::move(pools)}, .policy = fixtures::BackstopPolicy()};
}
Work JobOf(double cpus, absl::Duration takes) {
  Work work = fixtures::JobNeeding(Cpus(cpus), GiB(1));
  work.name = "";
  work.demand = DeclaredSeconds{takes, ""};
  return work;
}
Work StartingWithin(Work work, absl::Duration limit) {
  work.objective = {};
  work.objective.start_within = limit;
  return work;
}
Work Due(Work work, absl::Time deadline) {
  work.objective = {};
  work.objective.deadline = deadline;
  return work;
}
const Candidate& At(const World& world, JobId id, const std::string& pool) {
  return world.decision(id).candidates.at(Index(world.IdOf(pool)));
}
World WorldThatBoots(std::vector<PoolSpec> pools, absl::Duration run) {
  World world(ConfigOf(std::move(pools)));
  world.fate = [run](const command::Launch& launch) {
    return fixtures::Fate{.run = run, .boot = launch.pool == PoolId{0} ? Seconds(40) : Seconds(0)};
  };
  return world;
}

TEST(Boot, WhoMustStartInThreeSecondsDoesNotWaitForFortyOfBoot) {
  World world(ConfigOf({Cold(), Warm()}));
  const JobId id = world.Submit(StartingWithin(JobOf(16, Minutes(10)), Seconds(3))).job;
  EXPECT_EQ(world.PoolOf(id), "warm");
  EXPECT_EQ(At(world, id, "cold").code(), Code::kTooLate);
  EXPECT_EQ(At(world, id, "cold").figures.found, ToNanos(Seconds(50))) << "at p90";
  EXPECT_EQ(At(world, id, "cold").figures.wanted, ToNanos(Seconds(3)));
  EXPECT_EQ(At(world, id, "warm").estimate.wait, Quantiles());
}

TEST(Boot, WhoHasTimeBootsTheCheaperNodeAndIsToldWhatThatCosts) {
  World world(ConfigOf({Cold(), Warm()}));
  const JobId id = world.Submit(StartingWithin(JobOf(16, Minutes(10)), Minutes(2))).job;
  EXPECT_EQ(world.PoolOf(id), "cold");
  const Estimate& there = At(world, id, "cold").estimate;
  EXPECT_EQ(there.wait, (Quantiles{Seconds(40), Seconds(50)}));
  EXPECT_EQ(there.cost, Dollars(0.064)) << "640 s of 0.36 USD an hour";
  EXPECT_EQ(there.marginal_cost, there.cost);
  EXPECT_EQ(world.job(id).attempts[0].expected_cost, there.cost);
}

// Short work is cheaper where nothing boots, though an hour is dearer there.
TEST(Boot, WorkThatOpensANodeCountsItsBootInTheClaimOrder) {
  World world(ConfigOf({Cold(), Warm()}));
  EXPECT_EQ(world.PoolOf(world.Submit(StartingWithin(JobOf(16, Seconds(20)), Minutes(2))).job),
            "warm");
}

TEST(Boot, ADeadlineIsTestedWithTheBoot) {
  World world(ConfigOf({Cold(), Warm()}));
  // 600 s at p90 750: fits in 780 s only where nothing boots for 50.
  const JobId id = world.Submit(Due(JobOf(16, Minutes(10)), world.Now() + Seconds(780))).job;
  EXPECT_EQ(world.PoolOf(id), "warm");
  EXPECT_EQ(At(world, id, "cold").code(), Code::kTooLate);
  EXPECT_EQ(world.PoolOf(world.Submit(Due(JobOf(16, Minutes(10)), world.Now() + Seconds(801))).job),
            "cold");
}

TEST(Boot, WhoFindsANodeThatIsOnDoesNotWaitForIt) {
  World world = WorldThatBoots({Cold(), Warm()}, Minutes(10));
  const JobId opens = world.Submit(StartingWithin(JobOf(8, Minutes(10)), Minutes(2))).job;
  EXPECT_EQ(At(world, opens, "cold").estimate.wait.p50, Seconds(40));
  world.RunFor(Minutes(1));
  const JobId joins = world.Submit(StartingWithin(JobOf(4, Minutes(5)), Seconds(3))).job;
  EXPECT_EQ(world.PoolOf(joins), "cold");
  EXPECT_EQ(At(world, joins, "cold").estimate.wait, Quantiles());
  EXPECT_EQ(At(world, joins, "cold").estimate.cost, Dollars(0.0075)) << "a quarter for 5 min";
  // Four are left there: who needs more opens the other one.
  const JobId other = world.Submit(StartingWithin(JobOf(8, Minutes(5)), Seconds(3))).job;
  EXPECT_EQ(world.PoolOf(other), "warm");
}

TEST(Boot, WaitingEndsEarlyEnoughToBootWhatItSpillsTo) {
  PoolSpec owned = Committed(Warm());
  owned.name = "owned";
  owned.nodes = 1;
  World world(ConfigOf({Cold(), owned}));
  world.fate = [](const command::Launch&) { return fixtures::Fate{.run = Minutes(4)}; };
  EXPECT_EQ(world.PoolOf(world.Submit(Due(JobOf(16, Minutes(4)), world.Now() + Minutes(30))).job),
            "owned");
  const absl::Time now = world.Now();
  const JobId second = world.Submit(Due(JobOf(16, Minutes(4)), now + Minutes(20))).job;
  ASSERT_EQ(world.job(second).state, JobState::kQueued);
  // It could begin on the cold one 5 min and 50 s before its deadline at the latest, and waits for
  // three quarters of the time until then.
  EXPECT_EQ(world.job(second).spill_at, now + (Minutes(15) - Seconds(50)) * 3 / 4);
}

TEST(Boot, OthersSeeANodeThatBootsAsTakenForLonger) {
  const auto wait_of_a_third = [](bool restarted) {
    World world = WorldThatBoots({Cold(1)}, Minutes(10));
    world.Submit(Due(JobOf(8, Minutes(10)), world.Now() + Minutes(60)));
    const JobId waits = world.Submit(Due(JobOf(16, Minutes(10)), world.Now() + Minutes(60))).job;
    // Its own boot comes after: it needs the whole node, which goes off in between.
    EXPECT_EQ(At(world, waits, "cold").estimate.wait.p50, Seconds(40) + Minutes(10) + Seconds(40));
    if (restarted) world.Restart();
    const JobId third = world.Submit(Due(JobOf(16, Minutes(10)), world.Now() + Minutes(90))).job;
    return At(world, third, "cold").estimate.wait;
  };
  EXPECT_GT(wait_of_a_third(false).p50, Minutes(15));
  EXPECT_EQ(wait_of_a_third(false), wait_of_a_third(true)) << "a restored brain knows who boots";
}

TEST(Boot, WhatIsUpInAnyCaseNeverBoots) {
  PoolSpec owned = Committed(Cold());
  World world(ConfigOf({owned}));
  const JobId id = world.Submit(StartingWithin(JobOf(16, Minutes(10)), Seconds(3))).job;
  EXPECT_EQ(At(world, id, "cold").estimate.wait, Quantiles());
}

TEST(Boot, MoneyLimitsCountTheBoot) {
  World world(ConfigOf({Cold()}));
  Work work = JobOf(16, Minutes(10));
  work.objective.max_cost = Dollars(0.0639);
  const JobId dear = world.Submit(work).job;
  EXPECT_EQ(world.job(dear).state, JobState::kQueued);
  EXPECT_EQ(At(world, dear, "cold").code(), Code::kTooDear);
  work.objective.max_cost = Dollars(0.0640);
  EXPECT_EQ(world.job(world.Submit(work).job).state, JobState::kStarting);
}

// The baseline is one clean attempt on something that is up.
TEST(Boot, ABaselineDoesNotBoot) {
  PoolSpec nvidia = Warm();
  nvidia.vendor = "nvidia";
  World world = WorldThatBoots({Cold(), nvidia}, Minutes(10));
  const JobId id = world.Submit(StartingWithin(JobOf(16, Minutes(10)), Minutes(2))).job;
  world.RunToEnd();
  EXPECT_EQ(world.job(id).cost, Dollars(0.064));
  EXPECT_EQ(world.job(id).baseline_cost, Dollars(0.12));
}

}  // namespace
}  // namespace spillway
