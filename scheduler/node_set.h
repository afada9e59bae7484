#pragma once

#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "core/job.h"
#include "core/policy_spec.h"
#include "core/pool.h"
#include "core/work.h"

namespace spillway {

// What work takes of each node that it runs on.
struct Slot {
  MilliCpus cpus{};
  Bytes memory{};
  int devices = 0;
  int device_parts = 1000;  // of each device, in thousandths
  friend bool operator==(const Slot&, const Slot&) = default;
};
Slot SlotOf(const Needs& needs);

// The nodes of one pool: who has how much left, and where work fits. Nodes are kept in an index by
// what they have left (whole devices, CPUs, memory), so that finding a place costs a step for each
// different state that nodes are in, not one for each node.
//
// Placement: pack takes the fitting node with the least left (best fit: small work does not break
// open an empty node or a large device), spread the one with the most left. Ties go to the lowest
// node. Among devices of a node, a part of a device goes where the least is left. A gang takes
// distinct nodes.
//
// Nodes may be set aside for a tenant; work sees the common ones and its own tenant's, its own
// first.
class NodeSet {
 public:
  static constexpr int kCommon = 0;  // group of nodes that nobody reserved

  NodeSet() = default;
  // `groups[i]` is the group of node i; empty: all common.
  NodeSet(const NodeShape& shape, int nodes, std::vector<int> groups);

  // Nodes for `slot` on each of `count` nodes, out of the common group and `group`; nothing if they
  // do not fit now.
  std::optional<std::vector<NodeShare>> Find(const Slot& slot, int count, int group,
                                             NodeRule rule) const;
  bool Fits(const Slot& slot, int count, int group) const;

  void Take(const std::vector<NodeShare>& shares, const Slot& slot);
  void Give(const std::vector<NodeShare>& shares, const Slot& slot);
  // A node that is down is in no index; what runs there still gives back.
  void SetUp(int node, bool up);
  // One that is gone is not in use, whatever is held of it. It is not up either.
  void SetGone(int node, bool gone);
  bool IsGone(int node) const { return nodes_[static_cast<std::size_t>(node)].gone; }
  bool IsInUse(int node) const { return nodes_[static_cast<std::size_t>(node)].holders > 0; }
  bool IsUp(int node) const { return nodes_[static_cast<std::size_t>(node)].up; }

  // May work of this group use the node, and is it up?
  bool Usable(int node, int group) const;
  // What the node has left; `parts` summed over its devices.
  void Left(int node, MilliCpus& cpus, Bytes& memory, int& parts) const;

  int size() const { return static_cast<int>(nodes_.size()); }
  int up() const { return up_; }
  int UpIn(int group) const;              // up nodes that work of this group may use
  int SizeIn(int group) const;            // the same, up or not
  int in_use() const { return in_use_; }  // nodes on which something is held, up or not, but there
  MilliCpus cpus_free() const { return cpus_free_; }
  Bytes memory_free() const { return memory_free_; }
  std::int64_t devices_free() const {
    return devices_free_;
  }  // wholly free ones on nodes that are up
  const NodeShape& shape() const { return shape_; }

 private:
  struct Node {
    MilliCpus cpus{};
    Bytes memory{};
    std::vector<std::int16_t> parts;  // left of each device, in thousandths
    int group = kCommon;
    int holders = 0;
    bool up = true, gone = false;
  };
  // What a node has left. Ordered by devices first, so that packing spares nodes with whole ones.
  using LeftKey = std::tuple<int, int, std::int64_t,
                             std::int64_t>;  // whole devices, best part, milli-CPUs, bytes
  using Index = absl::btree_map<LeftKey, absl::btree_set<int>>;

  static LeftKey LeftOf(const Node& node);
  static bool Holds(const LeftKey& left, const Slot& slot);
  void Insert(int node);
  void Remove(int node);
  void Count(const Node& node, int sign);
  void Collect(const Index& index, const Slot& slot, int count, NodeRule rule,
               std::vector<int>& out) const;
  NodeShare ShareAt(int node, const Slot& slot) const;

  NodeShape shape_;
  std::vector<Node> nodes_;
  std::vector<Index> by_left_;  // one for each group
  std::vector<int> up_in_;      // beside by_left_
  int up_ = 0, in_use_ = 0;
  MilliCpus cpus_free_{};
  Bytes memory_free_{};
  std::int64_t devices_free_ = 0;
};

}  // namespace spillway
