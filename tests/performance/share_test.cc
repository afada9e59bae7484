#include "performance/share.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/support/fleets.h"

namespace spillway {
namespace {

using fixtures::Cpus;
using fixtures::GiB;

Needs NeedsOf(double cpus, double gib, int devices = 0, double fraction = 1) {
  Needs needs;
  needs.cpus = Cpus(cpus);
  needs.memory = GiB(gib);
  needs.devices.count = devices;
  needs.devices.fraction = fraction;
  return needs;
}

struct Case {
  std::string name;
  NodeShape node;
  ShareWeights weights;
  Needs needs;
  Holding held;
};

const NodeShape kXeon{.cpus = Cpus(16), .memory = GiB(32), .devices = 0};
const NodeShape kPair{.cpus = Cpus(16), .memory = GiB(128), .devices = 2};

class HoldingOfNode : public testing::TestWithParam<Case> {};
TEST_P(HoldingOfNode, IsWhatTheWeightsSay) {
  const Case& c = GetParam();
  const Holding held = HoldingOf(c.node, c.weights, c.needs);
  EXPECT_DOUBLE_EQ(held.share, c.held.share);
  EXPECT_DOUBLE_EQ(held.whole, c.held.whole);
  EXPECT_EQ(held.nodes, c.held.nodes);
}
INSTANTIATE_TEST_SUITE_P(
    All, HoldingOfNode,
    testing::ValuesIn(std::vector<Case>{
        {"CpusShareACpuNode", kXeon, {.cpus = 1}, NeedsOf(4, 1), {.share = 0.25}},
        {"NoWeightsMeanCpusOnACpuNode", kXeon, {}, NeedsOf(4, 1), {.share = 0.25}},
        {"AllCpusAreTheWholeNode", kXeon, {}, NeedsOf(16, 1), {.share = 1, .whole = 1}},
        {"NoWeightsMeanDevicesWhereThereAreSome",
         kPair,
         {},
         NeedsOf(8, 64, 1),
         {.share = 0.5, .whole = 0.5}},
        {"AFractionOwnsNoIdleWatts", kPair, {.devices = 1}, NeedsOf(1, 1, 1, 0.5), {.share = 0.25}},
        {"AFractionOfEachOfTwo", kPair, {.devices = 1}, NeedsOf(1, 1, 2, 0.5), {.share = 0.5}},
        {"WeightsMix",
         kPair,
         {.cpus = 0.2, .memory = 0.2, .devices = 0.6},
         NeedsOf(8, 32, 1),
         {.share = 0.1 + 0.05 + 0.3, .whole = 0.5}},
        {"CpuWorkOnADeviceNodeHoldsNothing", kPair, {}, NeedsOf(8, 8), {}},
        {"CpuWorkPaysWhereCpusHaveAWeight",
         kPair,
         {.cpus = 0.2, .devices = 0.8},
         NeedsOf(8, 8),
         {.share = 0.1}},
        {"MoreThanANodeIsAllOfIt", kXeon, {}, NeedsOf(99, 1), {.share = 1, .whole = 1}},
    }),
    [](const auto& row) { return row.param.name; });

TEST(Holding, GangHoldsTheSameOnEachNode) {
  Needs needs = NeedsOf(8, 8, 2);
  needs.nodes = 3;
  EXPECT_EQ(HoldingOf(kPair, {}, needs), (Holding{.share = 1, .whole = 1, .nodes = 3}));
}

// Whatever fits on one node together never pays more than the node, and never owns more idle watts.
TEST(Holding, PartsOfANodeSumToAtMostOne) {
  constexpr unsigned kSeed = 20261122;
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  std::minstd_rand draw(kSeed);
  const auto upto = [&](int n) { return static_cast<int>(draw() % (n + 1)); };
  for (int round = 0; round < 2000; ++round) {
    const NodeShape node{
        .cpus = Cpus(1 + upto(63)), .memory = GiB(1 + upto(255)), .devices = upto(8)};
    const double w = 0.01 * upto(100);
    const ShareWeights weights =
        node.devices > 0 ? ShareWeights{.cpus = w / 2, .memory = w / 2, .devices = 1 - w}
                         : ShareWeights{.cpus = 1 - w, .memory = w};
    std::int64_t cpus = node.cpus.value(), memory = node.memory.value();
    int devices = node.devices;
    double share = 0, whole = 0;
    while (cpus > 0) {
      Needs part;
      part.cpus = MilliCpus(1 + draw() % cpus);
      part.memory = Bytes(memory > 0 ? static_cast<std::int64_t>(draw()) % memory : 0);
      part.devices.count = upto(devices);
      cpus -= part.cpus.value();
      memory -= part.memory.value();
      devices -= part.devices.count;
      const Holding held = HoldingOf(node, weights, part);
      share += held.share;
      whole += held.whole;
    }
    ASSERT_LE(share, 1 + 1e-9) << "round " << round;
    ASSERT_LE(whole, 1 + 1e-9) << "round " << round;
  }
}

}  // namespace
}  // namespace spillway
