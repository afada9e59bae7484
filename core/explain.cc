#include "core/explain.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "core/text.h"

namespace spillway {
namespace {

// At most `digits` significant digits, no trailing zeros: 95, 1.5, 0.25.
std::string Significant(double value, int digits) { return absl::StrFormat("%.*g", digits, value); }

std::string NamesOfAll(const std::vector<Precision>& precisions) {
  return absl::StrJoin(precisions, ", ", [](std::string* out, Precision p) {
    absl::StrAppend(out, ToAbsl(NameOf(p)));
  });
}
std::string Listed(const std::vector<std::string>& words) { return absl::StrJoin(words, ", "); }

template <class T>
std::vector<T> Missing(const std::vector<T>& wanted, const std::vector<T>& found) {
  std::vector<T> missing;
  for (const T& w : wanted) {
    if (std::find(found.begin(), found.end(), w) == found.end()) missing.push_back(w);
  }
  return missing;
}

std::string OrNone(const std::string& words) { return words.empty() ? "none" : words; }

std::string ExplainGang(const Needs& needs, const PoolSpec& pool) {
  return absl::StrCat("needs ", needs.nodes, " nodes at once, the pool has ", pool.nodes);
}

std::string ExplainDevices(const Needs& needs, const PoolSpec& pool) {
  const DeviceNeed& d = needs.devices;
  if (d.count == 0)
    return "asks for no device, and CPU work on accelerator nodes has no price here";
  if (pool.node.devices < d.count) {
    return absl::StrCat("needs ", d.count, d.count == 1 ? " device" : " devices",
                        " on a node, a node has ", pool.node.devices);
  }
  if (d.kind && *d.kind != pool.kind) {
    return absl::StrCat("needs a ", ToAbsl(NameOf(*d.kind)), ", these are of kind ",
                        ToAbsl(NameOf(pool.kind)));
  }
  if (!d.vendor.empty() && d.vendor != pool.vendor) {
    return absl::StrCat("needs a device by ", d.vendor, ", these are by ", OrNone(pool.vendor));
  }
  if (!d.model.empty() && d.model != pool.device) {
    return absl::StrCat("needs a ", d.model, ", these are ", OrNone(pool.device));
  }
  const Bytes part = Scale(pool.device_memory, d.fraction);
  if (part >= d.memory) return ExplainGang(needs, pool);
  return absl::StrCat("needs ", Describe(d.memory), " on a device, ",
                      d.fraction < 1 ? "its part of one has " : "a device has ", Describe(part));
}

std::string ExplainRuntime(const Needs& needs, const PoolSpec& pool) {
  if (pool.adapter.type == "openai") return "runs no jobs: its engines answer requests";
  const auto found = pool.runtimes.find(needs.runtime.name);
  if (found != pool.runtimes.end()) {
    return absl::StrCat("needs ", needs.runtime.ToString(), ", it has ", needs.runtime.name, " ",
                        found->second.text());
  }
  const std::string offered =
      absl::StrJoin(pool.runtimes, ", ",
                    [](std::string* out, const auto& entry) { absl::StrAppend(out, entry.first); });
  return absl::StrCat("needs runtime ", needs.runtime.ToString(), ", it has ", OrNone(offered));
}

std::string ExplainModel(const Work& work, const Needs& needs, const PoolSpec& pool) {
  if (!needs.model.empty()) {
    const auto serve = std::find_if(pool.serves.begin(), pool.serves.end(),
                                    [&](const ServeSpec& s) { return s.model == needs.model; });
    if (work.kind != WorkKind::kRequest || serve == pool.serves.end())
      return absl::StrCat("does not serve model ", needs.model);
    const std::string& there = serve->upstream.empty() ? serve->model : serve->upstream;
    return absl::StrCat("is to serve model ", needs.model, ", but its engines do not list `", there,
                        "`");
  }
  const auto* units = std::get_if<ClassUnits>(&work.demand);
  return absl::StrCat("does not run work of class ", units ? units->work_class : "?", " (it runs ",
                      pool.classes ? OrNone(Listed(*pool.classes)) : "all", ")");
}

std::string ExplainLabels(const Needs& needs, const PoolSpec& pool) {
  for (const auto& [key, value] : needs.labels) {
    const auto found = pool.labels.find(key);
    if (found == pool.labels.end())
      return absl::StrCat("needs label ", key, "=", value, ", it has none");
    if (found->second != value)
      return absl::StrCat("needs label ", key, "=", value, ", it has ", found->second);
  }
  for (const auto& [key, value] : needs.avoid) {
    const auto found = pool.labels.find(key);
    if (found != pool.labels.end() && found->second == value)
      return absl::StrCat("avoids label ", key, "=", value);
  }
  return "labels do not match";
}

std::string ExplainLate(const Candidate& candidate, const Objective& objective) {
  const bool starts =
      !objective.deadline ||
      (objective.start_within && candidate.figures.wanted == ToNanos(*objective.start_within));
  const std::string verb = starts ? "start" : "finish";
  const std::string found = Describe(absl::Nanoseconds(candidate.figures.found));
  const absl::Duration wanted = absl::Nanoseconds(candidate.figures.wanted);
  // The policy spills before the objective is at risk; then the figure is how long it lets work
  // wait.
  if (!objective.deadline && objective.start_within && wanted < *objective.start_within) {
    return absl::StrCat("would start in ", found, " (p90), the policy waits ",
                        wanted <= absl::ZeroDuration() ? "not at all" : Describe(wanted),
                        " before it spills");
  }
  if (candidate.figures.wanted <= 0)
    return absl::StrCat("would ", verb, " in ", found, " (p90), the objective is past");
  return absl::StrCat("would ", verb, " in ", found, " (p90), the objective is ", Describe(wanted));
}

// A request's budget holds for the longest answer that it may get.
std::string ExplainDear(const Candidate& candidate, const Work& work) {
  const std::string allowed =
      absl::StrCat(", at most ", Describe(Usd(candidate.figures.wanted)), " is allowed");
  const std::string cost = Describe(Usd(candidate.figures.found));
  if (work.kind != WorkKind::kRequest) return absl::StrCat("would cost ", cost, allowed);
  return absl::StrCat("with the longest answer that it may get would cost ", cost, allowed);
}

std::string ExplainOutranked(const Candidate& candidate) {
  const std::string here = candidate.has_estimate && candidate.estimate.priced
                               ? absl::StrCat("here ", Describe(candidate.estimate.cost))
                               : std::string("its cost is not known");
  return candidate.backstop ? absl::StrCat("backstop pools claim last; ", here)
                            : absl::StrCat("claims after the chosen pool; ", here);
}

// Decisions compare what work adds to the bill (marginal); people are shown what it is charged
// (allocated). Where a pool is paid for anyway the two differ, and so "cheapest" would be false of
// the shown one. What it says is read beside what the work did cost in the end, so it says that it
// speaks of an estimate.
std::string ExplainChosen(const Candidate& candidate, const PoolSpec& pool) {
  if (!candidate.has_estimate || !candidate.estimate.priced) {
    return "first able pool in time; its cost is not known";
  }
  const std::string cost = Describe(candidate.estimate.cost);
  if (candidate.codes.Has(Code::kTooLate)) {
    return absl::StrCat("no pool meets the objective; first that could start, expected to cost ",
                        cost);
  }
  if (candidate.backstop)
    return absl::StrCat("backstop: no other pool could do it in time; expected to cost ", cost);
  if (pool.billing == Billing::kCommitted) {
    return absl::StrCat("paid for anyway, claims first; expected to add ",
                        Describe(candidate.estimate.marginal_cost), " to the bill");
  }
  return absl::StrCat("cheapest able pool in time, expected to cost ", cost);
}

}  // namespace

std::string Describe(Bytes bytes) {
  constexpr std::pair<double, const char*> kSteps[] = {
      {1099511627776.0, "TiB"}, {1073741824.0, "GiB"}, {1048576.0, "MiB"}, {1024.0, "KiB"}};
  for (const auto& [size, unit] : kSteps) {
    if (static_cast<double>(bytes.value()) >= size)
      return absl::StrCat(Significant(static_cast<double>(bytes.value()) / size, 4), " ", unit);
  }
  return absl::StrCat(bytes.value(), " B");
}

std::string Describe(MilliCpus cpus) {
  const std::string count = Significant(static_cast<double>(cpus.value()) / 1000.0, 4);
  return absl::StrCat(count, count == "1" ? " CPU" : " CPUs");
}

std::string Describe(absl::Duration duration) {
  if (duration == absl::InfiniteDuration()) return "forever";
  const double seconds = absl::ToDoubleSeconds(duration);
  const double size = std::abs(seconds);
  if (size >= 172800) return absl::StrCat(Significant(seconds / 86400, 3), " days");
  if (size >= 7200) return absl::StrCat(Significant(seconds / 3600, 3), " h");
  if (size >= 120) return absl::StrCat(Significant(seconds / 60, 3), " min");
  if (size >= 1 || size == 0) return absl::StrCat(Significant(seconds, 3), " s");
  if (size >= 1e-3) return absl::StrCat(Significant(seconds * 1e3, 3), " ms");
  return absl::StrCat(Significant(seconds * 1e6, 3), " us");
}

std::string Describe(Usd money) {
  const double usd = static_cast<double>(money.value()) / kNanosPerUsd;
  if (money.value() == 0) return "0 USD";
  if (std::abs(usd) >= 0.1) return absl::StrFormat("%.2f USD", usd);
  const int places = std::min(9, 1 - static_cast<int>(std::floor(std::log10(std::abs(usd)))));
  return absl::StrFormat("%.*f USD", places, usd);
}

std::string Decimal(Usd money) {
  constexpr std::size_t kPlaces = 9;
  const bool negative = money.value() < 0;
  auto left = static_cast<std::uint64_t>(money.value());
  if (negative) left = ~left + 1;
  char text[24];
  char* at = text + sizeof text;
  for (std::size_t digits = 0; left > 0 || digits <= kPlaces; ++digits) {
    if (digits == kPlaces) *--at = '.';
    *--at = static_cast<char>('0' + left % 10);
    left /= 10;
  }
  if (negative) *--at = '-';
  return {at, static_cast<std::size_t>(text + sizeof text - at)};
}

std::string Explain(const Candidate& candidate, Code code, const Work& work, const PoolSpec& pool) {
  const WorkFace face = FaceOf(work, candidate.alternative);
  const Needs& needs = face.needs;
  switch (code) {
    case Code::kCpus:
      if (pool.node.cpus >= needs.cpus) return ExplainGang(needs, pool);
      return absl::StrCat("needs ", Describe(needs.cpus), ", a node has ",
                          Describe(pool.node.cpus));
    case Code::kMemory:
      return absl::StrCat("needs ", Describe(needs.memory), ", a node has ",
                          Describe(pool.node.memory));
    case Code::kDevices:
      return ExplainDevices(needs, pool);
    case Code::kArch:
      return absl::StrCat("needs ", ToAbsl(NameOf(needs.arch.value_or(pool.arch))), ", it is ",
                          ToAbsl(NameOf(pool.arch)));
    case Code::kRuntime:
      return ExplainRuntime(needs, pool);
    case Code::kPrecision:
      return absl::StrCat("lacks precision ",
                          NamesOfAll(Missing(needs.precision, pool.precisions)));
    case Code::kFeature:
      return absl::StrCat("lacks ", Listed(Missing(needs.features, pool.features)));
    case Code::kConfidential:
      return absl::StrCat("is not confidential by ", needs.confidential);
    case Code::kModel:
      return ExplainModel(work, needs, pool);
    case Code::kSite:
      return absl::StrCat("stands at ", OrNone(pool.site.name), ", wanted ", Listed(needs.sites));
    case Code::kLabel:
      return ExplainLabels(needs, pool);
    case Code::kTenant:
      return absl::StrCat("is not for tenant ", work.tenant);
    case Code::kRule:
      return work.pin.empty() ? "the policy does not let this work use it"
                              : absl::StrCat("the work is pinned to ", work.pin);
    case Code::kDown:
      return "no node of it is up";
    case Code::kCordoned:
      return "is cordoned";
    case Code::kDraining:
      return "is draining";
    case Code::kQuota:
      return work.kind == WorkKind::kRequest
                 ? "its engines have as many requests under way as they take"
                 : "the tenant's quota there is used up";
    case Code::kBudget:
      return absl::StrCat("would cost ", Describe(Usd(candidate.figures.found)),
                          ", and the tenant's ", "budget has ",
                          Describe(Usd(candidate.figures.wanted)), " left");
    case Code::kReserved:
      return "its nodes are reserved for other tenants";
    case Code::kUnpriced:
      return "its price is not known, and the policy does not allow that";
    case Code::kTooDear:
      return ExplainDear(candidate, work);
    case Code::kTooLate:
      return ExplainLate(candidate, face.objective);
    case Code::kBusy:
      return absl::StrCat("is busy; would start in ", Describe(candidate.estimate.wait.p50),
                          ", worth waiting for");
    case Code::kOutranked:
      return ExplainOutranked(candidate);
    case Code::kChosen:
      return ExplainChosen(candidate, pool);
    case Code::kPinned:
      return "the work is pinned here";
  }
  return std::string(NameOf(code));
}

std::string Explain(const Candidate& candidate, const Work& work, const PoolSpec& pool) {
  return Explain(candidate, candidate.code(), work, pool);
}

}  // namespace spillway
