#include "policies/parts.h"

#include "core/check.h"
#include "policies/choices/least.h"
#include "policies/choices/round_robin.h"
#include "policies/choices/weighted.h"
#include "policies/claim_orders/cost.h"
#include "policies/claim_orders/random.h"
#include "policies/claim_orders/selectors.h"
#include "policies/claim_orders/tiers.h"
#include "policies/queue_orders/earliest_deadline.h"
#include "policies/queue_orders/fifo.h"
#include "policies/queue_orders/priority.h"
#include "policies/spill_rules/at_once.h"
#include "policies/spill_rules/need.h"
#include "policies/spill_rules/patience.h"

namespace spillway {

std::unique_ptr<const ClaimOrder> MakeClaimOrder(const PolicySpec& policy) {
  const ClaimSpec& claim = policy.claim;
  switch (claim.order) {
    case OrderBy::kCost:
      return std::make_unique<CostOrder>(claim.backstop, claim.band);
    case OrderBy::kTiers:
      return std::make_unique<TiersOrder>(claim.backstop);
    case OrderBy::kRandom:
      return std::make_unique<RandomOrder>(claim.backstop, policy.seed);
  }
  SPILLWAY_CHECK(false);
  return nullptr;
}

std::unique_ptr<const ClaimOrder> MakeRuleOrder(const PolicySpec& policy, const RuleSpec& rule) {
  return std::make_unique<SelectorsOrder>(rule.claim, policy.claim.backstop);
}

std::unique_ptr<const Choice> MakeChoice(const PolicySpec& policy) {
  switch (policy.choice) {
    case ChoiceRule::kLeastCost:
      return std::make_unique<LeastChoice>(Figure::kCost);
    case ChoiceRule::kLeastLatency:
      return std::make_unique<LeastChoice>(Figure::kLatency);
    case ChoiceRule::kLeastEnergy:
      return std::make_unique<LeastChoice>(Figure::kEnergy);
    case ChoiceRule::kLeastCarbon:
      return std::make_unique<LeastChoice>(Figure::kCarbon);
    case ChoiceRule::kLeastLoaded:
      return std::make_unique<LeastChoice>(Figure::kLoad);
    case ChoiceRule::kWeighted:
      return std::make_unique<WeightedChoice>(policy.weights);
    case ChoiceRule::kRoundRobin:
      return std::make_unique<RoundRobinChoice>();
  }
  SPILLWAY_CHECK(false);
  return nullptr;
}

std::unique_ptr<const SpillRuleBase> MakeSpillRule(const SpillSpec& spill) {
  switch (spill.rule) {
    case SpillRule::kNeed:
      return std::make_unique<SpillAtNeed>(spill.job_wait, spill.request_wait);
    case SpillRule::kPatience:
      return std::make_unique<SpillAfterPatience>(spill.patience);
    case SpillRule::kAtOnce:
      return std::make_unique<SpillAtOnce>();
  }
  SPILLWAY_CHECK(false);
  return nullptr;
}

std::unique_ptr<const QueueOrder> MakeQueueOrder(const QueueSpec& queue) {
  switch (queue.discipline) {
    case QueueRule::kFifo:
      return std::make_unique<FifoOrder>();
    case QueueRule::kPriority:
      return std::make_unique<PriorityOrder>(queue.aging);
    case QueueRule::kEarliestDeadline:
      return std::make_unique<EarliestDeadlineOrder>();
  }
  SPILLWAY_CHECK(false);
  return nullptr;
}

}  // namespace spillway
