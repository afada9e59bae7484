#include "formats/scenario_variations.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/text.h"
#include "formats/scenario_parts.h"
#include "formats/workload_file.h"

namespace spillway {
namespace {

constexpr std::size_t kMostSweeps = 20, kMostFactors = 20, kMostPairs = 100;
constexpr double kLeast = 0.01, kMost = 100;

using Pair = std::pair<std::string, std::string>;

const ScenarioFleet* FleetNamed(const ScenarioSpec& scenario, const std::string& name) {
  const auto found = std::find_if(scenario.fleets.begin(), scenario.fleets.end(),
                                  [&](const ScenarioFleet& fleet) { return fleet.name == name; });
  return found == scenario.fleets.end() ? nullptr : &*found;
}

// Rising, each once, from 0.01 to 100.
void ReadFactors(const Place& at, std::vector<double>& out) {
  std::vector<double> factors;
  OneOrMore(ReadPositive, kMostFactors)(at, factors);
  if (factors.empty()) return at.Fail("names no factor");
  for (std::size_t i = 0; i < factors.size(); ++i) {
    if (factors[i] < kLeast || factors[i] > kMost)
      return at.Fail(
          absl::StrCat("wants factors from ", kLeast, " to ", kMost, ", found ", factors[i]));
    if (i > 0 && factors[i] <= factors[i - 1])
      return at.Fail(
          absl::StrCat("wants rising factors, found ", factors[i], " after ", factors[i - 1]));
  }
  out = std::move(factors);
}

bool Holds(const FleetSpec& fleet, const SweepSpec& sweep) {
  return std::any_of(fleet.pools.begin(), fleet.pools.end(), [&](const PoolSpec& pool) {
    return sweep.input == SweptInput::kPrice ? pool.name == sweep.of : pool.device == sweep.of;
  });
}

class SweepReader {
 public:
  SweepReader(const Catalog& catalog, const ScenarioSpec& scenario)
      : catalog_(catalog), scenario_(scenario) {}

  void Read(const Place& at, SweepSpec& out) const {
    ObjectReader r(at, "a sweep");
    std::string device, pool;
    r.Optional("device", device, ReadName);
    r.Optional("pool", pool, ReadName);
    int inputs = 0;
    for (const auto& [input, name] : kSweptInputNames) {
      if (r.Optional(name, out.factors, ReadFactors)) {
        ++inputs;
        out.input = input;
      }
    }
    r.Optional("pairs", out.pairs,
               Listed([this](const Place& p, Pair& pair) { ReadScenarioPair(p, scenario_, pair); },
                      kMostPairs));
    r.Finish();
    if (inputs != 1)
      return at.Fail("wants exactly one of `prefill`, `bandwidth`, `price`: one figure is varied");
    std::erase(out.factors, 1.0);
    const bool by_pool = out.input == SweptInput::kPrice;
    out.of = by_pool ? pool : device;
    if (out.of.empty() || !(by_pool ? device : pool).empty())
      return at.Fail(by_pool ? "`price` is that of a `pool`" : "wants the `device` that it is of");
    if (CheckName(at, out.of, by_pool)) ChoosePairs(at, out);
  }

 private:
  bool CheckName(const Place& at, const std::string& name, bool by_pool) const {
    std::vector<std::string> known;
    if (by_pool) {
      for (const ScenarioFleet& fleet : scenario_.fleets) {
        for (const PoolSpec& pool : fleet.spec.pools) known.push_back(pool.name);
      }
    } else {
      for (const auto& [device, unused] : catalog_.devices) known.push_back(device);
    }
    if (std::find(known.begin(), known.end(), name) != known.end()) return true;
    const std::string nearest = NearestWord(name, known);
    at.Fail(absl::StrCat(by_pool ? "no fleet has a pool `" : "the catalogue has no device `", name,
                         "`",
                         nearest.empty() ? "" : absl::StrCat(" (did you mean `", nearest, "`?)")));
    return false;
  }

  // A sized fleet would be another fleet with each factor.
  void ChoosePairs(const Place& at, SweepSpec& out) const {
    const auto can = [&](const Pair& pair) {
      const ScenarioFleet* fleet = FleetNamed(scenario_, pair.first);
      return fleet != nullptr && !fleet->size && Holds(fleet->spec, out);
    };
    if (out.pairs.empty()) {
      std::copy_if(scenario_.pairs.begin(), scenario_.pairs.end(), std::back_inserter(out.pairs),
                   can);
      if (out.pairs.empty())
        at.Fail(absl::StrCat("no fleet that is read from a file and is run holds `", out.of, "`"));
      return;
    }
    for (const Pair& pair : out.pairs) {
      if (pair.first.empty() || pair.second.empty()) return;  // noted
      const auto& run = scenario_.pairs;
      if (std::find(run.begin(), run.end(), pair) == run.end())
        at.Fail(absl::StrCat("[", pair.first, ", ", pair.second, "] is none of the `pairs`"));
      if (!can(pair))
        at.Fail(absl::StrCat("fleet `", pair.first, "` is not one of a file that holds `", out.of,
                             "`"));
    }
  }

  const Catalog& catalog_;
  const ScenarioSpec& scenario_;
};

void ReadSizedPair(const Place& at, const ScenarioSpec& scenario, Pair& out) {
  ReadScenarioPair(at, scenario, out);
  const ScenarioFleet* fleet = FleetNamed(scenario, out.first);
  if (fleet != nullptr && !fleet->size)
    at.Fail(absl::StrCat("fleet `", out.first, "` is not sized: write `", out.first,
                         ": {size: {device: NAME}}`"));
}

void ReadPriceList(const Place& at, const BreakEvenSpec& even, PriceListSpec& out) {
  ObjectReader r(at, "a price list");
  if (!even.first.first.empty()) r.Required(even.first.first, out.first);
  if (!even.second.first.empty()) r.Required(even.second.first, out.second);
  r.Optional("source", out.source);
  r.Finish();
}

void ReadOneBreakEven(const Place& at, const std::string& folder, const ScenarioSpec& scenario,
                      BreakEvenSpec& even) {
  ObjectReader r(at, "a break-even");
  const auto pair = [&](const Place& p, Pair& of) { ReadSizedPair(p, scenario, of); };
  r.Required("of", even.first, pair);
  r.Required("against", even.second, pair);
  if (!even.first.first.empty() && even.first.first == even.second.first)
    at.Fail("wants two fleets, found the same one twice");
  r.Required("loads", even.loads, ReadFactors);
  r.Required("prices", even.prices, [&](const Place& p, std::vector<PriceListSpec>& lists) {
    if (!IsMapOfNames(p, kMostFactors)) return;
    for (const Member& member : p.value().map()) {
      PriceListSpec list;
      list.name = member.key;
      ReadPriceList(p.Child(member), even, list);
      lists.push_back(std::move(list));
    }
    if (lists.empty()) p.Fail("names no price list");
  });
  r.Required("workloads", even.workloads,
             [&](const Place& p, std::vector<WorkloadSpec>& workloads) {
               ReadWorkloads(p, folder, workloads);
             });
  r.Finish();
}

}  // namespace

void ReadSweeps(const Place& at, const Catalog& catalog, const ScenarioSpec& scenario,
                std::vector<SweepSpec>& out) {
  if (!IsMapOfNames(at, kMostSweeps)) return;
  const SweepReader reader(catalog, scenario);
  for (const Member& member : at.value().map()) {
    SweepSpec sweep;
    sweep.name = member.key;
    reader.Read(at.Child(member), sweep);
    out.push_back(std::move(sweep));
  }
}

void ReadBreakEven(const Place& at, const std::string& folder, const ScenarioSpec& scenario,
                   std::vector<BreakEvenSpec>& out) {
  if (!IsMapOfNames(at, kMostSweeps)) return;
  for (const Member& member : at.value().map()) {
    BreakEvenSpec even;
    even.name = member.key;
    ReadOneBreakEven(at.Child(member), folder, scenario, even);
    out.push_back(std::move(even));
  }
}

}  // namespace spillway
