#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/cascade.h"
#include "core/selector.h"
#include "core/work.h"

// What a policy file says: the words, not yet the meaning (policies/ gives them that).
namespace spillway {

enum class OrderBy : std::uint8_t { kCost, kTiers, kRandom };
inline constexpr EnumNames<OrderBy, 3> kOrderByNames{
    {{OrderBy::kCost, "cost"}, {OrderBy::kTiers, "tiers"}, {OrderBy::kRandom, "random"}}};
constexpr const auto& NamesOf(OrderBy) { return kOrderByNames; }

struct ClaimSpec {
  OrderBy order = OrderBy::kCost;
  std::optional<PoolSelector> backstop;  // claims last, whatever it costs; none: no vendor rule
  std::optional<PoolSelector> only;      // no other pool is ever used (baselines)
  double band = 0.02;  // pools whose marginal cost lies this close are one tier; [0, 1]
  friend bool operator==(const ClaimSpec&, const ClaimSpec&) = default;
};

// Which work a rule is about. Every key that is given must hold; a list means any of its entries.
struct WorkSelector {
  std::vector<WorkKind> kind;
  std::vector<std::string> name, tenant, confidential, work_class, model;
  std::map<std::string, std::vector<std::string>> labels;
  std::optional<int> min_priority;
  bool Matches(const Work& work) const;
  friend bool operator==(const WorkSelector&, const WorkSelector&) = default;
};

struct RuleSpec {
  std::string name;
  WorkSelector when;
  std::vector<PoolSelector>
      claim;  // in order; the whole list: a pool not named is refused with `rule`
  friend bool operator==(const RuleSpec&, const RuleSpec&) = default;
};

enum class SpillRule : std::uint8_t { kNeed, kPatience, kAtOnce };
inline constexpr EnumNames<SpillRule, 3> kSpillRuleNames{{{SpillRule::kNeed, "need"},
                                                          {SpillRule::kPatience, "patience"},
                                                          {SpillRule::kAtOnce, "at-once"}}};
constexpr const auto& NamesOf(SpillRule) { return kSpillRuleNames; }

struct SpillSpec {
  SpillRule rule = SpillRule::kNeed;
  double job_wait = 0.75;      // of its slack that a job may spend waiting under `need`; (0, 1]
  double request_wait = 0.90;  // of its TTFT
  absl::Duration patience = absl::Seconds(2);
  friend bool operator==(const SpillSpec&, const SpillSpec&) = default;
};

enum class ChoiceRule : std::uint8_t {
  kLeastCost,
  kLeastLatency,
  kLeastEnergy,
  kLeastCarbon,
  kLeastLoaded,
  kWeighted,
  kRoundRobin
};
inline constexpr EnumNames<ChoiceRule, 7> kChoiceRuleNames{
    {{ChoiceRule::kLeastCost, "least-cost"},
     {ChoiceRule::kLeastLatency, "least-latency"},
     {ChoiceRule::kLeastEnergy, "least-energy"},
     {ChoiceRule::kLeastCarbon, "least-carbon"},
     {ChoiceRule::kLeastLoaded, "least-loaded"},
     {ChoiceRule::kWeighted, "weighted"},
     {ChoiceRule::kRoundRobin, "round-robin"}}};
constexpr const auto& NamesOf(ChoiceRule) { return kChoiceRuleNames; }

// For `weighted`: each figure is divided by the least one among the tied pools, then summed by
// these.
struct ChoiceWeights {
  double cost = 1, latency = 0, energy = 0, carbon = 0, load = 0;
  friend bool operator==(const ChoiceWeights&, const ChoiceWeights&) = default;
};

// Which node of the pool. Auto: spread where nodes stay up (committed), pack where they are
// switched off.
enum class NodeRule : std::uint8_t { kAuto, kSpread, kPack };
inline constexpr EnumNames<NodeRule, 3> kNodeRuleNames{
    {{NodeRule::kAuto, "auto"}, {NodeRule::kSpread, "spread"}, {NodeRule::kPack, "pack"}}};
constexpr const auto& NamesOf(NodeRule) { return kNodeRuleNames; }

enum class QueueRule : std::uint8_t { kFifo, kPriority, kEarliestDeadline };
inline constexpr EnumNames<QueueRule, 3> kQueueRuleNames{
    {{QueueRule::kFifo, "fifo"},
     {QueueRule::kPriority, "priority"},
     {QueueRule::kEarliestDeadline, "earliest-deadline"}}};
constexpr const auto& NamesOf(QueueRule) { return kQueueRuleNames; }

struct QueueSpec {
  QueueRule discipline = QueueRule::kPriority;
  absl::Duration aging =
      absl::Minutes(10);  // waiting this long is worth one point of priority; infinite: never
  friend bool operator==(const QueueSpec&, const QueueSpec&) = default;
};

struct RequestObjective {
  std::optional<absl::Duration> ttft, tpot;
  friend bool operator==(const RequestObjective&, const RequestObjective&) = default;
};
struct DefaultObjectives {
  absl::Duration job_start_within = absl::Seconds(60);
  absl::Duration request_ttft = absl::Seconds(3);
  absl::Duration request_tpot = absl::Milliseconds(200);
  // By model; what is not said is as above.
  std::map<std::string, RequestObjective> models;
  friend bool operator==(const DefaultObjectives&, const DefaultObjectives&) = default;
};

struct PolicySpec {
  std::string name = "backstop";
  ClaimSpec claim;
  std::vector<RuleSpec> rules;
  SpillSpec spill;
  ChoiceRule choice = ChoiceRule::kLeastCost;
  ChoiceWeights weights;
  NodeRule nodes = NodeRule::kAuto;
  QueueSpec queue;
  DefaultObjectives objectives;
  absl::Duration default_duration = absl::Seconds(60);  // of a job about which nothing is known
  absl::Duration queue_timeout = absl::Hours(24);       // of work that no pool can do any more
  bool allow_unpriced = false;
  std::string baseline = "cheapest-nvidia";  // or a pool, or a priced device of the catalogue
  std::uint64_t seed = 0;                    // for `order: random`
  std::vector<CascadeSpec> cascades;         // the first that a request falls under counts
  friend bool operator==(const PolicySpec&, const PolicySpec&) = default;
};

// The price of a modelled pool has its speed-up folded in, as everywhere behind formats/.
struct PriceChange {
  std::string pool;
  absl::Time from;
  Price price;
};
struct PricesSpec {
  std::vector<PriceChange> prices;  // for one pool: rising in `from`, no two equal
};

// Nodes of a pool that only this tenant may use.
struct Reservation {
  std::string pool;
  int nodes = 0;
};
// What a tenant may ask for; none: no bound but the machine's.
struct Quota {
  std::optional<std::int64_t> requests_per_minute;
  std::optional<int> concurrency;  // requests under way at once
  // A budget in short: `per_day`, and it refuses (LimitsOf of scheduler/budgets.h reads both).
  std::optional<Usd> usd_per_day;
  friend bool operator==(const Quota&, const Quota&) = default;
};
// What a tenant may spend: allocated cost of its work, within a UTC day or month.
enum class BudgetPeriod : std::uint8_t { kDay, kMonth };
inline constexpr EnumNames<BudgetPeriod, 2> kBudgetPeriodNames{
    {{BudgetPeriod::kDay, "day"}, {BudgetPeriod::kMonth, "month"}}};
constexpr const auto& NamesOf(BudgetPeriod) { return kBudgetPeriodNames; }

// What becomes of new work that would take a budget past its limit.
enum class WhenSpent : std::uint8_t { kWarn, kRefuse, kDemote };
inline constexpr EnumNames<WhenSpent, 3> kWhenSpentNames{
    {{WhenSpent::kWarn, "warn"}, {WhenSpent::kRefuse, "refuse"}, {WhenSpent::kDemote, "demote"}}};
constexpr const auto& NamesOf(WhenSpent) { return kWhenSpentNames; }

struct Budget {
  std::optional<Usd> per_day, per_month;
  WhenSpent when_spent = WhenSpent::kWarn;
  std::optional<PoolSelector> demote_to;  // demote: the only pools that it may use then
  friend bool operator==(const Budget&, const Budget&) = default;
};
struct TenantSpec {
  std::string name;
  double weight = 1;
  std::vector<Reservation> reserved;
  Quota quota;
  std::optional<absl::Duration> ttft, tpot;  // of its requests, where they do not say
  Budget budget;
};
struct TenantsSpec {
  std::vector<TenantSpec> tenants;
};

}  // namespace spillway
