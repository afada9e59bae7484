#include <algorithm>
#include <map>
#include <memory>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "controller/northbound/api.h"
#include "controller/northbound/handlers.h"
#include "controller/northbound/job_filter.h"
#include "controller/northbound/ledger_rows.h"
#include "controller/northbound/params.h"
#include "controller/northbound/reply.h"
#include "controller/northbound/tenancy.h"
#include "controller/northbound/views.h"
#include "core/text.h"
#include "formats/focus_csv.h"

namespace spillway {
namespace {

using Rows = std::vector<record::LedgerRow>;

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

// Which form the rows are wanted in.
bool AsksForFocus(Params& params) {
  const std::string format = params.Text("format").value_or("json");
  if (format != "json" && format != "focus-csv")
    params.Refuse("format", absl::StrCat("is `", format, "`, not json or focus-csv"));
  if (format == "focus-csv" && params.Has("group_by"))
    params.Refuse("group_by", "is for json: focus-csv has every row of the ledger");
  return format == "focus-csv";
}

HttpResponse FocusAnswer(const HttpRequest& request, const Rows& rows, const PoolNames& names,
                         std::size_t most) {
  if (rows.size() > most) {
    return ProblemAnswer(request, ProblemCode::kInvalidParameter,
                         absl::StrCat("that is ", rows.size(), " rows, at most ", most,
                                      " are given at once: narrow from and until"));
  }
  std::string csv;
  csv.reserve(1024 + 768 * rows.size());
  AppendFocusHeader(csv);
  for (const record::LedgerRow& row : rows) AppendFocusRow(csv, row, names(row.pool));
  const std::string etag = EtagOf(csv);
  HttpResponse response =
      Tagged(request, std::move(csv), etag, "text/csv; charset=utf-8; header=present");
  response.headers.Add("Content-Disposition", "attachment; filename=\"spillway-focus.csv\"");
  return response;
}

}  // namespace

HttpResponse LedgerProblem(const HttpRequest& request, const absl::Status& status) {
  if (absl::IsDeadlineExceeded(status))
    return ProblemAnswer(request, ProblemCode::kNoAnswer, "no answer in time");
  return ProblemFor(request, status);
}

namespace handle {

Awaitable<HttpAnswer> GetLedger(Api& api, Call call) {
  Params params(call.request, {"from", "until", "pool", "tenant", "group_by", "format"});
  LedgerQuery query;
  query.from = params.Time("from");
  query.until = params.Time("until");
  query.pool = ReadPoolName(params, *api.host().snapshot());
  query.tenant = TenantShown(call, params.Text("tenant"));
  std::vector<std::string> words = params.List("group_by");
  if (words.empty()) words = {"hour", "pool", "tenant", "category"};
  const Grouping by = GroupingOf(words, params);
  const bool focus = AsksForFocus(params);
  Host& host = api.host();
  const absl::Time end = query.until.value_or(host.clock().Now());
  if (!query.from) query.from = end - kLongestLedger;
  if (end < *query.from || end - *query.from > kLongestLedger)
    params.Refuse("from", "is not within the 366 days before `until`");
  if (auto refused = params.Refused()) co_return *std::move(refused);

  const PoolNames names(host.snapshot());
  const auto rows = co_await ReadLedger(api, call, query, names);
  if (!rows.ok()) co_return LedgerProblem(call.request, rows.status());
  if (focus) co_return FocusAnswer(call.request, *rows, names, api.limits().focus_rows);
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
