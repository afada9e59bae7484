#include "policies/check.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "core/text.h"
#include "policies/cascade.h"
#include "policies/fallback.h"
#include "policies/reach.h"
#include "policies/reserved.h"
#include "policies/rules.h"
#include "policies/words.h"

namespace spillway {
namespace {

constexpr const char* kCheapestNvidia = "cheapest-nvidia";

class Checker {
 public:
  Checker(const PolicySpec& policy, const FleetSpec& fleet) : policy_(policy), fleet_(fleet) {}

  void Figures();
  void ClaimSelectors();
  void Rules();
  void Baseline(const Catalog& catalog);
  void Tenants(const TenantsSpec& tenants);

  std::vector<Finding> findings;

 private:
  template <class... Words>
  void Error(std::string_view where, const Words&... what) {
    findings.push_back({.error = true, .where = std::string(where), .what = absl::StrCat(what...)});
  }
  template <class... Words>
  void Warn(std::string_view where, const Words&... what) {
    findings.push_back(
        {.error = false, .where = std::string(where), .what = absl::StrCat(what...)});
  }
  // `at` holds when the value lies in its range; `range` says which that is. NaN lies in none.
  void InRange(bool holds, std::string_view where, double found, const char* range) {
    if (!holds) Error(where, found, " is out of range: want ", range);
  }
  void Positive(absl::Duration found, std::string_view where) {
    if (found <= absl::ZeroDuration())
      Error(where, absl::FormatDuration(found), " is out of range: want more than 0");
  }
  std::size_t Matched(const PoolSelector& selector) const;
  // The fleet's pools that belong to each entry of the rule: those that it matches first.
  std::vector<std::vector<const PoolSpec*>> PoolsByEntry(const RuleSpec& rule) const;
  void Entries(std::size_t rule);
  void BackstopLast(std::size_t rule);

  const PolicySpec& policy_;
  const FleetSpec& fleet_;
};

void Checker::Figures() {
  const double band = policy_.claim.band;
  InRange(band >= 0 && band <= 1, "claim.band", band, "0 to 1 (0 % to 100 %)");
  const SpillSpec& spill = policy_.spill;
  InRange(spill.job_wait > 0 && spill.job_wait <= 1, "spill.wait_at_most.job", spill.job_wait,
          "more than 0, at most 1");
  InRange(spill.request_wait > 0 && spill.request_wait <= 1, "spill.wait_at_most.request",
          spill.request_wait, "more than 0, at most 1");
  if (spill.patience < absl::ZeroDuration())
    Error("spill.patience", absl::FormatDuration(spill.patience),
          " is out of range: want 0 or more");
  const ChoiceWeights& w = policy_.weights;
  const std::pair<const char*, double> weights[] = {{"weights.cost", w.cost},
                                                    {"weights.latency", w.latency},
                                                    {"weights.energy", w.energy},
                                                    {"weights.carbon", w.carbon},
                                                    {"weights.load", w.load}};
  double most = 0;
  for (const auto& [where, weight] : weights) {
    InRange(weight >= 0 && std::isfinite(weight), where, weight, "0 or more");
    most = std::max(most, weight);
  }
  if (policy_.choice == ChoiceRule::kWeighted && most == 0)
    Warn("weights", "all weights are 0: of tied pools always the first in the fleet is chosen");
  Positive(policy_.queue.aging, "queue.aging");
  Positive(policy_.objectives.job_start_within, "objectives.job.start_within");
  Positive(policy_.objectives.request_ttft, "objectives.request.ttft");
  Positive(policy_.objectives.request_tpot, "objectives.request.tpot");
  Positive(policy_.default_duration, "default_duration");
  Positive(policy_.queue_timeout, "queue_timeout");
}

std::size_t Checker::Matched(const PoolSelector& selector) const {
  return static_cast<std::size_t>(
      std::count_if(fleet_.pools.begin(), fleet_.pools.end(),
                    [&](const PoolSpec& pool) { return selector.Matches(pool); }));
}

void Checker::ClaimSelectors() {
  const ClaimSpec& claim = policy_.claim;
  if (claim.only && Matched(*claim.only) == 0)
    Error("claim.only", "matches no pool of the fleet: no work could ever run");
  if (!claim.backstop || fleet_.pools.empty()) return;
  const std::size_t backstops = Matched(*claim.backstop);
  if (backstops == 0) Warn("claim.backstop", "matches no pool of the fleet: nothing claims last");
  if (backstops == fleet_.pools.size())
    Warn("claim.backstop", "matches every pool of the fleet: none claims before the others");
}

void Checker::Rules() {
  std::set<std::string> names;
  for (std::size_t i = 0; i < policy_.rules.size(); ++i) {
    const RuleSpec& rule = policy_.rules[i];
    if (!rule.name.empty() && !names.insert(rule.name).second)
      Error(absl::StrCat(RulePath(i), ".name"), Quoted(rule.name),
            " is the name of an earlier rule too; decisions name rules, so give it another");
    const int priority = rule.when.min_priority.value_or(0);
    InRange(std::abs(priority) <= kMaxPriority, absl::StrCat(RulePath(i), ".when.min_priority"),
            priority, "-100 to 100");
    Entries(i);
    BackstopLast(i);
  }
  FindDeadRules(policy_, findings);
}

std::vector<std::vector<const PoolSpec*>> Checker::PoolsByEntry(const RuleSpec& rule) const {
  std::vector<std::vector<const PoolSpec*>> entries(rule.claim.size());
  for (const PoolSpec& pool : fleet_.pools) {
    const std::size_t entry = FirstMatch(rule.claim, pool);
    if (entry < entries.size()) entries[entry].push_back(&pool);
  }
  return entries;
}

void Checker::Entries(std::size_t rule) {
  const auto& claim = policy_.rules[rule].claim;
  const std::string where = absl::StrCat(RulePath(rule), ".claim");
  if (claim.empty()) {
    Error(where, RuleInWords(policy_, rule),
          " names no pools, so all of its work would be refused; name some, or {} for all");
    return;
  }
  const bool usable = std::any_of(
      fleet_.pools.begin(), fleet_.pools.end(),
      [&](const PoolSpec& pool) { return Allows(policy_, static_cast<int>(rule), pool); });
  if (!usable) {
    Warn(where, RuleInWords(policy_, rule), " lets its work use no pool of this fleet",
         policy_.claim.only ? " that `claim.only` lets through" : "",
         ": such work will be refused");
    return;
  }
  const auto pools = PoolsByEntry(policy_.rules[rule]);
  for (std::size_t entry = 0; entry < claim.size(); ++entry) {
    if (!pools[entry].empty()) continue;
    const bool shadowed = Matched(claim[entry]) > 0;
    Warn(EntryPath(rule, entry), shadowed ? "adds nothing: every pool that it matches belongs to "
                                            "an earlier entry"
                                          : "matches no pool of this fleet");
  }
}

// Entries that match pools of both kinds are split by the order itself; one that names nothing but
// the backstop says where it wants it.
void Checker::BackstopLast(std::size_t rule) {
  const auto pools = PoolsByEntry(policy_.rules[rule]);
  const auto is_backstop = [&](const PoolSpec* pool) { return IsBackstop(policy_, *pool); };
  const PoolSpec* after = nullptr;  // a pool of a later entry that is no backstop
  for (std::size_t entry = pools.size(); entry-- > 0;) {
    const auto& here = pools[entry];
    const auto other = std::find_if_not(here.begin(), here.end(), is_backstop);
    if (other != here.end()) {
      after = *other;
    } else if (!here.empty() && after) {
      Error(EntryPath(rule, entry), "reaches the backstop (", Quoted(here.front()->name),
            ") before ", Quoted(after->name), "; put this entry last, or drop `claim.backstop`");
    }
  }
}

void Checker::Baseline(const Catalog& catalog) {
  const std::string& name = policy_.baseline;
  std::vector<std::string> known{kCheapestNvidia};
  for (const PoolSpec& pool : fleet_.pools) known.push_back(pool.name);
  if (std::find(known.begin(), known.end(), name) != known.end()) return;
  const auto device = catalog.devices.find(name);
  if (device != catalog.devices.end()) {
    if (device->second.prices.empty())
      Error("baseline", "device ", Quoted(name),
            " has no price in the catalogue; name one that has, or a pool");
    return;
  }
  for (const auto& [other, entry] : catalog.devices) known.push_back(other);
  const std::string near = NearestWord(name, known);
  Error("baseline", Quoted(name), " is neither `", kCheapestNvidia,
        "` nor a pool nor a device of the catalogue",
        near.empty() ? "" : absl::StrCat(" (did you mean ", Quoted(near), "?)"));
}

void Checker::Tenants(const TenantsSpec& tenants) {
  FindInvertedReservations(policy_, fleet_, tenants, findings);
  for (const TenantSpec& tenant : tenants.tenants) {
    if (tenant.weight == 1) continue;
    Warn("queue.discipline", "the weight of tenant ", Quoted(tenant.name),
         " has no effect: no queue discipline uses weights yet");
  }
}

std::vector<Finding> Check(const PolicySpec& policy, const FleetSpec& fleet,
                           const TenantsSpec& tenants, const Catalog* catalog) {
  Checker checker(policy, fleet);
  checker.Figures();
  checker.ClaimSelectors();
  if (catalog) checker.Baseline(*catalog);
  checker.Rules();
  checker.Tenants(tenants);
  FindHoles(policy, fleet, checker.findings);
  CheckCascades(policy, fleet, checker.findings);
  return std::move(checker.findings);
}

}  // namespace

std::vector<Finding> CheckPolicy(const PolicySpec& policy, const FleetSpec& fleet,
                                 const TenantsSpec& tenants, const Catalog& catalog) {
  return Check(policy, fleet, tenants, &catalog);
}
std::vector<Finding> CheckPolicy(const PolicySpec& policy, const FleetSpec& fleet,
                                 const TenantsSpec& tenants) {
  return Check(policy, fleet, tenants, nullptr);
}

}  // namespace spillway
