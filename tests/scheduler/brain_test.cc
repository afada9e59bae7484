#include "scheduler/brain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/explain.h"
#include "tests/support/fleets.h"
#include "tests/support/world.h"

namespace spillway {
namespace {

using fixtures::Cpus;
using fixtures::DemoFleet;
using fixtures::Dollars;
using fixtures::Fate;
using fixtures::GiB;
using fixtures::JobNeeding;
using fixtures::JobNeedingDevices;
using fixtures::World;
using testing::ElementsAre;

Config DemoConfig(PolicySpec policy = fixtures::BackstopPolicy()) {
  return {.fleet = DemoFleet(), .policy = std::move(policy)};
}
Work Lasting(Work work, absl::Duration p50) {
  work.demand = DeclaredSeconds{p50, ""};
  return work;
}
// Runs on plain CPUs, or with CUDA.
Work CpuOrCuda(double cpus, absl::Duration p50) {
  Work work = Lasting(JobNeeding(Cpus(cpus), GiB(1)), p50);
  return fixtures::AlsoOn(work, "nvidia", 1, "cuda>=12");
}
const Candidate& At(const World& world, JobId id, const std::string& pool) {
  return world.decision(id).candidates.at(Index(world.IdOf(pool)));
}

TEST(Brain, PlacesOnWhatIsPaidForBeforeWhatIsRented) {
  World world(DemoConfig());
  const JobId id = world.Submit(CpuOrCuda(2, absl::Seconds(20))).job;
  EXPECT_EQ(world.PoolOf(id), "local");
  EXPECT_EQ(At(world, id, "local").code(), Code::kChosen);
  EXPECT_EQ(At(world, id, "xeon-amx").code(), Code::kOutranked);
  EXPECT_EQ(At(world, id, "a10").code(), Code::kOutranked);
  EXPECT_EQ(At(world, id, "edge-npu").code(), Code::kDevices);
}

TEST(Brain, TakesTheNextPoolWhenThePaidOneIsTooSmall) {
  World world(DemoConfig());
  const JobId id = world.Submit(CpuOrCuda(12, absl::Seconds(20))).job;
  EXPECT_EQ(world.PoolOf(id), "xeon-amx");
  EXPECT_EQ(At(world, id, "local").code(), Code::kCpus);
  EXPECT_EQ(Explain(At(world, id, "local"), *world.job(id).work, fixtures::LocalPool()),
            "needs 12 CPUs, a node has 8 CPUs");
}

TEST(Brain, RefusesWhatNobodyCouldEverDoWithEveryReason) {
  World world(DemoConfig());
  const Reply reply = world.Submit(JobNeeding(Cpus(500), GiB(4000)));
  EXPECT_EQ(reply.status.code(), absl::StatusCode::kInvalidArgument);
  ASSERT_NE(reply.decision, nullptr);
  EXPECT_EQ(reply.decision->outcome, Outcome::kRefused);
  EXPECT_EQ(reply.decision->candidates.size(), 5u);
  for (const Candidate& c : reply.decision->candidates) {
    EXPECT_TRUE(c.codes.Has(Code::kCpus) && c.codes.Has(Code::kMemory)) << c.codes.bits();
  }
  EXPECT_TRUE(world.jobs.empty());
}

TEST(Brain, WaitsForTheCheapPoolWhileThereIsTimeAndTakesItWhenItFrees) {
  World world(DemoConfig());
  world.fate = [](const command::Launch&) { return Fate{absl::Seconds(20)}; };
  const JobId first = world.Submit(CpuOrCuda(8, absl::Seconds(20))).job;
  const JobId second = world.Submit(Lasting(JobNeeding(Cpus(8), GiB(1)), absl::Seconds(20))).job;
  EXPECT_EQ(world.PoolOf(first), "local");
  EXPECT_EQ(world.decision(second).outcome, Outcome::kWaiting);
  EXPECT_EQ(At(world, second, "local").verdict, Verdict::kAwaited);
  EXPECT_EQ(At(world, second, "xeon-amx").verdict, Verdict::kOutranked);
  EXPECT_EQ(world.job(second).spill_at,
            world.Now() + absl::Seconds(45));  // 3/4 of the slack of 60 s
  world.RunToEnd();
  EXPECT_EQ(world.PoolOf(second), "local");
  EXPECT_EQ(world.job(second).state, JobState::kSucceeded);
}

TEST(Brain, SpillsAtOnceWhenTheCheapPoolWouldBeTooLate) {
  World world(DemoConfig());
  world.fate = [](const command::Launch&) { return Fate{absl::Seconds(500)}; };
  world.Submit(CpuOrCuda(8, absl::Seconds(500)));
  const JobId second = world.Submit(CpuOrCuda(8, absl::Seconds(500))).job;
  EXPECT_EQ(world.PoolOf(second), "xeon-amx");
  EXPECT_EQ(At(world, second, "local").code(), Code::kTooLate);
  EXPECT_EQ(At(world, second, "local").figures.wanted, ToNanos(absl::Seconds(60)));
}

TEST(Brain, SpillsAtSpillAtWhenWhatItWaitedForOverran) {
  World world(DemoConfig());
  world.fate = [](const command::Launch&) { return Fate{absl::Seconds(100)}; };
  world.Submit(CpuOrCuda(8, absl::Seconds(30)));  // says 30 s, takes 100
  const absl::Time submitted = world.Now();
  const JobId second = world.Submit(CpuOrCuda(8, absl::Seconds(30))).job;
  EXPECT_EQ(world.decision(second).outcome, Outcome::kWaiting);
  world.RunFor(absl::Seconds(44));
  EXPECT_EQ(world.PoolOf(second), "");
  world.RunFor(absl::Seconds(2));
  EXPECT_EQ(world.PoolOf(second), "xeon-amx");
  EXPECT_EQ(world.job(second).attempts[0].launched_at, submitted + absl::Seconds(45));
  EXPECT_EQ(At(world, second, "local").code(), Code::kTooLate);
}

TEST(Brain, NvidiaPicksUpTheRestAndOnlyThat) {
  Config config = DemoConfig();
  config.fleet.pools = {fixtures::LocalPool(), fixtures::A10Pool()};
  World world(config);
  world.fate = [](const command::Launch&) { return Fate{absl::Seconds(300)}; };
  world.Submit(Lasting(JobNeeding(Cpus(6), GiB(1)), absl::Seconds(300)));
  const JobId first = world.Submit(CpuOrCuda(2, absl::Seconds(300))).job;
  const JobId second = world.Submit(CpuOrCuda(2, absl::Seconds(300))).job;
  EXPECT_EQ(world.PoolOf(first), "local");
  EXPECT_EQ(world.PoolOf(second), "a10");
  EXPECT_TRUE(At(world, second, "a10").backstop);
}

TEST(Brain, LateWorkRunsWhereItCanStartFirst) {
  Config config = DemoConfig();
  config.fleet.pools = {fixtures::LocalPool()};
  World world(config);
  world.fate = [](const command::Launch&) { return Fate{absl::Seconds(500)}; };
  world.Submit(Lasting(JobNeeding(Cpus(8), GiB(1)), absl::Seconds(500)));
  const JobId late = world.Submit(Lasting(JobNeeding(Cpus(8), GiB(1)), absl::Seconds(500))).job;
  EXPECT_EQ(world.decision(late).outcome, Outcome::kWaiting);
  EXPECT_EQ(At(world, late, "local").verdict, Verdict::kAwaited);
  EXPECT_TRUE(At(world, late, "local").codes.Has(Code::kTooLate));
  world.RunToEnd();
  EXPECT_EQ(world.job(late).state, JobState::kSucceeded);
  EXPECT_TRUE(At(world, late, "local").codes.Has(Code::kTooLate));
  EXPECT_EQ(At(world, late, "local").code(), Code::kChosen);
}

TEST(Brain, WorkThatMustNotMissItsObjectiveFailsWhenItHas) {
  Config config = DemoConfig();
  config.fleet.pools = {fixtures::LocalPool()};
  World world(config);
  world.fate = [](const command::Launch&) { return Fate{absl::Seconds(500)}; };
  world.Submit(Lasting(JobNeeding(Cpus(8), GiB(1)), absl::Seconds(500)));
  Work strict = Lasting(JobNeeding(Cpus(8), GiB(1)), absl::Seconds(5));
  strict.objective.on_miss = OnMiss::kFail;
  const absl::Time submitted = world.Now();
  const JobId id = world.Submit(strict).job;
  world.RunFor(absl::Seconds(100));
  EXPECT_EQ(world.job(id).state, JobState::kFailed);
  EXPECT_EQ(*world.job(id).finished_at, submitted + absl::Seconds(60) + absl::Nanoseconds(1));
  EXPECT_THAT(world.job(id).message, testing::HasSubstr("objective"));
}

TEST(Brain, ABudgetThatNoPoolKeepsIsRefused) {
  World world(DemoConfig());
  Work work = Lasting(JobNeedingDevices(1, "cuda>=12"), absl::Hours(1));
  work.objective.max_cost = Dollars(1.00);
  const Reply reply = world.Submit(work);
  EXPECT_FALSE(reply.status.ok());
  const Candidate& a10 = reply.decision->candidates[4];
  EXPECT_EQ(a10.code(), Code::kTooDear);
  EXPECT_EQ(Explain(a10, work, fixtures::A10Pool()),
            "would cost 1.01 USD, at most 1.00 USD is allowed");
}

TEST(Brain, PinnedWorkGoesNowhereElse) {
  World world(DemoConfig());
  Work work = CpuOrCuda(1, absl::Seconds(5));
  work.pin = "a10";
  const JobId id = world.Submit(work).job;
  EXPECT_EQ(world.PoolOf(id), "a10");
  EXPECT_EQ(At(world, id, "a10").code(), Code::kPinned);
  EXPECT_EQ(At(world, id, "local").code(), Code::kRule);
}

TEST(Brain, CordonedPoolsTakeNothingAndDrainedOnesBecomeCordoned) {
  World world(DemoConfig());
  world.Submit(CpuOrCuda(4, absl::Seconds(5)));
  world.Give(event::PoolStateSet{world.IdOf("local"), PoolState::kDraining});
  const JobId next = world.Submit(CpuOrCuda(2, absl::Seconds(5))).job;
  EXPECT_EQ(world.PoolOf(next), "xeon-amx");
  EXPECT_EQ(At(world, next, "local").code(), Code::kDraining);
  world.RunToEnd();
  EXPECT_EQ(world.brain().Pools()[0].state, PoolState::kCordoned);
  world.Give(event::PoolStateSet{world.IdOf("local"), PoolState::kActive});
  EXPECT_EQ(world.PoolOf(world.Submit(CpuOrCuda(2, absl::Seconds(5))).job), "local");
}

TEST(Brain, ANodeThatGoesDownCostsThePoolAndTheJobRunsAgain) {
  World world(DemoConfig());
  world.fate = [](const command::Launch&) { return Fate{absl::Seconds(100)}; };
  const JobId id = world.Submit(Lasting(JobNeeding(Cpus(12), GiB(1)), absl::Seconds(100))).job;
  ASSERT_EQ(world.PoolOf(id), "xeon-amx");
  const int node = world.job(id).attempts[0].nodes[0].node;
  world.RunFor(absl::Seconds(36));
  world.Give(event::NodeSeen{world.IdOf("xeon-amx"), node, false});
  EXPECT_EQ(world.job(id).state, JobState::kQueued);
  EXPECT_EQ(world.job(id).overhead_cost, UsdPerHour(714'000'000 * 3 / 4) * absl::Seconds(36));
  world.RunToEnd();
  EXPECT_EQ(world.job(id).state, JobState::kSucceeded);
  ASSERT_EQ(world.job(id).attempts.size(), 2u);
  EXPECT_NE(world.job(id).attempts[1].nodes[0].node, node);
  EXPECT_EQ(world.job(id).cost, UsdPerHour(714'000'000 * 3 / 4) * absl::Seconds(100));
}

// Told that a node will be taken back, nothing new starts there, and what runs may end.
TEST(Brain, OnANodeThatLeavesNothingStartsAndWhatRunsMayEnd) {
  World world(DemoConfig());
  world.fate = [](const command::Launch&) { return Fate{absl::Seconds(100)}; };
  const JobId id = world.Submit(Lasting(JobNeeding(Cpus(12), GiB(1)), absl::Seconds(100))).job;
  const PoolId pool = world.IdOf("xeon-amx");
  const int node = world.job(id).attempts[0].nodes[0].node;
  world.RunFor(absl::Seconds(1));
  world.Give(event::NodeSeen{.pool = pool, .node = node, .up = true, .taken_back = true});
  EXPECT_EQ(world.job(id).state, JobState::kRunning);
  EXPECT_EQ(world.brain().Pools()[Index(pool)].nodes_up,
            DemoConfig().fleet.pools[Index(pool)].nodes - 1);
  world.RunFor(absl::Seconds(36));
  // It goes: what still ran is lost, though the node was not up any more.
  world.Give(event::NodeSeen{.pool = pool, .node = node, .up = false, .taken_back = true});
  EXPECT_EQ(world.job(id).attempts[0].fault, Fault::kInfrastructure);
  EXPECT_GT(world.job(id).overhead_cost, Usd(0));
  world.RunToEnd();
  EXPECT_EQ(world.job(id).state, JobState::kSucceeded);
  EXPECT_NE(world.job(id).attempts.back().nodes[0].node, node);
}

TEST(Brain, ItsOwnFaultIsRetriedAsOftenAsAskedAndPaidByTheJob) {
  World world(DemoConfig());
  world.fate = [](const command::Launch&) { return Fate{absl::Seconds(10), Fault::kOwn}; };
  Work work = CpuOrCuda(2, absl::Seconds(10));
  work.retries.own = 2;
  const JobId id = world.Submit(work).job;
  world.RunToEnd();
  const Job& job = world.job(id);
  EXPECT_EQ(job.state, JobState::kFailed);
  ASSERT_EQ(job.attempts.size(), 3u);
  EXPECT_EQ(job.attempts[1].launched_at - *job.attempts[0].finished_at, absl::Seconds(1));
  EXPECT_EQ(job.attempts[2].launched_at - *job.attempts[1].finished_at, absl::Seconds(2));
  EXPECT_EQ(job.cost, job.attempts[0].cost + job.attempts[1].cost + job.attempts[2].cost);
  EXPECT_EQ(job.overhead_cost, Usd(0));
}

TEST(Brain, CancelEndsAQueuedJobAtOnceAndARunningOneWhenItsTreeIsGone) {
  Config config = DemoConfig();
  config.fleet.pools = {fixtures::LocalPool()};
  World world(config);
  const JobId running = world.Submit(JobNeeding(Cpus(8), GiB(1))).job;
  const JobId queued = world.Submit(JobNeeding(Cpus(8), GiB(1))).job;
  world.Give(event::CancelRequested{queued});
  EXPECT_EQ(world.job(queued).state, JobState::kCancelled);
  world.Give(event::CancelRequested{running});
  EXPECT_TRUE(world.job(running).cancelling);
  world.RunFor(absl::Seconds(1));
  EXPECT_EQ(world.job(running).state, JobState::kCancelled);
  EXPECT_EQ(world.Give(event::CancelRequested{running}).status.code(), absl::StatusCode::kNotFound);
}

TEST(Brain, LearnsDurationsByNameAfterFiveRuns) {
  World world(DemoConfig());
  world.fate = [](const command::Launch&) { return Fate{absl::Seconds(7)}; };
  Work work = CpuOrCuda(1, absl::Seconds(100));
  work.name = "thumbnails";
  for (int i = 0; i < 5; ++i) {
    const JobId id = world.Submit(work).job;
    EXPECT_EQ(At(world, id, "local").estimate.basis, Basis::kDeclared);
    world.RunToEnd();
  }
  const JobId id = world.Submit(work).job;
  EXPECT_EQ(At(world, id, "local").estimate.basis, Basis::kObserved);
  EXPECT_EQ(At(world, id, "local").estimate.duration.p50, absl::Seconds(7));
}

TEST(Brain, PriorityThenFifoAndAgingLiftsOldWork) {
  Config config = DemoConfig();
  config.fleet.pools = {fixtures::LocalPool()};
  World world(config);
  world.fate = [](const command::Launch&) { return Fate{absl::Seconds(400)}; };
  std::vector<JobId> order;
  world.on_launch = [&](const command::Launch& l) { order.push_back(l.key.job); };
  const auto submit = [&](int priority) {
    Work work = Lasting(JobNeeding(Cpus(8), GiB(1)), absl::Seconds(400));
    work.priority = priority;
    return world.Submit(work).job;
  };
  const JobId first = submit(0), second = submit(0), urgent = submit(5);
  world.Advance(absl::Minutes(60));  // as if six points of priority had been earned ...
  world.RunFor(absl::ZeroDuration());
  const JobId young = submit(5);
  world.RunToEnd();
  EXPECT_THAT(order, ElementsAre(first, urgent, second, young));
}

TEST(Brain, APriceChangeIsBookedAtBothRates) {
  World world(DemoConfig());
  world.fate = [](const command::Launch&) { return Fate{absl::Seconds(100)}; };
  const JobId id = world.Submit(Lasting(JobNeedingDevices(1, "cuda>=12"), absl::Seconds(100))).job;
  world.RunFor(absl::Seconds(40));
  world.Give(
      event::PoolPriced{world.IdOf("a10"), Price{.node_hour = fixtures::HourlyDollars(2.0)}});
  world.RunToEnd();
  const Usd expected = fixtures::HourlyDollars(1.006) * absl::Seconds(40) +
                       fixtures::HourlyDollars(2.0) * absl::Seconds(60);
  EXPECT_EQ(world.job(id).cost, expected);
}

TEST(Brain, ADatedPriceStandsFromItsDayOnAsItIsWritten) {
  Config config = DemoConfig();
  for (PoolSpec& pool : config.fleet.pools) pool.adapter.speedup = 20;  // folded in already
  const absl::Time start = absl::FromUnixSeconds(1'790'000'000);
  config.prices.prices.push_back(
      {"a10", start - absl::Hours(1), Price{.node_hour = fixtures::HourlyDollars(1.5)}});
  config.prices.prices.push_back(
      {"a10", start + absl::Seconds(40), Price{.node_hour = fixtures::HourlyDollars(3)}});
  World world(config, start);
  world.fate = [](const command::Launch&) { return Fate{absl::Seconds(100)}; };
  const JobId id = world.Submit(Lasting(JobNeedingDevices(1, "cuda>=12"), absl::Seconds(100))).job;
  world.RunToEnd();
  EXPECT_EQ(world.job(id).cost, fixtures::HourlyDollars(1.5) * absl::Seconds(40) +
                                    fixtures::HourlyDollars(3) * absl::Seconds(60));
}

TEST(Brain, TheBaselineIsOneCleanAttemptOnNvidia) {
  World world(DemoConfig());
  world.fate = [](const command::Launch&) { return Fate{absl::Seconds(24)}; };
  const JobId id = world.Submit(CpuOrCuda(2, absl::Seconds(24))).job;
  world.RunToEnd();
  EXPECT_EQ(*world.job(id).baseline_cost, fixtures::HourlyDollars(1.006) * absl::Seconds(24));
  const JobId none = world.Submit(Lasting(JobNeeding(Cpus(2), GiB(1)), absl::Seconds(24))).job;
  world.RunToEnd();
  EXPECT_EQ(world.job(none).baseline_cost, std::nullopt);
  EXPECT_EQ(world.decision(none).baseline.code, Code::kDevices);
}

TEST(Brain, DryRunAnswersAndLeavesNoTrace) {
  World world(DemoConfig());
  const record::CountersRow before = world.counters;
  const Decision answer = world.brain().DryRun(CpuOrCuda(2, absl::Seconds(20)), world.Now());
  EXPECT_EQ(world.NameOf(answer.chosen), "local");
  EXPECT_EQ(world.Submit(CpuOrCuda(2, absl::Seconds(20))).decision->inputs_hash,
            answer.inputs_hash);
  EXPECT_EQ(Number(world.counters.last_decision), Number(before.last_decision) + 1);
}

TEST(Brain, AGangTakesAllItsNodesAtOnceAndIsNotStarvedBySmallWork) {
  Config config = DemoConfig();
  config.fleet.pools = {fixtures::XeonAmxPool()};
  World world(config);
  world.fate = [](const command::Launch& l) {
    return Fate{l.nodes.size() > 1 ? absl::Seconds(50) : absl::Seconds(30)};
  };
  for (int i = 0; i < 3; ++i)
    world.Submit(Lasting(JobNeeding(Cpus(16), GiB(1)), absl::Seconds(30)));
  Work gang = Lasting(JobNeeding(Cpus(16), GiB(1)), absl::Seconds(50));
  gang.needs.nodes = 3;
  const JobId id = world.Submit(gang).job;
  const JobId small = world.Submit(Lasting(JobNeeding(Cpus(4), GiB(1)), absl::Seconds(30))).job;
  EXPECT_EQ(world.PoolOf(id), "");
  EXPECT_EQ(world.PoolOf(small), "") << "it may not pass the gang that counts on the pool";
  world.RunFor(absl::Seconds(31));
  ASSERT_EQ(world.PoolOf(id), "xeon-amx");
  EXPECT_EQ(world.job(id).attempts[0].nodes.size(), 3u);
  EXPECT_EQ(world.PoolOf(small), "xeon-amx");
  world.RunToEnd();
  EXPECT_EQ(world.job(id).cost, fixtures::HourlyDollars(0.714) * 3 * absl::Seconds(50));
}

TEST(Brain, ApiPolicyOutlivesARestartUntilTheFileSaysSomethingNew) {
  World world(DemoConfig());
  world.Give(event::PolicySet{std::make_shared<const PolicySpec>(fixtures::NvidiaOnlyPolicy())});
  world.Restart();
  EXPECT_EQ(world.brain().policy()->name, "nvidia-only");
  world.Give(event::PolicySet{std::make_shared<const PolicySpec>(fixtures::BackstopPolicy()),
                              true});  // SIGHUP, unchanged
  EXPECT_EQ(world.brain().policy()->name, "nvidia-only");
  world.Reconfigure(DemoConfig(fixtures::LeastCostPolicy()));
  world.Restart();
  EXPECT_EQ(world.brain().policy()->name, "least-cost");
}

}  // namespace
}  // namespace spillway
