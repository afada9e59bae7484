#pragma once

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "controller/archive.h"
#include "tests/support/random_values.h"

// Makes batches as a host would commit them, from random values, and keeps beside them what the
// tables must hold: a plain model to compare the store with.
namespace spillway::testing_support {

struct Model {
  std::vector<Event> events;
  std::map<JobId, Job> jobs;
  std::map<DecisionId, std::shared_ptr<const Decision>> decisions;
  // By hour, pool, tenant and name of the category, as the archive gives them.
  // By the names of category and kind, as the table is ordered.
  std::map<std::tuple<absl::Time, PoolId, std::string, std::string, std::string, std::string>,
           record::LedgerRow>
      ledger;
  std::map<std::pair<std::string, std::string>, record::BudgetRow> budgets;  // tenant, period
  std::map<PoolId, record::PoolRow> pools;
  std::map<PoolId, record::PoolBooksRow> books;
  std::map<std::pair<std::string, std::string>, record::ObservationRow> observations;
  std::map<std::uint64_t, record::PolicyRow> policies;
  record::CountersRow counters;
  std::map<std::pair<std::string, std::string>, StoredAnswer> answers;

  void Apply(const Batch& batch);
};

class Scribe {
 public:
  explicit Scribe(std::uint64_t seed);

  // A batch of `events` events and what they lead to.
  Batch Next(int events);
  // Next() and Model::Apply() in one: a batch that will be committed.
  Batch NextApplied(int events) {
    Batch batch = Next(events);
    model_.Apply(batch);
    return batch;
  }
  const Model& model() const { return model_; }
  RandomValues& random() { return random_; }

  static constexpr int kPools = 3;
  static std::string PoolName(int pool) { return "pool-" + std::to_string(pool); }
  static std::string TenantName(std::uint64_t tenant) { return "tenant-" + std::to_string(tenant); }

 private:
  void AddSubmission(Batch& batch, Event event);
  void AddOther(Batch& batch, Event event);
  void AddBooks(Batch& batch);
  Job MakeJob(JobId id, std::shared_ptr<const Work> work);
  std::shared_ptr<const Decision> MakeDecision(JobId job, EventNumber event,
                                               const std::string& tenant);

  RandomValues random_;
  Model model_;
  std::map<JobId, Job> known_;  // those of the batch that is being made too
  record::CountersRow counters_;
  absl::Time now_ = absl::FromUnixSeconds(1'750'000'000);
};

// Empty if `archive` and `remembered` hold exactly what `model` does; else the first difference.
std::string Difference(const Model& model, Archive& archive);
std::string Difference(const Model& model, const Remembered& remembered);
std::string Difference(const Model& model, const std::vector<Event>& events);

}  // namespace spillway::testing_support
