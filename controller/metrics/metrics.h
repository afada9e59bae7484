#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "controller/archive.h"
#include "controller/dispatcher.h"
#include "controller/host.h"
#include "controller/observer.h"
#include "controller/simulations.h"
#include "net/server.h"

// Everything that /metrics shows. Counters are projections of committed records, so that after a
// restart money goes on from the ledger; gauges are read at each scrape. Every label is bounded:
// tenants, pools and rules beyond their cap are counted as "other". Thread-safe.
namespace spillway {

struct BuildInfo {
  std::string version, revision;
};

// What is known of a site's electricity, where a source tells it.
struct SiteCarbon {
  std::string site;
  GramsCo2ePerKwh intensity{};
  absl::Duration age{};  // of the reading
  bool stale = false;    // older than its source may be
};

// Where gauges are read from at a scrape; what is not set is left out.
struct MetricSources {
  Host* host = nullptr;
  const Dispatcher* dispatcher = nullptr;
  std::function<ServerStats()> server;
  std::function<std::size_t()> streams;  // open event and log streams
  std::size_t stream_bound = 0, connection_bound = 0;
  std::function<std::vector<SiteCarbon>()> carbon;
  Simulations* simulations = nullptr;
  Archive* archive = nullptr;  // the counters are compared with it now and then
};

class Metrics final : public Observer, public MetricsText {
 public:
  explicit Metrics(const BuildInfo& build);
  ~Metrics() override;

  // Sums what the ledger holds already. Before anything is committed.
  absl::Status Restore(Archive& archive);
  // From now on. Once, before the first scrape that shall show them; sources outlive all scrapes.
  void Attach(MetricSources sources);
  // The sources may go.
  void Detach();

  void OnDecided(absl::Duration took) override;
  void OnLoopLag(absl::Duration lag) override;
  void OnAdapterCall(std::string_view adapter, std::string_view call, absl::StatusCode code,
                     absl::Duration took) override;
  void OnEnded(const event::RequestsEnded& ended) override;
  void OnCommitted(const Batch& batch, absl::Duration took) override;
  void OnRequest(std::string_view operation, int status, absl::Duration took) override;
  void OnReload(bool succeeded) override;

  std::string Render() override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spillway
