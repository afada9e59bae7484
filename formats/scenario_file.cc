#include "formats/scenario_file.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/status.h"
#include "core/text.h"
#include "formats/codec.h"
#include "formats/document.h"
#include "formats/file_text.h"
#include "formats/scenario_inputs.h"
#include "formats/scenario_parts.h"
#include "formats/scenario_variations.h"
#include "formats/scenario_world.h"
#include "formats/workload_file.h"

namespace spillway {
namespace {

constexpr std::size_t kMostNamed = 100;  // fleets, policies, workloads
constexpr std::size_t kMostPairs = 1000;
constexpr std::size_t kMostSources = 100;

using Pair = std::pair<std::string, std::string>;

// A map of names to parts, kept in the order of the file.
template <class Part, class F>
auto Named(F read, std::string_view what) {
  return [read, what](const Place& at, std::vector<Part>& out) {
    if (!IsMapOfNames(at, kMostNamed)) return;
    for (const Member& member : at.value().map()) {
      Part part;
      part.name = member.key;
      read(at.Child(member), part);
      out.push_back(std::move(part));
    }
    if (out.empty()) at.Fail(absl::StrCat("names no ", ToAbsl(what)));
  };
}

class ScenarioReader {
 public:
  ScenarioReader(const std::string& path, const std::string& library, const FleetSources& sources)
      : sources_(sources), inputs_(path, library), reading_(path) {
    spec_.path = path;
  }

  absl::StatusOr<ScenarioSpec> Read(std::string text) {
    SPILLWAY_ASSIGN_OR_RETURN(const Value document, ParseYaml(text, spec_.path));
    spec_.text = std::move(text);
    ReadKeys(Place(document, reading_));
    if (inputs_.faults().empty() && reading_.ok()) CheckModels(Place(document, reading_));
    SPILLWAY_RETURN_IF_ERROR(Verdict());
    if (sources_.warnings) {
      for (const InputFinding& finding : reading_.warnings().findings())
        sources_.warnings->push_back(Describe(finding, spec_.path));
    }
    TakeCatalog();
    spec_.inputs = inputs_.TakeAll();
    SPILLWAY_RETURN_IF_ERROR(CheckLock());
    return std::move(spec_);
  }

 private:
  // Devices, models and profiles decide as much as any file does.
  void TakeCatalog() {
    ScenarioInput input = HashText(codec::Encode(sources_.catalog));
    input.file = input.what = "catalog";
    inputs_.Add(std::move(input));
  }
  // Findings of the scenario's own first, then those of each file that it names.
  absl::Status Verdict() const {
    if (inputs_.faults().empty()) return reading_.ToStatus();
    std::vector<std::string> all;
    if (!reading_.ok()) all.emplace_back(reading_.ToStatus().message());
    all.insert(all.end(), inputs_.faults().begin(), inputs_.faults().end());
    return absl::InvalidArgumentError(absl::StrJoin(all, "\n"));
  }

  void ReadKeys(const Place& at) {
    ObjectReader r(at, "a scenario");
    ReadKind(r, "Scenario");
    r.Required("name", spec_.name, ReadName);
    r.Optional("says", spec_.says);
    r.Optional("start", spec_.start);
    const auto fleet = [this](const Place& p, ScenarioFleet& f) {
      ReadScenarioFleet(p, sources_, inputs_, f);
    };
    const auto policy = [this](const Place& p, ScenarioPolicy& q) {
      ReadScenarioPolicy(p, inputs_, q);
    };
    r.Required("fleets", spec_.fleets, Named<ScenarioFleet>(fleet, "fleet"));
    r.Required("policies", spec_.policies, Named<ScenarioPolicy>(policy, "policy"));
    r.Optional("accounting", spec_.accounting, ReadAccounting);
    ReadPairs(r);
    ReadBaseline(r);
    ReadLoads(r);
    r.Optional("objective", spec_.objective, ReadScenarioObjective);
    ReadWorldOf(r);
    r.Optional("sweeps", spec_.sweeps, [this](const Place& p, std::vector<SweepSpec>& sweeps) {
      ReadSweeps(p, sources_.catalog, spec_, sweeps);
    });
    ReadBreakEvenOf(r);
    r.Optional("warm_up", spec_.warm_up);
    r.Optional("drain", spec_.drain);
    r.Optional("seeds", spec_.seeds, Between(1, 1000));
    r.Optional("sources", spec_.sources, OneOrMore(kDefaultRead, kMostSources));
    // Of a scenario.lock.yaml: the files that it was run with; what they came to is read anew.
    r.Optional("files", locked_, Listed(ReadLocked, 1000));
    r.Take("resolved");
    r.Finish();
  }

  static void ReadLocked(const Place& at, ScenarioInput& out) {
    ObjectReader r(at, "a file of a lock");
    std::uint64_t bytes = 0;
    r.Required("file", out.file);
    r.Required("what", out.what);
    if (r.Required("bytes", bytes)) out.bytes = static_cast<std::int64_t>(bytes);
    r.Required("xxh64", out.xxh64);
    r.Finish();
  }
  // A lock is of files as they were: others would give other results under its name.
  absl::Status CheckLock() {
    for (const ScenarioInput& locked : locked_) {
      for (ScenarioInput& input : spec_.inputs) {
        if (input.what != locked.what) continue;
        if (input.what == "scenario") input = locked;  // the lock stands in its place
        if (input.file != locked.file || input.xxh64 == locked.xxh64) continue;
        return absl::InvalidArgumentError(
            absl::StrCat(spec_.path, ": ", input.file, " (", input.what,
                         ") is not as it was when this was locked: its hash is ", input.xxh64,
                         ", then it was ", locked.xxh64));
      }
    }
    return absl::OkStatus();
  }

  static void ReadAccounting(const Place& at, std::vector<Accounting>& out) {
    std::vector<Accounting> books;
    OneOrMore(kDefaultRead, 2)(at, books);
    if (books.empty()) return FailKind(at, "`rented`, `paid-for`, or both");
    if (books.size() == 2 && books[0] == books[1]) return at.Fail("names one of them twice");
    out = std::move(books);
  }

  void ReadPairs(ObjectReader& r) {
    const bool is_given = r.Has("pairs");
    r.Optional("pairs", spec_.pairs, [this](const Place& at, std::vector<Pair>& pairs) {
      Listed([this](const Place& p, Pair& pair) { ReadScenarioPair(p, spec_, pair); }, kMostPairs)(
          at, pairs);
      if (at.value().is_list() && pairs.empty()) at.Fail("names no pair of a fleet and a policy");
      for (std::size_t i = 0; i < pairs.size(); ++i) {
        if (std::find(pairs.begin(), pairs.begin() + static_cast<std::ptrdiff_t>(i), pairs[i]) !=
                pairs.begin() + static_cast<std::ptrdiff_t>(i) &&
            !pairs[i].first.empty())
          at.Item(i).Fail("this pair stands further up already");
      }
    });
    if (is_given) return;
    for (const ScenarioFleet& fleet : spec_.fleets) {
      for (const ScenarioPolicy& policy : spec_.policies)
        spec_.pairs.emplace_back(fleet.name, policy.name);
    }
  }

  void ReadBaseline(ObjectReader& r) {
    if (!r.Has("baseline") && spec_.pairs.size() == 1) {
      r.Take("baseline");
      spec_.baseline = spec_.pairs.front();
      return;
    }
    r.Required("baseline", spec_.baseline, [this](const Place& at, Pair& baseline) {
      ReadScenarioPair(at, spec_, baseline);
      if (baseline.first.empty() || baseline.second.empty()) return;
      if (std::find(spec_.pairs.begin(), spec_.pairs.end(), baseline) != spec_.pairs.end()) return;
      at.Fail(absl::StrCat("the baseline [", baseline.first, ", ", baseline.second,
                           "] is none of the `pairs`: it must be run to be compared with"));
    });
  }

  void ReadLoads(ObjectReader& r) {
    r.Required("workloads", spec_.workloads,
               [this](const Place& at, std::vector<WorkloadSpec>& workloads) {
                 ReadWorkloads(at, inputs_.folder(), workloads);
                 for (const WorkloadSpec& workload : workloads) {
                   const Value* where = at.value().Find(workload.name);
                   for (const std::string& file : FilesOf(workload))
                     inputs_.Take(where ? at.Holding(*where) : at, inputs_.NamedAs(file),
                                  "workload");
                 }
               });
  }

  void ReadBreakEvenOf(ObjectReader& r) {
    r.Optional("break_even", spec_.break_even,
               [this](const Place& at, std::vector<BreakEvenSpec>& out) {
                 ReadBreakEven(at, inputs_.folder(), spec_, out);
                 for (const BreakEvenSpec& even : out) {
                   for (const WorkloadSpec& workload : even.workloads) {
                     for (const std::string& file : FilesOf(workload))
                       inputs_.Take(at, inputs_.NamedAs(file), "workload");
                   }
                 }
               });
  }

  void ReadWorldOf(ObjectReader& r) {
    FleetSpec pools;
    for (const ScenarioFleet& fleet : spec_.fleets) {
      for (const PoolSpec& pool : fleet.spec.pools) {
        const auto known =
            std::find_if(pools.pools.begin(), pools.pools.end(),
                         [&](const PoolSpec& other) { return other.name == pool.name; });
        if (known == pools.pools.end()) pools.pools.push_back(pool);
      }
    }
    const bool all_read = std::all_of(
        spec_.fleets.begin(), spec_.fleets.end(),
        [](const ScenarioFleet& fleet) { return fleet.size || !fleet.spec.pools.empty(); });
    const WorldSources sources{pools, all_read && !spec_.fleets.empty(), spec_.start};
    r.Optional("world", spec_.world,
               [&](const Place& at, WorldSpec& world) { ReadWorld(at, sources, inputs_, world); });
  }

  // ---- Models

  std::set<std::string> ModelsOf(const WorkloadSpec& workload) const {
    std::set<std::string> models;
    for (const PartSpec& part : workload.parts) {
      for (const auto& [model, share] : part.request.models) models.insert(model);
    }
    return models;
  }
  std::set<std::string> ServedBy(const ScenarioFleet& fleet) const {
    std::set<std::string> served;
    for (const PoolSpec& pool : fleet.spec.pools) {
      for (const ServeSpec& serve : pool.serves) served.insert(serve.model);
    }
    for (const auto& [alias, models] : fleet.spec.aliases) served.insert(alias);
    return served;
  }
  // Of fleets beside a sized one: it knows them as far as the catalogue knows all that they mean.
  void AddAliases(std::set<std::string>& known) const {
    for (const ScenarioFleet& fleet : spec_.fleets) {
      for (const auto& [alias, models] : fleet.spec.aliases) {
        const auto in_catalog = [&](const std::string& model) {
          return sources_.catalog.models.contains(model);
        };
        if (std::all_of(models.begin(), models.end(), in_catalog)) known.insert(alias);
      }
    }
  }
  // A sized fleet serves what the catalogue knows; others what they say.
  void CheckModels(const Place& at) {
    const Value* workloads = at.value().Find("workloads");
    for (const WorkloadSpec& workload : spec_.workloads) {
      const Value* where = workloads ? workloads->Find(workload.name) : nullptr;
      const Place place = where ? at.Holding(*where) : at;
      for (const std::string& model : ModelsOf(workload)) {
        for (const ScenarioFleet& fleet : spec_.fleets) CheckModel(place, model, fleet);
      }
    }
    for (const BreakEvenSpec& even : spec_.break_even) {
      const Value* where = at.value().Find("break_even");
      for (const WorkloadSpec& workload : even.workloads) {
        for (const std::string& model : ModelsOf(workload)) {
          if (!sources_.catalog.models.contains(model))
            (where ? at.Holding(*where) : at)
                .Fail(absl::StrCat(even.name, ": the catalogue has no model `", model, "`"));
        }
      }
    }
  }
  void CheckModel(const Place& at, const std::string& model, const ScenarioFleet& fleet) {
    const bool runs = std::any_of(spec_.pairs.begin(), spec_.pairs.end(),
                                  [&](const Pair& pair) { return pair.first == fleet.name; });
    if (!runs) return;
    std::set<std::string> known = ServedBy(fleet);
    if (fleet.size) {
      for (const auto& [name, unused] : sources_.catalog.models) known.insert(name);
      for (const auto& [name, unused] : sources_.catalog.classes) known.insert(name);
      AddAliases(known);
    }
    if (known.contains(model)) return;
    const std::string nearest = NearestWord(model, known);
    at.Fail(absl::StrCat(fleet.size ? "the catalogue has no model `"
                                    : "no pool of fleet `" + fleet.name + "` serves `",
                         model, "`",
                         nearest.empty() ? "" : absl::StrCat(" (did you mean `", nearest, "`?)")));
  }

  const FleetSources& sources_;
  ScenarioInputs inputs_;
  Reading reading_;
  ScenarioSpec spec_;
  std::vector<ScenarioInput> locked_;  // of a lock
};

}  // namespace

absl::StatusOr<ScenarioSpec> LoadScenario(const std::string& path, const Catalog& catalog,
                                          const Machine& machine,
                                          std::vector<std::string>* warnings,
                                          const std::string& library) {
  SPILLWAY_ASSIGN_OR_RETURN(std::string text, ReadTextFile(path));
  const FleetSources sources{catalog, machine, warnings};
  return ScenarioReader(path, library, sources).Read(std::move(text));
}

}  // namespace spillway
