#include "controller/store/request_rows.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "controller/store/columns.h"

namespace spillway::store {
namespace {

using Requests = std::vector<std::shared_ptr<const Request>>;
using Ended = std::shared_ptr<const event::RequestsEnded>;

absl::StatusOr<Ended> Decode(std::int64_t number, std::string_view text) {
  absl::StatusOr<event::Body> body = DecodeEvent("requests", text);
  if (!body.ok())
    return Annotate(body.status(), absl::StrCat("damaged row of table events, key ", number));
  return std::make_shared<const event::RequestsEnded>(
      std::get<event::RequestsEnded>(*std::move(body)));
}

// Events that were just decoded: neighbouring blocks stand in the same ones.
class Recent {
 public:
  absl::StatusOr<Ended> Get(std::int64_t number, std::string_view text) {
    const auto found = events_.find(number);
    if (found != events_.end()) return found->second;
    SPILLWAY_ASSIGN_OR_RETURN(Ended ended, Decode(number, text));
    if (events_.size() >= kKept) events_.clear();
    events_.emplace(number, ended);
    return ended;
  }

 private:
  static constexpr std::size_t kKept = 16;
  std::map<std::int64_t, Ended> events_;
};

// --- Rows of version 2 ---------------------------------------------------------------------------

absl::StatusOr<std::shared_ptr<const Request>> OldRequestAt(const Statement& row) {
  const auto id = IdOf<RequestId>(row.Int(0));
  SPILLWAY_ASSIGN_OR_RETURN(const Ended ended, Decode(row.Int(3), row.Text(2)));
  const auto place = static_cast<std::size_t>(row.Int(1));
  if (place >= ended->requests.size() || ended->requests[place]->id != id)
    return absl::DataLossError(absl::StrCat("damaged row of table requests, key ", ToString(id),
                                            ": the log does not have it where it should be"));
  return ended->requests[place];
}

absl::StatusOr<std::shared_ptr<const Request>> ReadOldRequest(Connection& connection,
                                                              RequestId id) {
  Query query(connection,
              "SELECT r.id, r.place, e.body, e.number FROM requests r"
              " JOIN events e ON e.number = r.event WHERE r.id = ?",
              ColumnOf(id));
  if (!query.Next()) return absl::NotFoundError(absl::StrCat("there is no request ", ToString(id)));
  return OldRequestAt(query.row());
}

absl::Status ReadOldRequests(Connection& connection, std::int64_t before, std::size_t limit,
                             Requests& out) {
  Query query(connection,
              "SELECT r.id, r.place, e.body, e.number FROM requests r"
              " JOIN events e ON e.number = r.event WHERE r.id < ? ORDER BY r.id DESC LIMIT ?",
              before, static_cast<std::int64_t>(limit - out.size()));
  while (query.Next()) {
    SPILLWAY_ASSIGN_OR_RETURN(auto request, OldRequestAt(query.row()));
    out.push_back(std::move(request));
  }
  return absl::OkStatus();
}

// --- Blocks --------------------------------------------------------------------------------------

// Newest first, behind what stands in `out`.
void TakeBlock(Requests& block, std::size_t limit, Requests& out) {
  std::sort(block.begin(), block.end(),
            [](const auto& a, const auto& b) { return Number(a->id) > Number(b->id); });
  const std::size_t taken = std::min(block.size(), limit - out.size());
  out.insert(out.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(taken));
  block.clear();
}

absl::Status ReadBlocks(Connection& connection, std::int64_t before, std::size_t limit,
                        Requests& out) {
  Query query(connection,
              "SELECT b.block, e.number, e.body FROM request_blocks b"
              " JOIN events e ON e.number = b.event WHERE b.block <= ? ORDER BY b.block DESC",
              (before - 1) >> kRequestBlockBits);
  Recent recent;
  Requests block;
  std::int64_t at = -1;
  while (query.Next()) {
    if (query.Int(0) != at) TakeBlock(block, limit, out);
    if (out.size() == limit) return absl::OkStatus();
    at = query.Int(0);
    SPILLWAY_ASSIGN_OR_RETURN(const Ended ended, recent.Get(query.Int(1), query.Text(2)));
    for (const auto& request : ended->requests) {
      if (BlockOf(request->id) == at && ColumnOf(request->id) < before) block.push_back(request);
    }
  }
  TakeBlock(block, limit, out);
  return absl::OkStatus();
}

std::int64_t SweepBlocks(Connection& c, EventNumber first_kept, std::int64_t rows) {
  Query front(c, "SELECT block, event FROM request_blocks ORDER BY block, event LIMIT ?", rows);
  std::vector<std::pair<std::int64_t, std::int64_t>> gone;
  while (front.Next()) {
    if (front.Int(1) < ColumnOf(first_kept)) gone.emplace_back(front.Int(0), front.Int(1));
  }
  for (const auto& [block, event] : gone)
    Run(c, "DELETE FROM request_blocks WHERE block = ? AND event = ?", block, event);
  return static_cast<std::int64_t>(gone.size());
}

std::int64_t SweepOldRows(Connection& c, EventNumber first_kept, std::int64_t rows) {
  Query front(c, "SELECT id, event FROM requests ORDER BY id LIMIT ?", rows);
  std::vector<std::int64_t> gone;
  while (front.Next()) {
    if (front.Int(1) < ColumnOf(first_kept)) gone.push_back(front.Int(0));
  }
  for (const std::int64_t id : gone) Run(c, "DELETE FROM requests WHERE id = ?", id);
  return static_cast<std::int64_t>(gone.size());
}

}  // namespace

std::optional<PackedRequests> PackRequests(const event::Body& happened) {
  const auto* const ended = std::get_if<event::RequestsEnded>(&happened);
  if (ended == nullptr) return std::nullopt;
  PackedRequests packed{.event = {}, .text = EncodeEvent(happened), .ids = {}};
  packed.ids.reserve(ended->requests.size());
  for (const auto& request : ended->requests) packed.ids.push_back(request->id);
  return packed;
}

void IndexRequests(Connection& connection, EventNumber event, absl::Span<const RequestId> ids) {
  std::vector<std::int64_t> blocks;
  for (const RequestId id : ids) {
    const std::int64_t block = BlockOf(id);
    if (blocks.empty() || blocks.back() != block) blocks.push_back(block);
  }
  std::sort(blocks.begin(), blocks.end());
  blocks.erase(std::unique(blocks.begin(), blocks.end()), blocks.end());
  for (const std::int64_t block : blocks)
    Run(connection, "INSERT INTO request_blocks(block, event) VALUES(?, ?)", block,
        ColumnOf(event));
}

absl::StatusOr<std::shared_ptr<const Request>> ReadRequest(Connection& connection, RequestId id) {
  Query query(connection,
              "SELECT e.number, e.body FROM request_blocks b JOIN events e ON e.number = b.event"
              " WHERE b.block = ?",
              BlockOf(id));
  while (query.Next()) {
    SPILLWAY_ASSIGN_OR_RETURN(const Ended ended, Decode(query.Int(0), query.Text(1)));
    const auto found = std::find_if(ended->requests.begin(), ended->requests.end(),
                                    [&](const auto& request) { return request->id == id; });
    if (found != ended->requests.end()) return *found;
  }
  return ReadOldRequest(connection, id);
}

absl::StatusOr<Requests> ReadRequests(Connection& connection, std::optional<RequestId> after,
                                      int limit) {
  const std::int64_t before = after ? ColumnOf(*after) : std::numeric_limits<std::int64_t>::max();
  const auto most = static_cast<std::size_t>(std::max(limit, 0));
  Requests requests;
  SPILLWAY_RETURN_IF_ERROR(ReadBlocks(connection, before, most, requests));
  if (requests.size() < most)
    SPILLWAY_RETURN_IF_ERROR(ReadOldRequests(connection, before, most, requests));
  return requests;
}

std::int64_t SweepRequestRows(Connection& connection, EventNumber first_kept, std::int64_t rows) {
  return SweepBlocks(connection, first_kept, rows) + SweepOldRows(connection, first_kept, rows);
}

}  // namespace spillway::store
