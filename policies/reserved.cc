#include "policies/reserved.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "policies/rules.h"
#include "policies/words.h"

namespace spillway {
namespace {

using Words = std::vector<std::string>;

bool Has(const Words& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}
bool HasAnyOf(const Words& wanted, const Words& found) {
  return std::any_of(wanted.begin(), wanted.end(),
                     [&](const std::string& word) { return Has(found, word); });
}

// Could the pool do any of the rule's work, as far as `when` tells?
bool CouldServe(const WorkSelector& when, const PoolSpec& pool) {
  const bool confidential = when.confidential.empty() ||
                            HasAnyOf(when.confidential, pool.confidential) ||
                            HasAnyOf(when.confidential, pool.features);
  const bool classes =
      when.work_class.empty() || !pool.classes || HasAnyOf(when.work_class, *pool.classes);
  const bool models = when.model.empty() || !pool.models || HasAnyOf(when.model, *pool.models);
  return confidential && classes && models;
}

struct Question {
  const PolicySpec& policy;
  const FleetSpec& fleet;
  const TenantsSpec& tenants;
  const RuleSpec& rule;
  const TenantSpec& tenant;
};

int NodesOf(const TenantSpec& tenant, const PoolSpec& pool) {
  int nodes = 0;
  for (const Reservation& r : tenant.reserved) nodes += r.pool == pool.name ? r.nodes : 0;
  return nodes;
}

// Would this tenant's work under the rule find a node there at all?
bool IsOpen(const Question& q, const PoolSpec& pool) {
  if (!pool.tenants.empty() && !Has(pool.tenants, q.tenant.name)) return false;
  int nodes = pool.nodes;
  for (const TenantSpec& other : q.tenants.tenants) {
    if (other.name != q.tenant.name) nodes -= NodesOf(other, pool);
  }
  return nodes > 0 && CouldServe(q.rule.when, pool);
}

// A pool that is not the tenant's own but stands before `own` in the rule; null: none.
const PoolSpec* PoolBefore(const Question& q, const PoolSpec& own) {
  const std::size_t place = FirstMatch(q.rule.claim, own);
  const bool backstop = IsBackstop(q.policy, own);
  for (const PoolSpec& pool : q.fleet.pools) {
    const bool stranger = NodesOf(q.tenant, pool) == 0 && IsOpen(q, pool);
    if (!stranger || IsBackstop(q.policy, pool) != backstop) continue;
    if (FirstMatch(q.rule.claim, pool) < place) return &pool;
  }
  return nullptr;
}

// Empty: nothing to say.
std::string ProblemWith(const Question& q, const PoolSpec& own) {
  const std::string reserved = absl::StrCat(Quoted(own.name), ", where tenant ",
                                            Quoted(q.tenant.name), " has nodes reserved");
  const std::string advice = absl::StrCat("; write a rule for `tenant: ", q.tenant.name,
                                          "` before it that names ", Quoted(own.name), " first");
  if (FirstMatch(q.rule.claim, own) == q.rule.claim.size())
    return absl::StrCat("leaves out ", reserved, advice);
  const PoolSpec* before = PoolBefore(q, own);
  if (!before) return "";
  return absl::StrCat("puts ", Quoted(before->name), " before ", reserved, advice);
}

void CheckRule(const Question& q, std::size_t rule, std::vector<Finding>& findings) {
  for (const PoolSpec& pool : q.fleet.pools) {
    if (NodesOf(q.tenant, pool) == 0 || !IsOpen(q, pool)) continue;
    const std::string problem = ProblemWith(q, pool);
    if (problem.empty()) continue;
    findings.push_back({.error = true,
                        .where = absl::StrCat(RulePath(rule), ".claim"),
                        .what = absl::StrCat(RuleInWords(q.policy, rule), " ", problem)});
  }
}

}  // namespace

void FindInvertedReservations(const PolicySpec& policy, const FleetSpec& fleet,
                              const TenantsSpec& tenants, std::vector<Finding>& findings) {
  for (std::size_t i = 0; i < policy.rules.size(); ++i) {
    const RuleSpec& rule = policy.rules[i];
    for (const TenantSpec& tenant : tenants.tenants) {
      if (tenant.reserved.empty()) continue;
      if (!rule.when.tenant.empty() && !Has(rule.when.tenant, tenant.name)) continue;
      CheckRule({policy, fleet, tenants, rule, tenant}, i, findings);
    }
  }
}

}  // namespace spillway
