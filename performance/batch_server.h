#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "absl/time/time.h"
#include "performance/batch_times.h"

// A server that computes whole batches, in the manner of Triton's dynamic batcher: vision, ranking.
// A pure state machine like Engine (performance/engine.h): time comes in as argument, answers go
// out as values.
namespace spillway {

struct BatchLimits {
  int max_items = 64;  // of a batch
  // How long a request waits for others, while an instance is free, at most. Zero: not at all.
  absl::Duration max_delay = absl::Milliseconds(1);
  int instances = 1;         // batches computed at once
  int max_waiting = 10'000;  // requests that wait for a batch
  friend bool operator==(const BatchLimits&, const BatchLimits&) = default;
};

struct BatchRequest {
  std::uint64_t id = 0;  // unique among those in the server
  int items = 1;         // images, or samples to rank together; they stay in one batch
};

enum class BatchAdmission : std::uint8_t {
  kAdmitted,
  kQueueFull,  // max_waiting wait already
  kNeverFits,  // more items than a batch has
};

struct BatchOutput {
  std::uint64_t id = 0;
  absl::Time at{};          // the end of its batch
  absl::Duration queued{};  // from Add to the begin of its batch
  friend bool operator==(const BatchOutput&, const BatchOutput&) = default;
};

struct BatchGauges {
  int waiting = 0, running = 0;     // requests
  int waiting_items = 0, busy = 0;  // busy: instances
  // Since it began; they never fall.
  std::int64_t items = 0, batches = 0;
  absl::Duration busy_time{};  // of all instances together, of batches that have begun
  friend bool operator==(const BatchGauges&, const BatchGauges&) = default;
};

// Requests are taken in the order in which they came. A batch begins when an instance is free and
// either no more fit (the next in line would be one too many items, or it is full), or the first of
// them has waited for max_delay.
class BatchServer {
 public:
  BatchServer(BatchTimes times, BatchLimits limits);

  // `now` never goes back over all calls.
  BatchAdmission Add(const BatchRequest& request, absl::Time now);
  // One in a batch under way gets no answer; the batch takes its time. Unknown ids: nothing.
  void Cancel(std::uint64_t id);

  // Begins what can begin at `now`; then when the next batch ends, or begins because its first has
  // waited long enough. InfiniteFuture: idle.
  absl::Time NextEvent(absl::Time now);
  // Ends the batches whose time is over, in the order of their ends, and appends their answers in
  // the order in which the requests came.
  void Advance(absl::Time now, std::vector<BatchOutput>& out);

  BatchGauges gauges() const;
  // How much of its best rate it works at, [0, 1]: items under way at what they would take in a
  // full batch, over what their batches take.
  double Utilization() const;
  const BatchLimits& limits() const { return limits_; }

 private:
  struct Waiting {
    BatchRequest request;
    absl::Time since{};
  };
  struct Batch {
    absl::Time end{};
    double pace = 0;  // of the best
    std::vector<BatchOutput> answers;
  };
  struct Next {
    std::size_t requests = 0;
    int items = 0;
    bool full = false;
  };
  Next NextBatch() const;
  void Begin(const Next& next, absl::Time now);

  BatchTimes times_;
  BatchLimits limits_;
  double best_item_ = 0;  // seconds: of a full batch
  std::deque<Waiting> waiting_;
  std::vector<Batch> running_;  // by their ends
  std::vector<std::vector<BatchOutput>> spare_;
  BatchGauges counters_;
};

}  // namespace spillway
