#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "controller/host.h"
#include "controller/keys_in_flight.h"
#include "controller/open_batch.h"

// The two threads of the host and what passes between them. Only host*.cc include this.
namespace spillway {

class Host::Impl {
 public:
  Impl(HostOptions options, const Clock& clock, Brain& brain, Journal& journal, Archive& archive,
       Observer& observer, AdapterSink& sink)
      : options_(std::move(options)),
        clock_(clock),
        brain_(brain),
        journal_(journal),
        archive_(archive),
        observer_(observer),
        sink_(sink),
        feed_(options_.feed) {}

  // --- Any thread.
  using Task = absl::AnyInvocable<void()>;
  struct Waiting {
    Submission submission;
    Done<SubmitAnswer> done;
  };
  struct Ended {
    event::Body event;
    std::optional<PackedRequests> packed;
    bool hurry = true;
  };
  using Input = std::variant<Waiting, event::Body, Task, Ended>;

  enum class Taken { kYes, kFull, kStopping };
  Taken PushSubmission(Waiting& waiting);
  bool Push(Input input);       // false: stopping; `input` is gone then
  void PushEnded(Ended ended);  // waits for its place

  absl::Status Start(std::shared_ptr<const Config> config, Adapters adapters);
  void Stop();

  // --- Control thread.
  Reply Fold(event::Body body) {
    open_->Hurry();
    return FoldCalmly(std::move(body));
  }
  // Folds an operator's event and answers once it is durable.
  void Operate(event::Body body, Done<absl::Status> done);
  void AfterCommit(Task task) {
    open_->Hurry();
    open_->others.push_back(std::move(task));
  }
  void WantSnapshot() { snapshot_now_ = true; }
  JobAdapter* AdapterOf(PoolId pool) const {
    return Index(pool) < adapter_of_.size() ? adapter_of_[Index(pool)] : nullptr;
  }
  std::string TypeOf(PoolId pool) const {
    return Index(pool) < type_of_.size() ? type_of_[Index(pool)] : std::string();
  }

  const HostOptions options_;
  const Clock& clock_;
  Brain& brain_;
  Journal& journal_;
  Archive& archive_;
  Adapters adapters_;  // set by Start, then never changed
  Observer& observer_;
  AdapterSink& sink_;
  JobFeed feed_;
  KeysInFlight keys_;
  std::atomic<std::int64_t> queued_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> epoch_{0};

  std::shared_ptr<const Snapshot> snapshot() const {
    const std::lock_guard lock(snapshot_mutex_);
    return snapshot_;
  }
  HostStats stats() const;
  absl::Time last_at() const { return last_at_; }              // control thread
  bool adapters_stopped() const { return adapters_stopped_; }  // control thread

 private:
  void ControlLoop();
  bool TakeInputs(std::vector<Input>& taken);
  void HandOff();  // mutex_ is held
  void WaitForRoom();
  absl::Duration SleepFor() const;
  absl::Duration NapFor(absl::Duration sleep) const;  // mutex_ is held
  void HandleInputs(std::vector<Input>& taken);
  void Handle(Waiting& waiting);
  void Handle(Ended& ended);
  Reply FoldCalmly(event::Body body);
  void FireTimer();
  void LookAround();
  void TakeSnapshot();
  std::shared_ptr<const Snapshot> MakeSnapshot() const;
  void LearnPools(const std::vector<Record>& records, std::size_t from);
  void LearnPool(PoolId id, const PoolSpec& spec);
  void RunCommands(std::vector<Command>& commands);
  void Run(const command::Launch& launch);
  void Run(const command::Cancel& cancel);
  absl::Status StartAdapters(const std::vector<Job>& jobs, std::uint64_t epoch);

  void StoreLoop();
  void Commit(OpenBatch& open);
  void Tidy();
  void LetOut(OpenBatch& open, Batch& batch);
  void Publish(std::shared_ptr<const Snapshot> snapshot);

  // Owned by the control thread (by Start() before that).
  std::unique_ptr<OpenBatch> open_ = std::make_unique<OpenBatch>();
  EventNumber last_event_{};
  absl::Time last_at_ = absl::InfinitePast();
  std::vector<JobAdapter*> adapter_of_;  // by PoolId; null: no such adapter here
  std::vector<std::string> type_of_;
  bool adapters_stopped_ = false;
  bool dirty_ = false;         // events were folded since the last snapshot
  bool snapshot_now_ = false;  // somebody will look for what they changed
  absl::Duration last_snapshot_ = -absl::InfiniteDuration();
  absl::Duration timer_rests_until_ = -absl::InfiniteDuration();

  // All of these are guarded by mutex_.
  mutable std::mutex mutex_;
  std::condition_variable control_wake_, store_wake_, place_wake_;
  std::vector<Input> inbox_;
  absl::Duration inbox_since_;         // of its oldest input
  std::size_t waiting_ = 0;            // submissions among them
  std::size_t chunks_ = 0;             // of ended requests among them
  std::unique_ptr<OpenBatch> handed_;  // waits for the store thread
  bool committing_ = false;
  bool running_ = false;
  bool stopping_ = false;
  bool control_done_ = false;

  std::atomic<std::size_t> open_events_{0};

  mutable std::mutex snapshot_mutex_;
  std::shared_ptr<const Snapshot> snapshot_;  // guarded by it

  std::thread control_, store_;
};

}  // namespace spillway
