#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "core/decision.h"
#include "core/ids.h"
#include "core/job.h"
#include "core/policy_spec.h"
#include "core/pool.h"
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

// Key: (hour, pool, tenant, category). Amounts so far within the hour. Tenant is empty for idle
// rows. For each pool and hour: the rows' costs sum to the bill, exactly; idle takes the rounding.
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
  friend bool operator==(const LedgerRow&, const LedgerRow&) = default;
};
// Key: pool, number. What ledger rows need to go on after a restart: when the pool was last booked
// up to.
struct PoolRow {
  PoolId pool = kNoPool;
  std::shared_ptr<const PoolSpec> spec;
  PoolState state = PoolState::kActive;
  bool removed = false;     // no longer in the configuration
  Price price;              // in force
  std::vector<int> down;    // nodes seen down, rising
  absl::Time booked_until;  // ledger rows are complete up to here
};
// Key: (tenant, name). Durations of the last runs as they would have been at speed 1, oldest first;
// at most kRunsRemembered.
struct ObservationRow {
  std::string tenant, name;
  std::vector<absl::Duration> runs;
  std::string device;  // catalogue device and class by which they were brought to speed 1
  friend bool operator==(const ObservationRow&, const ObservationRow&) = default;
};
// Key: version.
struct PolicyRow {
  std::uint64_t version = 0;
  absl::Time since;
  std::shared_ptr<const PolicySpec> policy;
};
// A single row: the counters that the next event continues from.
struct CountersRow {
  EventNumber last_event{};
  DecisionId last_decision{};
  std::uint64_t epoch = 0;
  std::uint64_t placements = 0;  // for round robin and for draws
  friend bool operator==(const CountersRow&, const CountersRow&) = default;
};

using Record =
    std::variant<JobRow, DecisionRow, LedgerRow, PoolRow, ObservationRow, PolicyRow, CountersRow>;

}  // namespace spillway::record

namespace spillway {
using record::Record;
}  // namespace spillway
