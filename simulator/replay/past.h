#pragma once

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/config.h"
#include "performance/job_speed.h"
#include "scheduler/brain.h"
#include "simulator/replay/recorded_log.h"
#include "simulator/replay/recorded_work.h"
#include "simulator/result.h"
#include "simulator/tally.h"

namespace spillway {

// What a controller lived through: enough to run it again, and to say how well that matches.
struct RecordedPast {
  absl::Time start, end;                 // of the first event, and of the last end of work
  std::shared_ptr<const Config> config;  // as it was at the end, prices as they changed
  std::shared_ptr<const RecordedWork> work;
  // What was recorded, by the simulator's own measures; utilization is not known.
  CellOutcome outcome;
  // What a run in virtual time will not do as life did, in words; one line each.
  std::vector<std::string> notes;
};

// The configuration of the log's last start. kNotFound: it is not in the log any more.
absl::StatusOr<std::shared_ptr<const Config>> LastConfig(RecordedLog& log);

// The part of a past that is looked at: what came from `since` on and before `until`. Whole hours,
// since the ledger's rows are.
struct PastWindow {
  absl::Time since = absl::InfinitePast(), until = absl::InfiniteFuture();
};

// Hears a log as it is folded (RedecideOptions::on_fold). Memory grows with the work that it holds,
// about 150 bytes a request.
class PastCollector {
 public:
  // `config`: LastConfig.
  PastCollector(const LogExtent& log, std::shared_ptr<const Config> config, PastWindow window = {});

  // Every event before `until`, in order.
  void Hear(const Event& event, const Reply& reply, const Effects& effects, const Brain& brain);
  // After the last of them. kFailedPrecondition: nothing came; kResourceExhausted: too much did.
  absl::StatusOr<RecordedPast> Take(const Brain& brain);

 private:
  struct Count {
    std::int64_t policies = 0, read = 0, prices = 0, pools = 0, states = 0, down = 0, starts = 0;
    std::int64_t lost_attempts = 0, failed_attempts = 0;
    std::int64_t before = 0;  // work that had come already when the window begins
    std::int64_t pinned = 0, cascades = 0, several = 0, budgets = 0, cancelled = 0, unstreamed = 0;
  };

  void Note(const event::Body& body, const Reply& reply);
  void HearJob(const Job& job, absl::Time at);
  void HearRequests(const event::RequestsEnded& ended);
  void SeePools(const Event& event, const Brain& brain);
  Demand TookOf(const Job& job) const;
  std::vector<record::LedgerRow> LedgerAtEnd() const;
  Config ConfigAtEnd(const Brain& brain) const;
  std::vector<std::string> Notes() const;

  const LogExtent log_;
  const std::shared_ptr<const Config> config_;
  const PastWindow window_;
  const SpeedBook speeds_;
  Tally tally_;
  absl::Time start_ = absl::InfiniteFuture(), end_ = absl::InfinitePast();
  std::shared_ptr<RecordedWork> work_ = std::make_shared<RecordedWork>();
  RecordedRequests requests_;
  std::map<JobId, std::size_t> open_;  // places in work_->jobs
  std::vector<PoolStatus> pools_;
  std::vector<PriceChange> changes_;  // of prices, in the order of time
  std::map<record::LedgerKey, record::LedgerRow> ledger_;
  // As booked at end_, for its hour and those after it.
  std::map<record::LedgerKey, record::LedgerRow> last_hour_;
  Count count_;
};

}  // namespace spillway
