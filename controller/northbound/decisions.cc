#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "controller/northbound/api.h"
#include "controller/northbound/ask.h"
#include "controller/northbound/handlers.h"
#include "controller/northbound/params.h"
#include "controller/northbound/reply.h"
#include "controller/northbound/tenancy.h"
#include "controller/northbound/views.h"
#include "controller/northbound/work_body.h"
#include "core/text.h"

namespace spillway {
namespace {

DecisionQuery QueryOf(Params& params, const Call& call) {
  DecisionQuery query;
  query.tenant = TenantShown(call, std::nullopt);
  query.limit = params.Limit();
  query.order = params.Order();
  if (const auto job = params.Text("job")) {
    query.job = ParseJobId(*job);
    if (!query.job) params.Refuse("job", absl::StrCat("is `", *job, "`, not a job's id"));
  }
  if (const auto outcome = params.Text("outcome")) {
    query.outcome = ParseName<Outcome>(*outcome);
    if (!query.outcome)
      params.Refuse("outcome", absl::StrCat("is `", *outcome, "`, not placed, waiting or refused"));
  }
  if (const auto after = params.Text("after")) {
    query.after = ParseDecisionId(*after);
    if (!query.after)
      params.Refuse("after", absl::StrCat("is `", *after, "`, not a decision's id"));
  }
  return query;
}

// What the caller may not see is not there.
absl::StatusOr<std::shared_ptr<const Decision>> FindDecisionFor(Archive& archive,
                                                                const Call& call) {
  absl::StatusOr<std::shared_ptr<const Decision>> decision = absl::NotFoundError("");
  if (const auto id = ParseDecisionId(call.args[0])) decision = archive.FindDecision(*id);
  if (decision.ok() ? !Sees(call, (*decision)->tenant) : absl::IsNotFound(decision.status()))
    return absl::NotFoundError(absl::StrCat("there is no decision ", call.args[0]));
  return decision;
}

}  // namespace

namespace handle {

Awaitable<HttpAnswer> ListDecisions(Api& api, Call call) {
  Params params(call.request, {"limit", "after", "order", "job", "outcome"});
  const DecisionQuery query = QueryOf(params, call);
  if (auto refused = params.Refused()) co_return *std::move(refused);
  Archive& archive = api.host().archive();
  const auto page = archive.ListDecisions(query);
  if (!page.ok()) co_return ProblemFor(call.request, page.status());
  const PoolNames names(api.host().snapshot());
  std::string body;
  JsonWriter w(body);
  w.BeginObject().Member("object", "list").Key("data").BeginArray();
  for (const auto& decision : page->items) {
    const auto work = archive.FindWorkOf(*decision);
    if (!work.ok()) co_return ProblemFor(call.request, work.status());
    WriteDecision(w, *decision, **work, names);
  }
  w.EndArray();
  std::string last;
  if (page->items.empty()) {
    w.NullMember("first_id").NullMember("last_id");
  } else {
    last = ToString(page->items.back()->id);
    w.Member("first_id", ToString(page->items.front()->id)).Member("last_id", last);
  }
  w.Member("has_more", page->has_more).EndObject();
  HttpResponse response = Tagged(call.request, std::move(body));
  if (page->has_more) response.headers.Add("Link", NextLink(call.request, last));
  co_return response;
}

Awaitable<HttpAnswer> GetDecision(Api& api, Call call) {
  if (const auto request = ParseRequestId(call.args[0])) {
    HttpAnswer answer = co_await GetRequestDecision(api, std::move(call), *request);
    co_return answer;
  }
  Archive& archive = api.host().archive();
  const auto decision = FindDecisionFor(archive, call);
  if (!decision.ok()) co_return ProblemFor(call.request, decision.status());
  const auto work = archive.FindWorkOf(**decision);
  if (!work.ok()) co_return ProblemFor(call.request, work.status());
  co_return Tagged(call.request,
                   DecisionBody(**decision, **work, PoolNames(api.host().snapshot())));
}

Awaitable<HttpAnswer> DryRun(Api& api, Call call) {
  Host& host = api.host();
  const auto work = WorkOf(call.request.body, call.tenant, *host.snapshot());
  if (!work.ok()) co_return MalformedBody(call.request, work.status());
  absl::AnyInvocable<void(Host::Done<Decision>)> start =
      [&host, work = *work](Host::Done<Decision> done) { host.DryRun(work, std::move(done)); };
  const std::optional<Decision> decision = co_await Ask<Decision>(*call.exchange, std::move(start));
  if (!decision) co_return ProblemAnswer(call.request, ProblemCode::kNoAnswer, "no answer in time");
  if (decision->policy.empty())
    co_return ProblemAnswer(call.request, ProblemCode::kUnavailable, "the controller is stopping");
  co_return JsonResponse(200, DecisionBody(*decision, **work, PoolNames(host.snapshot())));
}

}  // namespace handle
}  // namespace spillway
