#include "scheduler/node_set.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"

namespace spillway {

Slot SlotOf(const Needs& needs) {
  const int parts = static_cast<int>(std::lround(needs.devices.fraction * 1000));
  return {needs.cpus, needs.memory, needs.devices.count,
          needs.devices.count > 0 ? std::clamp(parts, 1, 1000) : 1000};
}

NodeSet::NodeSet(const NodeShape& shape, int nodes, std::vector<int> groups) : shape_(shape) {
  groups.resize(static_cast<std::size_t>(nodes), kCommon);
  const int last_group = groups.empty() ? kCommon : *std::max_element(groups.begin(), groups.end());
  by_left_.resize(static_cast<std::size_t>(last_group) + 1);
  up_in_.resize(by_left_.size());
  nodes_.resize(static_cast<std::size_t>(nodes));
  for (int i = 0; i < nodes; ++i) {
    Node& node = nodes_[static_cast<std::size_t>(i)];
    node.cpus = shape.cpus;
    node.memory = shape.memory;
    node.parts.assign(static_cast<std::size_t>(shape.devices), 1000);
    node.group = groups[static_cast<std::size_t>(i)];
    node.up = false;
    SetUp(i, true);
  }
}

NodeSet::LeftKey NodeSet::LeftOf(const Node& node) {
  int whole = 0, best = 0;
  for (const int part : node.parts) {
    whole += part == 1000;
    best = std::max(best, part);
  }
  return {whole, best, node.cpus.value(), node.memory.value()};
}

bool NodeSet::Holds(const LeftKey& left, const Slot& slot) {
  const auto& [whole, best, cpus, memory] = left;
  if (cpus < slot.cpus.value() || memory < slot.memory.value()) return false;
  if (slot.devices == 0) return true;
  // Parts of several devices ask for that many wholly free ones: nobody would know which parts pair
  // up.
  return slot.devices == 1 ? best >= slot.device_parts : whole >= slot.devices;
}

void NodeSet::Count(const Node& node, int sign) {
  cpus_free_ += node.cpus * sign;
  memory_free_ += node.memory * sign;
  devices_free_ += sign * std::get<0>(LeftOf(node));
}

void NodeSet::Insert(int i) {
  const Node& node = nodes_[static_cast<std::size_t>(i)];
  by_left_[static_cast<std::size_t>(node.group)][LeftOf(node)].insert(i);
  Count(node, +1);
}

void NodeSet::Remove(int i) {
  const Node& node = nodes_[static_cast<std::size_t>(i)];
  Index& index = by_left_[static_cast<std::size_t>(node.group)];
  const auto entry = index.find(LeftOf(node));
  entry->second.erase(i);
  if (entry->second.empty()) index.erase(entry);
  Count(node, -1);
}

void NodeSet::SetUp(int i, bool up) {
  Node& node = nodes_[static_cast<std::size_t>(i)];
  if (node.up == up) return;
  node.up = up;
  up ? Insert(i) : Remove(i);
  up_ += up ? 1 : -1;
  up_in_[static_cast<std::size_t>(node.group)] += up ? 1 : -1;
}

void NodeSet::SetGone(int i, bool gone) {
  Node& node = nodes_[static_cast<std::size_t>(i)];
  if (node.gone == gone) return;
  node.gone = gone;
  if (node.holders > 0) in_use_ += gone ? -1 : 1;
}

bool NodeSet::Usable(int i, int group) const {
  const Node& node = nodes_[static_cast<std::size_t>(i)];
  return node.up && (node.group == kCommon || node.group == group);
}

void NodeSet::Left(int i, MilliCpus& cpus, Bytes& memory, int& parts) const {
  const Node& node = nodes_[static_cast<std::size_t>(i)];
  cpus = node.cpus;
  memory = node.memory;
  parts = 0;
  for (const int part : node.parts) parts += part;
}

int NodeSet::UpIn(int group) const {
  if (group == kCommon || group >= static_cast<int>(up_in_.size()))
    return up_in_.empty() ? 0 : up_in_[kCommon];
  return up_in_[kCommon] + up_in_[static_cast<std::size_t>(group)];
}

int NodeSet::SizeIn(int group) const {
  if (by_left_.size() <= 1) return size();
  const auto usable = [&](const Node& node) {
    return node.group == kCommon || node.group == group;
  };
  return static_cast<int>(std::count_if(nodes_.begin(), nodes_.end(), usable));
}

void NodeSet::Collect(const Index& index, const Slot& slot, int count, NodeRule rule,
                      std::vector<int>& out) const {
  const auto take_from = [&](const auto& entry) {
    if (!Holds(entry.first, slot)) return;
    for (const int node : entry.second) {
      if (static_cast<int>(out.size()) == count) return;
      out.push_back(node);
    }
  };
  if (rule == NodeRule::kSpread) {
    for (auto entry = index.rbegin(); entry != index.rend() && static_cast<int>(out.size()) < count;
         ++entry)
      take_from(*entry);
    return;
  }
  // Nothing before this one has devices enough; the rest is looked at in order of what it has left.
  const int whole = slot.devices > 1 || slot.device_parts == 1000 ? slot.devices : 0;
  for (auto entry = index.lower_bound(LeftKey{whole, 0, 0, 0});
       entry != index.end() && static_cast<int>(out.size()) < count; ++entry) {
    take_from(*entry);
  }
}

std::optional<std::vector<NodeShare>> NodeSet::Find(const Slot& slot, int count, int group,
                                                    NodeRule rule) const {
  std::vector<int> found;
  if (group != kCommon && group < static_cast<int>(by_left_.size())) {
    Collect(by_left_[static_cast<std::size_t>(group)], slot, count, rule, found);
  }
  if (static_cast<int>(found.size()) < count && !by_left_.empty())
    Collect(by_left_[kCommon], slot, count, rule, found);
  if (static_cast<int>(found.size()) < count) return std::nullopt;
  std::vector<NodeShare> shares;
  shares.reserve(found.size());
  for (const int node : found) shares.push_back(ShareAt(node, slot));
  return shares;
}

bool NodeSet::Fits(const Slot& slot, int count, int group) const {
  int found = 0;
  const auto look = [&](const Index& index) {
    for (auto entry = index.rbegin(); entry != index.rend() && found < count; ++entry) {
      if (Holds(entry->first, slot)) found += static_cast<int>(entry->second.size());
    }
  };
  if (!by_left_.empty()) look(by_left_[kCommon]);
  if (found < count && group != kCommon && group < static_cast<int>(by_left_.size()))
    look(by_left_[static_cast<std::size_t>(group)]);
  return found >= count;
}

NodeShare NodeSet::ShareAt(int i, const Slot& slot) const {
  NodeShare share{.node = i, .devices = {}};
  const Node& node = nodes_[static_cast<std::size_t>(i)];
  for (int taken = 0; taken < slot.devices; ++taken) {
    // The device with the least left that is enough; whole devices when whole ones are asked for.
    int best = -1;
    const int enough = slot.devices > 1 ? 1000 : slot.device_parts;
    for (int d = 0; d < static_cast<int>(node.parts.size()); ++d) {
      if (node.parts[static_cast<std::size_t>(d)] < enough) continue;
      if (std::find(share.devices.begin(), share.devices.end(), d) != share.devices.end()) continue;
      if (best < 0 ||
          node.parts[static_cast<std::size_t>(d)] < node.parts[static_cast<std::size_t>(best)])
        best = d;
    }
    SPILLWAY_CHECK(best >= 0);
    share.devices.push_back(best);
  }
  return share;
}

void NodeSet::Take(const std::vector<NodeShare>& shares, const Slot& slot) {
  for (const NodeShare& share : shares) {
    Node& node = nodes_[static_cast<std::size_t>(share.node)];
    if (node.up) Remove(share.node);
    node.cpus -= slot.cpus;
    node.memory -= slot.memory;
    for (const int d : share.devices)
      node.parts[static_cast<std::size_t>(d)] =
          static_cast<std::int16_t>(node.parts[static_cast<std::size_t>(d)] - slot.device_parts);
    in_use_ += node.holders++ == 0 && !node.gone;
    if (node.up) Insert(share.node);
  }
}

void NodeSet::Give(const std::vector<NodeShare>& shares, const Slot& slot) {
  for (const NodeShare& share : shares) {
    Node& node = nodes_[static_cast<std::size_t>(share.node)];
    if (node.up) Remove(share.node);
    node.cpus += slot.cpus;
    node.memory += slot.memory;
    for (const int d : share.devices)
      node.parts[static_cast<std::size_t>(d)] =
          static_cast<std::int16_t>(node.parts[static_cast<std::size_t>(d)] + slot.device_parts);
    in_use_ -= --node.holders == 0 && !node.gone;
    SPILLWAY_CHECK(node.holders >= 0 && node.cpus <= shape_.cpus && node.memory <= shape_.memory);
    if (node.up) Insert(share.node);
  }
}

}  // namespace spillway
