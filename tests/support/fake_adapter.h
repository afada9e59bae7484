#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "adapters/adapter.h"

namespace spillway {

// An adapter whose runs are whatever the test says. Remembers what it was asked; tells the host
// what happened only when the test calls one of the verbs. Thread-safe.
class FakeAdapter final : public JobAdapter {
 public:
  // `sink` may be set later, but before anything is told.
  explicit FakeAdapter(AdapterSink* sink = nullptr) : sink_(sink) {}
  void set_sink(AdapterSink* sink) { sink_ = sink; }
  // Launches run, end at once and well, without the test's doing.
  void EndAtOnce() { end_at_once_ = true; }

  // --- What it was asked.
  std::uint64_t epoch() const {
    const std::lock_guard lock(mutex_);
    return epoch_;
  }
  std::vector<AttemptKey> known() const {
    const std::lock_guard lock(mutex_);
    return known_;
  }
  std::vector<AttemptKey> launched() const {
    const std::lock_guard lock(mutex_);
    std::vector<AttemptKey> keys;
    for (const auto& launch : launches_) keys.push_back(launch.key);
    return keys;
  }
  std::vector<AttemptKey> cancelled() const {
    const std::lock_guard lock(mutex_);
    return cancels_;
  }
  bool stopped() const {
    const std::lock_guard lock(mutex_);
    return stopped_;
  }
  // Blocks until that many were launched; false after 10 s.
  bool WaitForLaunches(std::size_t count) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10),
                             [&] { return launches_.size() >= count; });
  }
  bool WaitForCancels(std::size_t count) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10),
                             [&] { return cancels_.size() >= count; });
  }

  // --- What happens.
  void Started(AttemptKey key) { sink_->Post(event::AttemptStarted{key}); }
  void Ended(AttemptKey key, int exit_code) {
    sink_->Post(event::AttemptEnded{
        .key = key, .fault = exit_code == 0 ? Fault::kNone : Fault::kOwn, .exit_code = exit_code});
  }
  void Lost(AttemptKey key) {
    sink_->Post(event::AttemptEnded{.key = key, .fault = Fault::kInfrastructure});
  }
  void Wrote(AttemptKey key, LogStream stream, std::string bytes) {
    const std::lock_guard lock(mutex_);
    logs_[{key, stream}] += std::move(bytes);
  }
  void Closed(AttemptKey key) {
    const std::lock_guard lock(mutex_);
    closed_.push_back(key);
  }

  // --- JobAdapter
  absl::Status Start(std::uint64_t epoch, absl::Span<const AttemptKey> known) override {
    const std::lock_guard lock(mutex_);
    epoch_ = epoch;
    known_.assign(known.begin(), known.end());
    return start_status_;
  }
  void Launch(const command::Launch& launch) override {
    {
      const std::lock_guard lock(mutex_);
      launches_.push_back(launch);
      changed_.notify_all();
    }
    if (!end_at_once_) return;
    Started(launch.key);
    Ended(launch.key, 0);
  }
  void Cancel(const command::Cancel& cancel) override {
    const std::lock_guard lock(mutex_);
    cancels_.push_back(cancel.key);
    changed_.notify_all();
  }
  void Logs(AttemptKey key, LogStream stream, std::uint64_t offset, std::size_t limit, bool follow,
            LogAnswer answer) override {
    absl::StatusOr<LogChunk> chunk = Read(key, stream, offset, limit);
    // What a follower waits for comes from the test in its own time: answered as if 15 s were over.
    (void)follow;
    answer(std::move(chunk));
  }
  void Stop() override {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }

  void FailToStart(absl::Status status) { start_status_ = std::move(status); }

 private:
  absl::StatusOr<LogChunk> Read(AttemptKey key, LogStream stream, std::uint64_t offset,
                                std::size_t limit) const {
    const std::lock_guard lock(mutex_);
    const auto found = logs_.find({key, stream});
    const std::string& all = found != logs_.end() ? found->second : kNothing;
    LogChunk chunk;
    offset = std::min<std::uint64_t>(offset, all.size());
    chunk.bytes = all.substr(offset, limit);
    chunk.next = offset + chunk.bytes.size();
    chunk.end =
        chunk.next == all.size() && std::find(closed_.begin(), closed_.end(), key) != closed_.end();
    return chunk;
  }

  inline static const std::string kNothing;
  AdapterSink* sink_;
  bool end_at_once_ = false;
  absl::Status start_status_;
  // All that follows is guarded by mutex_.
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::uint64_t epoch_ = 0;
  std::vector<AttemptKey> known_;
  std::vector<command::Launch> launches_;
  std::vector<AttemptKey> cancels_;
  std::map<std::pair<AttemptKey, LogStream>, std::string> logs_;
  std::vector<AttemptKey> closed_;
  bool stopped_ = false;
};

}  // namespace spillway
