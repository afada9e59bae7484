// Laws that hold in every run, over many seeds of random fleets, work and mishaps. The oracle keeps
// its own account of who holds what, from launches and ends alone, and computes costs and claim
// orders from fleet and demand by its own formulas; it never reads what a decision says about a
// pool it judges.
#include <gtest/gtest.h>

#include <boost/random/mersenne_twister.hpp>
#include <boost/random/uniform_int_distribution.hpp>
#include <boost/random/uniform_real_distribution.hpp>

#include "core/explain.h"
#include "tests/support/fleets.h"
#include "tests/support/world.h"

namespace spillway {
namespace {

using fixtures::Cpus;
using fixtures::Fate;
using fixtures::GiB;
using fixtures::World;

class Dice {
 public:
  explicit Dice(std::uint32_t seed) : engine_(seed) {}
  int Roll(int low, int high) {
    return boost::random::uniform_int_distribution<int>(low, high)(engine_);
  }
  bool Chance(double p) {
    return boost::random::uniform_real_distribution<double>(0, 1)(engine_) < p;
  }

 private:
  boost::random::mt19937 engine_;
};

FleetSpec RandomFleet(Dice& dice) {
  FleetSpec fleet;
  const int pools = dice.Roll(2, 6);
  for (int i = 0; i < pools; ++i) {
    const PoolSpec kinds[] = {fixtures::LocalPool(), fixtures::XeonAmxPool(), fixtures::A10Pool(),
                              fixtures::Gaudi2Pool()};
    PoolSpec pool = kinds[dice.Roll(0, 3)];
    pool.name += "-" + std::to_string(i);
    pool.nodes = dice.Roll(1, 4);
    pool.runtimes.emplace("none", fixtures::V("1"));
    pool.price.node_hour = UsdPerHour(dice.Roll(1, 3'000'000) * std::int64_t{1'000});
    pool.peak_ops = dice.Roll(1, 9) * 1e12;
    fleet.pools.push_back(pool);
  }
  return fleet;
}

PolicySpec RandomPolicy(Dice& dice) {
  PolicySpec policy = dice.Chance(0.6) ? fixtures::BackstopPolicy() : fixtures::LeastCostPolicy();
  policy.claim.band = dice.Chance(0.5) ? 0.0 : 0.02;
  policy.spill.rule = static_cast<SpillRule>(dice.Roll(0, 2));
  policy.choice = static_cast<ChoiceRule>(dice.Roll(0, 6));
  policy.queue.discipline = static_cast<QueueRule>(dice.Roll(0, 2));
  policy.nodes = static_cast<NodeRule>(dice.Roll(0, 2));
  return policy;
}

Work RandomWork(Dice& dice, absl::Time now) {
  Work work = fixtures::JobNeeding(Cpus(dice.Roll(1, 8) * 0.5), GiB(dice.Roll(1, 6)));
  work.name = "";
  if (dice.Chance(0.3)) work.name = "name-" + std::to_string(dice.Roll(0, 2));
  if (dice.Chance(0.8)) work.demand = DeclaredSeconds{absl::Seconds(dice.Roll(1, 120)), ""};
  if (dice.Chance(0.4)) fixtures::AlsoOn(work, "nvidia", 1, "cuda>=12");
  if (dice.Chance(0.3)) fixtures::AlsoOn(work, "habana", dice.Roll(1, 2), "synapse");
  if (dice.Chance(0.1)) work.needs.nodes = 2;
  if (dice.Chance(0.3)) {
    work.objective.start_within.reset();
    work.objective.deadline = now + absl::Seconds(dice.Roll(10, 600));
  }
  if (dice.Chance(0.2)) work.objective.start_within = absl::Seconds(dice.Roll(1, 300));
  if (dice.Chance(0.1)) work.objective.on_miss = OnMiss::kFail;
  work.priority = dice.Roll(-2, 2);
  work.retries = {dice.Roll(0, 1), dice.Roll(0, 3)};
  for (Alternative& a : work.alternatives) a.objective = work.objective;
  return work;
}

// Who holds what, as launches and ends say.
class Oracle {
 public:
  explicit Oracle(World& world) : world_(world) {}

  void Launched(const command::Launch& launch) {
    const PoolSpec& pool = world_.config().fleet.pools[Index(launch.pool)];
    CheckLaws(launch);
    const Needs& needs = FaceOf(*launch.work, launch.alternative).needs;
    EXPECT_EQ(launch.nodes.size(), static_cast<std::size_t>(needs.nodes));
    std::set<int> distinct;
    for (const NodeShare& share : launch.nodes) {
      EXPECT_TRUE(distinct.insert(share.node).second) << "a gang's nodes are distinct";
      Used& used = used_[{launch.pool, share.node}];
      used.cpus += needs.cpus.value();
      used.memory += needs.memory.value();
      EXPECT_LE(used.cpus, pool.node.cpus.value());
      EXPECT_LE(used.memory, pool.node.memory.value());
      EXPECT_EQ(share.devices.size(), static_cast<std::size_t>(needs.devices.count));
      for (const int d : share.devices) {
        EXPECT_LT(d, pool.node.devices);
        EXPECT_TRUE(used.devices.insert(d).second) << "device held twice";
      }
      EXPECT_FALSE(down_.contains({launch.pool, share.node})) << "launched on a node that is down";
    }
    EXPECT_TRUE(started_.insert(launch.key).second) << "launched twice";
    held_[launch.key] = launch;
    TouchNodes(launch.pool, launch.nodes, +1);
  }
  void Ended(AttemptKey key) {
    const auto found = held_.find(key);
    if (found == held_.end()) return;
    const command::Launch& launch = found->second;
    const Needs& needs = FaceOf(*launch.work, launch.alternative).needs;
    for (const NodeShare& share : launch.nodes) {
      Used& used = used_[{launch.pool, share.node}];
      used.cpus -= needs.cpus.value();
      used.memory -= needs.memory.value();
      for (const int d : share.devices) used.devices.erase(d);
    }
    TouchNodes(launch.pool, launch.nodes, -1);
    held_.erase(found);
  }
  void NodeSeen(PoolId pool, int node, bool up) {
    up ? (void)down_.erase({pool, node}) : (void)down_.insert({pool, node});
  }

  // Node time in use so far, for the bill of metered pools.
  absl::Duration InUse(PoolId pool) const {
    const auto found = in_use_.find(pool);
    return found == in_use_.end() ? absl::ZeroDuration() : found->second;
  }
  int launches_judged = 0, idle_judged = 0;

 private:
  struct Used {
    std::int64_t cpus = 0, memory = 0;
    std::set<int> devices;
    int holders = 0;
    absl::Time since;
  };
  using NodeKey = std::pair<PoolId, int>;

  void TouchNodes(PoolId pool, const std::vector<NodeShare>& nodes, int sign) {
    for (const NodeShare& share : nodes) {
      Used& used = used_[{pool, share.node}];
      if (sign > 0 && used.holders == 0) used.since = world_.Now();
      used.holders += sign;
      if (sign < 0 && used.holders == 0) in_use_[pool] += world_.Now() - used.since;
    }
  }

  bool Fits(PoolId id, const PoolSpec& pool, const Needs& needs) const {
    int fitting = 0;
    for (int n = 0; n < pool.nodes; ++n) {
      if (down_.contains({id, n})) continue;
      const auto found = used_.find({id, n});
      const Used none, &used = found == used_.end() ? none : found->second;
      fitting += used.cpus + needs.cpus.value() <= pool.node.cpus.value() &&
                 used.memory + needs.memory.value() <= pool.node.memory.value() &&
                 static_cast<int>(used.devices.size()) + needs.devices.count <= pool.node.devices;
    }
    return fitting >= needs.nodes;
  }
  // Fit for this generator's work: CPUs, memory, runtime, devices that CPU work does not get for
  // nothing.
  static bool Able(const Needs& needs, const PoolSpec& pool) {
    return needs.cpus <= pool.node.cpus && needs.memory <= pool.node.memory &&
           pool.runtimes.contains(needs.runtime.name) && needs.nodes <= pool.nodes &&
           (needs.devices.count == 0) == (pool.node.devices == 0) &&
           needs.devices.count <= pool.node.devices;
  }
  absl::Duration Expected(const Work& work, const PoolSpec& pool, bool p90) const {
    const auto runs = world_.observations.find({work.tenant, work.name});
    if (!work.name.empty() && runs != world_.observations.end() && runs->second.runs.size() >= 5) {
      std::vector<absl::Duration> sorted = runs->second.runs;
      std::sort(sorted.begin(), sorted.end());
      const double q = p90 ? 0.9 : 0.5;
      return sorted[static_cast<std::size_t>(
                        std::ceil(q * static_cast<double>(sorted.size()) - 1e-9)) -
                    1];
    }
    (void)pool;
    const auto* declared = std::get_if<DeclaredSeconds>(&work.demand);
    const absl::Duration p50 = declared ? declared->seconds : absl::Seconds(60);
    return p90 ? p50 * (declared ? 1.25 : 2.0) : p50;
  }
  static double ShareIn(const Needs& needs, const PoolSpec& pool) {
    if (pool.node.devices > 0) return static_cast<double>(needs.devices.count) / pool.node.devices;
    return static_cast<double>(needs.cpus.value()) / static_cast<double>(pool.node.cpus.value());
  }
  // In nano-dollars, good to a few of them.
  double Marginal(const Work& work, const Needs& needs, const PoolSpec& pool) const {
    const double seconds = absl::ToDoubleSeconds(Expected(work, pool, false));
    if (pool.billing == Billing::kCommitted) {
      const double joules = (pool.power.busy.value() - pool.power.idle.value()) *
                            ShareIn(needs, pool) * needs.nodes * seconds;
      return joules * pool.power.pue / 3.6e6 * static_cast<double>(pool.power.tariff->value());
    }
    return static_cast<double>(pool.price.node_hour->value()) / 3600 * seconds *
           ShareIn(needs, pool) * needs.nodes;
  }
  // Does `a` claim strictly before `b`, by more than rounding and the band could blur?
  bool Before(const Work& work, PoolId a, PoolId b) const {
    const FleetSpec& fleet = world_.config().fleet;
    const PolicySpec& policy = *world_.brain().policy();
    const PoolSpec &p = fleet.pools[Index(a)], &q = fleet.pools[Index(b)];
    const bool p_last = policy.claim.backstop && policy.claim.backstop->Matches(p);
    const bool q_last = policy.claim.backstop && policy.claim.backstop->Matches(q);
    if (p_last != q_last) return q_last;
    const bool p_paid = p.billing == Billing::kCommitted, q_paid = q.billing == Billing::kCommitted;
    if (p_paid != q_paid) return p_paid;
    if (p_paid && p.peak_ops != q.peak_ops) return p.peak_ops < q.peak_ops;
    if (p_paid && p.node.memory != q.node.memory) return p.node.memory < q.node.memory;
    const double mine = Marginal(work, FaceFor(work, p).needs, p),
                 theirs = Marginal(work, FaceFor(work, q).needs, q);
    return mine * (1 + policy.claim.band) + 10 < theirs * (1 - policy.claim.band);
  }
  static bool MeetsObjective(const Objective& objective, absl::Time submitted, absl::Time start,
                             absl::Time finish) {
    return (!objective.deadline || finish <= *objective.deadline) &&
           (!objective.start_within || start <= submitted + *objective.start_within);
  }
  bool SomebodyAheadCountsOn(PoolId pool, const Job& job) const {
    const PolicySpec& policy = *world_.brain().policy();
    const auto key = [&](const Job& j) -> double {
      const Work& w = *j.work;
      const double submitted =
          absl::ToDoubleSeconds(j.created_at - absl::FromUnixSeconds(1'790'000'000));
      if (policy.queue.discipline == QueueRule::kFifo) return submitted;
      if (policy.queue.discipline == QueueRule::kPriority)
        return submitted - w.priority * absl::ToDoubleSeconds(policy.queue.aging);
      return w.objective.deadline ? absl::ToDoubleSeconds(*w.objective.deadline -
                                                          absl::FromUnixSeconds(1'790'000'000))
             : w.objective.start_within
                 ? submitted + absl::ToDoubleSeconds(*w.objective.start_within)
                 : 1e15;
    };
    for (const auto& [id, other] : world_.jobs) {
      if (id == job.id || other.state != JobState::kQueued || other.plan.pool != pool) continue;
      if (std::pair(key(other), id) < std::pair(key(job), job.id)) return true;
    }
    return false;
  }

  void CheckLaws(const command::Launch& launch) {
    const Job& job = world_.jobs.at(launch.key.job);
    const Work& work = *launch.work;
    const Decision& decision = world_.decision(job.id);
    const FleetSpec& fleet = world_.config().fleet;
    ++launches_judged;
    EXPECT_EQ(decision.outcome, Outcome::kPlaced);
    EXPECT_EQ(decision.chosen, launch.pool);
    EXPECT_EQ(decision.candidates.size(), fleet.pools.size()) << "every pool is in it";
    for (std::size_t i = 0; i < fleet.pools.size(); ++i) {
      const PoolId q{static_cast<std::uint32_t>(i)};
      if (q == launch.pool) continue;
      const WorkFace face = FaceFor(work, fleet.pools[i]);
      const Candidate& said = decision.candidates[i];
      EXPECT_EQ(Able(face.needs, fleet.pools[i]), !said.codes.AnyCannot()) << fleet.pools[i].name;
      if (!Able(face.needs, fleet.pools[i]) || !Before(work, q, launch.pool)) continue;
      // The claim law: before the chosen pool stands nothing but a good reason.
      const Code code = said.code();
      EXPECT_TRUE(IsCannot(code) || IsUnavailable(code) || code == Code::kTooDear ||
                  code == Code::kTooLate)
          << NameOf(code) << " on " << fleet.pools[i].name << " before "
          << fleet.pools[Index(launch.pool)].name;
      // The idle law: and never one that could have started it at once, in time.
      if (SomebodyAheadCountsOn(q, job)) continue;
      if (world_.brain().Pools()[i].state != PoolState::kActive) continue;
      ++idle_judged;
      const absl::Time now = world_.Now();
      const bool would_do = Fits(q, fleet.pools[i], face.needs) &&
                            MeetsObjective(face.objective, job.created_at, now,
                                           now + Expected(work, fleet.pools[i], true));
      EXPECT_FALSE(would_do) << ToString(job.id) << " went to "
                             << fleet.pools[Index(launch.pool)].name << " while "
                             << fleet.pools[i].name
                             << " was idle: " << Explain(said, work, fleet.pools[i]);
    }
  }

  World& world_;
  std::map<NodeKey, Used> used_;
  std::set<NodeKey> down_;
  std::set<AttemptKey> started_;
  std::map<AttemptKey, command::Launch> held_;
  std::map<PoolId, absl::Duration> in_use_;
};

// One random day, with failures, lost nodes, drains and (if asked for) restarts.
struct Day {
  explicit Day(std::uint32_t seed, bool restarts)
      : dice(seed), world(MakeConfig(dice)), oracle(world) {
    started = world.Now();
    world.fate = [this](const command::Launch& launch) {
      const auto* declared = std::get_if<DeclaredSeconds>(&launch.work->demand);
      const absl::Duration told = declared ? declared->seconds : absl::Seconds(60);
      const Fault fault = dice.Chance(0.1)    ? Fault::kOwn
                          : dice.Chance(0.05) ? Fault::kInfrastructure
                                              : Fault::kNone;
      return Fate{told * dice.Roll(5, 20) * 0.1 + absl::Milliseconds(dice.Roll(1, 999)), fault};
    };
    world.on_launch = [this](const command::Launch& l) { oracle.Launched(l); };
    world.on_event = [this](const Event& e) {
      if (const auto* ended = std::get_if<event::AttemptEnded>(&e.body)) oracle.Ended(ended->key);
      if (const auto* node = std::get_if<event::NodeSeen>(&e.body)) {
        if (!node->up) {
          for (const AttemptKey key : RunningOn(node->pool, node->node)) oracle.Ended(key);
        }
        oracle.NodeSeen(node->pool, node->node, node->up);
      }
    };
    for (int i = 0; i < 150; ++i) {
      Step();
      if (restarts && dice.Chance(0.05)) world.Restart();
    }
    for (std::size_t i = 0; i < world.config().fleet.pools.size(); ++i) {
      const PoolId pool{static_cast<std::uint32_t>(i)};
      for (int n = 0; n < world.config().fleet.pools[i].nodes; ++n)
        world.Give(event::NodeSeen{pool, n, true});
      world.Give(event::PoolStateSet{pool, PoolState::kActive});
    }
    world.RunToEnd();
  }

  static Config MakeConfig(Dice& dice) {
    return {.fleet = RandomFleet(dice), .policy = RandomPolicy(dice)};
  }

  std::vector<AttemptKey> RunningOn(PoolId pool, int node) const {
    std::vector<AttemptKey> keys;
    for (const auto& [id, job] : world.jobs) {
      if (job.attempts.empty() || job.attempts.back().state == AttemptState::kEnded ||
          job.attempts.back().pool != pool)
        continue;
      for (const NodeShare& share : job.attempts.back().nodes) {
        if (share.node == node) keys.push_back({id, job.attempts.back().number});
      }
    }
    return keys;
  }

  void Step() {
    if (dice.Chance(0.7)) {
      const Reply reply = world.Submit(RandomWork(dice, world.Now()));
      accepted += reply.status.ok();
    }
    const PoolId pool{static_cast<std::uint32_t>(
        dice.Roll(0, static_cast<int>(world.config().fleet.pools.size()) - 1))};
    const int node = dice.Roll(0, world.config().fleet.pools[Index(pool)].nodes - 1);
    if (dice.Chance(0.03)) world.Give(event::NodeSeen{pool, node, dice.Chance(0.5)});
    if (dice.Chance(0.03))
      world.Give(event::PoolStateSet{pool, static_cast<PoolState>(dice.Roll(0, 2))});
    if (dice.Chance(0.03) && !world.jobs.empty()) {
      auto job = world.jobs.begin();
      std::advance(job, dice.Roll(0, static_cast<int>(world.jobs.size()) - 1));
      world.Give(event::CancelRequested{job->first});
    }
    world.RunFor(absl::Milliseconds(dice.Roll(0, 30'000)));
  }

  Dice dice;
  World world;
  Oracle oracle;
  absl::Time started;
  int accepted = 0;
};

class Laws : public testing::TestWithParam<std::uint32_t> {};

TEST_P(Laws, CapacityClaimAndIdleLawHoldAndNoJobIsLost) {
  SCOPED_TRACE(testing::Message() << "seed " << GetParam());
  Day day(GetParam(), false);
  EXPECT_EQ(static_cast<int>(day.world.jobs.size()), day.accepted);
  EXPECT_GT(day.oracle.launches_judged, 0);
  for (const auto& [id, job] : day.world.jobs) {
    EXPECT_TRUE(IsTerminal(job.state)) << ToString(id) << " is " << NameOf(job.state);
    for (const Attempt& a : job.attempts) EXPECT_EQ(a.state, AttemptState::kEnded);
  }
}

TEST_P(Laws, BothBooksAddUpToTheNanoDollar) {
  SCOPED_TRACE(testing::Message() << "seed " << GetParam());
  Day day(GetParam(), false);
  World& world = day.world;
  // To the end of the hour, so that every row is complete.
  const absl::Time end = world.Now() + absl::Hours(1);
  const std::int64_t into_hour = absl::ToUnixSeconds(end) % 3600;
  const absl::Time whole = absl::FromUnixSeconds(absl::ToUnixSeconds(end) - into_hour);
  world.RunUntil(whole);
  world.Give(event::TimerFired{});
  std::map<PoolId, Usd> rows, work_rows, overhead_rows, jobs_cost, jobs_overhead;
  std::map<PoolId, Joules> row_energy, job_energy;
  for (const auto& [key, row] : world.ledger) {
    rows[row.pool] += row.cost;
    if (row.category == record::Category::kWork) work_rows[row.pool] += row.cost;
    if (row.category == record::Category::kOverhead) overhead_rows[row.pool] += row.cost;
    if (row.category != record::Category::kIdle) row_energy[row.pool] += row.energy;
  }
  for (const auto& [id, job] : world.jobs) {
    Usd cost, overhead, marginal;
    for (const Attempt& a : job.attempts) {
      const bool is_overhead = a.fault == Fault::kInfrastructure;
      (is_overhead ? jobs_overhead : jobs_cost)[a.pool] += a.cost;
      (is_overhead ? overhead : cost) += a.cost;
      if (!is_overhead) marginal += a.marginal_cost;
      job_energy[a.pool] += a.energy;
      const PoolSpec& pool = world.config().fleet.pools[Index(a.pool)];
      const Needs& needs = FaceOf(*job.work, a.alternative).needs;
      const double share = pool.node.devices > 0
                               ? static_cast<double>(needs.devices.count) / pool.node.devices
                               : static_cast<double>(needs.cpus.value()) /
                                     static_cast<double>(pool.node.cpus.value());
      const UsdPerHour rate(
          std::llround(static_cast<double>(pool.price.node_hour->value()) * share) * needs.nodes);
      EXPECT_EQ(a.cost, rate * (*a.finished_at - a.launched_at))
          << "rate x share x held, rounded once";
    }
    EXPECT_EQ(job.cost, cost);
    EXPECT_EQ(job.marginal_cost, marginal);
    EXPECT_EQ(job.overhead_cost, overhead);
  }
  for (std::size_t i = 0; i < world.config().fleet.pools.size(); ++i) {
    const PoolSpec& pool = world.config().fleet.pools[i];
    const PoolId id{static_cast<std::uint32_t>(i)};
    EXPECT_EQ(work_rows[id], jobs_cost[id]) << pool.name;
    EXPECT_EQ(overhead_rows[id], jobs_overhead[id]) << pool.name;
    EXPECT_EQ(row_energy[id], job_energy[id]) << pool.name;
    if (pool.billing == Billing::kCommitted) {
      EXPECT_EQ(rows[id], *pool.price.node_hour * ((whole - day.started) * pool.nodes))
          << pool.name << ": all nodes, all the time";
    } else {
      // Rounded once an hour.
      const Usd bill = *pool.price.node_hour * day.oracle.InUse(id);
      EXPECT_LE(std::abs((rows[id] - bill).value()), 1 + absl::ToInt64Hours(whole - day.started))
          << pool.name;
    }
  }
}

bool Same(const record::JobRow& a, const record::JobRow& b) {
  return a.job == b.job && a.is_new == b.is_new;
}
bool Same(const record::DecisionRow& a, const record::DecisionRow& b) {
  return *a.decision == *b.decision;
}
bool Same(const record::PoolRow& a, const record::PoolRow& b) {
  return a.pool == b.pool && a.state == b.state && a.removed == b.removed &&
         a.price.node_hour == b.price.node_hour && a.down == b.down;
}
bool Same(const record::PolicyRow& a, const record::PolicyRow& b) {
  return a.version == b.version && *a.policy == *b.policy;
}
bool Same(const record::RouterRow& a, const record::RouterRow& b) {
  return a.inputs->id == b.inputs->id && a.inputs->models == b.inputs->models;
}
template <class Row>
bool Same(const Row& a, const Row& b) {
  return a == b;
}
bool SameRecord(const Record& a, const Record& b) {
  if (a.index() != b.index()) return false;
  return std::visit(
      [&](const auto& row) { return Same(row, std::get<std::decay_t<decltype(row)>>(b)); }, a);
}

// What is recorded must be the same whether a brain ran through or was restored from its tables on
// the way; and a folded log gives the very same records, decisions and all: re-decide.
TEST_P(Laws, TheLogFoldsToTheSameRecordsThroughRestarts) {
  SCOPED_TRACE(testing::Message() << "seed " << GetParam());
  Day day(GetParam(), true);
  Brain folded;
  std::vector<Record> records;
  for (const Event& e : day.world.log) {
    Effects effects;
    folded.Handle(e, effects);
    records.insert(records.end(), effects.records.begin(), effects.records.end());
  }
  ASSERT_EQ(records.size(), day.world.records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    ASSERT_TRUE(SameRecord(records[i], day.world.records[i]))
        << "record " << i << " of kind " << records[i].index();
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Laws, testing::Range(1u, 61u));

}  // namespace
}  // namespace spillway
