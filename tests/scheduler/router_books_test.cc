// Requests and jobs in the same pools: what engines hold of the nodes, and books that add up.
#include <gtest/gtest.h>

#include <random>

#include "scheduler/books.h"
#include "tests/support/router_world.h"
#include "tests/support/world.h"

namespace spillway {
namespace {

using absl::Hours;
using absl::Minutes;
using absl::Seconds;
using fixtures::Committed;
using fixtures::Costing;
using fixtures::Cpus;
using fixtures::Dollars;
using fixtures::EnginePool;
using fixtures::GiB;
using fixtures::Lasting;
using fixtures::World;

constexpr PoolId kFirst{0};

// Nodes of three devices; on each an engine that holds two of them.
PoolSpec PartHeld(std::string name, int nodes) {
  PoolSpec pool = EnginePool(std::move(name), nodes);
  pool.node = {.cpus = Cpus(9), .memory = GiB(63), .devices = 3};
  pool.serves[0].devices = 2;
  return pool;
}
// Rented nodes for jobs.
PoolSpec JobPool(double usd_per_hour) {
  PoolSpec pool = Costing(EnginePool("jobs", 0), usd_per_hour);
  pool.nodes = 1;
  return pool;
}
Work DeviceJob(int devices) {
  Work work = fixtures::JobNeedingDevices(devices, "synapse");
  work.name = "";
  return Lasting(work, Minutes(10));
}
Config ConfigOf(std::vector<PoolSpec> pools) {
  return {.fleet = {std::move(pools)}, .policy = fixtures::BackstopPolicy()};
}

std::shared_ptr<const Request> Booked(PoolId pool, Usd cost, std::string tenant = "blue") {
  Request r;
  r.features.tenant = std::move(tenant);
  r.attempts = {{{pool, 0}, ForwardFault::kNone}};
  r.cost = cost;
  r.marginal_cost = cost;
  r.energy = Joules(1000);
  return std::make_shared<const Request>(r);
}

struct Sums {
  Usd work, overhead, idle;
  std::int64_t ended = 0;
  Usd all() const { return work + overhead + idle; }
};
Sums SumsOf(const World& world, PoolId pool, absl::Time hour) {
  Sums sums;
  for (const auto& [key, row] : world.ledger) {
    if (row.pool != pool || row.hour != hour) continue;
    Usd& into = row.category == record::Category::kWork   ? sums.work
                : row.category == record::Category::kIdle ? sums.idle
                                                          : sums.overhead;
    into += row.cost;
    sums.ended += row.ended;
  }
  return sums;
}

// ---- What engines hold

TEST(Replicas, JobsGetTheRest) {
  World world(ConfigOf({PartHeld("a", 2)}));
  EXPECT_EQ(world.brain().Pools()[0].devices_free, 2);
  EXPECT_EQ(world.brain().Pools()[0].cpus_free, Cpus(6));
  const JobId first = world.Submit(DeviceJob(1)).job, second = world.Submit(DeviceJob(1)).job;
  EXPECT_EQ(world.job(first).state, JobState::kStarting);
  EXPECT_EQ(world.job(second).state, JobState::kStarting);
  EXPECT_NE(world.job(first).attempts[0].nodes[0].node, world.job(second).attempts[0].nodes[0].node)
      << "one is left on each node";
  const JobId third = world.Submit(DeviceJob(1)).job;
  EXPECT_EQ(world.job(third).state, JobState::kQueued);
  world.RunToEnd();
  EXPECT_EQ(world.job(third).state, JobState::kSucceeded);
  EXPECT_EQ(world.brain().Pools()[0].devices_free, 2) << "engines keep theirs";
}

TEST(Replicas, NobodyWaitsForNodesThatEnginesHoldWholly) {
  PoolSpec pool = EnginePool("a", 2);  // of three nodes, two are held
  pool.nodes = 3;
  World world(ConfigOf({pool}));
  Work gang = DeviceJob(1);
  gang.needs.nodes = 2;
  gang.pin = "a";
  const Reply reply = world.Submit(gang);
  EXPECT_FALSE(reply.status.ok()) << "two nodes are never free";
  EXPECT_EQ(reply.decision->candidates[0].codes.First(), Code::kReserved);
  EXPECT_TRUE(world.launches.empty());
  Work one = DeviceJob(1);
  one.pin = "a";
  EXPECT_EQ(world.job(world.Submit(one).job).state, JobState::kStarting);
  EXPECT_EQ(world.launches[0].nodes[0].node, 2);
}

TEST(Replicas, WaitsAreForTheNodesThatAreLeft) {
  PoolSpec pool = EnginePool("a", 2);
  pool.nodes = 3;
  World world(ConfigOf({pool}));
  world.Submit(DeviceJob(1));
  world.Submit(DeviceJob(1));
  const JobId third = world.Submit(DeviceJob(1)).job;
  EXPECT_EQ(world.decision(third).candidates[0].estimate.wait.p50, Minutes(20))
      << "one node, two jobs of ten minutes ahead";
}

TEST(Replicas, WhollyHeldPoolsTakeNoJobs) {
  World world(ConfigOf({EnginePool("a", 2), JobPool(9)}));
  const JobId job = world.Submit(DeviceJob(1)).job;
  EXPECT_EQ(world.PoolOf(job), "jobs") << "at once, although the other is cheaper";
}

TEST(Replicas, CpuEnginesLeaveTheOtherCpus) {
  PoolSpec pool = fixtures::LocalPool();  // 8 CPUs
  pool.serves = {{.model = "chat", .cpus = Cpus(6)}};
  World world(ConfigOf({pool}));
  EXPECT_EQ(world.brain().Pools()[0].cpus_free, Cpus(2));
  // What engines leave is all that there will ever be: nobody waits for more, or before others.
  const Reply reply = world.Submit(fixtures::JobNeeding(Cpus(3), fixtures::MiB(10)));
  EXPECT_FALSE(reply.status.ok());
  EXPECT_EQ(reply.decision->candidates[0].codes.First(), Code::kReserved);
  EXPECT_EQ(world.job(world.Submit(fixtures::JobNeeding(Cpus(2), fixtures::MiB(10))).job).state,
            JobState::kStarting);
}

TEST(Replicas, EnginesStayHeldThroughRestartsAndFollowTheFile) {
  World world(ConfigOf({PartHeld("a", 3)}));
  world.Restart();
  EXPECT_EQ(world.brain().Pools()[0].devices_free, 3);
  PoolSpec fewer = PartHeld("a", 3);
  fewer.serves[0].replicas = 1;
  world.Reconfigure(ConfigOf({fewer}));
  world.Restart();
  EXPECT_EQ(world.brain().Pools()[0].devices_free, 7);
}

TEST(Replicas, EnginesElsewhereHoldNothingHere) {
  World world(ConfigOf({fixtures::UrlPool("far", 2)}));
  EXPECT_EQ(world.brain().Pools()[0].devices_free, 2);
}

// ---- The books

TEST(RequestBooks, ARequestIsOneRowsWork) {
  World world(ConfigOf({Committed(EnginePool("a", 2))}));
  Request r = *Booked(kFirst, Dollars(0.25));
  r.marginal_cost = Dollars(0.01);
  r.baseline_cost = Dollars(1);
  Request without = *Booked(kFirst, Dollars(0.05));
  world.Give(event::RequestsEnded{
      {std::make_shared<const Request>(r), std::make_shared<const Request>(without)}});
  const auto& row = world.ledger.at({Books::HourOf(world.Now()), kFirst, "blue",
                                     record::Category::kWork, WorkKind::kRequest, ""});
  EXPECT_EQ(row.cost, Dollars(0.30));
  EXPECT_EQ(row.marginal_cost, Dollars(0.06));
  EXPECT_EQ(row.baseline_cost, Dollars(1));
  EXPECT_EQ(row.compared_cost, Dollars(0.25)) << "both sides of a saving";
  EXPECT_EQ(row.without_baseline, 1);
  EXPECT_EQ(row.ended, 2);
  EXPECT_EQ(row.energy, Joules(2000));
}

TEST(RequestBooks, WhatNobodyAnsweredIsNotBooked) {
  World world(ConfigOf({Committed(EnginePool("a", 2))}));
  Request failed = *Booked(kFirst, Usd(0));
  failed.attempts[0].fault = ForwardFault::kConnect;
  failed.end = RequestEnd::kFailed;
  Request refused = *Booked(kFirst, Usd(0));
  refused.attempts.clear();
  refused.end = RequestEnd::kRefused;
  world.Give(event::RequestsEnded{
      {std::make_shared<const Request>(failed), std::make_shared<const Request>(refused)}});
  EXPECT_TRUE(world.ledger.empty());
}

// Who took a request and gave it up had its engine busy with it: time that nobody else pays for.
TEST(RequestBooks, AnAttemptThatWasGivenUpIsTheOverheadOfItsPool) {
  World world(ConfigOf({EnginePool("a", 1), Committed(EnginePool("b", 1))}));
  const absl::Time hour = Books::HourOf(world.Now()) + Hours(1);
  world.RunUntil(hour);
  Request r = *Booked(PoolId{1}, Dollars(0.25));
  r.answered_by = "chat";
  ForwardAttempt lost{{kFirst, 0}, ForwardFault::kBroken};
  lost.held = Minutes(10);
  lost.cost = Dollars(0.60);
  lost.marginal_cost = Dollars(0.20);
  lost.energy = Joules(500);
  lost.carbon = GramsCo2e(7);
  const ForwardAttempt unreachable{{kFirst, 0}, ForwardFault::kConnect};
  r.attempts = {lost, unreachable, r.attempts.front()};
  world.Give(event::RequestsEnded{{std::make_shared<const Request>(r)}});
  const auto& row = world.ledger.at(
      {hour, kFirst, "blue", record::Category::kOverhead, WorkKind::kRequest, "chat"});
  EXPECT_EQ(row.cost, Dollars(0.60));
  EXPECT_EQ(row.marginal_cost, Dollars(0.20));
  EXPECT_EQ(row.energy, Joules(500));
  EXPECT_EQ(row.carbon, GramsCo2e(7));
  EXPECT_EQ(row.node_time, Minutes(10)) << "of 3.60 USD an hour";
  EXPECT_EQ(row.ended, 0) << "it ended elsewhere";
  EXPECT_EQ(SumsOf(world, kFirst, hour).work, Usd(0));
  EXPECT_EQ(SumsOf(world, PoolId{1}, hour).work, Dollars(0.25));
  world.RunUntil(hour + Hours(1));
  EXPECT_EQ(SumsOf(world, kFirst, hour).all(), Dollars(3.60))
      << "a part of the bill, not beside it";
}

TEST(RequestBooks, WithoutAPriceThereIsNoSaving) {
  PoolSpec pool = EnginePool("a", 2);
  pool.billing = Billing::kUnpriced;
  World world(ConfigOf({pool}));
  Request r = *Booked(kFirst, Usd(0));
  r.priced = false;
  r.baseline_cost = Dollars(1);
  world.Give(event::RequestsEnded{{std::make_shared<const Request>(r)}});
  const auto& row = world.ledger.at({Books::HourOf(world.Now()), kFirst, "blue",
                                     record::Category::kWork, WorkKind::kRequest, ""});
  EXPECT_EQ(row.baseline_cost, Usd(0));
  EXPECT_EQ(row.without_baseline, 1);
}

TEST(RequestBooks, ATokenPoolsBillIsItsRequests) {
  PoolSpec pool = fixtures::UrlPool("api", 1);
  pool.billing = Billing::kToken;
  pool.price = {.input = UsdPerMtoken(1), .output = UsdPerMtoken(1)};
  World world(ConfigOf({pool}));
  const absl::Time hour = Books::HourOf(world.Now());
  world.Give(event::RequestsEnded{{Booked(kFirst, Usd(12'345)), Booked(kFirst, Usd(7), "red")}});
  world.RunFor(Hours(3));
  EXPECT_EQ(SumsOf(world, kFirst, hour).work, Usd(12'352));
  EXPECT_EQ(SumsOf(world, kFirst, hour).idle, Usd(0));
}

// Engines of a rented pool are nodes in use: they are on the bill from the first second.
TEST(RequestBooks, EnginesOfARentedPoolCostWhileTheyAreIdle) {
  PoolSpec pool = EnginePool("a", 1);
  pool.nodes = 4;  // the others are not rented while nothing runs there
  World world(ConfigOf({pool}));
  const absl::Time hour = Books::HourOf(world.Now()) + Hours(1);
  world.RunUntil(hour + Hours(1));
  EXPECT_EQ(SumsOf(world, kFirst, hour).idle, Dollars(3.60));
  EXPECT_EQ(SumsOf(world, kFirst, hour).all(), Dollars(3.60));
}

TEST(RequestBooks, MoreEnginesCostFromTheMomentOn) {
  PoolSpec pool = EnginePool("a", 1);
  pool.nodes = 4;
  World world(ConfigOf({pool}));
  const absl::Time hour = Books::HourOf(world.Now()) + Hours(1);
  world.RunUntil(hour + Minutes(20));
  pool.serves[0].replicas = 4;
  world.Reconfigure(ConfigOf({pool}));
  world.Restart();
  world.RunUntil(hour + Hours(1));
  EXPECT_EQ(SumsOf(world, kFirst, hour).all(), Dollars(1.20 + 4 * 2.40))
      << "one engine for 20 minutes, four for 40";
}

TEST(RequestBooks, WhatHasLeftTheConfigurationCostsNoMore) {
  for (const bool rented : {false, true}) {
    const PoolSpec pool = rented ? EnginePool("a", 2) : Committed(EnginePool("a", 2));
    World world(ConfigOf({pool, JobPool(1)}));
    const absl::Time hour = Books::HourOf(world.Now()) + Hours(1);
    world.RunUntil(hour + Minutes(30));
    world.Reconfigure(ConfigOf({JobPool(1)}));
    world.Restart();
    world.Give(event::RequestsEnded{{Booked(kFirst, Usd(77))}});  // the last ones end
    world.RunUntil(hour + Hours(1));
    world.Submit(DeviceJob(1));
    world.RunFor(Hours(3));
    EXPECT_EQ(SumsOf(world, kFirst, hour).all(), Dollars(3.60) + Usd(77));
    EXPECT_EQ(SumsOf(world, kFirst, hour + Hours(1)).all(), Usd(0));
    world.Reconfigure(ConfigOf({pool, JobPool(1)}));
    world.Restart();
    const absl::Time back = Books::HourOf(world.Now()) + Hours(1);
    world.RunUntil(back + Hours(1));
    EXPECT_EQ(SumsOf(world, kFirst, back).all(), Dollars(7.20));
  }
}

// To the nano-dollar, in every hour, whatever ends when.
class MixedBooks : public testing::TestWithParam<std::uint32_t> {};

TEST_P(MixedBooks, RowsOfEachHourSumToTheBill) {
  SCOPED_TRACE(testing::Message() << "seed " << GetParam());
  std::mt19937 dice(GetParam());
  const auto roll = [&](int n) { return static_cast<int>(dice() % static_cast<unsigned>(n)); };
  std::vector<PoolSpec> pools;
  for (int i = 0; i < 3; ++i) {
    PoolSpec pool = PartHeld("p" + std::to_string(i), 1 + roll(3));
    pool.price.node_hour = UsdPerHour(1 + roll(2'000'000'000));  // odd ones
    if (roll(2) > 0) pool = Committed(pool);
    pools.push_back(pool);
  }
  World world(ConfigOf(pools));
  world.fate = [&](const command::Launch&) {
    return fixtures::Fate{Seconds(1 + roll(5000)),
                          roll(5) > 0 ? Fault::kNone : static_cast<Fault>(1 + roll(2))};
  };
  const absl::Time from = Books::HourOf(world.Now()) + Hours(1);
  world.RunUntil(from);
  std::map<std::pair<PoolId, absl::Time>, Usd> requests;
  for (int step = 0; step < 120; ++step) {
    if (roll(3) > 0) world.Submit(DeviceJob(1));
    event::RequestsEnded ended;
    for (int n = roll(30); n > 0; --n) {
      const PoolId pool{static_cast<std::uint32_t>(roll(3))};
      Request request = *Booked(pool, Usd(roll(3'000'000)), roll(2) > 0 ? "blue" : "red");
      requests[{pool, Books::HourOf(world.Now())}] += request.cost;
      if (roll(4) == 0) {
        const PoolId first{static_cast<std::uint32_t>(roll(3))};
        ForwardAttempt given_up{{first, 0}, ForwardFault::kBroken};
        given_up.held = Seconds(1);
        given_up.cost = Usd(roll(1'000'000));
        requests[{first, Books::HourOf(world.Now())}] += given_up.cost;
        request.attempts.insert(request.attempts.begin(), given_up);
      }
      ended.requests.push_back(std::make_shared<const Request>(std::move(request)));
    }
    world.Give(ended);
    if (roll(25) == 0) world.Restart();
    world.RunFor(absl::Milliseconds(roll(600'000)));
  }
  world.RunToEnd();
  const absl::Time until = Books::HourOf(world.Now()) + Hours(1);
  world.RunUntil(until);
  world.Give(event::TimerFired{});
  ASSERT_GT(until - from, Hours(5));
  for (std::uint32_t i = 0; i < 3; ++i) {
    // An engine stands on each node, so all of them are on the bill all the time.
    const Usd bill = *pools[i].price.node_hour * (Hours(1) * pools[i].nodes);
    for (absl::Time hour = from; hour < until; hour += Hours(1)) {
      const Sums sums = SumsOf(world, PoolId{i}, hour);
      ASSERT_EQ(sums.all(), bill) << pools[i].name << " at " << hour;
      // A lost attempt moves from work to overhead, out of closed hours too.
      ASSERT_GE(sums.work + sums.overhead, (requests[{PoolId{i}, hour}])) << "requests are in it";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, MixedBooks, testing::Range(1u, 21u));

}  // namespace
}  // namespace spillway
