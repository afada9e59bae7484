#include "policies/fallback.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "policies/ability.h"
#include "policies/rules.h"
#include "policies/words.h"

namespace spillway {
namespace {

// The entry of `wanted` that the pool has, else the first; nothing if nothing is wanted.
std::string Suiting(const std::vector<std::string>& wanted, const std::vector<std::string>& found) {
  for (const std::string& word : wanted) {
    if (std::find(found.begin(), found.end(), word) != found.end()) return word;
  }
  return wanted.empty() ? "" : wanted.front();
}

// Makes `work` fall under `when`, in the way that suits the pool best.
void Satisfy(const WorkSelector& when, const PoolSpec& pool, Work& work) {
  if (!when.name.empty()) work.name = when.name.front();
  if (!when.tenant.empty()) work.tenant = Suiting(when.tenant, pool.tenants);
  if (!when.confidential.empty()) {
    std::vector<std::string> offered = pool.confidential;
    offered.insert(offered.end(), pool.features.begin(), pool.features.end());
    work.needs.confidential = Suiting(when.confidential, offered);
  }
  if (!when.work_class.empty()) {
    const auto offered = pool.classes.value_or(std::vector<std::string>());
    work.demand = ClassUnits{.work_class = Suiting(when.work_class, offered), .units = 1};
  }
  if (!when.model.empty() && work.needs.model.empty())
    work.needs.model = Suiting(when.model, pool.models.value_or(std::vector<std::string>()));
  for (const auto& [label, values] : when.labels)
    work.labels[label] = values.empty() ? "" : values.front();
  work.priority = when.min_priority.value_or(0);
}

// A job that fills one node and runs on `runtime`.
Work JobFilling(const PoolSpec& pool, const std::string& runtime) {
  Work work;
  if (!pool.tenants.empty()) work.tenant = pool.tenants.front();
  work.needs.cpus = pool.node.cpus;
  work.needs.memory = pool.node.memory;
  work.needs.devices.count = pool.node.devices;
  work.needs.devices.memory = pool.device_memory;
  work.needs.runtime.name = runtime;
  if (pool.classes && !pool.classes->empty())
    work.demand = ClassUnits{.work_class = pool.classes->front(), .units = 1};
  return work;
}

Work RequestOf(const PoolSpec& pool, const std::string& model) {
  Work work;
  work.kind = WorkKind::kRequest;
  if (!pool.tenants.empty()) work.tenant = pool.tenants.front();
  work.needs.model = model;
  return work;
}

std::vector<Work> ShapesServedBy(const PoolSpec& pool) {
  std::vector<Work> shapes;
  for (const auto& [runtime, version] : pool.runtimes) {
    if (RunsJobs(pool)) shapes.push_back(JobFilling(pool, runtime));
  }
  if (!pool.models) return shapes;
  for (const std::string& model : *pool.models) shapes.push_back(RequestOf(pool, model));
  return shapes;
}

// One rule (-1: none), the pools that it leaves to its work, and how often pools may still be
// asked.
struct Search {
  const PolicySpec& policy;
  const FleetSpec& fleet;
  int rule;
  std::vector<const PoolSpec*> allowed;
  std::int64_t& questions_left;

  bool IsAble(const Work& work, const PoolSpec& pool) const {
    --questions_left;
    return AbilityOf(work, FaceFor(work, pool), pool).able();
  }
  // Does some pool of the rule take this work? The pool that it was made for is asked first, so
  // that on a fleet without holes each shape costs one question.
  bool IsTaken(const Work& work, const PoolSpec& made_for) const {
    if (Allows(policy, rule, made_for)) return true;
    return std::any_of(allowed.begin(), allowed.end(), [&](const PoolSpec* pool) {
      return questions_left <= 0 || IsAble(work, *pool);
    });
  }
  // Does the pool serve work that falls under the rule and that no pool of the rule can do?
  bool LeavesAHole(const PoolSpec& pool) const {
    for (Work& shape : ShapesServedBy(pool)) {
      if (rule >= 0) Satisfy(policy.rules[static_cast<std::size_t>(rule)].when, pool, shape);
      if (RuleFor(policy, shape) != rule || !IsAble(shape, pool)) continue;
      if (!IsTaken(shape, pool)) return true;
    }
    return false;
  }
};

std::vector<std::string> PoolsWithHoles(const PolicySpec& policy, const FleetSpec& fleet, int rule,
                                        std::int64_t& questions_left) {
  Search search{policy, fleet, rule, {}, questions_left};
  for (const PoolSpec& pool : fleet.pools) {
    if (Allows(policy, rule, pool)) search.allowed.push_back(&pool);
  }
  std::vector<std::string> names;
  for (const PoolSpec& pool : fleet.pools) {
    if (questions_left > 0 && search.LeavesAHole(pool)) names.push_back(pool.name);
  }
  return names;
}

Finding HoleIn(const PolicySpec& policy, int rule, const std::vector<std::string>& pools) {
  const std::string hole =
      absl::StrCat(" leaves no able pool for some work that ", Enumerated(pools),
                   pools.size() == 1 ? " serves" : " serve", ": such work will be refused");
  if (rule < 0)
    return {.error = false, .where = "claim.only", .what = absl::StrCat("`only`", hole)};
  const auto i = static_cast<std::size_t>(rule);
  return {.error = false,
          .where = absl::StrCat(RulePath(i), ".claim"),
          .what = absl::StrCat(RuleInWords(policy, i), hole,
                               "; add an entry for it, or narrow `when`")};
}

}  // namespace

void FindHoles(const PolicySpec& policy, const FleetSpec& fleet, std::vector<Finding>& findings) {
  std::int64_t questions_left = 1'000'000;
  for (int rule = -1; rule < static_cast<int>(policy.rules.size()); ++rule) {
    const auto pools = PoolsWithHoles(policy, fleet, rule, questions_left);
    if (!pools.empty()) findings.push_back(HoleIn(policy, rule, pools));
    if (questions_left > 0) continue;
    findings.push_back({.error = false,
                        .where = rule < 0 ? "claim" : RulePath(static_cast<std::size_t>(rule)),
                        .what = "fleet and rules are too large to look for work without a pool "
                                "from here on"});
    return;
  }
}

}  // namespace spillway
