#include "scheduler/pool_run.h"

#include <algorithm>

#include "core/check.h"
#include "scheduler/router_view.h"

namespace spillway {
namespace {

std::int64_t Part(std::int64_t asked, std::int64_t of) {
  if (asked <= 0 || of <= 0) return 0;
  return static_cast<std::int64_t>((absl::int128(asked) * kMicroNode + of - 1) / of);
}

// Reserved nodes are the last ones of a pool, in the order of the tenants' file.
std::vector<int> GroupsOf(const PoolSpec& spec, const TenantsSpec& tenants,
                          std::vector<std::string>& names) {
  std::vector<int> groups(static_cast<std::size_t>(spec.nodes), NodeSet::kCommon);
  names.clear();
  int next = spec.nodes;
  for (const TenantSpec& tenant : tenants.tenants) {
    for (const Reservation& reserved : tenant.reserved) {
      if (reserved.pool != spec.name) continue;
      names.push_back(tenant.name);
      for (int i = 0; i < reserved.nodes && next > 0; ++i)
        groups[static_cast<std::size_t>(--next)] = static_cast<int>(names.size());
    }
  }
  return groups;
}

// What engines hold of the nodes, for good.
struct Held {
  Slot slot;
  std::vector<NodeShare> nodes;
};
// Replicas go where they fit best, in the order of the file. Nodes that they leave nothing of form
// a group of their own, so that nobody waits for them.
std::vector<Held> PlaceReplicas(const PoolSpec& spec, std::vector<int>& groups, int own_group) {
  std::vector<Held> all;
  if (!spec.adapter.urls.empty() || spec.serves.empty()) return all;
  NodeSet nodes(spec.node, spec.nodes, groups);
  for (const ServeSpec& serve : spec.serves) {
    const Needs needs = ReplicaNeeds(spec, serve);
    const Slot slot = SlotOf(needs);
    for (int i = 0; i < serve.replicas; ++i) {
      const auto found = nodes.Find(slot, needs.nodes, NodeSet::kCommon, NodeRule::kPack);
      if (!found) break;  // formats/ refuses fleets in which they do not fit
      nodes.Take(*found, slot);
      all.push_back({slot, *found});
    }
  }
  for (const Held& held : all) {
    for (const NodeShare& share : held.nodes) {
      MilliCpus cpus;
      Bytes memory;
      int parts = 0;
      nodes.Left(share.node, cpus, memory, parts);
      const bool nothing = spec.node.devices > 0 ? parts == 0 : cpus <= MilliCpus(0);
      if (nothing) groups[static_cast<std::size_t>(share.node)] = own_group;
    }
  }
  return all;
}

}  // namespace

std::vector<std::vector<int>> ReplicaNodes(const PoolSpec& spec) {
  std::vector<int> groups(static_cast<std::size_t>(spec.nodes), NodeSet::kCommon);
  std::vector<std::vector<int>> replicas;
  for (const Held& held : PlaceReplicas(spec, groups, NodeSet::kCommon)) {
    std::vector<int>& nodes = replicas.emplace_back();
    for (const NodeShare& share : held.nodes) nodes.push_back(share.node);
  }
  return replicas;
}

std::int64_t MicroNodesOf(const Slot& slot, int count, const NodeShape& shape) {
  const std::int64_t cpus = Part(slot.cpus.value(), shape.cpus.value());
  const std::int64_t memory = Part(slot.memory.value(), shape.memory.value());
  const std::int64_t devices =
      Part(std::int64_t{slot.devices} * slot.device_parts, std::int64_t{shape.devices} * 1000);
  return std::max<std::int64_t>({cpus, memory, devices, 1}) * count;
}

PoolRun::PoolRun(PoolId id, std::shared_ptr<const PoolSpec> spec, const TenantsSpec& tenants)
    : id_(id) {
  books.pool = id;
  Respecify(std::move(spec), tenants);
}

std::vector<AttemptKey> PoolRun::Respecify(std::shared_ptr<const PoolSpec> spec,
                                           const TenantsSpec& tenants) {
  spec_ = std::move(spec);
  std::vector<int> groups = GroupsOf(*spec_, tenants, tenant_groups_);
  std::vector<int> down, gone;
  for (int i = 0; i < std::min(nodes_.size(), spec_->nodes); ++i) {
    if (!nodes_.IsUp(i)) down.push_back(i);
    if (nodes_.IsGone(i)) gone.push_back(i);
  }
  const std::vector<Held> engines =
      PlaceReplicas(*spec_, groups, static_cast<int>(tenant_groups_.size()) + 1);
  nodes_ = NodeSet(spec_->node, spec_->nodes, std::move(groups));
  for (const Held& held : engines) nodes_.Take(held.nodes, held.slot);
  bare_.reset();
  if (!engines.empty()) bare_ = nodes_;
  for (const int node : down) nodes_.SetUp(node, false);
  for (const int node : gone) nodes_.SetGone(node, true);
  const auto before = std::move(running_);
  running_.clear();
  p50_ = p90_ = Releases();
  std::vector<AttemptKey> homeless;
  for (const auto& [key, held] : before) {
    NodeSet trial = nodes_;  // rare: only when a controller starts or a pool is changed
    const auto has_place = [&](const NodeShare& share) {
      const auto device_exists = [&](int d) { return d < spec_->node.devices; };
      return share.node < spec_->nodes &&
             std::all_of(share.devices.begin(), share.devices.end(), device_exists);
    };
    bool placed = std::all_of(held->nodes.begin(), held->nodes.end(), has_place);
    if (placed) trial.Take(held->nodes, held->slot);
    placed = placed && trial.cpus_free() >= MilliCpus(0) && trial.memory_free() >= Bytes(0);
    if (placed) {
      Hold(*held);
    } else {
      homeless.push_back(key);
    }
  }
  Touch();
  return homeless;
}

void PoolRun::SetCarbon(GramsCo2ePerKwh intensity) {
  auto spec = std::make_shared<PoolSpec>(*spec_);
  spec->site.carbon = intensity;
  spec_ = std::move(spec);
  Touch();
}

int PoolRun::GroupOf(const std::string& tenant) const {
  const auto found = std::find(tenant_groups_.begin(), tenant_groups_.end(), tenant);
  return found == tenant_groups_.end() ? NodeSet::kCommon
                                       : static_cast<int>(found - tenant_groups_.begin()) + 1;
}

void PoolRun::Hold(Running running) {
  nodes_.Take(running.nodes, running.slot);
  const AttemptKey key = running.key;
  const auto [entry, added_now] =
      running_.emplace(key, std::make_unique<Running>(std::move(running)));
  SPILLWAY_CHECK(added_now);
  const Running& held = *entry->second;
  p50_.Add(held, held.end_p50);
  p90_.Add(held, held.end_p90);
  Touch();
}

void PoolRun::Expect(AttemptKey key, absl::Time end_p50, absl::Time end_p90) {
  Running& running = *running_.at(key);
  p50_.Remove(key, running.end_p50);
  p90_.Remove(key, running.end_p90);
  running.end_p50 = end_p50;
  running.end_p90 = end_p90;
  p50_.Add(running, end_p50);
  p90_.Add(running, end_p90);
  Touch();
}

void PoolRun::Release(AttemptKey key) {
  const auto found = running_.find(key);
  SPILLWAY_CHECK(found != running_.end());
  nodes_.Give(found->second->nodes, found->second->slot);
  p50_.Remove(key, found->second->end_p50);
  p90_.Remove(key, found->second->end_p90);
  running_.erase(found);
  Touch();
}

void PoolRun::SetNode(int node, bool up, bool gone) {
  nodes_.SetUp(node, up);
  nodes_.SetGone(node, gone);
  Touch();
}

std::vector<AttemptKey> PoolRun::RunningOn(int node) const {
  std::vector<AttemptKey> there;
  for (const auto& [key, held] : running_) {
    const auto is_there = [&](const NodeShare& share) { return share.node == node; };
    if (std::any_of(held->nodes.begin(), held->nodes.end(), is_there)) there.push_back(key);
  }
  return there;
}

bool PoolRun::OpensNode(const Slot& slot, int count, int group, NodeRule rule) const {
  const auto found = nodes_.Find(slot, count, group, rule);
  return found && std::any_of(found->begin(), found->end(), [this](const NodeShare& share) {
           return !nodes_.IsInUse(share.node);
         });
}

// Only nodes that give something back are looked at, with what they would then have.
absl::Time PoolRun::EarliestFit(const Releases& releases, const Slot& slot, int count, int group,
                                int fitting, absl::Time now) const {
  if (fitting == count) return now;
  freed_.resize(static_cast<std::size_t>(nodes_.size()));
  ++looks_;
  std::int64_t at = absl::ToUnixNanos(now);
  releases.Walk(now, [&](const Running& held, std::int64_t when) {
    at = when;
    for (const NodeShare& share : held.nodes) {
      Freed& node = freed_[static_cast<std::size_t>(share.node)];
      const auto fits = [&] {
        return node.cpus >= slot.cpus && node.memory >= slot.memory &&
               node.parts >= slot.devices * slot.device_parts && nodes_.Usable(share.node, group);
      };
      if (node.look != looks_) {
        node.look = looks_;
        nodes_.Left(share.node, node.cpus, node.memory, node.parts);
        node.fits = fits();  // it is among those that fit now
      }
      node.cpus += held.slot.cpus;
      node.memory += held.slot.memory;
      node.parts += static_cast<int>(share.devices.size()) * held.slot.device_parts;
      if (!node.fits && fits()) {
        node.fits = true;
        ++fitting;
      }
    }
    return fitting < count;
  });
  return absl::FromUnixNanos(at);
}

Quantiles PoolRun::Wait(const Slot& slot, int count, int group, std::int64_t micro_nodes,
                        const Load& ahead, absl::Time now) const {
  const std::int64_t capacity = std::int64_t{nodes_.UpIn(group)} * kMicroNode;
  if (nodes_.UpIn(group) < count) return {absl::InfiniteDuration(), absl::InfiniteDuration()};
  int fitting = ahead == Load() ? count : 0;  // how many of its nodes it could have now
  while (fitting > 0 && !nodes_.Fits(slot, fitting, group)) --fitting;
  const auto wait = [&](const Releases& releases, absl::int128 load) {
    // Where others go first, what is free by then is no longer where it is now.
    const absl::Time ready =
        load > 0 ? releases.Ready(now, capacity, std::min(micro_nodes, capacity), load)
                 : EarliestFit(releases, slot, count, group, fitting, now);
    return ready - now;
  };
  Quantiles answer{RoundToNanos(wait(p50_, ahead.p50)), RoundToNanos(wait(p90_, ahead.p90))};
  answer.p90 = std::max(answer.p50, answer.p90);
  return answer;
}

double PoolRun::LoadShare() const {
  const double capacity = static_cast<double>(std::max(nodes_.up(), 1)) * kMicroNode;
  return std::min(1.0, static_cast<double>(p50_.busy()) / capacity);
}

}  // namespace spillway
