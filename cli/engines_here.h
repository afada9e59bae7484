#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "adapters/adapter.h"
#include "adapters/modelled/engine_hosting.h"
#include "controller/dispatcher.h"
#include "core/config.h"

namespace spillway::cli {

// Tells the dispatcher where the engines of the fleet's pools are: those of others by their URLs,
// modelled ones by starting them here.
class EnginesHere {
 public:
  // `sink` and `dispatcher` outlive it.
  EnginesHere(AdapterSink& sink, Dispatcher& dispatcher) : sink_(sink), dispatcher_(dispatcher) {}

  // Starts the modelled engines of the fleet; before the host starts.
  absl::Status Start(const Config& config);
  // A pool that has engines; on the control thread, again whenever it changes.
  void Meet(PoolId id, const PoolSpec& pool);
  // Says of every engine met so far that it answers, and of later ones at once.
  void Announce();
  void Stop();

 private:
  void AddOrigin(EndpointKey key, const PoolSpec& pool, const std::string& url);
  void Say(EndpointKey key);

  AdapterSink& sink_;
  Dispatcher& dispatcher_;
  std::unique_ptr<ModelledEngines> modelled_;
  std::mutex mutex_;
  bool announced_ = false;          // guarded by mutex_
  std::vector<EndpointKey> known_;  // guarded by mutex_
};

}  // namespace spillway::cli
