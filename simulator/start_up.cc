#include "simulator/start_up.h"

#include "performance/model_load.h"

namespace spillway {

StartUp::StartUp(const Config& config, const WorldSpec& world) : spec_(world.start_up) {
  if (!spec_) return;
  for (const PoolSpec& pool : config.fleet.pools) {
    std::vector<absl::Duration>& of_pool = loads_.emplace_back();
    for (const ServeSpec& serve : pool.serves) {
      // Servers of batches have small models: what they set up is what counts.
      const auto load = LoadTimeOf(config.catalog, pool, serve, spec_->storage);
      of_pool.insert(of_pool.end(), static_cast<std::size_t>(serve.replicas),
                     load.ok() ? *load : kEngineSetUp);
    }
  }
}

absl::Duration StartUp::LoadOf(EndpointKey endpoint) const {
  if (!spec_ || Index(endpoint.pool) >= loads_.size()) return absl::ZeroDuration();
  const auto& of_pool = loads_[Index(endpoint.pool)];
  const auto place = static_cast<std::size_t>(endpoint.number);
  return place < of_pool.size() ? of_pool[place] : kEngineSetUp;
}

}  // namespace spillway
