#include "policies/ability.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace spillway {
namespace {

// What is short, if anything.
using Shortage = std::optional<Figures>;

Shortage ShortOf(std::int64_t found, std::int64_t wanted) {
  return found < wanted ? Shortage(Figures{.found = found, .wanted = wanted}) : std::nullopt;
}

template <class T>
bool Has(const std::vector<T>& found, const T& wanted) {
  return std::find(found.begin(), found.end(), wanted) != found.end();
}
template <class T>
bool HasAll(const std::vector<T>& found, const std::vector<T>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const T& w) { return Has(found, w); });
}

bool HoldsANode(const Work& work) { return work.kind != WorkKind::kRequest; }

// Each of the gang's members asks for `each`; a node takes one member.
Shortage GangShortage(const Needs& needs, const PoolSpec& pool, std::int64_t each) {
  if (needs.nodes <= pool.nodes) return std::nullopt;
  return Figures{.found = pool.nodes * each, .wanted = needs.nodes * each};
}

Shortage Cpus(const Needs& needs, const PoolSpec& pool) {
  if (const auto shortage = ShortOf(pool.node.cpus.value(), needs.cpus.value())) return shortage;
  return needs.devices.count > 0 ? std::nullopt : GangShortage(needs, pool, needs.cpus.value());
}

Shortage Memory(const Needs& needs, const PoolSpec& pool) {
  return ShortOf(pool.node.memory.value(), needs.memory.value());
}

bool IsSortWanted(const DeviceNeed& need, const PoolSpec& pool) {
  return (!need.kind || *need.kind == pool.kind) &&
         (need.vendor.empty() || need.vendor == pool.vendor) &&
         (need.model.empty() || need.model == pool.device);
}

Shortage HeldDevices(const Needs& needs, const PoolSpec& pool) {
  const DeviceNeed& need = needs.devices;
  const Figures counts{.found = pool.node.devices, .wanted = need.count};
  if (need.count == 0) {
    const bool free_ride = pool.node.devices > 0 && pool.weights.cpus <= 0;
    return free_ride ? Shortage(counts) : std::nullopt;
  }
  if (pool.node.devices < need.count) return counts;
  if (!IsSortWanted(need, pool)) return counts;
  const Bytes part = Scale(pool.device_memory, need.fraction);
  if (const auto shortage = ShortOf(part.value(), need.memory.value())) return shortage;
  return GangShortage(needs, pool, need.count);
}

Shortage Devices(const Work& work, const Needs& needs, const PoolSpec& pool) {
  if (HoldsANode(work)) return HeldDevices(needs, pool);
  return IsSortWanted(needs.devices, pool) ? std::nullopt : Shortage(Figures{});
}

bool OfArch(const Needs& needs, const PoolSpec& pool) {
  return !needs.arch || *needs.arch == pool.arch;
}

bool HasRuntime(const Needs& needs, const PoolSpec& pool) {
  const auto offered = pool.runtimes.find(needs.runtime.name);
  return offered != pool.runtimes.end() && needs.runtime.MetBy(offered->second);
}

bool IsConfidential(const Needs& needs, const PoolSpec& pool) {
  return needs.confidential.empty() || Has(pool.confidential, needs.confidential) ||
         Has(pool.features, needs.confidential);
}

bool ServesModel(const Work& work, const Needs& needs, const PoolSpec& pool) {
  if (needs.model.empty()) return true;
  if (!pool.models) return work.kind != WorkKind::kRequest;
  return Has(*pool.models, needs.model);
}

bool RunsClass(const Work& work, const Demand& demand, const PoolSpec& pool) {
  if (!pool.classes || work.kind != WorkKind::kJob) return true;
  const auto* units = std::get_if<ClassUnits>(&demand);
  return units && Has(*pool.classes, units->work_class);
}

bool StandsWhereWanted(const Needs& needs, const PoolSpec& pool) {
  return needs.sites.empty() || Has(needs.sites, pool.site.name);
}

bool LabelsDo(const Needs& needs, const PoolSpec& pool) {
  const auto is_there = [&](const auto& label) {
    const auto found = pool.labels.find(label.first);
    return found != pool.labels.end() && found->second == label.second;
  };
  return std::all_of(needs.labels.begin(), needs.labels.end(), is_there) &&
         std::none_of(needs.avoid.begin(), needs.avoid.end(), is_there);
}

bool TakesTenant(const Work& work, const PoolSpec& pool) {
  return pool.tenants.empty() || Has(pool.tenants, work.tenant);
}

}  // namespace

bool RunsJobs(const PoolSpec& pool) { return pool.adapter.type != "openai"; }

Ability AbilityOf(const Work& work, const WorkFace& face, const PoolSpec& pool) {
  const Needs& needs = face.needs;
  Ability ability;
  const auto refuse = [&](Code code, Figures figures) {
    if (ability.codes.empty()) ability.figures = figures;
    ability.codes.Add(code);
  };
  const auto require = [&](bool holds, Code code) {
    if (!holds) refuse(code, {});
  };
  // What its nodes are like says nothing then.
  if (HoldsANode(work) && !RunsJobs(pool)) {
    refuse(Code::kRuntime, {});
    return ability;
  }
  // In the order of the codes, so that the first refusal is the first code.
  const bool holds_a_node = HoldsANode(work);
  if (holds_a_node) {
    if (const auto shortage = Cpus(needs, pool)) refuse(Code::kCpus, *shortage);
    if (const auto shortage = Memory(needs, pool)) refuse(Code::kMemory, *shortage);
  }
  if (const auto shortage = Devices(work, needs, pool)) refuse(Code::kDevices, *shortage);
  require(OfArch(needs, pool), Code::kArch);
  require(!holds_a_node || HasRuntime(needs, pool), Code::kRuntime);
  require(HasAll(pool.precisions, needs.precision), Code::kPrecision);
  require(HasAll(pool.features, needs.features), Code::kFeature);
  require(IsConfidential(needs, pool), Code::kConfidential);
  require(ServesModel(work, needs, pool) && RunsClass(work, face.demand, pool), Code::kModel);
  require(StandsWhereWanted(needs, pool), Code::kSite);
  require(LabelsDo(needs, pool), Code::kLabel);
  require(TakesTenant(work, pool), Code::kTenant);
  return ability;
}

}  // namespace spillway
