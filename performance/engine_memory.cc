#include "performance/engine_memory.h"

#include <algorithm>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/status.h"
#include "performance/engine.h"
#include "performance/replica.h"

namespace spillway {
namespace {

constexpr double kGib = 1024.0 * 1024 * 1024;

Bytes ToBytes(double bytes) { return Bytes(static_cast<std::int64_t>(std::ceil(bytes))); }

// BLIS: 5.5 GiB, of mixtures 8 GiB, on devices of 80 GiB; smaller ones run smaller steps.
Bytes ActivationsOf(const Replica& replica) {
  constexpr double kPart = 5.5 / 80;
  const double most = (replica.model->experts > 0 ? 8 : 5.5) * kGib;
  return ToBytes(std::min(most, static_cast<double>(replica.memory.value()) * kPart));
}

// BLIS: 0.15 GiB on one device, 0.6 GiB on each of several.
Bytes RuntimeOf(const Replica& replica) {
  const double devices = replica.by_cpu() ? 1 : replica.units * replica.nodes;
  return ToBytes((devices <= 1 ? 0.15 : 0.6 * devices) * kGib);
}

std::optional<std::int64_t> MeasuredBlocks(const Catalog& catalog, const Replica& replica,
                                           const ServeSpec& serve) {
  if (serve.kv_blocks) return serve.kv_blocks;
  const EngineProfile* profile = ProfileFor(catalog, replica);
  return profile == nullptr ? std::nullopt : profile->kv_blocks;
}

std::string Gib(Bytes bytes) {
  return absl::StrFormat("%.2f GiB", static_cast<double>(bytes.value()) / kGib);
}

}  // namespace

absl::StatusOr<EngineMemory> MemoryOf(const Catalog& catalog, const PoolSpec& pool,
                                      const ServeSpec& serve) {
  SPILLWAY_ASSIGN_OR_RETURN(const Replica replica, ReplicaOf(catalog, pool, serve));
  const Model& model = *replica.model;
  EngineMemory out;
  out.usable = Scale(replica.memory, kMemoryUtilisation);
  out.weights = ToBytes(model.parameters * BytesOf(replica.precision));
  out.activations = ActivationsOf(replica);
  out.runtime = RuntimeOf(replica);
  out.kv_block = ToBytes(replica.KvBytesPerToken() * kKvBlockTokens);
  const Bytes fixed = out.weights + out.activations + out.runtime;
  const std::int64_t shortest =
      model.context > 0 ? std::min(kSmallestContext, model.context) : kSmallestContext;
  // One block more than the sequence: admission leaves 1 % free.
  const std::int64_t least = (shortest + kKvBlockTokens - 1) / kKvBlockTokens * 101 / 100 + 1;
  out.found = out.usable;
  out.wanted = fixed + out.kv_block * least;
  if (const auto measured = MeasuredBlocks(catalog, replica, serve)) {
    out.measured = true;
    out.kv_blocks = *measured;
  } else if (out.fits()) {
    out.kv_blocks = (out.usable - fixed).value() / std::max<std::int64_t>(1, out.kv_block.value());
  }
  return out;
}

absl::StatusOr<EngineLimits> LimitsFor(const Catalog& catalog, const PoolSpec& pool,
                                       const ServeSpec& serve) {
  SPILLWAY_ASSIGN_OR_RETURN(const EngineMemory memory, MemoryOf(catalog, pool, serve));
  if (!memory.fits()) {
    return absl::FailedPreconditionError(
        absl::StrCat("`", serve.model, "` does not fit: it wants ", Gib(memory.wanted),
                     " (weights ", Gib(memory.weights), ") of memory, found ", Gib(memory.found)));
  }
  SPILLWAY_ASSIGN_OR_RETURN(const Replica replica, ReplicaOf(catalog, pool, serve));
  const EngineProfile* profile = ProfileFor(catalog, replica);
  EngineLimits out;
  out.max_sequences = serve.max_sequences ? *serve.max_sequences
                                          : (profile != nullptr && profile->max_sequences
                                                 ? *profile->max_sequences
                                                 : (replica.by_cpu() ? 16 : 64));
  out.step_tokens = replica.by_cpu() ? 512 : 2048;
  out.kv_blocks = memory.kv_blocks;
  out.context = replica.model->context;
  return out;
}

}  // namespace spillway
