#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "core/catalog.h"
#include "core/pool.h"
#include "performance/answer_lengths.h"
#include "performance/decode_run.h"
#include "performance/decode_set.h"
#include "performance/engine_memory.h"
#include "performance/kv_blocks.h"
#include "performance/step_time.h"

// A continuous-batching engine as a pure state machine, in the manner of vLLM v1: what happens
// between a request's arrival and its last token, in steps. No clock, no thread, no chance: time
// comes in as argument, tokens go out as values. A modelled engine server steps it in wall time, a
// token at a time; the simulator lets it run in virtual time, from one arrival or completion to the
// next.
namespace spillway {

struct EngineLimits {
  int max_sequences = 64;           // running at once; never more than step_tokens
  std::int64_t step_tokens = 2048;  // in one step: a token for each decode, the rest prompt chunks
  std::int64_t kv_blocks = 0;
  int block_tokens = kKvBlockTokens;
  int max_waiting = 1000;
  std::int64_t context = 0;  // tokens of prompt and answer together; 0: whatever the blocks hold
  // Tokens of one piece of a prompt that is kept for prompts with the same beginning
  // (performance/kv_blocks.h), a multiple of block_tokens; 0: nothing is kept.
  std::int64_t prefix_tokens = 0;

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
  // Of each whole piece of prefix_tokens a hash of all tokens up to its end; of the answer too, if
  // it is known to come again. Not copied: it must live until the request has left. Beginnings that
  // are in the cache count as computed, but for the last token.
  absl::Span<const std::uint64_t> prefix = {};
};

enum class EngineAdmission : std::uint8_t {
  kAdmitted,
  kQueueFull,  // max_waiting wait already
  kNeverFits,  // longer than LongestSequence(): it would wait for ever
};

// kSteps: each step ends by itself and gives every token. kRuns: steps that only decode are taken
// together, up to the next completion or the end of the blocks, where their times have a closed
// form (StepTimes::Decodes); out come first and last tokens only. Both take the same steps at the
// same nanoseconds: what comes out differs in nothing else.
enum class EnginePace : std::uint8_t { kSteps, kRuns };

// Tokens of one sequence; for an embedding, its one output. It comes at the end of a step.
struct StepOutput {
  std::uint64_t id = 0;
  bool first = false, last = false;
  absl::Duration queued{};  // with `first`: from Add to the begin of the step that took it in
  // Since the one before of the same sequence: 1, or under kRuns with `last` all after the first.
  std::int64_t tokens = 1;
  friend bool operator==(const StepOutput&, const StepOutput&) = default;
};

// What a router knows or guesses of an engine (performance/request_time.h).
struct EngineLoad {
  int running = 0, waiting = 0;
  std::int64_t waiting_tokens = 0;  // of prompts, not computed yet, of waiting and running requests
  std::int64_t context_tokens = 0;  // in the cache, of all running requests together
  // Tokens of a typical answer; 0: like the one of the request that asks.
  std::int64_t typical_output = 0;
  // What answers are like; borrowed. Null: memoryless, by what is typical.
  const AnswerLengths* answers = nullptr;
  friend bool operator==(const EngineLoad&, const EngineLoad&) = default;
};

struct EngineGauges {
  int running = 0, waiting = 0;
  std::int64_t kv_blocks_used = 0, kv_blocks_total = 0;
  // Since the engine began; they never fall.
  std::int64_t prompt_tokens = 0;  // computed, without what preemption made it compute again
  std::int64_t prefix_tokens = 0;  // of prompts, found in the cache
  std::int64_t generated_tokens = 0;
  std::int64_t preemptions = 0, steps = 0;
  friend bool operator==(const EngineGauges&, const EngineGauges&) = default;
};

// A step takes running decodes first (one token each), then the prompt that is under way, then new
// prompts in the order of arrival, whole or in chunks, until the tokens of a step or the sequences
// of a batch are used up. A new one is let in when all blocks of its prompt are available above the
// watermark. A decode that finds no block puts the newest running sequence back to the front of
// the queue: its blocks are freed, its tokens computed again, and that step lets nobody in. The
// oldest running sequence always advances, so every request ends.
//
// Steps take whole nanoseconds; what the closed form has beyond them is carried to the next such
// step, so that many of them are exact together.
class Engine {
 public:
  Engine(std::shared_ptr<const StepTimes> times, EngineLimits limits,
         EnginePace pace = EnginePace::kSteps);

  // Under kRuns `now` never goes back over all calls; Add and Cancel may bring the end of the run
  // under way forward, to the next end of a step not before `now`: ask for NextStepEnd again. At
  // the same instant they come before EndStep.
  EngineAdmission Add(const EngineRequest& request, absl::Time now);
  // Frees what it holds at once; a step under way still takes its time. Unknown ids: nothing.
  // `now` is of interest under kRuns only.
  void Cancel(std::uint64_t id, absl::Time now = absl::InfinitePast());

  // When the step (or run) under way ends; if there is none and work is there, one begins at `now`.
  // InfiniteFuture: idle.
  absl::Time NextStepEnd(absl::Time now);
  // Ends the step (or run) under way, if `now` is not before its end; appends its tokens in the
  // order in which the sequences were let in. The next step begins with the next NextStepEnd: pass
  // this step's end, not the later instant at which a timer fired, and no time is lost.
  void EndStep(absl::Time now, std::vector<StepOutput>& out);

  // Under kRuns: counts the steps of a run that ended before `now`. The three below tell how things
  // stood at the last call that named a time.
  void CatchUp(absl::Time now);
  EngineGauges gauges() const;
  EngineLoad load() const;
  const StepBatch& batch() const { return batch_; }  // of the step under way; empty: none
  const EngineLimits& limits() const { return limits_; }

 private:
  using Slot = std::uint32_t;  // a place in `slots_`
  struct Sequence {
    EngineRequest request;
    absl::Time since{};  // of Add
    absl::Duration queued{};
    DecodeSet::Member member;    // while it decodes
    std::uint64_t order = 0;     // of the last admission
    std::int64_t computed = 0;   // tokens in the cache, until it decodes
    std::int64_t generated = 0;  // until it decodes
    std::int64_t scheduled = 0;  // tokens of its prompt in the step under way
    std::int64_t counted = 0;    // prompt tokens in the counters already
    std::size_t shared = 0;      // pieces of its prefix that it uses, the first ones
    bool admitted_before = false;
    std::int64_t length() const { return request.prompt_tokens + generated; }
  };

  // engine.cc: who comes and leaves, and the tokens of a step.
  void Push(const EngineRequest& request, absl::Time now);
  void Remove(std::size_t place, std::int64_t tokens);
  void FinishStep(std::vector<StepOutput>& out);
  void FinishDecodes(std::vector<StepOutput>& out);
  void FinishChunks(std::vector<StepOutput>& out);
  bool FinishPrompt(Sequence& sequence, std::vector<StepOutput>& out);
  void CountPrompt(Sequence& sequence, std::int64_t cached);
  void BeginDecoding(Slot slot);
  std::int64_t ComputedOf(const Sequence& sequence) const;
  std::size_t PlaceOf(const Sequence& sequence) const;

  // engine_schedule.cc: what a step is made of, and how many are taken together.
  void Schedule(absl::Time now);
  void ScheduleChunks(std::int64_t& budget);
  void GiveChunk(Sequence& sequence, std::int64_t& budget);
  void Admit(std::int64_t& budget, absl::Time now);
  bool LetIn(Sequence& head, absl::Time now);
  bool GrowAll();
  void GrowByPreempting();
  void PreemptNewest();
  void Release(Sequence& sequence, std::int64_t tokens);
  void KeepComputed(Sequence& sequence);
  void Begin(absl::Time now, bool alone);
  std::int64_t RunLength();
  void Pass(std::int64_t steps);  // fewer than the run has
  void CutShort();                // to its first step
  std::int64_t NanosOf(std::int64_t steps) const {
    return (carry_ + run_.Ticks(steps)) >> kTickBits;
  }
  std::optional<DecodeCurve> CurveOf(int sequences);

  bool under_way() const { return step_end_ != absl::InfiniteFuture(); }

  std::shared_ptr<const StepTimes> times_;
  EngineLimits limits_;
  EnginePace pace_;
  KvBlocks blocks_;
  std::vector<Sequence> slots_;
  std::vector<Slot> free_slots_;
  std::vector<Slot> running_;  // in the order of admission; those that decode come first
  DecodeSet decoding_;
  std::deque<Slot> waiting_;
  std::int64_t waiting_tokens_ = 0;  // of all that wait
  std::uint64_t admissions_ = 0;

  StepBatch batch_;
  absl::Time begin_{}, step_end_ = absl::InfiniteFuture();  // of the run under way; its first step
  std::int64_t steps_ = 1;                                  // that it has
  std::optional<DecodeCurve> curve_;                        // of its decodes; none: StepTimes::Of
  DecodeRun run_;
  std::int64_t carry_ = 0;                          // ticks, less than a nanosecond
  std::vector<std::optional<DecodeCurve>> curves_;  // by sequences, as they are asked for
  EngineGauges counters_;
};

}  // namespace spillway
