#include "policies/check.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <ostream>

#include "tests/policies/findings.h"
#include "tests/support/fleets.h"

namespace spillway {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

const PoolSelector kCpu{.kind = {DeviceKind::kCpu}};
const PoolSelector kNpu{.kind = {DeviceKind::kNpu}};
const PoolSelector kNvidia{.vendor = {"nvidia"}};
const PoolSelector kAmd{.vendor = {"amd"}};
const PoolSelector kCloud{.site_kind = {SiteKind::kCloud}};

Catalog SmallCatalog() {
  Catalog catalog;
  catalog.devices["nvidia-h100-80g"] = {.name = "nvidia-h100-80g",
                                        .prices = {{.node_hour = UsdPerHour(1)}}};
  catalog.devices["gaudi2-96g"] = {.name = "gaudi2-96g"};
  return catalog;
}
std::vector<Finding> Findings(const PolicySpec& policy, const TenantsSpec& tenants = {}) {
  return CheckPolicy(policy, fixtures::DemoFleet(), tenants, SmallCatalog());
}
PolicySpec With(std::vector<RuleSpec> rules) {
  PolicySpec policy = fixtures::BackstopPolicy();
  policy.rules = std::move(rules);
  return policy;
}

// The policy that the example configuration shows.
PolicySpec ExamplePolicy() {
  return With({{.name = "confidential-on-tdx",
                .when = {.confidential = {"tdx"}},
                .claim = {PoolSelector{.features = {"tdx"}}}},
               {.name = "batch-at-home-first",
                .when = {.kind = {WorkKind::kJob}, .labels = {{"team", {"research"}}}},
                .claim = {PoolSelector{.site = {"office"}}, kCpu, kNpu,
                          PoolSelector{.kind = {DeviceKind::kGpu}, .vendor = {"amd"}}, kNvidia}}});
}

TEST(CheckPolicy, HasNothingToSayAboutTheDefaults) {
  EXPECT_THAT(Findings(fixtures::BackstopPolicy()), IsEmpty());
  EXPECT_THAT(Findings(fixtures::LeastCostPolicy()), IsEmpty());
}
TEST(CheckPolicy, ASelectorWithoutAPoolIsAWarning) {
  EXPECT_THAT(Findings(ExamplePolicy()),
              ElementsAre(WarningAt("rules[1].claim[3]", "matches no pool of this fleet")));
}
TEST(CheckPolicy, SoIsARuleWithoutAnyPoolSinceFleetsDiffer) {
  EXPECT_THAT(Findings(With({{.name = "r", .when = {.tenant = {"x"}}, .claim = {kAmd}}})),
              Contains(WarningAt("rules[0].claim", "lets its work use no pool of this fleet")));
  PolicySpec both = With({{.name = "r", .when = {.tenant = {"x"}}, .claim = {kCpu}}});
  both.claim.only = kNvidia;
  EXPECT_THAT(Findings(both), Contains(WarningAt("rules[0].claim", "`claim.only`")));
}
TEST(CheckPolicy, ARuleThatNamesNoPoolsIsAnError) {
  EXPECT_THAT(Findings(With({{.name = "r"}})),
              Contains(ErrorAt("rules[0].claim", "rules[0] `r` names no pools")));
}
TEST(CheckPolicy, AnEntryWhosePoolsAllBelongToEarlierOnesIsAWarning) {
  EXPECT_THAT(Findings(With({{.name = "r",
                              .claim = {kCpu, PoolSelector{.name = {"local"}}, kNpu, kNvidia}}})),
              ElementsAre(WarningAt("rules[0].claim[1]", "adds nothing")));
}
TEST(CheckPolicy, DeadRulesAreErrors) {
  EXPECT_THAT(Findings(With({{.name = "y", .claim = {PoolSelector()}},
                             {.name = "x", .claim = {PoolSelector()}}})),
              ElementsAre(ErrorAt("rules[1]", "rules[0] `y` takes all of its work")));
}
TEST(CheckPolicy, TwoRulesOfOneNameAreAnError) {
  EXPECT_THAT(Findings(With({{.name = "r", .when = {.name = {"a"}}, .claim = {PoolSelector()}},
                             {.name = "r", .when = {.name = {"b"}}, .claim = {PoolSelector()}}})),
              ElementsAre(ErrorAt("rules[1].name", "`r` is the name of an earlier rule too")));
}
TEST(CheckPolicy, OnlyWithoutAPoolIsAnError) {
  PolicySpec policy;
  policy.claim.only = kAmd;
  EXPECT_THAT(Findings(policy), Contains(ErrorAt("claim.only", "matches no pool")));
}

TEST(CheckPolicy, ReachingTheBackstopBeforeAnotherPoolIsAnError) {
  EXPECT_THAT(
      Findings(With({{.name = "r", .claim = {kCpu, kNvidia, kNpu}}})),
      ElementsAre(ErrorAt("rules[0].claim[1]", "reaches the backstop (`a10`) before `edge-npu`")));
}
TEST(CheckPolicy, AnEntryThatMatchesTheBackstopAmongOthersIsSplitNotRefused) {
  EXPECT_THAT(Findings(With({{.name = "r", .claim = {kCloud, kCpu, kNpu}}})), IsEmpty());
}
TEST(CheckPolicy, WithoutABackstopNvidiaMayStandAnywhere) {
  PolicySpec policy = With({{.name = "r", .claim = {kNvidia, kCpu, kNpu}}});
  policy.claim.backstop.reset();
  EXPECT_THAT(Findings(policy), IsEmpty());
}
TEST(CheckPolicy, ABackstopOfNoPoolOrOfAllIsAWarning) {
  PolicySpec policy;
  policy.claim.backstop = kAmd;
  EXPECT_THAT(Findings(policy), ElementsAre(WarningAt("claim.backstop", "matches no pool")));
  policy.claim.backstop = PoolSelector();
  EXPECT_THAT(Findings(policy), ElementsAre(WarningAt("claim.backstop", "matches every pool")));
}

TEST(CheckPolicy, InvertedReservationsAreErrors) {
  const TenantsSpec tenants{.tenants = {{.name = "acme", .reserved = {{"xeon-amx", 2}}}}};
  EXPECT_THAT(Findings(ExamplePolicy(), tenants),
              Contains(ErrorAt("rules[1].claim", "puts `local` before `xeon-amx`")));
}
TEST(CheckPolicy, WeightsOfTenantsAreNotUsedYet) {
  EXPECT_THAT(Findings(fixtures::BackstopPolicy(), {.tenants = {{.name = "acme", .weight = 2}}}),
              ElementsAre(WarningAt("queue.discipline", "`acme` has no effect")));
  EXPECT_THAT(Findings(fixtures::BackstopPolicy(), {.tenants = {{.name = "acme"}}}), IsEmpty());
}

TEST(CheckPolicy, ABaselineIsAPoolOrAPricedDevice) {
  PolicySpec policy;
  for (const char* good : {"cheapest-nvidia", "a10", "local", "nvidia-h100-80g"}) {
    policy.baseline = good;
    EXPECT_THAT(Findings(policy), IsEmpty()) << good;
  }
  policy.baseline = "nvidia-h100-80";
  EXPECT_THAT(Findings(policy),
              ElementsAre(ErrorAt("baseline", "did you mean `nvidia-h100-80g`?")));
  policy.baseline = "gaudi2-96g";
  EXPECT_THAT(Findings(policy), ElementsAre(ErrorAt("baseline", "has no price")));
  EXPECT_THAT(CheckPolicy(policy, fixtures::DemoFleet(), {}), IsEmpty());  // no catalogue
}

TEST(CheckPolicy, WeightedByNothingIsAWarning) {
  PolicySpec policy;
  policy.weights.cost = 0;
  EXPECT_THAT(Findings(policy), IsEmpty());
  policy.choice = ChoiceRule::kWeighted;
  EXPECT_THAT(Findings(policy), ElementsAre(WarningAt("weights", "all weights are 0")));
}

struct Range {
  std::string where;
  std::function<void(PolicySpec&, double)> set;
  std::vector<double> good, bad;
  friend std::ostream& operator<<(std::ostream& out, const Range& r) { return out << r.where; }
};
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

class Ranges : public testing::TestWithParam<Range> {};
TEST_P(Ranges, AreHeld) {
  for (double good : GetParam().good) {
    PolicySpec policy;
    GetParam().set(policy, good);
    EXPECT_THAT(Findings(policy), IsEmpty()) << good;
  }
  for (double bad : GetParam().bad) {
    PolicySpec policy;
    GetParam().set(policy, bad);
    EXPECT_THAT(Findings(policy), ElementsAre(ErrorAt(GetParam().where, "out of range"))) << bad;
  }
}
using P = PolicySpec;
INSTANTIATE_TEST_SUITE_P(
    All, Ranges,
    testing::Values(
        Range{"claim.band",
              [](P& p, double v) { p.claim.band = v; },
              {0, 0.02, 1},
              {-0.01, 1.01, kNaN}},
        Range{"spill.wait_at_most.job",
              [](P& p, double v) { p.spill.job_wait = v; },
              {0.01, 1},
              {0, -1, 1.01, kNaN}},
        Range{"spill.wait_at_most.request",
              [](P& p, double v) { p.spill.request_wait = v; },
              {0.01, 1},
              {0, -1, 1.01, kNaN}},
        Range{"spill.patience",
              [](P& p, double v) { p.spill.patience = absl::Seconds(v); },
              {0, 10},
              {-1}},
        Range{"weights.cost",
              [](P& p, double v) { p.weights.cost = v; },
              {0, 5},
              {-1, kInfinity, kNaN}},
        Range{"weights.latency", [](P& p, double v) { p.weights.latency = v; }, {0, 5}, {-1, kNaN}},
        Range{"weights.energy", [](P& p, double v) { p.weights.energy = v; }, {0, 5}, {-1, kNaN}},
        Range{"weights.carbon", [](P& p, double v) { p.weights.carbon = v; }, {0, 5}, {-1, kNaN}},
        Range{"weights.load", [](P& p, double v) { p.weights.load = v; }, {0, 5}, {-1, kNaN}},
        Range{"queue.aging",
              [](P& p, double v) { p.queue.aging = absl::Seconds(v); },
              {1, kInfinity},
              {0, -1}},
        Range{"objectives.job.start_within",
              [](P& p, double v) { p.objectives.job_start_within = absl::Seconds(v); },
              {1},
              {0}},
        Range{"objectives.request.ttft",
              [](P& p, double v) { p.objectives.request_ttft = absl::Seconds(v); },
              {1},
              {0}},
        Range{"objectives.request.tpot",
              [](P& p, double v) { p.objectives.request_tpot = absl::Seconds(v); },
              {1},
              {0}},
        Range{"default_duration",
              [](P& p, double v) { p.default_duration = absl::Seconds(v); },
              {1},
              {0, -1}},
        Range{"queue_timeout",
              [](P& p, double v) { p.queue_timeout = absl::Seconds(v); },
              {1},
              {0, -1}},
        Range{"rules[0].when.min_priority",
              [](P& p, double v) {
                p.rules = {
                    {.when = {.min_priority = static_cast<int>(v)}, .claim = {PoolSelector()}}};
              },
              {-100, 100},
              {-101, 101}}),
    [](const testing::TestParamInfo<Range>& info) {
      std::string name = info.param.where;
      std::erase_if(name, [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); });
      return name;
    });

}  // namespace
}  // namespace spillway
