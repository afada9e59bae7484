#include "controller/northbound/ledger_rows.h"

#include <map>
#include <optional>
#include <utility>

#include "controller/northbound/ask.h"

namespace spillway {
namespace {

using Rows = std::vector<record::LedgerRow>;

// Rows of the current hour as they stand now take the place of those that were booked last.
void Overlay(Rows& rows, Rows open, const LedgerQuery& query, const PoolNames& names) {
  const auto wanted = [&](const record::LedgerRow& row) {
    if (query.from && row.hour < *query.from) return false;
    if (query.until && row.hour >= *query.until) return false;
    if (query.tenant && row.tenant != *query.tenant) return false;
    const PoolSpec* pool = names(row.pool);
    return !query.pool || (pool != nullptr && pool->name == *query.pool);
  };
  std::map<record::LedgerKey, std::size_t> places;
  for (std::size_t i = 0; i < rows.size(); ++i) places.emplace(record::KeyOf(rows[i]), i);
  for (record::LedgerRow& row : open) {
    if (!wanted(row)) continue;
    const auto found = places.find(record::KeyOf(row));
    if (found != places.end()) {
      rows[found->second] = std::move(row);
    } else {
      rows.push_back(std::move(row));
    }
  }
}

}  // namespace

Awaitable<absl::StatusOr<Rows>> ReadLedger(Api& api, const Call& call, const LedgerQuery& query,
                                           const PoolNames& names) {
  Host& host = api.host();
  absl::StatusOr<Rows> rows = host.archive().Ledger(query);
  if (!rows.ok()) co_return rows;
  absl::AnyInvocable<void(Host::Done<Rows>)> start = [&host](Host::Done<Rows> done) {
    host.OpenLedger(std::move(done));
  };
  std::optional<Rows> open = co_await Ask<Rows>(*call.exchange, std::move(start));
  if (!open) co_return absl::DeadlineExceededError("no answer in time");
  Overlay(*rows, *std::move(open), query, names);
  co_return rows;
}

}  // namespace spillway
