#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "adapters/modelled/engine_tally.h"
#include "formats/prefix_hash.h"
#include "net/server.h"
#include "performance/engine.h"

// The engine of performance/ in wall time: one thread that ends each step when it is due and hands
// its tokens to those who wait for them.
namespace spillway::modelled {

class EngineLoop;

// One sequence: what it reads, and how much it will say.
struct SequencePlan {
  std::int64_t prompt_tokens = 1;
  std::int64_t output_tokens = 1;  // 0: an embedding
  bool cut = false;                // it would have said more: `length`, not `stop`
  PrefixHashes prefix;             // of its beginnings, a piece of limits().prefix_tokens each
};

// The tokens of one request as they come, for each of its sequences. Made by EngineLoop::Submit;
// its end frees in the engine what is not over, at once. The loop outlives it.
class TokenFlow {
 public:
  ~TokenFlow();
  TokenFlow(const TokenFlow&) = delete;
  TokenFlow& operator=(const TokenFlow&) = delete;

  // Any thread.
  std::size_t size() const { return given_.size(); }
  std::int64_t given(std::size_t i) const { return given_[i].load(std::memory_order_acquire); }
  bool over(std::size_t i) const { return given(i) >= Wanted(i); }
  bool over() const { return left_.load(std::memory_order_acquire) == 0; }

 private:
  friend class EngineLoop;
  TokenFlow(EngineLoop& loop, std::vector<SequencePlan> plans, bool every_token,
            std::shared_ptr<Waker> waker);
  // An embedding has one output, which is no token.
  std::int64_t Wanted(std::size_t i) const {
    return plans_[i].output_tokens > 0 ? plans_[i].output_tokens : 1;
  }

  EngineLoop& loop_;
  const std::vector<SequencePlan> plans_;
  const bool every_token_;
  const std::shared_ptr<Waker> waker_;
  std::vector<std::atomic<std::int64_t>> given_;
  std::atomic<std::size_t> left_;
  // Guarded by the loop's mutex.
  std::uint64_t first_id_ = 0;  // the others follow
  absl::Time since_;
  std::vector<absl::Time> last_token_;
};

class EngineLoop {
 public:
  EngineLoop(std::shared_ptr<const StepTimes> times, EngineLimits limits);
  ~EngineLoop();  // no flow may be left
  EngineLoop(const EngineLoop&) = delete;
  EngineLoop& operator=(const EngineLoop&) = delete;

  // All sequences or none. kResourceExhausted: the queue is full; kOutOfRange: one is longer than
  // the engine holds. Wakes `waker` after each step that gave tokens, or only when all is over.
  absl::StatusOr<std::unique_ptr<TokenFlow>> Submit(std::vector<SequencePlan> plans,
                                                    bool every_token, std::shared_ptr<Waker> waker);
  EngineTally Look() const;
  const EngineLimits& limits() const { return limits_; }

 private:
  friend class TokenFlow;
  struct Place {
    TokenFlow* flow;
    std::size_t index;
  };

  void Run();
  void EndStep(std::vector<std::shared_ptr<Waker>>& wakers);  // with mutex_ held
  TokenFlow* Take(const StepOutput& output);  // gives its flow if that is to be woken
  void Withdraw(TokenFlow& flow);
  std::size_t Remove(const TokenFlow& flow);  // with mutex_ held; gives how many were left
  static absl::Time Now();

  const EngineLimits limits_;
  mutable std::mutex mutex_;
  std::condition_variable work_;
  // Guarded by mutex_.
  Engine engine_;
  EngineTally tally_;
  std::unordered_map<std::uint64_t, Place> places_;
  std::vector<StepOutput> outputs_;
  std::vector<TokenFlow*> touched_;
  absl::Time at_;  // how far the engine got: the end of its last step
  std::uint64_t next_id_ = 1;
  bool idle_ = true;
  bool stopping_ = false;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace spillway::modelled
