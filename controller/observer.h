#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "controller/archive.h"

// What can be seen of the live host while it works. controller/metrics turns it into series. Calls
// come from the threads that are named and must not block.
namespace spillway {

class Observer {
 public:
  virtual ~Observer() = default;

  // Control thread: folding one submission took this long.
  virtual void OnDecided(absl::Duration /*took*/) {}
  // Control thread: how long the oldest input of a batch had waited.
  virtual void OnLoopLag(absl::Duration /*lag*/) {}
  // Any thread: a call to an adapter. `code` is kOk where the call has no answer of its own;
  // `took`: until it returned, of `signals` (an engine was asked for its load) until the answer;
  // infinite: not measured.
  virtual void OnAdapterCall(std::string_view /*adapter*/, std::string_view /*call*/,
                             absl::StatusCode /*code*/, absl::Duration /*took*/) {}
  // One thread at a time: requests are over. They are on their way to the disk, and will not be in
  // a batch that is told of below.
  virtual void OnEnded(const event::RequestsEnded& /*ended*/) {}
  // Store thread: `batch` is durable, and nobody has been told yet.
  virtual void OnCommitted(const Batch& /*batch*/, absl::Duration /*took*/) {}
  // Any server thread: a request was answered. `operation` is an operationId of the route table.
  virtual void OnRequest(std::string_view /*operation*/, int /*status*/, absl::Duration /*took*/) {}
  // A reload of policy and prices was tried.
  virtual void OnReload(bool /*succeeded*/) {}
};

// The text of /metrics. Any thread; may take milliseconds.
class MetricsText {
 public:
  virtual ~MetricsText() = default;
  virtual std::string Render() = 0;
};

}  // namespace spillway
