#include "simulator/bound.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/random/mersenne_twister.hpp>
#include <boost/random/uniform_int_distribution.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace spillway {
namespace {

using Draws = boost::random::mt19937_64;
using testing::HasSubstr;

constexpr UsdPerHour PerHour(double usd) {
  return UsdPerHour(static_cast<std::int64_t>(usd * kNanosPerUsd));
}
double InUsd(Usd usd) { return static_cast<double>(usd.value()) / kNanosPerUsd; }
int Below(Draws& draws, int n) {
  return boost::random::uniform_int_distribution<>(0, n - 1)(draws);
}

BoundLoad Takes(double hours, double usd = 0) {
  return {.able = true, .node_hours = {hours}, .usd = usd};
}
const BoundLoad kCannot;

// 100 short and 10 long pieces; the small pool is cheap, cannot do the long ones and has one node.
BoundProblem TwoPools() {
  return {
      .work = {{"short", 100}, {"long", 10}},
      .pools = {{.name = "small", .node_hour = PerHour(1), .available = absl::Hours(6)},
                {.name = "big", .node_hour = PerHour(5), .nodes = 2, .available = absl::Hours(6)}},
      .loads = {{Takes(0.1), Takes(0.05)}, {kCannot, Takes(0.5)}}};
}

BoundAnswer Answer(const BoundProblem& problem) {
  auto answer = LowerBound(problem);
  EXPECT_TRUE(answer.ok()) << answer.status();
  return answer.ok() ? *std::move(answer) : BoundAnswer{};
}

TEST(LowerBound, FillsTheCheapPoolAndSpillsTheRest) {
  // 60 short pieces fill the small node for 6 USD; 40 take 2 h and the long ones 5 h at 5 USD.
  const BoundAnswer answer = Answer(TwoPools());
  EXPECT_NEAR(InUsd(answer.lower_bound), 6 + 35, 1e-6);
  EXPECT_NEAR(answer.share[0][0], 0.6, 1e-9);
  EXPECT_NEAR(answer.share[1][1], 1.0, 1e-9);
  EXPECT_NEAR(answer.node_hours[0], 6, 1e-9);
  EXPECT_NEAR(answer.node_hours[1], 7, 1e-9);
}

TEST(LowerBound, OnOnePoolIsItsOwnCost) {
  BoundProblem problem = TwoPools();
  problem.pools.erase(problem.pools.begin());
  for (auto& loads : problem.loads) loads.erase(loads.begin());
  EXPECT_NEAR(InUsd(Answer(problem).lower_bound), (100 * 0.05 + 10 * 0.5) * 5, 1e-6);
}

TEST(LowerBound, WhatIsPaidForAnywayIsAdded) {
  BoundProblem problem = TwoPools();
  const BoundAnswer without = Answer(problem);
  problem.committed_bill = Usd(7 * kNanosPerUsd);
  EXPECT_EQ(Answer(problem).lower_bound, without.lower_bound + problem.committed_bill);
}

TEST(LowerBound, TokensArePaidByTheUnit) {
  BoundProblem problem = TwoPools();
  problem.pools.push_back({.name = "api", .nodes = 0});
  problem.loads[0].push_back({.able = true, .node_hours = {}, .usd = 0.2});
  problem.loads[1].push_back(kCannot);
  // 0.2 for a piece is more than 0.1 on the small pool, less than 0.25 on the big one.
  EXPECT_NEAR(InUsd(Answer(problem).lower_bound), 6 + 40 * 0.2 + 25, 1e-6);
}

TEST(LowerBound, PartsOfANodeWorkBesideEachOther) {
  const BoundProblem problem = {
      .work = {{"prompts", 4}, {"answers", 4}},
      .pools = {{.name = "a", .node_hour = PerHour(1), .nodes = 9, .available = absl::Hours(1)}},
      .loads = {{{.able = true, .node_hours = {1, 0.5}}},
                {{.able = true, .node_hours = {0.25, 1}}}}};
  EXPECT_NEAR(InUsd(Answer(problem).lower_bound), 6, 1e-6);  // the second part: 4 x 0.5 + 4 x 1
}

TEST(LowerBound, AWholeNodeIsPaidForToTheEnd) {
  BoundProblem problem = TwoPools();
  for (BoundPool& pool : problem.pools) pool.whole = true;
  // One node of each, 36 USD, is not enough: the big one has 6 h and would need 5 for the long ones
  // and 2 for what the small one cannot hold. Two big ones, 60 USD, do without the small one.
  const BoundAnswer answer = Answer(problem);
  EXPECT_NEAR(InUsd(answer.lower_bound), 60, 1e-6);
  EXPECT_EQ(answer.node_hours, (std::vector<double>{0, 12}));
}

TEST(LowerBound, SaysWhatAnHourMoreWouldSave) {
  // An hour more of the small node does 10 pieces for 1 USD in place of 2.50; of the big ones some
  // are left.
  EXPECT_THAT(Answer(TwoPools()).shadow_price, testing::ElementsAre(PerHour(1.5), PerHour(0)));
}

TEST(LowerBound, NoWorkCostsNothing) {
  BoundProblem problem = TwoPools();
  for (BoundWork& work : problem.work) work.amount = 0;
  problem.loads[1] = {kCannot, kCannot};
  EXPECT_EQ(Answer(problem).lower_bound, Usd(0));
  EXPECT_EQ(Answer({}).lower_bound, Usd(0));
}

struct BadCase {
  std::string name;
  void (*spoil)(BoundProblem& problem);
  absl::StatusCode code;
  std::string says;
};
class BadInput : public testing::TestWithParam<BadCase> {};
TEST_P(BadInput, IsRefusedByName) {
  BoundProblem problem = TwoPools();
  GetParam().spoil(problem);
  const auto answer = LowerBound(problem);
  EXPECT_EQ(answer.status().code(), GetParam().code);
  EXPECT_THAT(std::string(answer.status().message()), HasSubstr(GetParam().says));
}
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kFailed = absl::StatusCode::kFailedPrecondition;
const BadCase kBadCases[] = {
    {"Amount", [](BoundProblem& p) { p.work[1].amount = -1; }, kInvalid, "-1 of long"},
    {"NotANumber", [](BoundProblem& p) { p.work[0].amount = std::nan(""); }, kInvalid, "of short"},
    {"Hours", [](BoundProblem& p) { p.loads[0][1] = Takes(-2); }, kInvalid,
     "short on big takes -2 node-hours"},
    {"Usd", [](BoundProblem& p) { p.loads[0][0].usd = -1; }, kInvalid,
     "short on small costs -1 USD"},
    {"Parts", [](BoundProblem& p) { p.loads[0][0].node_hours.resize(9); }, kInvalid, "9 parts"},
    {"Price", [](BoundProblem& p) { p.pools[0].node_hour = PerHour(-1); }, kInvalid, "in small"},
    {"Nodes", [](BoundProblem& p) { p.pools[1].nodes = -3; }, kInvalid, "-3 nodes in big"},
    {"ForEver", [](BoundProblem& p) { p.pools[1].available = absl::InfiniteDuration(); }, kInvalid,
     "nodes of big"},
    {"LoadsOfAPool", [](BoundProblem& p) { p.loads[1].pop_back(); }, kInvalid,
     "1 loads of long for 2"},
    {"LoadsOfWork", [](BoundProblem& p) { p.loads.pop_back(); }, kInvalid, "1 rows of loads for 2"},
    {"NobodyIsAble", [](BoundProblem& p) { p.loads[1][1] = kCannot; }, kFailed,
     "no pool is able to do long"},
    {"TooMuch", [](BoundProblem& p) { p.work[1].amount = 30; }, kFailed, "do not suffice"},
};
INSTANTIATE_TEST_SUITE_P(LowerBound, BadInput, testing::ValuesIn(kBadCases),
                         [](const auto& row) { return row.param.name; });

// Up to four buckets on up to three pools, roomy enough that nothing is in the way more often than
// not; one or two parts to a node.
BoundProblem RandomProblem(Draws& draws) {
  BoundProblem problem;
  const int works = 1 + Below(draws, 4), pools = 1 + Below(draws, 3);
  for (int p = 0; p < pools; ++p) {
    problem.pools.push_back({.name = "pool " + std::to_string(p),
                             .node_hour = PerHour(Below(draws, 400) / 100.0),
                             .nodes = 1 + Below(draws, 4),
                             .available = absl::Minutes(30 + Below(draws, 200))});
  }
  for (int r = 0; r < works; ++r) {
    problem.work.push_back({"work " + std::to_string(r), 1.0 + Below(draws, 20)});
    problem.loads.emplace_back();
    for (int p = 0; p < pools; ++p) {
      BoundLoad load{.able = Below(draws, 4) > 0, .node_hours = {}, .usd = 0};
      for (int k = 1 + Below(draws, 2); k > 0; --k)
        load.node_hours.push_back(Below(draws, 300) / 1000.0);
      if (Below(draws, 3) == 0) load.usd = Below(draws, 100) / 500.0;
      problem.loads.back().push_back(std::move(load));
    }
  }
  return problem;
}

// What an assignment costs, computed without the programme; infinite where it is not feasible.
double CostOf(const BoundProblem& problem, const std::vector<std::vector<double>>& share) {
  double cost = 0;
  for (std::size_t p = 0; p < problem.pools.size(); ++p) {
    const BoundPool& pool = problem.pools[p];
    std::vector<double> part(8, 0);
    for (std::size_t r = 0; r < problem.work.size(); ++r) {
      const BoundLoad& load = problem.loads[r][p];
      const double amount = share[r][p] * problem.work[r].amount;
      if (amount > 0 && !load.able) return std::numeric_limits<double>::infinity();
      cost += amount * load.usd;
      for (std::size_t k = 0; k < load.node_hours.size(); ++k)
        part[k] += amount * load.node_hours[k];
    }
    double used = *std::max_element(part.begin(), part.end());
    const double each = absl::ToDoubleHours(pool.available);
    if (used > pool.nodes * each * (1 + 1e-9)) return std::numeric_limits<double>::infinity();
    if (pool.whole) used = std::ceil(used / each - 1e-9) * each;
    cost += used * static_cast<double>(pool.node_hour.value()) / kNanosPerUsd;
  }
  return cost;
}

// Fractions of each bucket in quarters, every one that there is.
template <class Visit>
void ForEachAssignment(const BoundProblem& problem, std::vector<std::vector<double>>& share,
                       std::size_t r, std::size_t p, int left, Visit visit) {
  if (r == problem.work.size()) return visit();
  if (p + 1 == problem.pools.size()) {
    share[r][p] = left / 4.0;
    return ForEachAssignment(problem, share, r + 1, 0, 4, visit);
  }
  for (int quarters = 0; quarters <= left; ++quarters) {
    share[r][p] = quarters / 4.0;
    ForEachAssignment(problem, share, r, p + 1, left - quarters, visit);
  }
}
double CheapestOf(const BoundProblem& problem) {
  double cheapest = std::numeric_limits<double>::infinity();
  std::vector<std::vector<double>> share(problem.work.size(),
                                         std::vector<double>(problem.pools.size()));
  ForEachAssignment(problem, share, 0, 0, 4,
                    [&] { cheapest = std::min(cheapest, CostOf(problem, share)); });
  return cheapest;
}

constexpr int kRandomProblems = 400;
constexpr double kTight = 1e-6;  // USD, of amounts up to some hundreds

TEST(LowerBound, NothingFeasibleIsCheaper) {
  int solved = 0, near = 0;
  for (std::uint64_t seed = 1; seed <= kRandomProblems; ++seed) {
    Draws draws(seed);
    BoundProblem problem = RandomProblem(draws);
    for (BoundPool& pool : problem.pools) pool.whole = seed % 2 == 0;
    const auto answer = LowerBound(problem);
    const double cheapest = CheapestOf(problem);
    if (!answer.ok()) {
      EXPECT_TRUE(std::isinf(cheapest)) << "seed " << seed << ": " << answer.status();
      continue;
    }
    ++solved;
    EXPECT_LE(InUsd(answer->lower_bound), cheapest + 1e-9) << "seed " << seed;
    // Its own assignment is one that there is, and costs what it says: the bound is reached.
    const double own = CostOf(problem, answer->share);
    EXPECT_NEAR(own, InUsd(answer->cost), kTight) << "seed " << seed;
    EXPECT_NEAR(InUsd(answer->lower_bound), own, kTight) << "seed " << seed;
    for (std::size_t r = 0; r < problem.work.size(); ++r) {
      double sum = 0;
      for (const double part : answer->share[r]) sum += part;
      EXPECT_NEAR(sum, 1, kTight) << "seed " << seed;
    }
    if (cheapest < own + 0.05 * own) ++near;
  }
  EXPECT_GT(solved, kRandomProblems / 2);
  EXPECT_GT(near, solved / 3) << "quarters should often come near the best";
}

// All numbers of nodes, each with the fractional problem on what is paid for then.
TEST(LowerBound, WholeNodesAreTheBestOfAllNumbersOfNodes) {
  int solved = 0;
  for (std::uint64_t seed = 1; seed <= kRandomProblems / 2; ++seed) {
    Draws draws(seed);
    BoundProblem problem = RandomProblem(draws);
    double best = std::numeric_limits<double>::infinity();
    std::vector<int> nodes(problem.pools.size(), 0);
    for (bool more = true; more;) {
      BoundProblem paid = problem;
      double rent = 0;
      for (std::size_t p = 0; p < nodes.size(); ++p) {
        rent += nodes[p] * absl::ToDoubleHours(problem.pools[p].available) *
                static_cast<double>(problem.pools[p].node_hour.value()) / kNanosPerUsd;
        paid.pools[p].nodes = nodes[p];
        paid.pools[p].node_hour = UsdPerHour(0);
      }
      if (const auto answer = LowerBound(paid); answer.ok())
        best = std::min(best, rent + InUsd(answer->cost));
      more = false;
      for (std::size_t p = 0; p < nodes.size() && !more; ++p) {
        more = nodes[p] < problem.pools[p].nodes;
        nodes[p] = more ? nodes[p] + 1 : 0;
      }
    }
    for (BoundPool& pool : problem.pools) pool.whole = true;
    const auto answer = LowerBound(problem);
    ASSERT_EQ(answer.ok(), std::isfinite(best)) << "seed " << seed;
    if (!answer.ok()) continue;
    ++solved;
    EXPECT_NEAR(InUsd(answer->lower_bound), best, kTight) << "seed " << seed;
  }
  EXPECT_GT(solved, kRandomProblems / 4);
}

// Another pool, more nodes, or whole nodes that need not be: each can only move it one way.
TEST(LowerBound, MovesTheWayItMust) {
  int compared = 0;
  for (std::uint64_t seed = 1; seed <= kRandomProblems; ++seed) {
    Draws draws(seed);
    const BoundProblem problem = RandomProblem(draws);
    const auto answer = LowerBound(problem);
    if (!answer.ok()) continue;
    ++compared;
    const auto after = [&](auto change) {
      BoundProblem changed = problem;
      change(changed);
      const auto other = LowerBound(changed);
      return other.ok() ? InUsd(other->lower_bound) : std::numeric_limits<double>::infinity();
    };
    const double before = InUsd(answer->lower_bound);
    EXPECT_LE(
        after([&](BoundProblem& p) {
          p.pools.push_back({.name = "new", .node_hour = PerHour(1), .available = absl::Hours(1)});
          for (auto& loads : p.loads) loads.push_back(Takes(Below(draws, 300) / 1000.0));
        }),
        before + kTight)
        << "seed " << seed;
    EXPECT_LE(after([](BoundProblem& p) { ++p.pools[0].nodes; }), before + kTight)
        << "seed " << seed;
    EXPECT_GE(after([](BoundProblem& p) { p.pools[0].whole = true; }), before - kTight)
        << "seed " << seed;
    EXPECT_GE(after([](BoundProblem& p) { p.loads[0][0].able = false; }), before - kTight)
        << "seed " << seed;
    EXPECT_GE(after([](BoundProblem& p) { p.work[0].amount *= 1.1; }), before - kTight)
        << "seed " << seed;
  }
  EXPECT_GT(compared, kRandomProblems / 2);
}

// The dual price is what an hour more is worth: the change of the bound when a little is added.
TEST(LowerBound, AShadowPriceIsTheSlopeOfTheBill) {
  int binding = 0;
  for (std::uint64_t seed = 1; seed <= kRandomProblems; ++seed) {
    Draws draws(seed);
    const BoundProblem problem = RandomProblem(draws);
    const auto answer = LowerBound(problem);
    if (!answer.ok()) continue;
    for (std::size_t p = 0; p < problem.pools.size(); ++p) {
      BoundProblem changed = problem;
      const double step = 1e-3;  // hours, over all nodes
      changed.pools[p].available += absl::Hours(step) / problem.pools[p].nodes;
      const auto other = LowerBound(changed);
      ASSERT_TRUE(other.ok()) << "seed " << seed;
      const double saved = InUsd(answer->lower_bound) - InUsd(other->lower_bound);
      const double price = static_cast<double>(answer->shadow_price[p].value()) / kNanosPerUsd;
      EXPECT_GE(price, 0) << "seed " << seed;
      EXPECT_LE(saved, price * step + kTight) << "seed " << seed;  // the bill is convex in hours
      const double all = problem.pools[p].nodes * absl::ToDoubleHours(problem.pools[p].available);
      if (answer->node_hours[p] < all - kTight) {
        EXPECT_NEAR(price, 0, kTight) << "seed " << seed;
      } else if (price > 0.01 && std::abs(saved - price * step) < 0.01 * price * step) {
        ++binding;
      }
    }
  }
  EXPECT_GT(binding, 10) << "hours were never scarce";
}

// Costs from a thousandth of a cent to ten million USD: the bound never depends on the solver's
// absolute tolerances.
TEST(LowerBound, HoldsAtEveryScale) {
  for (const double scale : {1e-6, 1e-3, 1.0, 1e3, 1e5}) {
    BoundProblem problem = TwoPools();
    for (BoundPool& pool : problem.pools) pool.node_hour = Scale(pool.node_hour, scale);
    const double found = InUsd(Answer(problem).lower_bound);
    EXPECT_NEAR(found / scale, 41, 1e-3) << scale;
  }
}

// A fleet as large as they come: 120 buckets on 8 pools, whole nodes.
TEST(LowerBound, BranchesOnManyNodesAndStaysBelowTheBill) {
  Draws draws(5);
  BoundProblem problem;
  for (int p = 0; p < 8; ++p) {
    problem.pools.push_back({.name = std::to_string(p),
                             .node_hour = PerHour(0.3 + Below(draws, 600) / 100.0),
                             .nodes = 40,
                             .available = absl::Hours(2),
                             .whole = true});
  }
  for (int r = 0; r < 120; ++r) {
    problem.work.push_back({std::to_string(r), 1.0 + Below(draws, 500)});
    problem.loads.emplace_back();
    for (int p = 0; p < 8; ++p) {
      BoundLoad load = Takes((1 + Below(draws, 100)) / 2e5);
      load.node_hours.push_back((1 + Below(draws, 100)) / 2e5);
      load.able = p == 0 || Below(draws, 5) > 0;
      problem.loads.back().push_back(std::move(load));
    }
  }
  const BoundAnswer answer = Answer(problem);
  EXPECT_GT(answer.lower_bound, Usd(0));
  EXPECT_LE(answer.lower_bound, answer.cost);
  EXPECT_LE(InUsd(answer.cost), InUsd(answer.lower_bound) * 1.05);
  EXPECT_NEAR(CostOf(problem, answer.share), InUsd(answer.cost), 1e-3);
  const BoundAnswer again = Answer(problem);
  EXPECT_EQ(again.lower_bound, answer.lower_bound);
  EXPECT_EQ(again.share, answer.share);
}

}  // namespace
}  // namespace spillway
