#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "controller/host.h"
#include "core/check.h"
#include "tests/support/fake_adapter.h"
#include "tests/support/fleets.h"
#include "tests/support/memory_store.h"
#include "tests/support/test_clock.h"

namespace spillway {

// A host with the real brain, a store in memory and adapters that do what the test says.
class HostRig {
 public:
  explicit HostRig(HostOptions options = {}, Observer* observer = nullptr)
      : options_(options), observer_(observer != nullptr ? *observer : nobody_) {}
  ~HostRig() { Crash(); }

  // What an answer looks like before it has come.
  template <class T>
  class Later {
   public:
    Host::Done<T> Done() {
      return [state = state_](T value) {
        const std::lock_guard lock(state->mutex);
        state->value.emplace(std::move(value));
        state->come.notify_all();
      };
    }
    bool come() const {
      const std::lock_guard lock(state_->mutex);
      return state_->value.has_value();
    }
    T& Get() {
      std::unique_lock lock(state_->mutex);
      SPILLWAY_CHECK(state_->come.wait_for(lock, std::chrono::seconds(10),
                                           [this] { return state_->value.has_value(); }));
      return *state_->value;
    }

   private:
    struct State {
      std::mutex mutex;
      std::condition_variable come;
      std::optional<T> value;
    };
    std::shared_ptr<State> state_ = std::make_shared<State>();
  };

  void Start() { SPILLWAY_CHECK(TryStart().ok()); }
  absl::Status TryStart() {
    brain_ = std::make_unique<Brain>();
    process_ = std::make_unique<FakeAdapter>();
    modelled_ = std::make_unique<FakeAdapter>();
    process_->FailToStart(process_fails_);
    if (end_at_once_) {
      process_->EndAtOnce();
      modelled_->EndAtOnce();
    }
    host_ = std::make_unique<Host>(options_, clock_, *brain_, store_, store_, observer_);
    process_->set_sink(host_.get());
    modelled_->set_sink(host_.get());
    const auto meet = [this](PoolId id, const PoolSpec& spec) { met_.emplace_back(id, spec.name); };
    return host_->Start(
        config_, {{"process", {process_.get(), meet}}, {"modelled", {modelled_.get(), meet}}});
  }
  // The controller ends; the store stays.
  void Crash() {
    if (host_) host_->Stop();
    host_.reset();
  }

  Later<SubmitAnswer> Submit(Work work) {
    Later<SubmitAnswer> answer;
    host_->Submit({.work = std::make_shared<const Work>(std::move(work))}, answer.Done());
    return answer;
  }
  Later<SubmitAnswer> SubmitKeyed(Work work, std::string key, std::uint64_t body) {
    Later<SubmitAnswer> answer;
    Submission submission{.work = std::make_shared<const Work>(std::move(work)),
                          .key = IdempotencyKey{std::move(key), body}};
    submission.render = [](const SubmitAnswer& a) {
      StoredAnswer stored;
      stored.status = a.admission == Admission::kAccepted ? 201 : 422;
      stored.body = a.job ? ToString(a.job->id) : "refused";
      return stored;
    };
    host_->Submit(std::move(submission), answer.Done());
    return answer;
  }
  Later<absl::Status> Cancel(JobId job) {
    Later<absl::Status> answer;
    host_->Cancel(job, answer.Done());
    return answer;
  }

  // A job that only the local machine runs, without asking for anything special.
  static Work LocalJob() {
    Work work = fixtures::SmallJob();
    work.pin = "local";
    return work;
  }
  static Work ImpossibleJob() {
    Work work = fixtures::SmallJob();
    work.needs.memory = fixtures::GiB(10'000);
    return work;
  }

  void EndAtOnce() { end_at_once_ = true; }
  void FailProcess(absl::Status status) { process_fails_ = std::move(status); }
  Host& host() { return *host_; }
  MemoryStore& store() { return store_; }
  TestClock& clock() { return clock_; }
  FakeAdapter& process() { return *process_; }
  FakeAdapter& modelled() { return *modelled_; }
  std::shared_ptr<Config>& config() { return config_; }
  // Pools that adapters were told of; to be read when the host is idle or stopped.
  const std::vector<std::pair<PoolId, std::string>>& met() const { return met_; }

 private:
  static std::shared_ptr<Config> DemoConfig() {
    auto config = std::make_shared<Config>();
    config->fleet = fixtures::DemoFleet();
    for (PoolSpec& pool : config->fleet.pools) {
      if (pool.modelled) pool.adapter.type = "modelled";
    }
    config->policy = fixtures::BackstopPolicy();
    return config;
  }

  HostOptions options_;
  Observer nobody_;
  Observer& observer_;
  TestClock clock_{absl::FromUnixSeconds(1'785'000'000)};
  MemoryStore store_;
  std::shared_ptr<Config> config_ = DemoConfig();
  bool end_at_once_ = false;
  absl::Status process_fails_;
  std::vector<std::pair<PoolId, std::string>> met_;
  std::unique_ptr<Brain> brain_;
  std::unique_ptr<FakeAdapter> process_, modelled_;
  std::unique_ptr<Host> host_;
};

}  // namespace spillway
