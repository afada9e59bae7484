#pragma once

#include <memory>

#include "core/policy_spec.h"
#include "policies/choice.h"
#include "policies/claim_order.h"
#include "policies/queue_order.h"
#include "policies/spill.h"

// The one place where words of a policy file become parts. Who adds a part adds its case here; the
// compiler reports a word without one (docs/extend/policy.md).
namespace spillway {

std::unique_ptr<const ClaimOrder> MakeClaimOrder(const PolicySpec& policy);
// The order of one rule's own list.
std::unique_ptr<const ClaimOrder> MakeRuleOrder(const PolicySpec& policy, const RuleSpec& rule);
std::unique_ptr<const Choice> MakeChoice(const PolicySpec& policy);
std::unique_ptr<const SpillRuleBase> MakeSpillRule(const SpillSpec& spill);
std::unique_ptr<const QueueOrder> MakeQueueOrder(const QueueSpec& queue);

}  // namespace spillway
