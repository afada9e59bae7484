#pragma once

#include <cstdint>

#include "absl/time/time.h"
#include "performance/engine.h"
#include "performance/step_time.h"

// What one more request would see of a running engine: the router's question, asked for every
// endpoint of every request. Closed form: a handful of step times, no allocation.
namespace spillway {

struct RequestTimes {     // p50; p90 is the caller's, by the basis of the step times
  absl::Duration wait{};  // until its prompt begins to be computed
  absl::Duration ttft{};  // until its first token; wait is part of it
  absl::Duration tpot{};  // between two later tokens; zero where `output` < 2
  // The part of `wait` that stands for others to end, as every place or block is taken. How long
  // they take is chance, not speed, so it has a p90 of its own. Zero: there is room.
  absl::Duration place{}, place_p90{};
  friend bool operator==(const RequestTimes&, const RequestTimes&) = default;
};
// From arrival to the last token: ttft + (output - 1) x tpot.
absl::Duration DurationOf(const RequestTimes& times, std::int64_t output);

// What is asked of it, in tokens. Several prompts are sequences of their own: computed one after
// the other, decoded together, and answered when the last is done.
struct AskedTokens {
  std::int64_t prompt = 1;  // of all prompts
  std::int64_t output = 0;  // of one answer, an estimate; 0: an embedding
  int prompts = 1;
  std::int64_t longest_prompt = 0;  // where there are several
};
// InfiniteDuration in all: the engine would never let it in (longer than it holds), or its queue is
// full. The load is taken to stay as it is: a sequence that ends is followed by one like it.
RequestTimes TimesOf(const StepTimes& steps, const EngineLimits& limits, const EngineLoad& load,
                     const AskedTokens& asked);
inline RequestTimes TimesOf(const StepTimes& steps, const EngineLimits& limits,
                            const EngineLoad& load, std::int64_t prompt, std::int64_t output) {
  return TimesOf(steps, limits, load, AskedTokens{.prompt = prompt, .output = output});
}

}  // namespace spillway
