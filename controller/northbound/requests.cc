#include "controller/northbound/requests.h"

#include <algorithm>

#include "controller/northbound/api.h"
#include "controller/northbound/handlers.h"
#include "controller/northbound/params.h"
#include "controller/northbound/reply.h"
#include "core/status.h"
#include "formats/api_json.h"
#include "scheduler/router.h"

namespace spillway {

absl::StatusOr<std::shared_ptr<const RouterView>> PastViews::Find(EventNumber id) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(kept_.begin(), kept_.end(),
                                    [&](const auto& view) { return view->id() == id; });
    if (found != kept_.end()) return *found;
  }
  SPILLWAY_ASSIGN_OR_RETURN(auto inputs, archive_.FindRouterInputs(id));
  SPILLWAY_ASSIGN_OR_RETURN(auto view, RouterView::Make(std::move(inputs)));
  const std::lock_guard lock(mutex_);
  kept_.push_front(view);
  if (kept_.size() > kKept) kept_.pop_back();
  return view;
}

std::string RequestBody(const Request& request, const RouterView* view) {
  std::string body;
  JsonWriter w(body);
  Work work;
  work.kind = WorkKind::kRequest;
  work.needs.model = request.features.model;
  const auto pool_of = [&](PoolId id) -> const PoolSpec* {
    if (view == nullptr || Index(id) >= view->pools().size()) return nullptr;
    return view->pools()[Index(id)].spec.get();
  };
  Decision decision{.request = request.id, .at = request.features.arrived};
  decision.tenant = request.features.tenant;
  if (view != nullptr) decision = ExplainRequest(*view, request);
  w.BeginObject();
  WriteDecisionMembers(w, decision, work, pool_of);
  w.Key("request");
  WriteRequestOutcome(w, request, pool_of);
  w.EndObject();
  return body;
}

namespace handle {

// Newest first. Without candidates: GET /api/v1/decisions/{id} has those of one.
Awaitable<HttpAnswer> ListRequests(Api& api, Call call) {
  Params params(call.request, {"limit", "after"});
  const int limit = params.Limit();
  std::optional<RequestId> after;
  if (const auto text = params.Text("after")) {
    after = ParseRequestId(*text);
    if (!after) params.Refuse("after", absl::StrCat("is `", *text, "`, not a request's id"));
  }
  if (auto refused = params.Refused()) co_return *std::move(refused);
  auto requests = api.host().archive().ListRequests(after, std::min(limit + 1, 101));
  if (!requests.ok()) co_return ProblemFor(call.request, requests.status());
  const bool has_more = requests->size() > static_cast<std::size_t>(limit);
  if (has_more) requests->resize(static_cast<std::size_t>(limit));
  const auto snapshot = api.host().snapshot();
  const auto pool_of = [&](PoolId id) -> const PoolSpec* {
    const PoolStatus* pool = snapshot->Find(id);
    return pool != nullptr ? pool->spec.get() : nullptr;
  };
  std::string body, last;
  JsonWriter w(body);
  w.BeginObject().Member("object", "list").Key("data").BeginArray();
  for (const auto& request : *requests) {
    last = ToString(request->id);
    w.BeginObject().Member("id", last).Member("tenant", request->features.tenant).Key("request");
    WriteRequestOutcome(w, *request, pool_of);
    w.EndObject();
  }
  w.EndArray();
  if (requests->empty()) {
    w.NullMember("first_id").NullMember("last_id");
  } else {
    w.Member("first_id", ToString(requests->front()->id)).Member("last_id", last);
  }
  w.Member("has_more", has_more).EndObject();
  HttpResponse response = JsonResponse(200, std::move(body));
  if (has_more) response.headers.Add("Link", NextLink(call.request, last));
  co_return response;
}

Awaitable<HttpAnswer> GetRequestDecision(Api& api, Call call, RequestId id) {
  const auto request = api.host().archive().FindRequest(id);
  if (!request.ok()) co_return ProblemFor(call.request, request.status());
  const auto view = api.past_views().Find((*request)->view);
  co_return JsonResponse(200, RequestBody(**request, view.ok() ? view->get() : nullptr));
}

}  // namespace handle
}  // namespace spillway
