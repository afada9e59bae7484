#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "controller/fresh_request.h"
#include "controller/request_sink.h"
#include "core/clock.h"
#include "core/request.h"
#include "net/recycle.h"
#include "net/server.h"
#include "net/upstream.h"
#include "scheduler/engine_time.h"
#include "scheduler/prefix_memory.h"
#include "scheduler/router.h"
#include "scheduler/time_share.h"

// The live host of the router: any number of threads route requests by the view in force, count
// what is in flight on each engine, share out the time of engines that batch, and hand what ended
// to the brain, in batches. Decides nothing itself.
namespace spillway {

// How an engine is reached.
struct EngineAddress {
  std::shared_ptr<const UpstreamOrigin> origin;
  std::map<std::string, std::string> upstream;  // names of models there, where they differ
};

// What an engine said about itself when it was last asked. Unknown is not zero.
struct EngineSigns {
  std::optional<int> running, waiting;
};

// The time of one engine, shared out among the sequences in flight (scheduler/time_share.h), for
// any thread.
class ShareClock {
 public:
  std::uint64_t Enter(absl::Time now, int sequences) {
    const std::lock_guard lock(mutex_);
    return share_.Enter(now, sequences);
  }
  absl::Duration Leave(absl::Time now, int sequences, std::uint64_t mark) {
    const std::lock_guard lock(mutex_);
    return share_.Leave(now, sequences, mark);
  }

 private:
  std::mutex mutex_;
  TimeShare share_;
};

// One engine as it is now. Lives as long as the dispatcher; all members may be used by any thread.
struct LiveEndpoint {
  LiveEndpoint(EndpointKey k, std::uint16_t s) : key(k), serial(s) {}
  const EndpointKey key;
  const std::uint16_t serial;                        // from 1
  std::atomic<std::int32_t> waiting{0}, running{0};  // sequences without and with a first token
  std::atomic<std::int64_t> waiting_tokens{0}, context_tokens{0};
  std::atomic<std::int32_t> peak{0};  // the most of ours in flight since the engine was asked last
  std::atomic<std::int32_t> others_waiting{0}, others_running{0};  // not ours, by the last look
  std::atomic<std::int64_t> seen_at{0};                            // nanoseconds since 1970
  std::atomic<std::int64_t> full_until{0};  // it said that it is overloaded; since 1970 too
  ShareClock clock;

  std::shared_ptr<const EngineAddress> address() const {
    const std::lock_guard lock(mutex_);
    return address_;
  }
  void SetAddress(std::shared_ptr<const EngineAddress> address) {
    const std::lock_guard lock(mutex_);
    address_ = std::move(address);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const EngineAddress> address_;
};

// One request on its way. Used by one thread at a time.
struct LiveRequest {
  const std::shared_ptr<Request> kept = FreshRequest();
  Request& record = *kept;  // not changed any more once Dispatcher::End() has it
  std::shared_ptr<const RouterView> view;
  std::shared_ptr<const RequestShape> shape;
  Expectation expected;                         // of the endpoint chosen first
  RequestLimits limits;                         // what its answer must keep
  std::optional<Usd> baseline;                  // estimated; none: nobody comparable
  std::size_t tried = 0;                        // of record.order ...
  std::array<int, Router::kMostTries> tiers{};  // ... and of which tier each of it is

  // What it holds now.
  LiveEndpoint* endpoint = nullptr;
  std::shared_ptr<const EngineAddress> address;
  const ViewEndpoint* there = nullptr;
  std::string model, upstream_model;  // as clients and the engine call it
  std::uint64_t mark = 0;
  std::int64_t prompt_tokens = 0;  // estimated
  bool first_token = false;
  std::uint64_t ticket = 0;  // its place among those who wait; 0: it never did

  static void* operator new(std::size_t size) { return TakeBlock(size); }
  static void operator delete(void* memory, std::size_t size) noexcept { GiveBlock(memory, size); }
};

class Dispatcher {
 public:
  struct Options {
    std::size_t waiting = 1024;     // requests that wait for room
    std::size_t unbooked = 65'536;  // ended requests that the brain does not have yet
    std::size_t held_bytes = std::size_t{512} << 20;  // of bodies that relays hold
    absl::Duration period = absl::Milliseconds(50);   // between two commits of ended requests
    std::size_t chunk = 128;                          // so many are handed over before it ends
    absl::Duration fresh = absl::Seconds(2);          // how long a look at an engine counts
  };
  // All outlive it.
  Dispatcher(Options options, const Clock& clock, RequestSink& sink);
  ~Dispatcher();  // Stop()
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // Requests are numbered from 1 within the epoch. Before the first one.
  void Start(std::uint64_t epoch);
  // Hands over what has ended.
  void Stop();

  // --- Any thread.
  // Makes the inputs ready and routes by them from now on. Null or older ones change nothing.
  void Publish(std::shared_ptr<const RouterInputs> inputs);
  std::shared_ptr<const RouterView> view() const;  // null: no engines
  void SetEngine(EndpointKey key, EngineAddress address);
  // An engine is being asked, and has answered. What it says is a moment old: what was ours at any
  // time from OnAsk() to OnSigns() is not taken for somebody else's.
  void OnAsk(EndpointKey key);
  void OnSigns(EndpointKey key, const EngineSigns& signs);

  // --- One request, in this order. Null: there are no engines, or too much is unbooked.
  std::unique_ptr<LiveRequest> Begin(RequestFeatures features);
  // Decides anew by the view and the loads of now.
  Routed Route(LiveRequest& request);
  // The next endpoint of its order is counted as working for it. False: there is none left, or the
  // budget of retries is spent (a fifth of all requests, ten at least).
  bool Take(LiveRequest& request);
  void OnFirstToken(LiveRequest& request);
  // The endpoint failed before anything reached the client.
  void GiveUp(LiveRequest& request, ForwardFault fault);
  // The engine says that it is overloaded: for so long requests read it as running all that it may,
  // so that others are chosen. Before GiveUp().
  void BackOff(const LiveRequest& request, absl::Duration span);
  // How long until the first of the request's engines that said so may be asked again; infinite:
  // none did.
  absl::Duration UntilBackOffEnds(const LiveRequest& request) const;
  // The same where all of them said so; else zero.
  absl::Duration UntilAnyIsAsked(const LiveRequest& request) const;
  // The answer is over: frees the endpoint and fills in what it cost. `record` has the tokens.
  void Settle(LiveRequest& request);
  // Hands it to the brain. After Settle() if an endpoint answered.
  void End(LiveRequest& request, RequestEnd end, int status);

  // --- Waiting for room, after Route() said that there is none. False: as many wait as may. An
  // endpoint that frees wakes the one who has waited longest of those whom it could serve; waiting
  // again keeps one's place. New inputs wake all.
  bool Wait(const std::shared_ptr<Waker>& waker, LiveRequest& request);
  // False: it was woken already, or did not wait.
  bool StopWaiting(const std::shared_ptr<Waker>& waker);
  // It was woken but makes no use of the room: the next one whom that could serve is woken.
  void PassOn(const LiveRequest& request);
  // How long the endpoint that was taken is waited for.
  static EngineTime TimeFor(const LiveRequest& request);
  std::size_t waiting() const { return waiters_count_.load(std::memory_order_relaxed); }

  // Whether it was given out by Begin() since Start().
  bool HasBegun(RequestId id) const;
  // Somebody asks for what ended just now: the brain gets it without waiting for the period's end.
  void FlushSoon();

  // Bodies of requests under way and answers that are held until they are whole, all together.
  // False: there is no room for so many bytes more, and none are counted.
  bool HoldBytes(std::size_t bytes);
  void FreeBytes(std::size_t bytes);

  // Counts for metrics.
  struct Stats {
    std::uint64_t begun = 0, ended = 0, retries = 0, refused_retries = 0;
    std::int64_t in_flight = 0;
    std::size_t waiting = 0, unbooked = 0, held_bytes = 0;
  };
  Stats stats() const;
  const Options& options() const { return options_; }
  // Sequences in flight on an endpoint, waiting ones included.
  int InFlight(EndpointKey key) const;
  absl::Time Now() const { return clock_.Now(); }

 private:
  struct Thread;
  Thread& ThisThread() const;
  LiveEndpoint* Find(EndpointKey key) const;
  // Zero: it may be asked.
  absl::Duration BackOffLeft(const LiveRequest& request, const EndpointReading& reading) const;
  LiveEndpoint& FindOrMake(EndpointKey key);
  void Read(Thread& thread, LiveRequest& request);
  void Release(LiveRequest& request);
  std::atomic<std::int64_t>& BudgetOf(const LiveRequest& request);
  void WakeFor(EndpointKey freed, int places);
  void WakeAll();
  void FlushLoop();
  void Flush(bool hurry);

  const Options options_;
  const Clock& clock_;
  RequestSink& sink_;
  const std::uint64_t instance_;  // tells dispatchers of one process apart
  std::uint64_t epoch_ = 0;

  // What is in force. Threads keep a copy and look whether `version_` moved.
  struct Force {
    std::shared_ptr<const RouterView> view;
    std::vector<LiveEndpoint*> live;  // beside view->endpoints()
  };
  mutable std::mutex force_mutex_;
  std::shared_ptr<const Force> force_;
  std::atomic<std::uint64_t> version_{0};

  mutable std::mutex endpoints_mutex_;
  std::map<EndpointKey, std::unique_ptr<LiveEndpoint>> endpoints_;

  PrefixMemory prefixes_;

  std::atomic<std::uint64_t> begun_{0}, ended_count_{0}, retries_{0}, refused_retries_{0};
  std::atomic<std::int64_t> in_flight_{0};
  std::atomic<std::size_t> held_bytes_{0};
  // In fifths of a retry. Each model has its own, so that one whose engines are gone leaves others
  // theirs; a few share one where there are very many.
  std::array<std::atomic<std::int64_t>, 64> retry_budgets_;

  std::mutex waiters_mutex_;
  struct Waiter {
    std::shared_ptr<Waker> waker;
    std::shared_ptr<const RouterView> view;
    std::shared_ptr<const RequestShape> shape;
    int sequences = 1;
    bool CouldUse(EndpointKey key) const;
  };
  std::map<std::uint64_t, Waiter> waiters_;  // by ticket
  std::uint64_t last_ticket_ = 0;
  std::atomic<std::size_t> waiters_count_{0};

  std::mutex ended_mutex_;
  std::condition_variable ended_wake_;
  std::vector<std::shared_ptr<const Request>> ended_;
  std::atomic<std::size_t> unbooked_{0};
  bool stopping_ = false, urgent_ = false;
  std::thread flusher_;
};

}  // namespace spillway
