#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "controller/archive.h"
#include "controller/store/connection.h"
#include "core/event.h"
#include "core/ids.h"
#include "core/request.h"

// Requests stand in the log, many to an event; the table `request_blocks` says where. A row for
// each of thousands a second would cost more than the rest of their record: so there is one for
// each event and each block of 256 ids that it has any of. Ids are counted as requests begin, and
// what begins together mostly ends together, so an event has few blocks; and a block has at most
// 256 events, so what has to be looked through is bounded.
//
// Rows of version 2 (table `requests`, one for each request) are read too. All their ids are
// smaller: each start of the controller begins an epoch, and ids begin with it.
namespace spillway::store {

inline constexpr int kRequestBlockBits = 8;
inline std::int64_t BlockOf(RequestId id) {
  return static_cast<std::int64_t>(Number(id) >> kRequestBlockBits);
}

// Throws SQLite::Exception, like everything in this room.
void IndexRequests(Connection& connection, EventNumber event, absl::Span<const RequestId> ids);
// As the log keeps them. None: it is another event.
std::optional<PackedRequests> PackRequests(const event::Body& happened);

absl::StatusOr<std::shared_ptr<const Request>> ReadRequest(Connection& connection,
                                                           RequestId id);  // kNotFound
// Newest first, at most `limit`, of those before `after`.
absl::StatusOr<std::vector<std::shared_ptr<const Request>>> ReadRequests(
    Connection& connection, std::optional<RequestId> after, int limit);

// Forgets where requests stood whose events are gone; at most `rows` rows of each table.
std::int64_t SweepRequestRows(Connection& connection, EventNumber first_kept, std::int64_t rows);

}  // namespace spillway::store
