// The figures of the example decision that the documentation shows: one job of 4 CPUs and 12 GiB,
// or one device, over the pools of the example fleet.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "performance/job_speed.h"
#include "performance/power.h"
#include "tests/support/fleets.h"

namespace spillway {
namespace {

struct Case {
  std::string name;
  PoolSpec pool;
  int devices;
  absl::Duration held;  // p50
  Usd cost;             // allocated: rate x share x held
  Joules energy;
  GramsCo2e carbon;
  Usd energy_cost;  // the marginal cost where the pool is committed
};

constexpr Joules J(std::int64_t joules) { return Joules(joules * kMicrosPerJoule); }

class ExampleDecision : public testing::TestWithParam<Case> {};
TEST_P(ExampleDecision, HasThePublishedFigures) {
  const Case& c = GetParam();
  Needs needs;
  needs.cpus = fixtures::Cpus(4);
  needs.memory = fixtures::GiB(12);
  needs.devices.count = c.devices;
  const Holding held = HoldingOf(c.pool, needs);
  const Footprint out = FootprintOf(c.pool, held, c.held);
  EXPECT_EQ(out.energy, c.energy);
  EXPECT_EQ(out.carbon, c.carbon);
  EXPECT_EQ(out.energy_cost, c.energy_cost);
  EXPECT_EQ(Scale(*c.pool.price.node_hour, held.share) * c.held, c.cost);
}
INSTANTIATE_TEST_SUITE_P(
    All, ExampleDecision,
    testing::ValuesIn(std::vector<Case>{
        // (120 - 40) W x 4/8 x 40 s = 1600 J; x 1.3 x 300 g/kWh; x 1.3 x 0.12 USD/kWh
        {"Local", fixtures::LocalPool(), 0, absl::Seconds(40), Usd(555'556), J(1600),
         GramsCo2e(173'333), Usd(69'333)},
        // (67 - 17) W x 4/16 x 24 s = 300 J; x 1.2 x 300 g/kWh; the price includes energy
        {"XeonAmx", fixtures::XeonAmxPool(), 0, absl::Seconds(24), Usd(1'190'000), J(300),
         GramsCo2e(30'000), Usd(0)},
        // 150 W x 22 s = 3300 J: the whole device, so its idle watts too
        {"A10", fixtures::A10Pool(), 1, absl::Seconds(22), Usd(6'147'778), J(3300),
         GramsCo2e(330'000), Usd(0)},
    }),
    [](const auto& row) { return row.param.name; });

TEST(ExampleSpread, ProfileFiguresHaveAQuarterMoreAtP90) {
  EXPECT_EQ(WithSpread({absl::Seconds(24), Basis::kProfile}),
            (Quantiles{absl::Seconds(24), absl::Seconds(30)}));
  EXPECT_EQ(WithSpread({absl::Seconds(22), Basis::kProfile}).p90, absl::Seconds(27.5));
}

}  // namespace
}  // namespace spillway
