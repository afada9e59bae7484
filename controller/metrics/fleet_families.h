#pragma once

#include "controller/host.h"
#include "controller/metrics/families.h"
#include "controller/snapshot.h"
#include "net/server.h"

namespace spillway {

// Gauges of pools and of the queue, as the snapshot shows them.
void WriteFleet(FamilyWriter& w, const Snapshot& snapshot, absl::Time now);
// Queues and buffers of the host: how full each is, and its bound.
struct BufferUse {
  std::string_view buffer;
  double used = 0, bound = 0;
};
void WriteBuffers(FamilyWriter& w, const std::vector<BufferUse>& buffers);
void WriteServer(FamilyWriter& w, const ServerStats& stats);

}  // namespace spillway
