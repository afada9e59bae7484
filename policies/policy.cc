#include "policies/policy.h"

#include "absl/strings/str_cat.h"
#include "policies/check.h"
#include "policies/parts.h"
#include "policies/rules.h"

namespace spillway {
namespace {

absl::Status AsStatus(const PolicySpec& spec, const std::vector<Finding>& findings) {
  std::string errors;
  for (const Finding& finding : findings) {
    if (!finding.error) continue;
    absl::StrAppend(&errors, errors.empty() ? "" : "; ", finding.where, ": ", finding.what);
  }
  if (errors.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("policy `", spec.name, "`: ", errors));
}

}  // namespace

Policy::Policy(const PolicySpec& spec)
    : spec_(spec),
      order_(MakeClaimOrder(spec)),
      choice_(MakeChoice(spec)),
      spill_(MakeSpillRule(spec.spill)),
      queue_(MakeQueueOrder(spec.queue)) {
  for (const RuleSpec& rule : spec.rules) rule_orders_.push_back(MakeRuleOrder(spec, rule));
}

absl::StatusOr<std::shared_ptr<const Policy>> Policy::Compile(const PolicySpec& spec,
                                                              const FleetSpec& fleet,
                                                              const TenantsSpec& tenants) {
  const absl::Status status = AsStatus(spec, CheckPolicy(spec, fleet, tenants));
  if (!status.ok()) return status;
  return std::shared_ptr<const Policy>(new Policy(spec));
}

absl::StatusOr<std::shared_ptr<const Policy>> Policy::Compile(const PolicySpec& spec,
                                                              const FleetSpec& fleet,
                                                              const TenantsSpec& tenants,
                                                              const Catalog& catalog) {
  const absl::Status status = AsStatus(spec, CheckPolicy(spec, fleet, tenants, catalog));
  if (!status.ok()) return status;
  return std::shared_ptr<const Policy>(new Policy(spec));
}

int Policy::RuleFor(const Work& work) const { return spillway::RuleFor(spec_, work); }

bool Policy::Allows(int rule, const PoolSpec& pool) const {
  return spillway::Allows(spec_, rule, pool);
}

bool Policy::IsBackstop(const PoolSpec& pool) const { return spillway::IsBackstop(spec_, pool); }

void Policy::Arrange(const Work& work, int rule, absl::Span<const Claimant> claimants,
                     std::uint64_t draw, std::vector<Claim>& out) const {
  const ClaimOrder& order = rule < 0 ? *order_ : *rule_orders_[static_cast<std::size_t>(rule)];
  order.Arrange(work, claimants, draw, out);
}

NodeRule Policy::NodesOf(const PoolSpec& pool) const {
  if (spec_.nodes != NodeRule::kAuto) return spec_.nodes;
  return pool.billing == Billing::kCommitted ? NodeRule::kSpread : NodeRule::kPack;
}

}  // namespace spillway
