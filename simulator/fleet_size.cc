#include "simulator/fleet_size.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/status.h"
#include "core/text.h"
#include "formats/config_file.h"
#include "formats/units.h"
#include "performance/engine.h"
#include "simulator/cell.h"

namespace spillway {
namespace {

constexpr int kDevicesOfNode[] = {1, 2, 4, 8};

// Images, rankings: no model of tokens, but a class of work.
bool IsOfBatches(const Catalog& catalog, const std::string& model) {
  return !catalog.models.contains(model) && catalog.classes.contains(model);
}

std::string NodeText(const FleetSize& size, int devices) {
  const std::int64_t cpus = std::max<std::int64_t>(size.node.cpus.value() / 1000, 8);
  const std::int64_t gib = std::max<std::int64_t>(size.node.memory.value() >> 30, 32);
  return absl::StrCat("{cpus: ", cpus * devices, ", memory: ", gib * devices,
                      "GiB, devices: ", devices, "}");
}

// A model of the catalogue in this precision, else a class.
std::string ServeText(const Catalog& catalog, const std::string& model, Precision precision) {
  if (IsOfBatches(catalog, model)) return absl::StrCat("class: ", model);
  return absl::StrCat("model: ", model, ", precision: ", ToAbsl(NameOf(precision)));
}

// The pool of one model, `devices` of each node for one engine.
absl::StatusOr<PoolSpec> PoolOf(const ScenarioFleet& fleet, const std::string& name,
                                const std::string& model, Precision precision, int devices,
                                int nodes, const Catalog& catalog) {
  const FleetSize& size = *fleet.size;
  const Device& device = catalog.devices.at(size.device);
  const bool is_cpu = device.kind == DeviceKind::kCpu;
  const UsdPerHour rate = size.node_hour ? *size.node_hour : device.prices.front().node_hour;
  std::string text = absl::StrCat(
      "kind: Fleet\npools:\n  - name: ", name,
      "\n    adapter: {type: modelled}\n    device: ", size.device,
      "\n    kind: ", ToAbsl(NameOf(device.kind)), "\n    node: ",
      is_cpu
          ? absl::StrCat("{cpus: ", device.vcpus, ", memory: ", device.memory.value() >> 30, "GiB}")
          : NodeText(size, devices),
      "\n    nodes: ", nodes,
      "\n    billing: metered\n    price: {node_hour: ", ToAbsl(Format(rate * devices)),
      "}\n    serves: [{", ServeText(catalog, model, precision), ", replicas: ", nodes, "}]\n");
  auto config = ParseConfig(ToStd(text), "sized fleet", catalog, Machine());
  if (!config.ok()) return config.status();
  return std::move(config->config.fleet.pools.front());
}

absl::StatusOr<PoolSpec> FirstThatFits(const ScenarioFleet& fleet, const std::string& name,
                                       const std::string& model, int nodes,
                                       const Catalog& catalog) {
  const Device& device = catalog.devices.at(fleet.size->device);
  if (!fleet.size->node_hour && device.prices.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("fleet ", fleet.name, ": ", model, " on ", fleet.size->device,
                     ": the catalogue has no price for the device; write `node_hour:` beside it"));
  }
  if (IsOfBatches(catalog, model)) {
    auto pool = PoolOf(fleet, name, model, Precision::kBf16, 1, nodes, catalog);
    return pool.ok() ? pool : Annotate(pool.status(), absl::StrCat("fleet ", fleet.name));
  }
  std::vector<Precision> precisions;
  if (fleet.size->precision) {
    precisions = {*fleet.size->precision};
  } else {
    for (const Precision p : {Precision::kBf16, Precision::kFp16, Precision::kInt8}) {
      if (device.peak.contains(p)) precisions.push_back(p);
    }
  }
  absl::Status why = absl::FailedPreconditionError("it has no rate for the model's precisions");
  for (const int devices : kDevicesOfNode) {
    for (const Precision precision : precisions) {
      auto pool = PoolOf(fleet, name, model, precision, devices, nodes, catalog);
      if (pool.ok()) {
        const auto limits = LimitsFor(catalog, *pool, pool->serves.front());
        if (limits.ok()) return pool;
        why = limits.status();
      } else {
        why = pool.status();
      }
    }
    if (device.kind == DeviceKind::kCpu) break;
  }
  return absl::FailedPreconditionError(absl::StrCat("fleet ", fleet.name, ": ", model, " on ",
                                                    fleet.size->device, ": ", why.message()));
}

}  // namespace

namespace {

// What the scenario's fleets of files call several models together.
const std::vector<std::string>* AliasOf(const ScenarioSpec& scenario, const std::string& name) {
  for (const ScenarioFleet& fleet : scenario.fleets) {
    const auto alias = fleet.spec.aliases.find(name);
    if (alias != fleet.spec.aliases.end()) return &alias->second;
  }
  return nullptr;
}

const PoolSpec* FirstInCloud(const ScenarioSpec& scenario) {
  for (const ScenarioFleet& fleet : scenario.fleets) {
    for (const PoolSpec& pool : fleet.spec.pools) {
      if (pool.site.kind == SiteKind::kCloud) return &pool;
    }
  }
  return nullptr;
}

// What requests of the workload name, each once.
std::vector<std::string> NamesIn(const WorkloadSpec& workload) {
  std::vector<std::string> names;
  for (const PartSpec& part : workload.parts) {
    if (part.makes_jobs) continue;
    for (const auto& [name, share] : part.request.models) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  return names;
}

}  // namespace

std::vector<std::string> ModelsOf(const WorkloadSpec& workload, const ScenarioSpec& scenario) {
  std::vector<std::string> models;
  const auto add = [&](const std::string& model) {
    if (std::find(models.begin(), models.end(), model) == models.end()) models.push_back(model);
  };
  for (const std::string& name : NamesIn(workload)) {
    if (const auto* alias = AliasOf(scenario, name)) {
      for (const std::string& model : *alias) add(model);
    } else {
      add(name);
    }
  }
  return models;
}

absl::StatusOr<FleetSpec> FleetOf(const ScenarioFleet& fleet, const WorkloadSpec& workload,
                                  const ScenarioSpec& scenario, const Catalog& catalog,
                                  const std::vector<int>& nodes) {
  const std::vector<std::string> models = ModelsOf(workload, scenario);
  if (models.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("fleet ", fleet.name, ": it is sized by the models of workload ",
                     workload.name, ", whose parts name none: write `model: NAME`"));
  }
  FleetSpec sized;
  const PoolSpec* beside = FirstInCloud(scenario);
  for (std::size_t i = 0; i < models.size(); ++i) {
    if (nodes[i] == 0) continue;
    const std::string name =
        models.size() == 1 ? fleet.name : absl::StrCat(fleet.name, "-", models[i]);
    SPILLWAY_ASSIGN_OR_RETURN(PoolSpec pool,
                              FirstThatFits(fleet, name, models[i], nodes[i], catalog));
    if (beside != nullptr) {
      pool.site = beside->site;
      pool.power.pue = beside->power.pue;
    }
    sized.pools.push_back(std::move(pool));
  }
  for (const std::string& name : NamesIn(workload)) {
    if (const auto* alias = AliasOf(scenario, name)) sized.aliases.emplace(name, *alias);
  }
  return sized;
}

namespace {

// What a node costs, and who says so.
Price PriceOf(const FleetSize& size, const PoolSpec& pool, const Catalog& catalog) {
  Price price = pool.price;
  const auto& listed = catalog.devices.at(size.device).prices;
  const bool ours =
      !listed.empty() && (!size.node_hour || *size.node_hour == listed.front().node_hour);
  if (ours) {
    price.as_of = listed.front().as_of;
    price.source = absl::StrCat(listed.front().of, " (", listed.front().source, ")");
  } else {
    price.source = "the scenario";
  }
  return price;
}

class Search {
 public:
  Search(const ScenarioFleet& fleet, const ScenarioPolicy& policy, const WorkloadSpec& spec,
         const Workload& workload, const ScenarioSpec& scenario, const Catalog& catalog,
         const std::function<bool()>& cancelled)
      : fleet_(fleet),
        policy_(policy),
        spec_(spec),
        workload_(workload),
        scenario_(scenario),
        catalog_(catalog),
        cancelled_(cancelled) {
    for (const PartSpec& part : spec.parts) {
      if (std::holds_alternative<SessionsSpec>(part.arrivals)) return;  // their number depends
    }
    Arrival arrival;
    std::int64_t judged = 0;
    const auto from = ToNanos(scenario.warm_up);
    for (const auto stream = workload.Open(scenario.start, 0); stream->Next(arrival);) {
      if (arrival.at >= from) ++judged;
    }
    most_missed_ = static_cast<std::int64_t>((1 - scenario.objective.attainment) *
                                             static_cast<double>(judged));
  }

  absl::StatusOr<bool> Reaches(const std::vector<int>& nodes) const {
    SPILLWAY_ASSIGN_OR_RETURN(FleetSpec fleet, FleetOf(fleet_, spec_, scenario_, catalog_, nodes));
    auto config = std::make_shared<Config>();
    config->fleet = std::move(fleet);
    config->policy = policy_.spec;
    config->catalog = catalog_;
    const auto arrivals = workload_.Open(scenario_.start, 0);
    SPILLWAY_ASSIGN_OR_RETURN(const CellOutcome outcome, RunCell({.config = std::move(config),
                                                                  .scenario = &scenario_,
                                                                  .arrivals = arrivals.get(),
                                                                  .most_missed = most_missed_,
                                                                  .cancelled = cancelled_}));
    return most_missed_ ? outcome.judged - outcome.met <= *most_missed_
                        : outcome.slo_attainment() >= scenario_.objective.attainment;
  }

  // Is there somebody for everything that is asked for, if nobody serves the i-th model?
  bool MayBeNone(const std::vector<int>& nodes, std::size_t without) const {
    const std::vector<std::string> models = ModelsOf(spec_, scenario_);
    for (const std::string& name : NamesIn(spec_)) {
      const auto* alias = AliasOf(scenario_, name);
      const auto answers = [&](std::size_t i) {
        return i != without && nodes[i] > 0 &&
               (alias ? std::find(alias->begin(), alias->end(), models[i]) != alias->end()
                      : models[i] == name);
      };
      bool some = false;
      for (std::size_t i = 0; i < models.size(); ++i) some = some || answers(i);
      if (!some) return false;
    }
    return true;
  }

  // The fewest for the models in `which`, at least `low`; others stay. `high` reaches it.
  absl::StatusOr<int> Fewest(std::vector<int> nodes, const std::vector<std::size_t>& which, int low,
                             int high) const {
    while (low < high) {
      const int middle = low + (high - low) / 2;
      for (const std::size_t i : which) nodes[i] = middle;
      SPILLWAY_ASSIGN_OR_RETURN(const bool reached, Reaches(nodes));
      (reached ? high : low) = reached ? middle : middle + 1;
    }
    return high;
  }

 private:
  const ScenarioFleet& fleet_;
  const ScenarioPolicy& policy_;
  const WorkloadSpec& spec_;
  const Workload& workload_;
  const ScenarioSpec& scenario_;
  const Catalog& catalog_;
  const std::function<bool()>& cancelled_;
  std::optional<std::int64_t> most_missed_;  // of a run that reaches it
};

}  // namespace

absl::StatusOr<std::pair<FleetSpec, SizedFleet>> SizeFleet(
    const ScenarioFleet& fleet, const ScenarioPolicy& policy, const WorkloadSpec& spec,
    const Workload& workload, const ScenarioSpec& scenario, const Catalog& catalog,
    const std::function<bool()>& cancelled) {
  const std::size_t models = ModelsOf(spec, scenario).size();
  const Search search(fleet, policy, spec, workload, scenario, catalog, cancelled);
  SizedFleet sized{.fleet = fleet.name, .workload = spec.name, .policy = policy.name};
  std::vector<int> nodes(std::max<std::size_t>(models, 1), 1);
  std::vector<std::size_t> all(models);
  for (std::size_t i = 0; i < models; ++i) all[i] = i;
  int below = 0, at = 1;
  for (;; below = at, at = std::min(at * 2, fleet.size->most)) {
    nodes.assign(nodes.size(), at);
    SPILLWAY_ASSIGN_OR_RETURN(sized.reached, search.Reaches(nodes));
    if (sized.reached || at == fleet.size->most) break;
  }
  if (sized.reached) {
    SPILLWAY_ASSIGN_OR_RETURN(at, search.Fewest(nodes, all, below + 1, at));
    nodes.assign(nodes.size(), at);
    for (std::size_t i = 0; i < models && models > 1; ++i) {
      const int least = search.MayBeNone(nodes, i) ? 0 : 1;
      SPILLWAY_ASSIGN_OR_RETURN(nodes[i], search.Fewest(nodes, {i}, least, nodes[i]));
    }
  }
  for (const int n : nodes) sized.nodes += n;
  SPILLWAY_ASSIGN_OR_RETURN(FleetSpec spec_of, FleetOf(fleet, spec, scenario, catalog, nodes));
  if (!spec_of.pools.empty()) {
    const PoolSpec& pool = spec_of.pools.front();
    sized.node_devices = std::max(pool.node.devices, 1);
    sized.price = PriceOf(*fleet.size, pool, catalog);
  }
  return std::pair(std::move(spec_of), std::move(sized));
}

}  // namespace spillway
