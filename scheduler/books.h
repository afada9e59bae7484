#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "absl/time/time.h"
#include "core/job.h"
#include "core/record.h"
#include "core/request.h"
#include "scheduler/amounts.h"
#include "scheduler/pool_run.h"

namespace spillway {

// Is the whole pool paid for however little of it is used? Reserved and owned nodes are, and nodes
// that others run under our engines.
inline bool IsAlwaysUp(const PoolSpec& pool) {
  return pool.billing == Billing::kCommitted ||
         (pool.billing == Billing::kMetered && !pool.adapter.urls.empty());
}

// The ledger: for each pool and hour, what work, overhead and idleness cost, so that the rows add
// up to the bill, exactly.
//
//  - The bill of a pool that is up in any case (committed) is rate x nodes x time; of one whose
//  nodes are
//    bought while used (metered), rate x time of nodes in use.
//  - Requests are booked when they have ended: each has its share of the time of an engine.
//  - Running work is booked when it ends, when an hour ends and when a price changes. Amounts are
//    differences of totals since the rate came into force, so that they sum to the rounded total.
//  - Idle = bill - what was allocated, and takes the rounding.
//  - An attempt that turns out to be overhead moves what earlier hours booked as work within the
//  hour in
//    which that is known: closed hours are never written again.
class Books {
 public:
  using FindJob = absl::FunctionRef<const Job&(AttemptKey)>;

  void Restore(std::vector<record::LedgerRow> rows);
  // An attempt that was launched, or found running after a restart: its tenant's budget sets aside
  // what it is expected to cost and the ledger does not have yet.
  void Hold(const PoolRun& pool, const Job& job, const Attempt& attempt);
  Usd HeldBy(const std::string& tenant) const;

  // Call before the number of nodes in use changes.
  static void Touch(PoolRun& pool, absl::Time now);
  // The attempt gives back what it held: completes its amounts. `category` is kWork or kOverhead.
  void End(PoolRun& pool, const Job& job, Attempt& attempt, record::Category category,
           std::optional<Joules> metered, absl::Time now);
  // The job is over: both sides of its saving.
  void Compare(PoolId pool, const Job& job, absl::Time now);
  // A request that an engine of the pool answered, in the hour of `now`.
  void Add(PoolRun& pool, const Request& request, absl::Time now);
  // What an engine of the pool lost on an attempt that was given up for another: overhead.
  void AddLost(PoolRun& pool, const Request& request, const ForwardAttempt& lost, absl::Time now);
  // Brings the pool up to `until`, which lies within the hour of booked_until or at its end.
  void Close(PoolRun& pool, FindJob job_of, absl::Time until);
  // The same on a copy of the pool's books, for a look at the open hour.
  void Close(const PoolRun& pool, record::PoolBooksRow& books, FindJob job_of, absl::Time until);
  // Closes every hour that has ended by `now`.
  void CatchUp(PoolRun& pool, FindJob job_of, absl::Time now);
  // Moves what running attempts have cost so far into them, as the rate changes now. After Close.
  static void Settle(const PoolRun& pool, const Job& job, Attempt& attempt, absl::Time now);

  // Rows changed since the last call; rows of ended hours are forgotten then.
  std::vector<record::LedgerRow> TakeChanged(absl::Time now);
  const std::map<record::LedgerKey, record::LedgerRow>& rows() const { return rows_; }

  // What work rows have grown by since the last call (less than nothing where work turned out to be
  // overhead): for budgets.
  struct Spending {
    std::string tenant;
    absl::Time hour;
    Usd grown{};
  };
  std::vector<Spending> TakeSpending();

  static absl::Time HourOf(absl::Time t);

 private:
  // The reference holds until the next call. `model`: of requests.
  record::LedgerRow& Row(absl::Time at, PoolId pool, const std::string& tenant,
                         record::Category category, WorkKind kind, const std::string& model = "");
  void AddTo(record::LedgerRow& row, const PoolRun& pool, const Amounts& amounts);
  void NoteSpending(const record::LedgerRow& row, Usd grown);
  void Release(const std::string& tenant, Usd amount);

  std::map<record::LedgerKey, record::LedgerRow> rows_;
  std::vector<record::LedgerKey> changed_;
  std::vector<Spending> spending_;
  std::map<std::string, Usd> held_;  // by tenant; none: nothing
};

}  // namespace spillway
