#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/time/time.h"
#include "core/catalog.h"
#include "core/estimate.h"
#include "core/pool.h"

// How long one step of an inference engine takes: one pass of the model over a batch, after which
// every sequence whose prompt is in the cache has one token more.
namespace spillway {

// What one step computes. Sequences decode (one token each) or prefill (a chunk of their prompt).
struct StepBatch {
  std::int64_t prefill_tokens = 0;  // prompt tokens computed in it
  // Sum over chunks of tokens x (tokens already in the cache + (tokens - 1) / 2): how many earlier
  // tokens they look at.
  std::int64_t prefill_context = 0;
  int prefills = 0;                 // chunks
  int decodes = 0;                  // sequences that get one token each
  std::int64_t decode_context = 0;  // sum of the tokens that each of them has in the cache

  bool empty() const { return prefill_tokens == 0 && decodes == 0; }
  // One more chunk of `tokens` prompt tokens behind `cached` others.
  void AddChunk(std::int64_t tokens, std::int64_t cached) {
    prefill_tokens += tokens;
    prefill_context += tokens * cached + tokens * (tokens - 1) / 2;
    ++prefills;
  }
  void AddDecode(std::int64_t cached) {
    ++decodes;
    decode_context += cached;
  }
  friend bool operator==(const StepBatch&, const StepBatch&) = default;
};

// Decode steps are counted in ticks of 2^-20 ns (about 1 fs), whole numbers: many of them add up to
// the same sum in whatever order and by whatever formula.
inline constexpr int kTickBits = 20;
// A time that grows by the same for each token: ticks, and ticks for a token.
struct TickLine {
  std::int64_t base = 0, slope = 0;  // slope >= 0; base may be below zero where another line holds
  std::int64_t At(std::int64_t tokens) const { return base + slope * tokens; }
  friend bool operator==(const TickLine&, const TickLine&) = default;
};
// None: longer than 1,000 s, or 1 ms a token.
std::optional<TickLine> TickLineOf(double seconds, double seconds_per_token);
// How long a step of nothing but decodes takes, by the tokens that its sequences have in the cache
// together: the longer of two lines (computing or moving, as measured or beyond it).
struct DecodeCurve {
  TickLine gentle, steep;  // gentle.slope <= steep.slope; gentle is at least 1 ns everywhere
  std::int64_t At(std::int64_t tokens) const {
    const std::int64_t a = gentle.At(tokens), b = steep.At(tokens);
    return a < b ? b : a;
  }
  friend bool operator==(const DecodeCurve&, const DecodeCurve&) = default;
};
// From lines in either order; none: one of them is none.
std::optional<DecodeCurve> LongerOf(std::optional<TickLine> a, std::optional<TickLine> b);

// Of one replica of one model on the hardware that it holds. Immutable: shared between threads.
class StepTimes {
 public:
  virtual ~StepTimes() = default;
  // More than zero unless the batch is empty; whole nanoseconds; the same batch always takes the
  // same time; more work never takes less. Allocates nothing.
  virtual absl::Duration Of(const StepBatch& batch) const = 0;
  // The same of `sequences` (> 0) decodes and no prompt, before it is rounded to nanoseconds. None:
  // it has no such form, and an engine computes each step alone.
  virtual std::optional<DecodeCurve> Decodes(int sequences) const;
  // `profile` if both phases were measured on this very hardware, else `roofline`.
  virtual Basis basis() const = 0;
};

// From the catalogue's profile of (device, model, precision, devices) if it has one, else, or for
// a phase that the profile lacks, by the roofline of device and model. A pool's `speed` divides all
// times. Null: the pool names no device, or the catalogue does not know it or the model, or the
// device has no peak rate with which the model could be computed.
std::shared_ptr<const StepTimes> StepTimesFor(const Catalog& catalog, const PoolSpec& pool,
                                              const ServeSpec& serve);

}  // namespace spillway
