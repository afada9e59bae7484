#include <utility>

#include "absl/strings/str_cat.h"
#include "controller/northbound/api.h"
#include "controller/northbound/handlers.h"
#include "controller/northbound/ledger_rows.h"
#include "controller/northbound/params.h"
#include "controller/northbound/reply.h"
#include "controller/northbound/tenancy.h"
#include "controller/northbound/views.h"
#include "core/text.h"
#include "formats/costs.h"

namespace spillway {
namespace {

constexpr absl::Duration kUsualSpan = absl::Hours(24 * 30);

CostsBy ByOf(Params& params) {
  const std::string word = params.Text("by").value_or("tenant");
  if (const auto by = ParseName<CostsBy>(word)) return *by;
  params.Refuse("by", absl::StrCat("is `", word, "`, not tenant, model, pool, day or kind"));
  return CostsBy::kTenant;
}

}  // namespace

namespace handle {

Awaitable<HttpAnswer> GetCosts(Api& api, Call call) {
  Params params(call.request, {"from", "to", "by", "tenant"});
  LedgerQuery query;
  query.from = params.Time("from");
  query.until = params.Time("to");
  query.tenant = TenantShown(call, params.Text("tenant"));
  const CostsBy by = ByOf(params);
  Host& host = api.host();
  const absl::Time to = query.until.value_or(host.clock().Now());
  if (!query.from) query.from = to - kUsualSpan;
  if (to < *query.from || to - *query.from > kLongestLedger)
    params.Refuse("from", "is not within the 366 days before `to`");
  if (auto refused = params.Refused()) co_return *std::move(refused);
  const PoolNames names(host.snapshot());
  const auto rows = co_await ReadLedger(api, call, query, names);
  if (!rows.ok()) co_return LedgerProblem(call.request, rows.status());
  CostReport report = ReportCosts(*rows, by, names);
  if (report.rows.size() > api.limits().ledger_rows) {
    co_return ProblemAnswer(
        call.request, ProblemCode::kInvalidParameter,
        absl::StrCat("that is ", report.rows.size(), " rows, at most ", api.limits().ledger_rows,
                     " are given: narrow from and to, or ask by something else"));
  }
  report.from = *query.from;
  report.to = to;
  std::string body;
  JsonWriter w(body);
  WriteCosts(w, report);
  co_return Tagged(call.request, std::move(body));
}

}  // namespace handle
}  // namespace spillway
