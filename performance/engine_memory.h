#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "core/catalog.h"
#include "core/pool.h"

// Whether a model fits on the hardware that a replica holds, and how many sequences beside it:
// memory is what most often decides what small hardware can serve at all.
namespace spillway {

inline constexpr int kKvBlockTokens = 16;  // tokens in one block of the KV cache
inline constexpr double kMemoryUtilisation =
    0.9;  // of the memory that an engine takes (vLLM's default)

// Over all devices and nodes of one replica; the memory of the nodes on CPU pools.
struct EngineMemory {
  Bytes usable{};       // memory x utilisation
  Bytes weights{};      // parameters x bytes of the precision
  Bytes activations{};  // at the peak of a step
  Bytes runtime{};      // what the engine and its libraries take
  Bytes kv_block{};     // 16 tokens' keys and values
  // Blocks that the rest gives, or the measured count, which wins. 0: does not fit.
  std::int64_t kv_blocks = 0;
  bool measured = false;  // `kv_blocks` was given, by the pool or by a profile

  // For the code `memory`: usable bytes, and what the model with one sequence of
  // kSmallestContext tokens (or the model's context, if less) would take. Measured blocks: it fits.
  Bytes found{}, wanted{};
  bool fits() const { return measured || found >= wanted; }
};
inline constexpr std::int64_t kSmallestContext = 2048;

// kNotFound: the catalogue lacks the model or the pool's device.
absl::StatusOr<EngineMemory> MemoryOf(const Catalog& catalog, const PoolSpec& pool,
                                      const ServeSpec& serve);

}  // namespace spillway
