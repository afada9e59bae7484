#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "adapters/openai/engine_kinds.h"
#include "adapters/openai/metrics_scan.h"
#include "net/upstream.h"

namespace spillway {

struct WatchedEndpoint {
  std::string url;                   // of its API: "http://10.0.0.7:8000/v1"
  const EngineKind* kind = nullptr;  // never null
  std::string key;                   // sent as a bearer token; "" none
  std::string ca_file;               // PEM; "": the system's
  std::string model;                 // whose samples count; "": all
};

// What is known of an endpoint now.
struct EndpointSignals {
  absl::Time at;       // when the answer came
  bool up = false;     // it answers, and calls itself well
  ScrapedLoad load;    // unknown where its last page did not come or did not say
  absl::Time load_at;  // when that page came, or failed to
  std::shared_ptr<const std::vector<std::string>> models;  // null: not told yet
  std::string why;                                         // why it is not up, for people
  std::string models_why;  // why its list of models cannot be read; "": it can, or has none
};

struct WatchOptions {
  absl::Duration metrics = absl::Milliseconds(500);    // between two pages of metrics,
  absl::Duration health = absl::Seconds(1);            // two questions after health,
  absl::Duration models = absl::Seconds(30);           // and two lists of models,
  absl::Duration only_models = absl::Seconds(3);       // where nothing else tells of health
  absl::Duration timeout = absl::Seconds(2);           // for each
  absl::Duration when_down = absl::Milliseconds(500);  // between questions to one that is not up
};

// Asks many endpoints how they are, over kept connections, on one thread of its own. The bodies it
// reads are bounded: metrics 4 MiB (never held), models 1 MiB.
class EndpointWatch {
 public:
  // `endpoint` is an index into what Start() got. Called on the watch's thread after each answer,
  // and each failure; must not block.
  using OnSignals = std::function<void(std::size_t endpoint, const EndpointSignals& signals)>;
  // Called there before each question after its load.
  using OnAsk = std::function<void(std::size_t endpoint)>;

  // kInvalidArgument for a URL that is none, or certificates that cannot be read.
  static absl::StatusOr<std::unique_ptr<EndpointWatch>> Start(
      std::vector<WatchedEndpoint> endpoints, WatchOptions options, OnSignals on_signals,
      OnAsk on_ask = nullptr);
  ~EndpointWatch();  // No call comes after it returned.

 private:
  struct Impl;
  explicit EndpointWatch(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace spillway
