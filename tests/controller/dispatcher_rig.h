#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "controller/dispatcher.h"
#include "core/check.h"
#include "tests/support/router_world.h"
#include "tests/support/test_clock.h"

// A dispatcher over a fleet that a test makes, with a clock that it turns.
namespace spillway {

using fixtures::ChatRequest;
using fixtures::EnginePool;
using fixtures::RouterWorld;

inline const absl::Time kStart = absl::FromUnixSeconds(1'790'000'000);
inline EndpointKey At(int number, std::uint32_t pool = 0) { return {PoolId{pool}, number}; }

// Keeps what the brain would get.
class Inbox final : public RequestSink {
 public:
  void Book(event::RequestsEnded ended, bool hurry) override {
    const std::lock_guard lock(mutex_);
    batches_.push_back(std::move(ended));
    hurries_.push_back(hurry);
    come_.notify_all();
  }
  std::vector<bool> hurries() const {  // beside batches()
    const std::lock_guard lock(mutex_);
    return hurries_;
  }
  std::vector<event::RequestsEnded> batches() const {
    const std::lock_guard lock(mutex_);
    return batches_;
  }
  std::vector<std::shared_ptr<const Request>> all() const {
    std::vector<std::shared_ptr<const Request>> all;
    for (const auto& batch : batches())
      all.insert(all.end(), batch.requests.begin(), batch.requests.end());
    return all;
  }
  bool WaitFor(std::size_t batches) {
    std::unique_lock lock(mutex_);
    return come_.wait_for(lock, std::chrono::seconds(10),
                          [&] { return batches_.size() >= batches; });
  }
  bool WaitForOne() { return WaitFor(1); }

 private:
  mutable std::mutex mutex_;
  std::condition_variable come_;
  std::vector<event::RequestsEnded> batches_;
  std::vector<bool> hurries_;
};

struct Rig {
  explicit Rig(RouterWorld w, Dispatcher::Options options = {})
      : world(std::move(w)), dispatcher(options, clock, inbox) {
    for (std::uint32_t p = 0; p < world.inputs.pools.size(); ++p) {
      for (int n = 0; n < EndpointsOf(*world.inputs.pools[p].spec); ++n)
        dispatcher.SetEngine(At(n, p), {});
    }
    dispatcher.Publish(world.Inputs());
  }
  // With the next number.
  void Publish() {
    world.inputs.id = EventNumber{Number(world.inputs.id) + 1};
    dispatcher.Publish(world.Inputs());
  }
  std::unique_ptr<LiveRequest> Routed(RequestFeatures features = ChatRequest()) {
    auto request = dispatcher.Begin(std::move(features));
    SPILLWAY_CHECK(request != nullptr);
    last = dispatcher.Route(*request);
    return request;
  }
  std::unique_ptr<LiveRequest> Taken(RequestFeatures features = ChatRequest()) {
    auto request = Routed(std::move(features));
    SPILLWAY_CHECK(dispatcher.Take(*request));
    return request;
  }
  void Finish(LiveRequest& request) {
    dispatcher.Settle(request);
    dispatcher.End(request, RequestEnd::kAnswered, 200);
  }
  // What a request would read of the endpoint.
  EndpointLoad LoadOf(int number, std::uint32_t pool = 0,
                      RequestFeatures features = ChatRequest()) {
    const auto request = Routed(std::move(features));
    const std::uint32_t place = request->view->PlaceOf(At(number, pool));
    for (const EndpointReading& reading : request->record.readings) {
      if (reading.endpoint == place) return reading.load;
    }
    return {.running = -1};
  }

  RouterWorld world;
  TestClock clock{kStart};
  Inbox inbox;
  spillway::Routed last = spillway::Routed::kRefused;
  Dispatcher dispatcher;
};

class Bell final : public Waker {
 public:
  void Wake() override { ++rung; }
  std::atomic<int> rung{0};
};

// One engine that takes one request at a time.
inline PoolSpec One(std::string name, std::string model = "chat") {
  PoolSpec pool = EnginePool(std::move(name), 1, std::move(model));
  pool.adapter.concurrency = 1;
  return pool;
}

}  // namespace spillway
