#pragma once

#include <cstdint>
#include <memory>

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

// Of one replica of one model on the hardware that it holds. Immutable: shared between threads.
class StepTimes {
 public:
  virtual ~StepTimes() = default;
  // More than zero unless the batch is empty; whole nanoseconds; the same batch always takes the
  // same time; more work never takes less. Allocates nothing.
  virtual absl::Duration Of(const StepBatch& batch) const = 0;
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
