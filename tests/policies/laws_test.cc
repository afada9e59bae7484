// What holds for every fleet, policy and work, tried on many made-up ones. A failure prints its
// seed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "policies/policy.h"
#include "tests/policies/arranging.h"
#include "tests/support/allocations.h"

namespace spillway {
namespace {

constexpr std::uint64_t kSeeds = 400;

// Raw words of the twister, so that a seed means the same on every machine.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : words_(seed) {}
  std::uint64_t Below(std::uint64_t n) { return words_() % n; }
  bool OneIn(std::uint64_t n) { return Below(n) == 0; }
  std::mt19937_64& words() { return words_; }

 private:
  std::mt19937_64 words_;
};

struct World {
  FleetSpec fleet;
  Costs costs;
  PolicySpec policy;
  int rule = -1;
};

PoolSpec AnyPool(Dice& dice, std::size_t i) {
  PoolSpec pool = fixtures::DemoFleet().pools[dice.Below(5)];
  pool.name = "p" + std::to_string(i);
  pool.tier = static_cast<int>(dice.Below(3));
  pool.billing = std::vector{Billing::kMetered, Billing::kCommitted, Billing::kToken,
                             Billing::kUnpriced}[dice.Below(4)];
  pool.peak_ops = static_cast<double>(dice.Below(3)) * 1e12;
  return pool;
}

// Costs lie close together, so that bands and ties matter.
World AnyWorld(std::uint64_t seed) {
  Dice dice(seed);
  World world;
  for (std::size_t i = 0; i < 1 + dice.Below(12); ++i) {
    world.fleet.pools.push_back(AnyPool(dice, i));
    const Usd cost(static_cast<std::int64_t>(1000 + dice.Below(60)));
    world.costs["p" + std::to_string(i)] = dice.OneIn(6) ? std::nullopt : std::optional(cost);
  }
  world.policy.claim.order =
      std::vector{OrderBy::kCost, OrderBy::kTiers, OrderBy::kRandom}[dice.Below(3)];
  world.policy.claim.band = static_cast<double>(dice.Below(4)) / 100;
  if (!dice.OneIn(3)) world.policy.claim.backstop = PoolSelector{.vendor = {"nvidia"}};
  if (dice.OneIn(3)) {
    world.rule = 0;
    world.policy.rules = {{.name = "r",
                           .claim = {PoolSelector{.billing = {Billing::kMetered}},
                                     PoolSelector{.tier = {0, 1}}, PoolSelector()}}};
  }
  return world;
}

std::vector<Claim> ArrangeAll(const World& world, std::uint64_t draw = 0) {
  const auto policy = Policy::Compile(world.policy, world.fleet, {});
  std::vector<Claim> claims;
  // A made-up rule may be one that the checks refuse; the order must keep its laws all the same.
  if (!policy.ok()) return claims;
  (*policy)->Arrange(fixtures::SmallJob(), world.rule, ClaimantsOf(world.fleet, world.costs), draw,
                     claims);
  return claims;
}

template <class Law>
void ForAnyWorld(Law law) {
  int tried = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const World world = AnyWorld(seed);
    const std::vector<Claim> claims = ArrangeAll(world);
    if (claims.empty()) continue;
    ++tried;
    law(world, claims);
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(tried, static_cast<int>(kSeeds / 2));
}

TEST(ClaimOrderLaws, EveryClaimantStandsInTheOrderOnceInTiersThatRiseByOne) {
  ForAnyWorld([](const World& world, const std::vector<Claim>& claims) {
    std::set<PoolId> seen;
    int last = 0;
    for (const Claim& claim : claims) {
      seen.insert(claim.pool);
      EXPECT_TRUE(claim.tier == last || claim.tier == last + 1);
      last = claim.tier;
    }
    EXPECT_EQ(claims.front().tier, 0);
    EXPECT_EQ(seen.size(), claims.size());
    EXPECT_EQ(claims.size(), world.fleet.pools.size());
  });
}

TEST(ClaimOrderLaws, TheBackstopIsAlwaysLast) {
  ForAnyWorld([](const World& world, const std::vector<Claim>& claims) {
    const auto is_backstop = [](const Claim& claim) { return claim.backstop; };
    EXPECT_TRUE(std::is_partitioned(claims.begin(), claims.end(), std::not_fn(is_backstop)));
    for (std::size_t i = 1; i < claims.size(); ++i)
      EXPECT_TRUE(claims[i].backstop == claims[i - 1].backstop ||
                  claims[i].tier > claims[i - 1].tier);
    for (const Claim& claim : claims) {
      const bool nvidia = world.fleet.pools[Index(claim.pool)].vendor == "nvidia";
      EXPECT_EQ(claim.backstop, world.policy.claim.backstop.has_value() && nvidia);
    }
  });
}

TEST(ClaimOrderLaws, EqualInputGivesEqualOutput) {
  ForAnyWorld([](const World& world, const std::vector<Claim>& claims) {
    EXPECT_EQ(ArrangeAll(world), claims);
  });
}

std::vector<std::set<std::string>> AsSets(const World& world, const std::vector<Claim>& claims) {
  std::vector<std::set<std::string>> sets;
  for (const auto& tier : InTiers(world.fleet, claims)) sets.emplace_back(tier.begin(), tier.end());
  return sets;
}

// (A random order draws lots for places in the fleet, so there it may change all.)
TEST(ClaimOrderLaws, TheOrderOfPoolsInTheFileOnlyDecidesTies) {
  ForAnyWorld([](const World& world, const std::vector<Claim>& claims) {
    if (world.policy.claim.order == OrderBy::kRandom) return;
    World shuffled = world;
    Dice dice(world.fleet.pools.size());
    for (std::size_t i = shuffled.fleet.pools.size(); i > 1; --i)
      std::swap(shuffled.fleet.pools[i - 1], shuffled.fleet.pools[dice.Below(i)]);
    EXPECT_EQ(AsSets(shuffled, ArrangeAll(shuffled)), AsSets(world, claims));
  });
}

// The computed order again, from its definition: `b` may only stand behind `a`, in the same tier or
// a later one, if nothing says that it goes first.
int PaymentOf(const World& world, const Claim& claim) {
  const PoolSpec& pool = world.fleet.pools[Index(claim.pool)];
  if (!world.costs.at(pool.name)) return 2;
  return pool.billing == Billing::kCommitted ? 0 : 1;
}
std::int64_t CostOf(const World& world, const Claim& claim) {
  return world.costs.at(world.fleet.pools[Index(claim.pool)].name).value_or(Usd(0)).value();
}
double CapabilityOf(const World& world, const Claim& claim) {
  return PaymentOf(world, claim) == 0 ? world.fleet.pools[Index(claim.pool)].peak_ops : 0;
}
std::int64_t MemoryOf(const World& world, const Claim& claim) {
  return PaymentOf(world, claim) == 0 ? world.fleet.pools[Index(claim.pool)].node.memory.value()
                                      : 0;
}
auto GroupOf(const World& world, const Claim& claim) {
  return std::tuple(claim.backstop, PaymentOf(world, claim), CapabilityOf(world, claim),
                    MemoryOf(world, claim));
}

TEST(CostOrderLaws, GroupsThenMoneyAndTiersAsWideAsTheBand) {
  ForAnyWorld([](const World& world, const std::vector<Claim>& claims) {
    if (world.policy.claim.order != OrderBy::kCost || world.rule >= 0) return;
    std::size_t first = 0;  // of the tier of claims[i]
    for (std::size_t i = 1; i < claims.size(); ++i) {
      const auto group = GroupOf(world, claims[i]), before = GroupOf(world, claims[i - 1]);
      EXPECT_LE(before, group);
      if (before == group) {
        EXPECT_LE(CostOf(world, claims[i - 1]), CostOf(world, claims[i]));
      }
      const double limit =
          static_cast<double>(CostOf(world, claims[first])) * (1 + world.policy.claim.band);
      const bool tied = group == GroupOf(world, claims[first]) &&
                        static_cast<double>(CostOf(world, claims[i])) <= std::round(limit);
      EXPECT_EQ(claims[i].tier == claims[first].tier, tied);
      if (claims[i].tier != claims[first].tier) first = i;
    }
  });
}

TEST(ClaimOrderLaws, NothingIsAllocatedInSteadyState) {
  std::vector<Claim> claims;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const World world = AnyWorld(seed);
    const auto policy = Policy::Compile(world.policy, world.fleet, {});
    if (!policy.ok()) continue;
    const Work work = fixtures::SmallJob();
    const std::vector<Claimant> claimants = ClaimantsOf(world.fleet, world.costs);
    (*policy)->Arrange(work, world.rule, claimants, 0, claims);
    const std::int64_t before = fixtures::Allocations();
    (*policy)->Arrange(work, world.rule, claimants, 1, claims);
    EXPECT_EQ(fixtures::Allocations(), before) << "seed " << seed;
  }
}

// ---- Choices

std::vector<Option> AnyOptions(Dice& dice) {
  std::vector<Option> options;
  for (std::uint32_t i = 0; i < 1 + dice.Below(8); ++i) {
    const auto figure = [&] { return static_cast<std::int64_t>(dice.Below(4)); };
    options.push_back({.pool = PoolId(i),
                       .marginal_cost = Usd(figure()),
                       .finish = absl::Seconds(figure()),
                       .energy = Joules(figure()),
                       .carbon = GramsCo2e(figure()),
                       .load = static_cast<double>(figure()) / 4});
  }
  return options;
}

TEST(ChoiceLaws, TheOrderOfTheOptionsDoesNotMatterUnlessTheyTakeTurns) {
  for (const auto& [rule, name] : kChoiceRuleNames) {
    if (rule == ChoiceRule::kRoundRobin) continue;
    PolicySpec spec;
    spec.choice = rule;
    spec.weights = {.cost = 1, .latency = 2, .energy = 3, .carbon = 4, .load = 5};
    const auto policy = Policy::Compile(spec, fixtures::DemoFleet(), {});
    ASSERT_TRUE(policy.ok());
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
      Dice dice(seed);
      std::vector<Option> options = AnyOptions(dice);
      const PoolId picked = options[(*policy)->choice().Pick(options, seed)].pool;
      std::shuffle(options.begin(), options.end(), dice.words());
      EXPECT_EQ(options[(*policy)->choice().Pick(options, seed + 1)].pool, picked)
          << name << ", seed " << seed;
    }
  }
}

TEST(ChoiceLaws, WeightedNeverPicksWhatIsWorseInEveryFigure) {
  PolicySpec spec;
  spec.choice = ChoiceRule::kWeighted;
  spec.weights = {.cost = 1, .latency = 2, .energy = 3, .carbon = 4, .load = 5};
  const auto policy = Policy::Compile(spec, fixtures::DemoFleet(), {});
  ASSERT_TRUE(policy.ok());
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Dice dice(seed);
    const std::vector<Option> options = AnyOptions(dice);
    const Option& picked = options[(*policy)->choice().Pick(options, 0)];
    for (const Option& other : options) {
      EXPECT_FALSE(other.marginal_cost < picked.marginal_cost && other.finish < picked.finish &&
                   other.energy < picked.energy && other.carbon < picked.carbon &&
                   other.load < picked.load)
          << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace spillway
