#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "controller/dispatcher.h"
#include "controller/host.h"
#include "controller/northbound/activity.h"
#include "controller/northbound/day_books.h"
#include "controller/observer.h"

// How the controller does, second by second: what the dashboard shows. Counts what is committed,
// looks at fleet and ledger every ten seconds (every second while somebody reads), and keeps one
// hour of figures, so that charts need no other program. All of it is bounded and in memory: after
// a restart the hour begins anew, money goes on from the ledger.
namespace spillway {

// What requests find at one pool.
struct PoolTraffic {
  int engines = 0, engines_up = 0;
  int in_flight = 0;  // sequences, waiting ones included
  int room = 0;       // that its engines take at once
};

// One look. Immutable.
struct PulseView {
  std::uint64_t number = 0;  // rises with each look
  absl::Time at;
  std::shared_ptr<const Snapshot> snapshot;
  std::shared_ptr<const DayBooks> books;
  std::shared_ptr<const DayBooks> before;  // about a minute ago, of the same day; null: not yet
  std::vector<PoolTraffic> traffic;        // by PoolId
  std::size_t requests_waiting = 0;
  std::int64_t requests_in_flight = 0;
  double jobs_per_second = 0, requests_per_second = 0;   // ended, over the last minute
  std::optional<absl::Duration> job_p95;                 // submission to end, of five minutes
  std::optional<absl::Duration> request_p95, ttft_p95;   // from arrival
  std::int64_t requests_lately = 0, refused_lately = 0;  // of five minutes
};

// A decision worth telling: of a job, or a request that is over.
struct Tale {
  std::uint64_t number = 0;  // from 1
  std::shared_ptr<const Decision> decision;
  std::shared_ptr<const Work> work;        // of the decision; null: not known any more
  std::shared_ptr<const Request> request;  // null: it is a job's
};

struct PulseLimits {
  std::size_t readers = 64;                 // streams at once
  std::size_t tales = 256;                  // kept
  std::size_t job_tales = 48;               // of jobs, kept for longer than that
  std::size_t tales_of_a_batch = 64;        // the last ones; the others are counted only
  std::uint32_t pools = 256;                // that series are kept for
  absl::Duration fresh = absl::Seconds(1);  // a view that is younger is not made anew
};

class Pulse final : public Observer {
 public:
  using View = std::shared_ptr<const PulseView>;
  using Limits = PulseLimits;

  explicit Pulse(Limits limits = {}) : limits_(limits) {}
  ~Pulse() override;  // Stop()
  Pulse(const Pulse&) = delete;
  Pulse& operator=(const Pulse&) = delete;

  // Begins to look. Once; both outlive it, or Stop() comes first.
  void Attach(Host& host, Dispatcher& dispatcher);
  void Stop();

  void OnEnded(const event::RequestsEnded& ended) override;
  // Store thread.
  void OnCommitted(const Batch& batch, absl::Duration took) override;

  // --- Any thread.
  View view() const;  // the last one; null: none yet
  // One that is fresh. `done` gets null where none can be had; it must not block, and is called at
  // once or on the thread that looks.
  void Fresh(absl::AnyInvocable<void(View)> done);

  struct Tales {
    std::vector<Tale> tales;
    std::uint64_t next = 0;    // ask for those after this one then
    std::uint64_t missed = 0;  // came after `after` and are not kept
  };
  // At most `limit`, the oldest first.
  Tales After(std::uint64_t after, std::size_t limit) const;
  // What a reader begins with: the last `limit`, and before them the jobs that a burst of requests
  // would have swept away. Nothing of it counts as missed.
  Tales Opening(std::size_t limit) const;

  // A place among those who read the stream, held by what comes back; null: all are taken.
  std::shared_ptr<void> Join();
  std::size_t readers() const;

  // {"start","step_s","dropped_pools","series":[...]} of the last `window` (at most an hour).
  // Money is left out unless `with_money`.
  std::string SeriesBody(absl::Duration window, bool with_money) const;

  const Limits& limits() const { return limits_; }

 private:
  enum class Figure : std::uint8_t {
    kUsdPerHour,
    kSavedUsdPerHour,
    kJobsPerSecond,
    kRequestsPerSecond,
    kQueue,
    kRequestP95,
    kJobP95,
    kBusy
  };
  struct SeriesKey {
    PoolId pool = kNoPool;  // kNoPool: of the fleet
    Figure figure{};
    friend auto operator<=>(const SeriesKey&, const SeriesKey&) = default;
  };

  void Run();
  void Look();
  std::shared_ptr<const DayBooks> ReadBooks(absl::Time now);
  std::optional<std::vector<record::LedgerRow>> OpenRows();
  // mutex_ is held by the callers of these.
  View MakeView(absl::Time now, std::shared_ptr<const DayBooks> books);
  void CloseSteps(const PulseView& view);
  void PutFleet(std::int64_t step, const PulseView& view);
  void PutPool(std::int64_t step, const PoolStatus& pool, const PulseView& view);
  void Put(PoolId pool, Figure figure, std::int64_t step, std::optional<double> value);
  std::optional<double> MoneyRate(Usd before, Usd after, const PulseView& view) const;
  void Tell(Tale tale);
  absl::Duration UntilNextLook() const;

  const Limits limits_;
  Host* host_ = nullptr;
  Dispatcher* dispatcher_ = nullptr;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::vector<absl::AnyInvocable<void(View)>> asking_;
  std::shared_ptr<std::size_t> readers_ = std::make_shared<std::size_t>(0);
  View view_;
  absl::Time looked_at_;                                // by a clock that only goes forward
  std::deque<std::shared_ptr<const DayBooks>> minute_;  // books of the last minute
  std::shared_ptr<const DayBooks> step_books_;          // as the last step was closed
  std::int64_t closed_step_ = 0;
  Activity activity_;
  std::deque<Tale> tales_, job_tales_;
  std::uint64_t told_ = 0;  // number of the last tale
  std::map<SeriesKey, SeriesRing> series_;
  std::uint32_t dropped_pools_ = 0;

  // Used by the looking thread only.
  DayBooks closed_;  // hours of today that are over
  absl::Time closed_until_ = absl::InfinitePast();
  absl::Time closed_read_at_ = absl::InfinitePast();
  int fallen_ = 0;  // looks in a row that found less than the one before
  std::thread thread_;
};

}  // namespace spillway
