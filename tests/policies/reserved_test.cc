#include "policies/reserved.h"

#include <gtest/gtest.h>

#include "tests/policies/findings.h"
#include "tests/support/fleets.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const PoolSelector kLocal{.name = {"local"}};
const PoolSelector kXeon{.name = {"xeon-amx"}};
const PoolSelector kNvidia{.vendor = {"nvidia"}};

TenantSpec Tenant(std::string name, std::string pool, int nodes) {
  return {.name = std::move(name), .reserved = {{.pool = std::move(pool), .nodes = nodes}}};
}
std::vector<Finding> InversionsOf(RuleSpec rule, std::vector<TenantSpec> tenants,
                                  FleetSpec fleet = fixtures::DemoFleet()) {
  PolicySpec policy = fixtures::BackstopPolicy();
  policy.rules = {std::move(rule)};
  std::vector<Finding> findings;
  FindInvertedReservations(policy, fleet, {.tenants = std::move(tenants)}, findings);
  return findings;
}

TEST(FindInvertedReservations, AnotherPoolBeforeTheReservedOneIsAnError) {
  EXPECT_THAT(
      InversionsOf({.name = "r", .claim = {kLocal, kXeon}}, {Tenant("acme", "xeon-amx", 2)}),
      ElementsAre(ErrorAt("rules[0].claim",
                          "rules[0] `r` puts `local` before `xeon-amx`, where tenant "
                          "`acme` has nodes reserved")));
}
TEST(FindInvertedReservations, TheReservedPoolFirstOrTiedIsRight) {
  EXPECT_THAT(InversionsOf({.claim = {kXeon, kLocal}}, {Tenant("acme", "xeon-amx", 2)}), IsEmpty());
  EXPECT_THAT(InversionsOf({.claim = {PoolSelector()}}, {Tenant("acme", "xeon-amx", 2)}),
              IsEmpty());
}
TEST(FindInvertedReservations, LeavingItOutIsAnError) {
  EXPECT_THAT(InversionsOf({.claim = {kLocal}}, {Tenant("acme", "xeon-amx", 2)}),
              ElementsAre(ErrorAt("rules[0].claim", "leaves out `xeon-amx`")));
}
TEST(FindInvertedReservations, OnlyTheTenantsThatTheRuleIsAboutCount) {
  EXPECT_THAT(InversionsOf({.when = {.tenant = {"other"}}, .claim = {kLocal, kXeon}},
                           {Tenant("acme", "xeon-amx", 2)}),
              IsEmpty());
  EXPECT_THAT(InversionsOf({.when = {.tenant = {"acme"}}, .claim = {kLocal, kXeon}},
                           {Tenant("acme", "xeon-amx", 2)}),
              ElementsAre(ErrorAt("rules[0].claim", "before `xeon-amx`")));
}
TEST(FindInvertedReservations, APoolThatCannotDoTheRulesWorkMayBeLeftOut) {
  EXPECT_THAT(InversionsOf({.when = {.confidential = {"tdx"}}, .claim = {kXeon}},
                           {Tenant("acme", "local", 1)}),
              IsEmpty());
  FleetSpec fleet = fixtures::DemoFleet();
  fleet.pools[0].classes = {"image-resize"};
  EXPECT_THAT(InversionsOf({.when = {.work_class = {"transcribe"}}, .claim = {kXeon}},
                           {Tenant("acme", "local", 1)}, fleet),
              IsEmpty());
  EXPECT_THAT(InversionsOf({.when = {.work_class = {"image-resize"}}, .claim = {kXeon}},
                           {Tenant("acme", "local", 1)}, fleet),
              ElementsAre(ErrorAt("rules[0].claim", "leaves out `local`")));
}
TEST(FindInvertedReservations, AReservedBackstopPoolStaysLast) {
  EXPECT_THAT(InversionsOf({.claim = {kLocal, kXeon, kNvidia}}, {Tenant("acme", "a10", 1)}),
              IsEmpty());
  FleetSpec fleet = fixtures::DemoFleet();
  fleet.pools.push_back(fixtures::A10Pool());
  fleet.pools.back().name = "a10-b";
  EXPECT_THAT(InversionsOf({.claim = {PoolSelector{.name = {"a10-b"}}, kNvidia}},
                           {Tenant("acme", "a10", 1)}, fleet),
              ElementsAre(ErrorAt("rules[0].claim", "puts `a10-b` before `a10`")));
}
// `local` stands before acme's own pool, but all of it belongs to `other`.
TEST(FindInvertedReservations, NodesThatOthersHaveReservedAreInNobodysWay) {
  EXPECT_THAT(InversionsOf({.claim = {kLocal, kXeon}},
                           {Tenant("acme", "xeon-amx", 4), Tenant("other", "local", 1)}),
              IsEmpty());
}

}  // namespace
}  // namespace spillway
