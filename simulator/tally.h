#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "core/decision.h"
#include "core/job.h"
#include "core/record.h"
#include "core/request.h"
#include "core/scenario.h"
#include "scheduler/router_view.h"
#include "simulator/latency_histogram.h"
#include "simulator/result.h"

namespace spillway {

// Counts what became of the work of one cell. Every piece of work that was submitted ends in
// exactly one way: completed, refused, failed or unfinished.
class Tally {
 public:
  Tally(ScenarioObjective objective, const DefaultObjectives& defaults, absl::Time measured_from,
        std::size_t pools);

  void Submitted() { ++submitted_; }
  void Decided(const Decision& decision);  // about a job; about requests says how they end
  // Whether it was in time.
  bool Ended(const Request& request, PoolId pool);
  void Ended(const Job& job);  // terminal
  void Unfinished(absl::Time arrived);
  // Nothing more comes: what ends from now on was under way.
  void NothingMoreComes() { nothing_more_comes_ = true; }
  // Of what was under way then: ended or broken off, and not in time.
  std::int64_t late_at_the_end() const { return late_at_the_end_; }

  // What a request answered by `model` has to keep; both are always there.
  RequestObjective WantedOf(const RequestFeatures& asked, const std::string& model) const;
  std::int64_t missed() const { return judged_ - met_; }
  // Counts, latencies and shares; money and energy by what the ledger says.
  void Write(const FleetSpec& fleet, absl::Time start, const std::vector<record::LedgerRow>& ledger,
             CellOutcome& out) const;

 private:
  struct OfPool {
    std::int64_t requests = 0, jobs = 0, prompt_tokens = 0, output_tokens = 0;
  };
  bool InTime(const Request& request) const;
  void Judge(absl::Time arrived, bool met);
  static void WriteLedger(const FleetSpec& fleet, const std::vector<record::LedgerRow>& ledger,
                          CellOutcome& out);

  const ScenarioObjective objective_;
  const DefaultObjectives& defaults_;
  const absl::Time measured_from_;
  std::vector<OfPool> pools_;
  std::int64_t submitted_ = 0, completed_ = 0, refused_ = 0, failed_ = 0, unfinished_ = 0;
  std::int64_t judged_ = 0, met_ = 0, deadlines_ = 0, deadlines_met_ = 0;
  bool nothing_more_comes_ = false;
  std::int64_t late_at_the_end_ = 0;
  absl::Time last_job_end_ = absl::InfinitePast();
  LatencyHistogram ttft_, tpot_, e2e_, job_wait_, job_turnaround_;
  std::map<std::pair<PoolId, Code>, std::int64_t> spills_;
};

}  // namespace spillway
