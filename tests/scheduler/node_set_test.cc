#include "scheduler/node_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fleets.h"

namespace spillway {
namespace {

using fixtures::Cpus;
using fixtures::GiB;

constexpr NodeShape kCpuNode{Cpus(8), GiB(16), 0};
constexpr NodeShape kDeviceNode{Cpus(32), GiB(128), 4};

Slot CpuSlot(double cpus, double gib = 1) { return {.cpus = Cpus(cpus), .memory = GiB(gib)}; }
Slot DeviceSlot(int devices, int parts = 1000) {
  return {.cpus = Cpus(1), .memory = GiB(1), .devices = devices, .device_parts = parts};
}
std::vector<int> NodesOf(const std::optional<std::vector<NodeShare>>& shares) {
  std::vector<int> nodes;
  if (shares) {
    for (const NodeShare& s : *shares) nodes.push_back(s.node);
  }
  return nodes;
}
std::vector<NodeShare> Take(NodeSet& nodes, const Slot& slot, NodeRule rule = NodeRule::kPack,
                            int count = 1) {
  const auto found = nodes.Find(slot, count, NodeSet::kCommon, rule);
  if (!found) return {};
  nodes.Take(*found, slot);
  return *found;
}

TEST(NodeSet, PackFillsTheFullestNodeThatFitsSpreadTheEmptiest) {
  NodeSet packed(kCpuNode, 3, {}), spread(kCpuNode, 3, {});
  for (int i = 0; i < 2; ++i) {
    Take(packed, CpuSlot(3), NodeRule::kPack);
    Take(spread, CpuSlot(3), NodeRule::kSpread);
  }
  EXPECT_EQ(packed.in_use(), 1);
  EXPECT_EQ(spread.in_use(), 2);
  EXPECT_THAT(NodesOf(packed.Find(CpuSlot(3), 1, 0, NodeRule::kPack)), testing::ElementsAre(1));
  EXPECT_THAT(NodesOf(packed.Find(CpuSlot(2), 1, 0, NodeRule::kPack)), testing::ElementsAre(0));
}

TEST(NodeSet, MemoryBindsAsMuchAsCpus) {
  NodeSet nodes(kCpuNode, 1, {});
  Take(nodes, CpuSlot(1, 15));
  EXPECT_FALSE(nodes.Fits(CpuSlot(1, 2), 1, 0));
  EXPECT_TRUE(nodes.Fits(CpuSlot(7, 1), 1, 0));
}

TEST(NodeSet, PackingSparesNodesWithWholeDevices) {
  NodeSet nodes(kDeviceNode, 2, {});
  const auto first = Take(nodes, DeviceSlot(3));
  EXPECT_THAT(NodesOf(nodes.Find(DeviceSlot(1), 1, 0, NodeRule::kPack)),
              testing::ElementsAre(first[0].node));
  EXPECT_TRUE(nodes.Fits(DeviceSlot(4), 1, 0));
}

TEST(NodeSet, PartsOfADeviceShareTheFullestThatFits) {
  NodeSet nodes(kDeviceNode, 1, {});
  const auto half = Take(nodes, DeviceSlot(1, 500)), quarter = Take(nodes, DeviceSlot(1, 250));
  EXPECT_EQ(half[0].devices, quarter[0].devices);
  const auto most = Take(nodes, DeviceSlot(1, 600));
  EXPECT_NE(most[0].devices, half[0].devices);
  EXPECT_EQ(nodes.devices_free(), 2);
}

TEST(NodeSet, AGangTakesDistinctNodesOrNone) {
  NodeSet nodes(kCpuNode, 3, {});
  Take(nodes, CpuSlot(5), NodeRule::kPack);
  EXPECT_EQ(nodes.Find(CpuSlot(4), 3, 0, NodeRule::kPack), std::nullopt);
  EXPECT_THAT(NodesOf(nodes.Find(CpuSlot(4), 2, 0, NodeRule::kPack)),
              testing::UnorderedElementsAre(1, 2));
}

TEST(NodeSet, ReservedNodesAreForTheirTenantAndTakenFirst) {
  NodeSet nodes(kCpuNode, 2, {0, 1});
  EXPECT_EQ(nodes.UpIn(0), 1);
  EXPECT_EQ(nodes.UpIn(1), 2);
  EXPECT_THAT(NodesOf(nodes.Find(CpuSlot(1), 1, 1, NodeRule::kPack)), testing::ElementsAre(1));
  EXPECT_THAT(NodesOf(nodes.Find(CpuSlot(1), 1, 0, NodeRule::kPack)), testing::ElementsAre(0));
  EXPECT_FALSE(nodes.Fits(CpuSlot(1), 2, 0));
  EXPECT_TRUE(nodes.Fits(CpuSlot(1), 2, 1));
}

TEST(NodeSet, ANodeThatIsDownHasNoPlaceAndGivesBackAllTheSame) {
  NodeSet nodes(kCpuNode, 1, {});
  const auto held = Take(nodes, CpuSlot(3));
  nodes.SetUp(0, false);
  EXPECT_EQ(nodes.up(), 0);
  EXPECT_EQ(nodes.cpus_free(), Cpus(0));
  EXPECT_FALSE(nodes.Fits(CpuSlot(1), 1, 0));
  nodes.Give(held, CpuSlot(3));
  nodes.SetUp(0, true);
  EXPECT_EQ(nodes.cpus_free(), Cpus(8));
  EXPECT_EQ(nodes.in_use(), 0);
}

// A node that its owner took back is not paid for, whatever is held of it, and comes back with it.
TEST(NodeSet, ANodeThatIsGoneIsNotInUse) {
  NodeSet nodes(kCpuNode, 2, {});
  const auto held = Take(nodes, CpuSlot(3));
  ASSERT_EQ(nodes.in_use(), 1);
  nodes.SetUp(held[0].node, false);
  EXPECT_EQ(nodes.in_use(), 1) << "it failed; it is still rented";
  nodes.SetGone(held[0].node, true);
  EXPECT_EQ(nodes.in_use(), 0);
  nodes.Give(held, CpuSlot(3));
  EXPECT_EQ(nodes.in_use(), 0);
  nodes.Take(held, CpuSlot(3));
  nodes.SetGone(held[0].node, false);
  EXPECT_EQ(nodes.in_use(), 1);
}

}  // namespace
}  // namespace spillway
