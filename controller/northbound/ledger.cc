#include <algorithm>
#include <map>
#include <memory>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "controller/northbound/api.h"
#include "controller/northbound/ask.h"
#include "controller/northbound/handlers.h"
#include "controller/northbound/job_filter.h"
#include "controller/northbound/params.h"
#include "controller/northbound/reply.h"
#include "controller/northbound/tenancy.h"
#include "controller/northbound/views.h"
#include "core/text.h"

namespace spillway {
namespace {

using Rows = std::vector<record::LedgerRow>;

constexpr absl::Duration kLongestSpan = absl::Hours(24 * 366);

struct Grouping {
  bool hour = false, pool = false, tenant = false, category = false;
};

Grouping GroupingOf(const std::vector<std::string>& words, Params& params) {
  Grouping by;
  for (const std::string& word : words) {
    if (word == "hour") {
      by.hour = true;
    } else if (word == "pool") {
      by.pool = true;
    } else if (word == "tenant") {
      by.tenant = true;
    } else if (word == "category") {
      by.category = true;
    } else {
      params.Refuse("group_by",
                    absl::StrCat("is `", word, "`, not hour, pool, tenant or category"));
    }
  }
  return by;
}

auto KeyOf(const record::LedgerRow& row) {
  return std::tie(row.hour, row.pool, row.tenant, row.category);
}

// Rows of the current hour as they stand now take the place of those that were booked last.
void Overlay(Rows& rows, Rows open, const LedgerQuery& query, const PoolNames& names) {
  const auto wanted = [&](const record::LedgerRow& row) {
    if (query.from && row.hour < *query.from) return false;
    if (query.until && row.hour >= *query.until) return false;
    if (query.tenant && row.tenant != *query.tenant) return false;
    const PoolSpec* pool = names(row.pool);
    return !query.pool || (pool != nullptr && pool->name == *query.pool);
  };
  std::map<std::tuple<absl::Time, PoolId, std::string, record::Category>, std::size_t> places;
  for (std::size_t i = 0; i < rows.size(); ++i) places.emplace(KeyOf(rows[i]), i);
  for (record::LedgerRow& row : open) {
    if (!wanted(row)) continue;
    const auto found = places.find(KeyOf(row));
    if (found != places.end()) {
      rows[found->second] = std::move(row);
    } else {
      rows.push_back(std::move(row));
    }
  }
}

LedgerReport Report(const Rows& rows, Grouping by, const PoolNames& names) {
  using Key = std::tuple<absl::Time, std::uint32_t, std::string, record::Category>;
  std::map<Key, LedgerSum> sums;
  LedgerReport report;
  for (const record::LedgerRow& row : rows) {
    report.totals.Add(row);
    const Key key{by.hour ? row.hour : absl::UnixEpoch(), by.pool ? Index(row.pool) : 0,
                  by.tenant ? row.tenant : "",
                  by.category ? row.category : record::Category::kWork};
    LedgerSum& sum = sums[key];
    if (by.hour) sum.hour = row.hour;
    if (by.tenant) sum.tenant = row.tenant;
    if (by.category) sum.category = row.category;
    if (by.pool) {
      const PoolSpec* pool = names(row.pool);
      sum.pool = pool != nullptr ? pool->name : "?";
      sum.modelled = pool != nullptr && pool->modelled;
    }
    sum.Add(row);
  }
  for (auto& [key, sum] : sums) report.rows.push_back(std::move(sum));
  return report;
}

}  // namespace

namespace handle {

Awaitable<HttpAnswer> GetLedger(Api& api, Call call) {
  Params params(call.request, {"from", "until", "pool", "tenant", "group_by"});
  LedgerQuery query;
  query.from = params.Time("from");
  query.until = params.Time("until");
  query.pool = ReadPoolName(params, *api.host().snapshot());
  query.tenant = TenantShown(call, params.Text("tenant"));
  std::vector<std::string> words = params.List("group_by");
  if (words.empty()) words = {"hour", "pool", "tenant", "category"};
  const Grouping by = GroupingOf(words, params);
  Host& host = api.host();
  const absl::Time end = query.until.value_or(host.clock().Now());
  if (!query.from) query.from = end - kLongestSpan;
  if (end < *query.from || end - *query.from > kLongestSpan)
    params.Refuse("from", "is not within the 366 days before `until`");
  if (auto refused = params.Refused()) co_return *std::move(refused);

  auto rows = host.archive().Ledger(query);
  if (!rows.ok()) co_return ProblemFor(call.request, rows.status());
  absl::AnyInvocable<void(Host::Done<Rows>)> start = [&host](Host::Done<Rows> done) {
    host.OpenLedger(std::move(done));
  };
  std::optional<Rows> open = co_await Ask<Rows>(*call.exchange, std::move(start));
  if (!open) co_return ProblemAnswer(call.request, ProblemCode::kNoAnswer, "no answer in time");
  const PoolNames names(host.snapshot());
  Overlay(*rows, *std::move(open), query, names);
  LedgerReport report = Report(*rows, by, names);
  if (report.rows.size() > api.limits().ledger_rows) {
    co_return ProblemAnswer(
        call.request, ProblemCode::kInvalidParameter,
        absl::StrCat("that is ", report.rows.size(), " rows, at most ", api.limits().ledger_rows,
                     " are given: narrow from and until, or group_by"));
  }
  report.from = query.from;
  report.until = query.until;
  report.group_by = std::move(words);
  std::string body;
  JsonWriter w(body);
  WriteLedger(w, report);
  co_return Tagged(call.request, std::move(body));
}

}  // namespace handle
}  // namespace spillway
