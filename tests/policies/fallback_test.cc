#include "policies/fallback.h"

#include <gtest/gtest.h>

#include "tests/policies/findings.h"
#include "tests/support/fleets.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<Finding> HolesOf(const PolicySpec& policy, FleetSpec fleet = fixtures::DemoFleet()) {
  std::vector<Finding> findings;
  FindHoles(policy, fleet, findings);
  return findings;
}
PolicySpec WithRule(RuleSpec rule) {
  PolicySpec policy = fixtures::BackstopPolicy();
  policy.rules = {std::move(rule)};
  return policy;
}
const PoolSelector kCpu{.kind = {DeviceKind::kCpu}};
const PoolSelector kNpu{.kind = {DeviceKind::kNpu}};
const PoolSelector kGpu{.kind = {DeviceKind::kGpu}};

TEST(FindHoles, APolicyWithoutRulesHasNone) {
  EXPECT_THAT(HolesOf(fixtures::BackstopPolicy()), IsEmpty());
  EXPECT_THAT(HolesOf(fixtures::LeastCostPolicy()), IsEmpty());
}

TEST(FindHoles, ARuleThatNamesAllKindsHasNone) {
  EXPECT_THAT(HolesOf(WithRule({.name = "r", .claim = {kCpu, kNpu, kGpu}})), IsEmpty());
}

TEST(FindHoles, WorkOfThePoolsLeftOutIsStranded) {
  EXPECT_THAT(HolesOf(WithRule({.name = "r", .when = {.tenant = {"acme"}}, .claim = {kCpu}})),
              ElementsAre(WarningAt("rules[0].claim",
                                    "rules[0] `r` leaves no able pool for some work that "
                                    "`edge-npu`, `gaudi2` and `a10` serve: such work will be "
                                    "refused")));
}

TEST(FindHoles, WhatNoPoolCouldDoAnywayIsNoHole) {
  // Only xeon-amx has tdx, so nothing of the others is stranded by a rule about tdx.
  EXPECT_THAT(HolesOf(WithRule({.when = {.confidential = {"tdx"}},
                                .claim = {PoolSelector{.features = {"tdx"}}}})),
              IsEmpty());
}

TEST(FindHoles, APoolThatIsAsAbleFillsTheHole) {
  FleetSpec fleet = fixtures::DemoFleet();
  fleet.pools.push_back(fixtures::A10Pool());
  fleet.pools.back().name = "twin";
  const RuleSpec rule{.claim = {kCpu, kNpu, PoolSelector{.name = {"twin"}}}};
  EXPECT_THAT(HolesOf(WithRule(rule), fleet), IsEmpty());
  fleet.pools.back().device_memory = fixtures::GiB(16);  // no longer as able
  EXPECT_THAT(HolesOf(WithRule(rule), fleet),
              ElementsAre(WarningAt("rules[0].claim", "`a10` serves")));
}

TEST(FindHoles, AnEarlierRuleMayTakeTheWork) {
  PolicySpec policy = WithRule({.name = "r", .claim = {kCpu}});
  policy.rules.insert(policy.rules.begin(), {.name = "all", .claim = {PoolSelector()}});
  EXPECT_THAT(HolesOf(policy), IsEmpty());
}

TEST(FindHoles, RequestsForServedModelsAreWorkToo) {
  FleetSpec fleet = fixtures::DemoFleet();
  fleet.pools[4].models = {"qwen2-7b"};
  const WorkSelector requests{.kind = {WorkKind::kRequest}};
  EXPECT_THAT(HolesOf(WithRule({.when = requests, .claim = {kCpu, kNpu}}), fleet),
              ElementsAre(WarningAt("rules[0].claim", "`a10` serves")));
  EXPECT_THAT(HolesOf(WithRule({.when = requests, .claim = {kGpu}}), fleet), IsEmpty());
}

TEST(FindHoles, OnlyLeavesHolesOnPurposeAndIsToldSo) {
  EXPECT_THAT(
      HolesOf(fixtures::NvidiaOnlyPolicy()),
      ElementsAre(WarningAt("claim.only", "`local`, `edge-npu`, `gaudi2` and `xeon-amx` serve")));
}

TEST(FindHoles, WhatARuleAsksForIsPutIntoTheWork) {
  FleetSpec fleet = fixtures::DemoFleet();
  fleet.pools[0].classes = {"image-resize"};
  fleet.pools[0].tenants = {"acme"};
  fleet.pools[3].classes = {"transcribe"};
  WorkSelector when{.kind = {WorkKind::kJob},
                    .name = {"n"},
                    .tenant = {"acme"},
                    .work_class = {"transcribe", "image-resize"},
                    .labels = {{"team", {"web"}}, {"any", {}}},
                    .min_priority = 5};
  EXPECT_THAT(HolesOf(WithRule({.when = when, .claim = {kNpu, kGpu}}), fleet),
              ElementsAre(WarningAt("rules[0].claim", "`local` and `xeon-amx` serve")));
}

TEST(FindHoles, StaysBoundedOnLargeFleetsAndSaysWhereItStopped) {
  FleetSpec fleet;
  for (int i = 0; i < 1200; ++i) {
    fleet.pools.push_back(i % 2 == 0 ? fixtures::XeonAmxPool() : fixtures::A10Pool());
    fleet.pools.back().name = "p" + std::to_string(i);
  }
  EXPECT_THAT(HolesOf(fixtures::BackstopPolicy(), fleet), IsEmpty());
  PolicySpec policy = fixtures::BackstopPolicy();
  for (int i = 0; i < 5; ++i) {
    policy.rules.push_back({.when = {.tenant = {"t" + std::to_string(i)}}, .claim = {kCpu}});
  }
  // 600 shapes a rule, each asked of 600 Xeons: the third rule is the last.
  EXPECT_THAT(HolesOf(policy, fleet), ElementsAre(WarningAt("rules[0].claim",
                                                            "`p1`, `p3`, `p5`, `p7`, `p9`, `p11`, "
                                                            "`p13`, `p15` and 592 more serve"),
                                                  WarningAt("rules[1].claim", "592 more"),
                                                  WarningAt("rules[2].claim", "more serve"),
                                                  WarningAt("rules[2]", "too large")));
}

}  // namespace
}  // namespace spillway
