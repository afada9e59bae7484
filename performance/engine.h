#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/catalog.h"
#include "core/pool.h"
#include "performance/engine_memory.h"
#include "performance/step_time.h"

// A continuous-batching engine as a pure state machine, in the manner of vLLM v1: what happens
// between a request's arrival and its last token, in steps. No clock, no thread, no chance: time
// comes in as argument, tokens go out as values. The simulator steps it in virtual time, a modelled
// engine server in wall time.
namespace spillway {

struct EngineLimits {
  int max_sequences = 64;           // running at once
  std::int64_t step_tokens = 2048;  // in one step: a token for each decode, the rest prompt chunks
  std::int64_t kv_blocks = 0;
  int block_tokens = kKvBlockTokens;
  int max_waiting = 1000;
  std::int64_t context = 0;  // tokens of prompt and answer together; 0: whatever the blocks hold

  // Blocks that admission leaves free (1 %), so that running sequences can grow.
  std::int64_t watermark() const { return kv_blocks / 100; }
  std::int64_t BlocksFor(std::int64_t tokens) const {
    return (tokens + block_tokens - 1) / block_tokens;
  }
  // The longest sequence (prompt and answer) that is let in.
  std::int64_t LongestSequence() const;
  friend bool operator==(const EngineLimits&, const EngineLimits&) = default;
};
// Of one replica. Sequences: what the pool or the profile says, else 64, on CPUs 16; tokens of a
// step 2048, on CPUs 512. kNotFound as MemoryOf; kFailedPrecondition: does not fit, with the bytes
// found and wanted.
absl::StatusOr<EngineLimits> LimitsFor(const Catalog& catalog, const PoolSpec& pool,
                                       const ServeSpec& serve);

struct EngineRequest {
  std::uint64_t id = 0;            // unique among those in the engine
  std::int64_t prompt_tokens = 1;  // >= 1
  // The true length, which only worlds know. 0: an embedding, done when its prompt is.
  std::int64_t output_tokens = 1;
};

enum class EngineAdmission : std::uint8_t {
  kAdmitted,
  kQueueFull,  // max_waiting wait already
  kNeverFits,  // longer than LongestSequence(): it would wait for ever
};

// One token of one sequence; for an embedding, its one output.
struct StepOutput {
  std::uint64_t id = 0;
  bool first = false, last = false;
  absl::Duration queued{};  // with `first`: from Add to the begin of the step that took it in
  friend bool operator==(const StepOutput&, const StepOutput&) = default;
};

// What a router knows or guesses of an engine (performance/request_time.h).
struct EngineLoad {
  int running = 0, waiting = 0;
  std::int64_t waiting_tokens = 0;  // of prompts, not computed yet, of waiting and running requests
  std::int64_t context_tokens = 0;  // in the cache, of all running requests together
  // Tokens of a typical answer; 0: like the one of the request that asks.
  std::int64_t typical_output = 0;
  friend bool operator==(const EngineLoad&, const EngineLoad&) = default;
};

struct EngineGauges {
  int running = 0, waiting = 0;
  std::int64_t kv_blocks_used = 0, kv_blocks_total = 0;
  // Since the engine began; they never fall.
  std::int64_t prompt_tokens = 0;  // computed, without what preemption made it compute again
  std::int64_t generated_tokens = 0;
  std::int64_t preemptions = 0, steps = 0;
};

// A step takes running decodes first (one token each), then the prompt that is under way, then new
// prompts in the order of arrival, whole or in chunks, until the tokens of a step or the sequences
// of a batch are used up. A new one is let in when all blocks of its prompt are free above the
// watermark. A decode that finds no block puts the newest running sequence back to the front of
// the queue: its blocks are freed, its tokens computed again. (It wants more than it freed, and
// nobody overtakes it, so a step that preempts lets nobody in.) The oldest running sequence always
// advances, so every request ends.
class Engine {
 public:
  Engine(std::shared_ptr<const StepTimes> times, EngineLimits limits);

  EngineAdmission Add(const EngineRequest& request, absl::Time now);
  // Frees what it holds at once; a step under way still takes its time. Unknown ids: nothing.
  void Cancel(std::uint64_t id);

  // When the step under way ends; if there is none and work is there, one begins at `now`.
  // InfiniteFuture: idle.
  absl::Time NextStepEnd(absl::Time now);
  // Ends the step under way, if `now` is not before its end; appends its tokens in the order in
  // which the sequences were let in. The next step begins with the next NextStepEnd: pass this
  // step's end, not the later instant at which a timer fired, and no time is lost.
  void EndStep(absl::Time now, std::vector<StepOutput>& out);

  EngineGauges gauges() const;
  EngineLoad load() const;
  const EngineLimits& limits() const { return limits_; }
  const StepBatch& batch() const { return batch_; }  // of the step under way; empty: none

 private:
  struct Sequence {
    EngineRequest request;
    absl::Time since{};  // of Add
    absl::Duration queued{};
    std::int64_t computed = 0;  // tokens in the cache
    std::int64_t generated = 0;
    std::int64_t blocks = 0;
    std::int64_t scheduled = 0;  // tokens of it in the step under way
    std::int64_t counted = 0;    // prompt tokens in the counters already
    bool admitted_before = false;
    bool done = false;
    std::int64_t length() const { return request.prompt_tokens + generated; }
    bool decodes() const { return generated > 0 && computed + 1 == length(); }
  };

  void Schedule(absl::Time now);
  void ScheduleDecodes(std::int64_t& budget);
  void ScheduleChunks(std::int64_t& budget);
  void Admit(std::int64_t& budget, absl::Time now);
  void PreemptNewest();
  void Give(Sequence& sequence, std::int64_t tokens);
  void Advance(Sequence& sequence, std::vector<StepOutput>& out);

  std::shared_ptr<const StepTimes> times_;
  EngineLimits limits_;
  std::vector<Sequence> running_;  // in the order of admission
  std::deque<Sequence> waiting_;
  std::int64_t free_blocks_;
  StepBatch batch_;
  absl::Time step_end_ = absl::InfiniteFuture();
  EngineGauges counters_;
};

}  // namespace spillway
