#include "simulator/break_even.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "core/status.h"
#include "simulator/fleet_size.h"
#include "simulator/parallel.h"
#include "simulator/start_up.h"
#include "simulator/workloads/workload.h"

namespace spillway {
namespace {

struct Faster {
  double factor;
  void operator()(TraceSpec& a) const { a.rate *= factor; }
  void operator()(PoissonSpec& a) const { a.rate *= factor; }
  void operator()(GammaSpec& a) const { a.rate *= factor; }
  void operator()(OnOffSpec& a) const {
    a.rate *= factor;
    a.off_rate *= factor;
  }
  void operator()(DiurnalSpec& a) const {
    a.mean *= factor;
    a.peak *= factor;
  }
  void operator()(SessionsSpec& a) const {
    a.users = std::max(1, static_cast<int>(std::lround(a.users * factor)));
  }
};

struct Rate {
  double operator()(const TraceSpec&) const { return 0; }
  double operator()(const PoissonSpec& a) const { return a.rate; }
  double operator()(const GammaSpec& a) const { return a.rate; }
  double operator()(const OnOffSpec& a) const {
    const double on = absl::ToDoubleSeconds(a.on), off = absl::ToDoubleSeconds(a.off);
    return on + off > 0 ? (a.rate * on + a.off_rate * off) / (on + off) : 0;
  }
  double operator()(const DiurnalSpec& a) const { return a.mean; }
  double operator()(const SessionsSpec&) const { return 0; }
};

const ScenarioFleet& FleetNamed(const ScenarioSpec& scenario, const std::string& name) {
  return *std::find_if(scenario.fleets.begin(), scenario.fleets.end(),
                       [&](const ScenarioFleet& fleet) { return fleet.name == name; });
}
const ScenarioPolicy& PolicyNamed(const ScenarioSpec& scenario, const std::string& name) {
  return *std::find_if(scenario.policies.begin(), scenario.policies.end(),
                       [&](const ScenarioPolicy& policy) { return policy.name == name; });
}

std::optional<BreakEvenStart> StartOf(const ScenarioSpec& scenario, const Catalog& catalog,
                                      const FleetSpec& fleet) {
  if (!scenario.world.start_up || fleet.pools.empty()) return std::nullopt;
  Config config;
  config.fleet = fleet;
  config.catalog = catalog;
  const StartUp start_up(config, scenario.world);
  const absl::Duration time = start_up.boot() + start_up.LoadOf({PoolId{0}, 0});
  return BreakEvenStart{absl::ToDoubleSeconds(time), std::max(fleet.pools.front().node.devices, 1)};
}

// Devices of one of the two at one load; none: none of the numbers that were tried will do, or no
// node holds the model.
struct SizedFor {
  std::optional<int> devices;
  std::optional<BreakEvenStart> start;
};
absl::StatusOr<SizedFor> NodesFor(const ScenarioSpec& scenario, const Catalog& catalog,
                                  const std::pair<std::string, std::string>& pair,
                                  const WorkloadSpec& spec, const BreakEvenRun& run) {
  SPILLWAY_ASSIGN_OR_RETURN(const Workload workload, Workload::Load(spec));
  const auto sized = SizeFleet(FleetNamed(scenario, pair.first), PolicyNamed(scenario, pair.second),
                               spec, workload, scenario, catalog, run.cancelled);
  if (sized.status().code() == absl::StatusCode::kFailedPrecondition) return SizedFor();
  if (!sized.ok()) {
    return Annotate(sized.status(), absl::StrCat("break_even: ", pair.first, ", ", spec.name));
  }
  SizedFor out;
  out.start = StartOf(scenario, catalog, sized->first);
  if (!sized->second.reached) return out;
  int devices = 0;
  for (const PoolSpec& pool : sized->first.pools)
    devices += pool.nodes * std::max(pool.node.devices, 1);
  out.devices = devices;
  return out;
}

}  // namespace

WorkloadSpec AtLoad(WorkloadSpec workload, double factor) {
  for (PartSpec& part : workload.parts) std::visit(Faster{factor}, part.arrivals);
  return workload;
}

double RateOf(const WorkloadSpec& workload) {
  double rate = 0;
  for (const PartSpec& part : workload.parts) rate += std::visit(Rate{}, part.arrivals);
  return rate;
}

BreakEvenPrice CheaperUpTo(const PriceListSpec& list, const std::vector<BreakEvenNodes>& nodes) {
  const auto usd = [](UsdPerHour rate) { return static_cast<double>(rate.value()) * 1e-9; };
  BreakEvenPrice out{.list = list.name, .first = usd(list.first), .second = usd(list.second)};
  out.throughout = !nodes.empty();
  for (const BreakEvenNodes& at : nodes) {
    const bool cheaper =
        at.first && (!at.second || list.first * *at.first < list.second * *at.second);
    if (!cheaper) {
      out.throughout = false;
      break;
    }
    out.up_to = at.rate;
  }
  return out;
}

int SizingsOf(const BreakEvenSpec& even) {
  return static_cast<int>(2 * even.loads.size() * even.workloads.size());
}

absl::StatusOr<BreakEvenOutcome> FindBreakEven(const BreakEvenSpec& even,
                                               const ScenarioSpec& scenario, const Catalog& catalog,
                                               const BreakEvenRun& run) {
  const std::size_t loads = even.loads.size();
  const auto count = static_cast<std::size_t>(SizingsOf(even));
  std::vector<absl::StatusOr<SizedFor>> nodes(count, SizedFor());
  ForEachIndex(count, run.jobs, [&](std::size_t i) {
    const WorkloadSpec& workload = even.workloads[i / 2 / loads];
    const auto& pair = i % 2 == 0 ? even.first : even.second;
    nodes[i] = NodesFor(scenario, catalog, pair, AtLoad(workload, even.loads[i / 2 % loads]), run);
    if (run.on_sized) run.on_sized();
    return nodes[i].ok();
  });
  for (const auto& one : nodes) SPILLWAY_RETURN_IF_ERROR(one.status());

  BreakEvenOutcome out{.name = even.name, .first = even.first.first, .second = even.second.first};
  for (std::size_t w = 0; w < even.workloads.size(); ++w) {
    BreakEvenRow row{.workload = even.workloads[w].name};
    const double rate = RateOf(even.workloads[w]);
    for (std::size_t l = 0; l < loads; ++l) {
      const std::size_t i = 2 * (w * loads + l);
      row.nodes.push_back({.load = even.loads[l],
                           .rate = (rate > 0 ? rate : 1) * even.loads[l],
                           .first = nodes[i]->devices,
                           .second = nodes[i + 1]->devices});
      if (!row.first_start) row.first_start = nodes[i]->start;
      if (!row.second_start) row.second_start = nodes[i + 1]->start;
    }
    for (const PriceListSpec& list : even.prices)
      row.prices.push_back(CheaperUpTo(list, row.nodes));
    out.rows.push_back(std::move(row));
  }
  return out;
}

}  // namespace spillway
