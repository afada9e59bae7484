#pragma once

#include "controller/dispatcher.h"
#include "controller/host.h"
#include "controller/metrics/families.h"
#include "controller/snapshot.h"
#include "core/record.h"
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
// Requests under way, and the engines that they are sent to.
void WriteEngines(FamilyWriter& w, const Dispatcher& dispatcher);
// The current hour of the ledger as it would be booked now, idle time included.
void WriteOpenHour(FamilyWriter& w, const Snapshot& snapshot,
                   const std::vector<record::LedgerRow>& rows);

}  // namespace spillway
