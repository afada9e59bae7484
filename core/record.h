#pragma once

#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "core/decision.h"
#include "core/ids.h"
#include "core/job.h"
#include "core/policy_spec.h"
#include "core/pool.h"
#include "core/router_inputs.h"
#include "core/units.h"

// What the brain wants remembered: rows of tables, each given whole and written over the row with
// the same key. They are projections of the log, committed in the same transaction as the events
// that made them; what a restart needs can be read back from them (Brain::Restore).
namespace spillway::record {

// Key: id. `is_new`: the row does not exist yet, its `work` must be stored; later rows need not.
struct JobRow {
  Job job;
  bool is_new = false;
};
// Key: id. Never written twice. Shared, since answers hold it too.
struct DecisionRow {
  std::shared_ptr<const Decision> decision;
};

enum class Category : std::uint8_t { kWork, kIdle, kOverhead };
inline constexpr EnumNames<Category, 3> kCategoryNames{
    {{Category::kWork, "work"}, {Category::kIdle, "idle"}, {Category::kOverhead, "overhead"}}};
constexpr const auto& NamesOf(Category) { return kCategoryNames; }

// Key: see LedgerKey. Amounts so far within the hour. Tenant and model are empty for idle rows. For
// each pool and hour: the rows' costs sum to the bill, exactly; idle takes the rounding.
struct LedgerRow {
  absl::Time hour;  // its start, UTC
  PoolId pool = kNoPool;
  std::string tenant;
  Category category = Category::kWork;
  Usd cost{}, marginal_cost{}, baseline_cost{};
  Usd compared_cost{};     // the part of `cost` that has a baseline: both sides of a saving use it
  std::int64_t ended = 0;  // attempts that ended in this hour
  std::int64_t without_baseline = 0;  // jobs that ended in this hour and have no baseline
  Joules energy{};
  GramsCo2e carbon{};
  WorkKind kind = WorkKind::kJob;  // of idle rows: kService, since engines and nodes stand there
  std::string model;               // requests: which answered; jobs: empty
  std::int64_t finished = 0;       // pieces of work that ended: a job once, however many attempts
  std::int64_t prompt_tokens = 0, output_tokens = 0;  // as engines counted them
  // Node-hours that `cost` bought by the price in force: its share of a node x time. Zero where
  // nothing is paid by the hour, or the hour costs nothing.
  absl::Duration node_time{};
  Joules metered_energy{};  // the part of `energy` that a device metered; the rest is estimated
  friend bool operator==(const LedgerRow&, const LedgerRow&) = default;
};
using LedgerKey = std::tuple<absl::Time, PoolId, std::string, Category, WorkKind, std::string>;
inline LedgerKey KeyOf(const LedgerRow& row) {
  return {row.hour, row.pool, row.tenant, row.category, row.kind, row.model};
}
// Key: (tenant, period). What a tenant has spent of a budget since the period began (UTC): the sum
// of `cost` over its ledger rows of the category work. Kept of every tenant, budget or not, so that
// one that is set later counts from where it should.
struct BudgetRow {
  std::string tenant;
  BudgetPeriod period = BudgetPeriod::kDay;
  absl::Time since;
  Usd spent{};
  int warned = 0;  // the largest of 50, 80 and 100 (percent) that was passed in this period
  bool forecast_warned = false;  // it was said that the pace leads past the limit
  friend bool operator==(const BudgetRow&, const BudgetRow&) = default;
};
// Key: pool.
struct PoolRow {
  PoolId pool = kNoPool;
  std::shared_ptr<const PoolSpec> spec;
  PoolState state = PoolState::kActive;
  bool added = false;    // by the API, not by the configuration file
  bool removed = false;  // no longer in the configuration
  Price price;           // in force, with the speed-up of modelled pools folded in
  std::optional<Price>
      own_price;  // set by the API; stands until the file or the price book says another
  absl::Time own_price_at;
  std::vector<int> down;  // nodes seen down, rising
  std::vector<int> gone;  // of them: taken back by their owner, and paid for by nobody
};
// Key: pool. Where the pool's ledger stands within the open hour: what a restart needs to go on.
struct PoolBooksRow {
  PoolId pool = kNoPool;
  absl::Time booked_until;     // running work and idle time are booked up to here ...
  Usd allocated{};             // ... and since then these amounts, of attempts that ended
  Joules idle_energy{};        // of those: idle watts that went to whoever held a whole device
  absl::Duration node_time{};  // nodes in use x time, from booked_until to touched_at
  Usd egress{};                // of `allocated`: what answers paid to leave the site
  absl::Time touched_at;
  friend bool operator==(const PoolBooksRow&, const PoolBooksRow&) = default;
};
// Key: (tenant, name). Durations of the last runs as they would have been at speed 1, oldest first;
// at most kRunsRemembered. No runs: forgotten, the row goes.
struct ObservationRow {
  std::string tenant, name;
  std::vector<absl::Duration> runs;
  std::string work_class;  // by whose rates they were brought to speed 1, per unit; empty: none
  EventNumber last{};      // when it was last added to
  friend bool operator==(const ObservationRow&, const ObservationRow&) = default;
};
// Key: (pool, model). How the last answers compare with what was estimated: observed / estimated in
// millionths, oldest first; at most kRunsRemembered of each.
struct SpeedRow {
  PoolId pool = kNoPool;
  std::string model;
  std::vector<std::int64_t> ttft, tpot;
  friend bool operator==(const SpeedRow&, const SpeedRow&) = default;
};
// Key: model. What its prompts and answers were like; older ones count less and less.
struct ModelRow {
  std::string model;
  std::int64_t prompt_bytes = 0, prompt_tokens = 0;
  std::vector<std::int64_t> outputs;  // answers by length, see scheduler/router_state.h
  friend bool operator==(const ModelRow&, const ModelRow&) = default;
};
// Key: inputs->id. Never written twice.
struct RouterRow {
  std::shared_ptr<const RouterInputs> inputs;
};
// Key: version.
struct PolicyRow {
  std::uint64_t version = 0;
  absl::Time since;
  std::shared_ptr<const PolicySpec> policy;
  bool from_file = false;  // false: set through the API
};
// A single row: the counters that the next event continues from.
struct CountersRow {
  EventNumber last_event{};
  DecisionId last_decision{};
  std::uint64_t epoch = 0;
  std::uint64_t placements = 0;  // for round robin and for draws
  friend bool operator==(const CountersRow&, const CountersRow&) = default;
};

using Record = std::variant<JobRow, DecisionRow, LedgerRow, PoolRow, PoolBooksRow, ObservationRow,
                            PolicyRow, CountersRow, SpeedRow, ModelRow, RouterRow, BudgetRow>;

}  // namespace spillway::record

namespace spillway {
using record::Record;
}  // namespace spillway
