#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "controller/dispatcher.h"
#include "controller/host.h"
#include "controller/northbound/identity.h"
#include "controller/northbound/problems.h"
#include "controller/northbound/pulse.h"
#include "controller/northbound/requests.h"
#include "controller/northbound/route.h"
#include "controller/observer.h"
#include "controller/quota.h"
#include "controller/simulations.h"
#include "core/machine.h"
#include "net/server.h"

// The public side of the controller: finds the route, runs its handler, turns every error into a
// problem. Thread-safe.
namespace spillway {

struct ApiLimits {
  std::size_t streams = 256;  // event and log streams open at once
  absl::Duration heartbeat = absl::Seconds(15);
  std::size_t ledger_rows = 10'000;  // of one answer
  std::size_t focus_rows = 50'000;   // of one answer as CSV, some 500 bytes each
};

class Api final : public HttpHandler {
 public:
  // All of them outlive the server that calls this. `machine`: what pools of adapter `process` that
  // are added later are filled in from.
  Api(Host& host, Dispatcher& dispatcher, Observer& observer, MetricsText& metrics, Machine machine,
      ApiLimits limits = {});

  HeadAnswer OnHead(const HttpRequest& head) override;
  Awaitable<HttpAnswer> Handle(HttpRequest request, Exchange& exchange) override;
  HttpResponse OnRefused(int status, std::string_view code, std::string_view detail) override;
  HttpResponse OnRefusedAt(std::string_view target, int status, std::string_view code,
                           std::string_view detail) override;

  // What /readyz says. Not ready until told so.
  void SetReady(bool ready) { ready_.store(ready, std::memory_order_release); }
  bool ready() const { return ready_.load(std::memory_order_acquire); }

  // Who may call from now on; any thread. Without any keys everybody may do everything, under a
  // name of this machine.
  void SetKeys(std::shared_ptr<const Keyring> keys);

  // What the dashboard shows; set before the server starts, or never. Outlives the server.
  void SetPulse(Pulse* pulse) { pulse_ = pulse; }
  Pulse* pulse() const { return pulse_; }

  // Who runs simulations; set before the server starts, or never. Outlives the server.
  void SetSimulations(Simulations* simulations) { simulations_ = simulations; }
  Simulations* simulations() const { return simulations_; }

  Host& host() { return host_; }
  Dispatcher* dispatcher() { return &dispatcher_; }
  Quotas& quotas() { return quotas_; }
  PastViews& past_views() { return past_views_; }
  absl::Time started_at() const { return started_at_; }
  MetricsText& metrics() { return metrics_; }
  const Machine& machine() const { return machine_; }
  const ApiLimits& limits() const { return limits_; }

  // One of the streams that may be open; null: as many are open as may. Held by a stream's
  // producer.
  std::shared_ptr<void> OpenStream();
  std::size_t open_streams() const { return *open_streams_; }

 private:
  std::shared_ptr<const Keyring> keys() const;

  Host& host_;
  Dispatcher& dispatcher_;
  Observer& observer_;
  MetricsText& metrics_;
  const Machine machine_;
  const ApiLimits limits_;
  const absl::Time started_at_;
  Pulse* pulse_ = nullptr;
  Simulations* simulations_ = nullptr;
  PastViews past_views_;
  Quotas quotas_;
  mutable std::mutex keys_mutex_;
  std::shared_ptr<const Keyring> keys_ = std::make_shared<const Keyring>();  // never null
  std::atomic<bool> ready_{false};
  std::shared_ptr<std::atomic<std::size_t>> open_streams_ =
      std::make_shared<std::atomic<std::size_t>>(0);
};

// Text of openapi.yaml, put into the program when it was built.
std::string_view OpenapiText();

// Is this Host one of the controller's own? A page can make its own name point at this machine (DNS
// rebinding): then Origin and Host agree, and the browser sees one site. Without keys the
// controller listens on loopback only, so localhost, 127.x.x.x and [::1] (with or without a port)
// are all the names there are. With keys it may have any name: such a page knows no key.
bool NamesThisMachine(std::string_view host);

}  // namespace spillway
