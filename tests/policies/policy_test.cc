#include "policies/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/policies/arranging.h"

namespace spillway {
namespace {

using fixtures::Dollars;
using testing::HasSubstr;

std::shared_ptr<const Policy> Compiled(const PolicySpec& spec) {
  auto policy = Policy::Compile(spec, fixtures::DemoFleet(), {});
  EXPECT_TRUE(policy.ok()) << policy.status();
  return policy.ok() ? *policy : nullptr;
}
PolicySpec ResearchAtHomeFirst() {
  PolicySpec spec = fixtures::BackstopPolicy();
  spec.rules = {{.name = "tdx",
                 .when = {.confidential = {"tdx"}},
                 .claim = {PoolSelector{.features = {"tdx"}}}},
                {.name = "research",
                 .when = {.labels = {{"team", {"research"}}}},
                 .claim = {PoolSelector{.site_kind = {SiteKind::kCloud}},
                           PoolSelector{.kind = {DeviceKind::kNpu}}}}};
  return spec;
}
Work ResearchJob() {
  Work work = fixtures::SmallJob();
  work.labels["team"] = "research";
  return work;
}

TEST(Policy, RefusesWhatTheChecksCallAnErrorAndNamesAllOfIt) {
  PolicySpec spec = fixtures::BackstopPolicy();
  spec.claim.band = 2;
  spec.queue.aging = absl::ZeroDuration();
  const auto policy = Policy::Compile(spec, fixtures::DemoFleet(), {});
  EXPECT_EQ(policy.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(policy.status().message()),
              testing::AllOf(HasSubstr("policy `backstop`"), HasSubstr("claim.band: 2 is out"),
                             HasSubstr("; queue.aging: 0 is out")));
}
TEST(Policy, IsNotRefusedForWarnings) {
  PolicySpec spec = fixtures::BackstopPolicy();
  spec.claim.backstop = PoolSelector{.vendor = {"amd"}};
  EXPECT_TRUE(Policy::Compile(spec, fixtures::DemoFleet(), {}).ok());
}
TEST(Policy, LooksUpItsBaselineWhereThereIsACatalogue) {
  PolicySpec spec = fixtures::BackstopPolicy();
  spec.baseline = "nvidia-b200-180g";
  EXPECT_TRUE(Policy::Compile(spec, fixtures::DemoFleet(), {}).ok());
  EXPECT_FALSE(Policy::Compile(spec, fixtures::DemoFleet(), {}, Catalog()).ok());
}

TEST(Policy, TheFirstRuleThatMatchesCounts) {
  const auto policy = Compiled(ResearchAtHomeFirst());
  Work work = ResearchJob();
  EXPECT_EQ(policy->RuleFor(work), 1);
  work.needs.confidential = "tdx";
  EXPECT_EQ(policy->RuleFor(work), 0);
  EXPECT_EQ(policy->RuleFor(fixtures::SmallJob()), -1);
}

TEST(Policy, ARuleAllowsThePoolsThatItNamesAndNoOther) {
  const auto policy = Compiled(ResearchAtHomeFirst());
  EXPECT_TRUE(policy->Allows(-1, fixtures::LocalPool()));
  EXPECT_TRUE(policy->Allows(0, fixtures::XeonAmxPool()));
  EXPECT_FALSE(policy->Allows(0, fixtures::A10Pool()));
  EXPECT_TRUE(policy->Allows(1, fixtures::A10Pool()));
  EXPECT_FALSE(policy->Allows(1, fixtures::LocalPool()));
}
TEST(Policy, OnlyHoldsUnderEveryRule) {
  PolicySpec spec = ResearchAtHomeFirst();
  spec.claim.backstop.reset();
  spec.claim.only = PoolSelector{.vendor = {"nvidia"}};
  const auto policy = Compiled(spec);
  EXPECT_TRUE(policy->Allows(-1, fixtures::A10Pool()));
  EXPECT_FALSE(policy->Allows(-1, fixtures::XeonAmxPool()));
  EXPECT_TRUE(policy->Allows(1, fixtures::A10Pool()));
  EXPECT_FALSE(policy->Allows(1, fixtures::XeonAmxPool()));
}
TEST(Policy, KnowsItsBackstop) {
  EXPECT_TRUE(Compiled(fixtures::BackstopPolicy())->IsBackstop(fixtures::A10Pool()));
  EXPECT_FALSE(Compiled(fixtures::BackstopPolicy())->IsBackstop(fixtures::Gaudi2Pool()));
  EXPECT_FALSE(Compiled(fixtures::LeastCostPolicy())->IsBackstop(fixtures::A10Pool()));
}

Tiers ArrangedBy(const PolicySpec& spec, int rule) {
  const FleetSpec fleet = fixtures::DemoFleet();
  const Costs costs{{"edge-npu", Dollars(3)}, {"xeon-amx", Dollars(2)}, {"a10", Dollars(1)}};
  std::vector<Claim> claims;
  Compiled(spec)->Arrange(fixtures::SmallJob(), rule, ClaimantsOf(fleet, costs), 0, claims);
  return InTiers(fleet, claims);
}
TEST(Policy, ArrangesByItsOrderOrByTheListOfTheRule) {
  EXPECT_EQ(ArrangedBy(ResearchAtHomeFirst(), -1), (Tiers{{"edge-npu"}, {"xeon-amx"}, {"a10"}}));
  EXPECT_EQ(ArrangedBy(ResearchAtHomeFirst(), 1), (Tiers{{"xeon-amx"}, {"edge-npu"}, {"a10"}}));
}
TEST(Policy, EachWordForAnOrderMeansThatOrder) {
  PolicySpec spec = fixtures::LeastCostPolicy();
  EXPECT_EQ(ArrangedBy(spec, -1), (Tiers{{"edge-npu"}, {"a10"}, {"xeon-amx"}}));
  spec.claim.band = 1;
  EXPECT_EQ(ArrangedBy(spec, -1), (Tiers{{"edge-npu"}, {"a10", "xeon-amx"}}));
  spec.claim.order = OrderBy::kTiers;
  EXPECT_EQ(ArrangedBy(spec, -1), (Tiers{{"edge-npu", "xeon-amx", "a10"}}));
  spec.claim.order = OrderBy::kRandom;
  std::set<Tiers> orders;
  for (spec.seed = 0; spec.seed < 50; ++spec.seed) orders.insert(ArrangedBy(spec, -1));
  EXPECT_EQ(orders.size(), 6u);
}

// Pool 0 is the first, 1 the cheapest, 2 the quickest, and so on.
TEST(Policy, EachWordForAChoiceMeansThatChoice) {
  std::vector<Option> options;
  for (std::uint32_t i = 0; i < 6; ++i) {
    options.push_back({.pool = PoolId(i),
                       .marginal_cost = Usd(i == 1 ? 1 : 2),
                       .finish = absl::Seconds(i == 2 ? 1 : 2),
                       .energy = Joules(i == 3 ? 1 : 2),
                       .carbon = GramsCo2e(i == 4 ? 1 : 2),
                       .load = i == 5 ? 0.1 : 0.2});
  }
  PolicySpec spec = fixtures::LeastCostPolicy();
  spec.weights = {.cost = 0.1, .carbon = 1};
  const auto picked = [&](ChoiceRule rule) {
    spec.choice = rule;
    return Compiled(spec)->choice().Pick(options, 9);
  };
  EXPECT_EQ(picked(ChoiceRule::kLeastCost), 1u);
  EXPECT_EQ(picked(ChoiceRule::kLeastLatency), 2u);
  EXPECT_EQ(picked(ChoiceRule::kLeastEnergy), 3u);
  EXPECT_EQ(picked(ChoiceRule::kLeastCarbon), 4u);
  EXPECT_EQ(picked(ChoiceRule::kLeastLoaded), 5u);
  EXPECT_EQ(picked(ChoiceRule::kWeighted), 4u);
  EXPECT_EQ(picked(ChoiceRule::kRoundRobin), 3u);
}

TEST(Policy, EachWordForASpillRuleMeansThatRule) {
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  PolicySpec spec = fixtures::LeastCostPolicy();
  spec.spill = {.job_wait = 0.5, .request_wait = 0.25, .patience = absl::Seconds(7)};
  const auto spill_at = [&](SpillRule rule, WorkKind kind) {
    spec.spill.rule = rule;
    return Compiled(spec)->spill().SpillAt(
        {.submitted = now, .kind = kind, .latest_start = now + absl::Seconds(100)});
  };
  EXPECT_EQ(spill_at(SpillRule::kNeed, WorkKind::kJob), now + absl::Seconds(50));
  EXPECT_EQ(spill_at(SpillRule::kNeed, WorkKind::kRequest), now + absl::Seconds(25));
  EXPECT_EQ(spill_at(SpillRule::kPatience, WorkKind::kJob), now + absl::Seconds(7));
  EXPECT_EQ(spill_at(SpillRule::kAtOnce, WorkKind::kJob), absl::InfinitePast());
}

TEST(Policy, EachWordForADisciplineMeansThatOrder) {
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  Work urgent = fixtures::SmallJob(), due = fixtures::SmallJob();
  urgent.priority = 5;
  due.objective.deadline = now + absl::Seconds(1);
  PolicySpec spec = fixtures::LeastCostPolicy();
  spec.queue.aging = absl::Seconds(10);
  const auto key = [&](QueueRule rule, const Work& work) {
    spec.queue.discipline = rule;
    return Compiled(spec)->queue().KeyOf(work, now) - absl::ToUnixNanos(now);
  };
  EXPECT_EQ(key(QueueRule::kFifo, urgent), 0);
  EXPECT_EQ(key(QueueRule::kPriority, urgent), -50'000'000'000);
  EXPECT_EQ(key(QueueRule::kEarliestDeadline, due), 1'000'000'000);
}

TEST(Policy, SpreadsWhereNodesStayUpAndPacksWhereTheyAreSwitchedOff) {
  PolicySpec spec = fixtures::LeastCostPolicy();
  EXPECT_EQ(Compiled(spec)->NodesOf(fixtures::LocalPool()), NodeRule::kSpread);
  EXPECT_EQ(Compiled(spec)->NodesOf(fixtures::XeonAmxPool()), NodeRule::kPack);
  spec.nodes = NodeRule::kPack;
  EXPECT_EQ(Compiled(spec)->NodesOf(fixtures::LocalPool()), NodeRule::kPack);
  spec.nodes = NodeRule::kSpread;
  EXPECT_EQ(Compiled(spec)->NodesOf(fixtures::XeonAmxPool()), NodeRule::kSpread);
}

TEST(Policy, KeepsWhatItWasMadeFrom) {
  EXPECT_EQ(Compiled(fixtures::NvidiaOnlyPolicy())->spec().name, "nvidia-only");
}

}  // namespace
}  // namespace spillway
