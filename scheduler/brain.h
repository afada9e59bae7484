#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "core/command.h"
#include "core/event.h"
#include "core/record.h"

// The brain: everything that decides about jobs, as one pure state machine. No sockets, no threads,
// no clock, no chance of its own: events with their times come in, records and commands go out. The
// live controller and the simulator host the very same class, and a recorded log folds to the same
// records.
namespace spillway {

// The answer to the event itself, for whoever sent it.
struct Reply {
  // Submitted: kInvalidArgument with `decision` if no configured pool could ever do it (nothing is
  // kept but the decision); kResourceExhausted with `decision` if its tenant's budget does not
  // allow it on any pool. CancelRequested: kNotFound for an unknown job; a finished one is a
  // success. PoolStateSet, PoolPriced, PoolAdded, PolicySet, PricesSet, FileRead: why not.
  absl::Status status;
  JobId job{};
  std::shared_ptr<const Decision> decision;
};

struct Effects {
  std::vector<Record> records;    // in order; a later row with the same key stands
  std::vector<Command> commands;  // run after the records are committed
  void Clear() {
    records.clear();
    commands.clear();
  }
};

// One pool as readers see it (API, metrics).
struct PoolStatus {
  PoolId id = kNoPool;
  std::shared_ptr<const PoolSpec> spec;
  PoolState state = PoolState::kActive;
  bool removed = false;
  Price price;  // in force
  int nodes_up = 0;
  MilliCpus cpus_total{}, cpus_free{};  // over all nodes that are up
  Bytes memory_total{}, memory_free{};
  std::int64_t devices_total = 0, devices_free = 0;  // wholly free ones
  int running = 0;                                   // attempts, starting ones included
  int awaited_by = 0;                                // queued jobs that plan to use it
};

struct QueueStatus {
  std::int64_t depth = 0;
  std::optional<absl::Time> oldest;
};

// What a restart needs, as read back from the tables.
struct Remembered {
  record::CountersRow counters;
  std::vector<record::PoolRow> pools;       // by PoolId
  std::vector<record::PoolBooksRow> books;  // by PoolId
  std::vector<record::LedgerRow> ledger;    // of hours that are not complete
  std::vector<record::ObservationRow> observations;
  std::vector<record::SpeedRow> speeds;
  std::vector<record::ModelRow> models;
  std::vector<record::BudgetRow> budgets;
  std::vector<Job> jobs;                         // not terminal, by id
  std::optional<record::PolicyRow> policy;       // the newest
  std::optional<record::PolicyRow> file_policy;  // the newest that came from the file
};

class Brain {
 public:
  Brain();
  ~Brain();
  Brain(const Brain&) = delete;
  Brain& operator=(const Brain&) = delete;

  // Continues from the tables. Call first, once; then Handle(Started). A brain restored from the
  // projections of a log behaves as the one that folded it: a test holds that.
  absl::Status Restore(Remembered remembered);

  // Folds one event. `effects` is appended to. Events must be numbered in order, times must not
  // fall.
  Reply Handle(const Event& event, Effects& effects);

  // When the host should send TimerFired at the latest; InfiniteFuture: never. Changes with each
  // event.
  absl::Time NextTimer() const;

  // What would be decided about `work` at `now`, without a trace.
  Decision DryRun(const Work& work, absl::Time now) const;

  // For readers, on the thread that owns the brain.
  std::vector<PoolStatus> Pools() const;
  QueueStatus Queue() const;
  std::uint64_t policy_version() const;
  std::shared_ptr<const PolicySpec> policy() const;
  // As last read from the file. What stands is told by Pools() and policy(): the API changes them,
  // and pools that the file changes wait for a restart.
  std::shared_ptr<const Config> config() const;
  std::vector<AttemptKey> Running(PoolId pool) const;
  // What requests are routed by now (scheduler/router_view.h makes it ready); null: no engines.
  std::shared_ptr<const RouterInputs> router_inputs() const;
  // Ledger rows of the current hour as they would be booked at `now`, idle included.
  std::vector<record::LedgerRow> OpenLedger(absl::Time now) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spillway
