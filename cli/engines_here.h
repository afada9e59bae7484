#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "adapters/adapter.h"
#include "adapters/modelled/engine_hosting.h"
#include "adapters/openai/endpoint_watch.h"
#include "controller/dispatcher.h"
#include "controller/engine_log.h"
#include "controller/observer.h"
#include "core/catalog.h"
#include "core/config.h"

namespace spillway::cli {

// Tells the dispatcher where the engines of the fleet's pools are: those of others by their URLs,
// modelled ones by starting them here.
class EnginesHere {
 public:
  // All outlive it.
  EnginesHere(AdapterSink& sink, Dispatcher& dispatcher, EngineLog& log, Observer& observer)
      : sink_(sink), dispatcher_(dispatcher), log_(log), observer_(observer) {}

  // Whether the URLs and keys of all engines of others can be read.
  static absl::Status Check(const FleetSpec& fleet);
  // Starts the modelled engines of the fleet; before the host starts.
  absl::Status Start(const Config& config);
  // A pool that has engines; on the control thread, again whenever it changes. Modelled ones that
  // do not run yet, of a pool that was added later, are started: a few milliseconds each.
  void Meet(PoolId id, const PoolSpec& pool);
  // From now on every engine that is met is looked after: whether it answers, what it serves, how
  // busy it is. Returns once those that run here answer, and those of others did or are known to be
  // down, and the router knows. The host has started.
  absl::Status Watch();
  void Stop();

 private:
  struct Met {
    EndpointKey key;
    std::string name;  // "a10/0"
    WatchedEndpoint watched;
    bool here = false;  // modelled
    std::string adapter;
  };
  void Add(EndpointKey key, const PoolSpec& pool, const std::string& url);
  absl::Status StartWatch(std::vector<Met> engines);
  void OnAsk(EndpointKey key);
  void OnSignals(const Met& engine, const EndpointSignals& signals);
  bool AllHereAnswer();
  bool AllAreKnown();
  bool RouterKnows();

  AdapterSink& sink_;
  Dispatcher& dispatcher_;
  EngineLog& log_;
  Observer& observer_;
  Catalog catalog_;
  std::mutex hosting_mutex_;
  std::unique_ptr<ModelledEngines> modelled_;  // guarded by it once the host has started
  std::mutex mutex_;                           // guards all below
  std::condition_variable changed_;
  bool watching_ = false;
  std::vector<Met> met_;  // and not watched yet
  std::set<EndpointKey> here_;
  std::map<EndpointKey, std::pair<bool, std::vector<std::string>>> said_;  // up, models
  std::set<EndpointKey> heard_;  // of which something is known
  std::map<EndpointKey, absl::Time> asked_;
  std::vector<std::unique_ptr<EndpointWatch>> watches_;
};

}  // namespace spillway::cli
