#include "core/selector.h"

#include <gtest/gtest.h>

#include "core/policy_spec.h"
#include "tests/support/fleets.h"

namespace spillway {
namespace {

struct Case {
  const char* name;
  PoolSelector selector;
  bool matches;  // the xeon-amx pool
};
class PoolSelectorTest : public testing::TestWithParam<Case> {};
TEST_P(PoolSelectorTest, EveryKeyHoldsAnyEntryDoes) {
  PoolSpec pool = fixtures::XeonAmxPool();
  pool.labels = {{"rack", "r1"}};
  pool.tier = 2;
  EXPECT_EQ(GetParam().selector.Matches(pool), GetParam().matches);
}
INSTANTIATE_TEST_SUITE_P(
    All, PoolSelectorTest,
    testing::ValuesIn(std::vector<Case>{
        {"Empty", {}, true},
        {"Vendor", {.vendor = {"amd", "intel"}}, true},
        {"OtherVendor", {.vendor = {"nvidia"}}, false},
        {"TwoKeys", {.kind = {DeviceKind::kCpu}, .site = {"cloud-a"}}, true},
        {"OneKeyFails", {.kind = {DeviceKind::kCpu}, .site = {"office"}}, false},
        {"AnyFeature", {.features = {"sve", "tdx"}}, true},
        {"NoFeature", {.features = {"sve"}}, false},
        {"Runtime", {.runtime = {"ipex"}}, true},
        {"Tier", {.tier = {1, 2}}, true},
        {"Modelled", {.modelled = false}, false},
        {"Label", {.labels = {{"rack", {"r0", "r1"}}}}, true},
        {"NoSuchLabel", {.labels = {{"row", {"1"}}}}, false},
    }),
    [](const auto& row) { return row.param.name; });

TEST(WorkSelector, MatchesOnWhatTheWorkSays) {
  Work work = fixtures::SmallJob();
  work.labels = {{"team", "research"}};
  work.priority = 5;
  work.demand = ClassUnits{"image-resize", 3};
  EXPECT_TRUE((WorkSelector{
      .kind = {WorkKind::kJob}, .work_class = {"image-resize"}, .labels = {{"team", {"research"}}}}
                   .Matches(work)));
  EXPECT_FALSE((WorkSelector{.tenant = {"other"}}.Matches(work)));
  EXPECT_TRUE((WorkSelector{.min_priority = 5}.Matches(work)));
  EXPECT_FALSE((WorkSelector{.min_priority = 6}.Matches(work)));
}

}  // namespace
}  // namespace spillway
