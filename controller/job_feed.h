#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/status/statusor.h"
#include "core/ids.h"
#include "core/job.h"

// The last changes of jobs, in the order of the log, for those who watch. One ring serves all of
// them: nothing is buffered for a single watcher, and one that reads too slowly finds its place
// gone.
namespace spillway {

// How one event left one job. Several changes may carry the same event number.
struct JobChange {
  EventNumber event{};
  bool added = false;  // the job's first
  std::shared_ptr<const Job> job;
};

class JobFeed {
 public:
  struct Limits {
    std::size_t changes = 8192;                 // kept
    std::size_t bytes = std::size_t{64} << 20;  // of their work, roughly
    std::size_t watchers = 256;
  };
  explicit JobFeed(Limits limits) : limits_(limits) {}

  // Nothing before `version` will be published: called once, before anything else.
  void StartAt(EventNumber version);
  // `changes` in order of their events, none above `version`, all above the version before.
  void Publish(std::vector<JobChange> changes, EventNumber version);

  // The last event whose changes are all here.
  EventNumber version() const { return EventNumber{version_.load(std::memory_order_acquire)}; }

  // Changes of events after `after`, whole events only; about `limit` of them. Also gives the
  // version up to which they are complete. kOutOfRange: the ring does not go back that far, or
  // `after` has not come yet.
  struct Page {
    std::vector<JobChange> changes;
    EventNumber until{};
  };
  absl::StatusOr<Page> After(EventNumber after, std::size_t limit) const;

  // Calls `wake` (from the store thread; it must not block) after each Publish, until the ticket
  // dies. kResourceExhausted: as many watch as may.
  class Ticket {
   public:
    Ticket(JobFeed* feed, std::uint64_t number) : feed_(feed), number_(number) {}
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;
    ~Ticket() { feed_->Leave(number_); }

   private:
    JobFeed* feed_;
    std::uint64_t number_;
  };
  absl::StatusOr<std::shared_ptr<Ticket>> Watch(std::function<void()> wake);

  struct Sizes {
    std::size_t changes = 0, bytes = 0, watchers = 0;
  };
  Sizes sizes() const;
  const Limits& limits() const { return limits_; }

 private:
  struct Kept {
    JobChange change;
    std::size_t bytes = 0;
  };
  void Leave(std::uint64_t number);
  void Trim();  // mutex_ is held

  const Limits limits_;
  std::atomic<std::uint64_t> version_{0};
  // All that follows is guarded by mutex_.
  mutable std::mutex mutex_;
  std::deque<Kept> ring_;
  std::size_t bytes_ = 0;
  EventNumber forgotten_{};  // changes up to here are gone
  std::uint64_t next_ticket_ = 0;
  std::map<std::uint64_t, std::function<void()>> watchers_;
};

}  // namespace spillway
