#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "controller/dispatcher.h"
#include "controller/engine_log.h"
#include "controller/host.h"
#include "controller/observer.h"
#include "controller/simulations.h"
#include "core/config.h"
#include "core/machine.h"

// `spillway serve`: everything of the live host, wired. cli/ chooses the adapters and calls it.
namespace spillway {

// The adapters of one run, and whatever they stand on.
class ServedAdapters {
 public:
  virtual ~ServedAdapters() = default;  // after the host has stopped
  virtual Host::Adapters ByType() = 0;
  // What would keep pools of a file that is read again from being driven: a key that is not there.
  virtual absl::Status Check(const FleetSpec&) const { return absl::OkStatus(); }
  // The host has met every pool. Returns once the engines that this process hosts answer; what is
  // wrong with others shows as pools that are down.
  virtual absl::Status AwaitEngines() = 0;
  // Nobody is asked any more, and nothing is said to the sink or the dispatcher after this.
  virtual void StopEngines() = 0;
};
struct AdapterNeeds {
  std::string state_dir;   // there, 0700, and held by this process alone
  AdapterSink& sink;       // outlives the adapters
  Dispatcher& dispatcher;  // the same; is told where engines are and what they say
  const Config& config;
  EngineLog& engine_log;  // outlives the adapters
  Observer& observer;     // the same
};
using AdapterFactory =
    std::function<absl::StatusOr<std::unique_ptr<ServedAdapters>>(const AdapterNeeds&)>;

// What whoever runs simulations may read.
struct SimulationNeeds {
  std::string database;  // of this controller, which writes to it meanwhile
  std::string catalog_dir;
};
using SimulationRunnerFactory =
    std::function<std::unique_ptr<SimulationRunner>(const SimulationNeeds&)>;

struct ServeOptions {
  std::string config_path;
  std::string state_dir;
  std::string catalog_dir;
  std::optional<std::string> listen;  // HOST:PORT; wins over the file
  Machine machine;                    // that pools of adapter `process` are filled in from
  AdapterFactory adapters;
  SimulationRunnerFactory simulations;  // none: no simulations are run
  std::string version = "unknown", revision = "unknown";
  bool json_log = false;  // lines of the log on standard error; else text
  int threads = 0;        // that serve HTTP; 0: one a core, at most 8
};

// Serves until SIGTERM or SIGINT, then drains and gives OK. Takes over the handling of these, of
// SIGHUP and of SIGPIPE while it runs: one at a time in a process. Errors come before anything is
// served: kInvalidArgument (findings of the configuration), kFailedPrecondition (the state folder
// is in use, or not ours), kUnavailable (the address is taken), and those of adapters.
absl::Status RunServe(const ServeOptions& options);

}  // namespace spillway
