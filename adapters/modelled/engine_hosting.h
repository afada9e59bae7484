#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "adapters/modelled/engine_server.h"
#include "core/catalog.h"
#include "core/pool.h"

namespace spillway {

// The engines of a fleet's modelled pools: one server on loopback, on a port that the kernel
// chooses, for each replica of each entry of `serves:`. From then on they are engines like any
// other, found by their URL.
class ModelledEngines {
 public:
  static constexpr std::size_t kMost = 1000;  // each has two threads

  // All or none. kFailedPrecondition, kNotFound: a pool's model does not fit or is not known, named
  // with the pool; kResourceExhausted: more than kMost. Of `options`, host and port are not used.
  static absl::StatusOr<std::unique_ptr<ModelledEngines>> Start(const Catalog& catalog,
                                                                const FleetSpec& fleet,
                                                                ModelledEngineOptions options = {});

  // The engines of one pool more; all or none, and none twice. Errors as Start's.
  absl::Status Host(const Catalog& catalog, const PoolSpec& pool);

  // Base URLs ("http://127.0.0.1:41234/v1") of the replicas of `pool`'s serves[serve], in order;
  // empty: no such entry, or the pool is not modelled. Valid as long as this object.
  const std::vector<std::string>& Urls(std::string_view pool, std::size_t serve) const;
  std::size_t size() const { return engines_.size(); }

  // All at once: they take no more, answers under way may finish until `grace` is over. Blocks;
  // true if all did. Without it the end cuts them off.
  bool Stop(absl::Duration grace);

 private:
  ModelledEngineOptions options_;
  std::vector<std::unique_ptr<ModelledEngine>> engines_;
  std::map<std::string, std::vector<std::vector<std::string>>, std::less<>> urls_;  // by pool
};

}  // namespace spillway
