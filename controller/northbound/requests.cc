#include "controller/northbound/requests.h"

#include <algorithm>

#include "controller/northbound/api.h"
#include "controller/northbound/handlers.h"
#include "controller/northbound/params.h"
#include "controller/northbound/reply.h"
#include "controller/northbound/tenancy.h"
#include "core/status.h"
#include "formats/api_json.h"
#include "scheduler/router.h"

namespace spillway {
namespace {

constexpr int kLooks = 8;  // 200 ms in all
constexpr absl::Duration kBetweenLooks = absl::Milliseconds(25);

}  // namespace

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
  work.pin = request.features.pin;
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

namespace {

constexpr std::size_t kLooked = 500;  // requests that one page looks at, at most

struct RequestPage {
  std::vector<std::shared_ptr<const Request>> requests;
  std::optional<RequestId> last;  // where the next page goes on
  bool has_more = false;
};

// The store does not know whose a request is: what the caller may not see is passed over, so a page
// may be short although there is more.
absl::StatusOr<RequestPage> PageFor(Archive& archive, const Call& call,
                                    std::optional<RequestId> after, std::size_t limit) {
  RequestPage page;
  const bool sees_all = call.role >= Role::kOperator;
  const std::size_t step = sees_all ? limit + 1 : 100;
  std::optional<RequestId> at = after;
  for (std::size_t looked = 0; looked < kLooked; looked += step) {
    SPILLWAY_ASSIGN_OR_RETURN(const auto found, archive.ListRequests(at, static_cast<int>(step)));
    for (const auto& request : found) {
      at = request->id;
      if (!Sees(call, request->features.tenant)) continue;
      page.has_more = page.requests.size() == limit;
      if (page.has_more) return page;
      page.requests.push_back(request);
      page.last = at;
    }
    if (found.size() < step) return page;
  }
  page.has_more = true;
  page.last = at;
  return page;
}

}  // namespace

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
  const auto page = PageFor(api.host().archive(), call, after, static_cast<std::size_t>(limit));
  if (!page.ok()) co_return ProblemFor(call.request, page.status());
  const auto snapshot = api.host().snapshot();
  const auto pool_of = [&](PoolId id) -> const PoolSpec* {
    const PoolStatus* pool = snapshot->Find(id);
    return pool != nullptr ? pool->spec.get() : nullptr;
  };
  std::string body;
  JsonWriter w(body);
  w.BeginObject().Member("object", "list").Key("data").BeginArray();
  for (const auto& request : page->requests) {
    w.BeginObject()
        .Member("id", ToString(request->id))
        .Member("tenant", request->features.tenant)
        .Key("request");
    WriteRequestOutcome(w, *request, pool_of);
    w.EndObject();
  }
  w.EndArray();
  if (page->requests.empty()) {
    w.NullMember("first_id");
  } else {
    w.Member("first_id", ToString(page->requests.front()->id));
  }
  const std::string last = page->last ? ToString(*page->last) : "";
  if (page->last) {
    w.Member("last_id", last);
  } else {
    w.NullMember("last_id");
  }
  w.Member("has_more", page->has_more).EndObject();
  HttpResponse response = JsonResponse(200, std::move(body));
  if (page->has_more) response.headers.Add("Link", NextLink(call.request, last));
  co_return response;
}

Awaitable<HttpAnswer> GetRequestDecision(Api& api, Call call, RequestId id) {
  auto request = api.host().archive().FindRequest(id);
  // Its answer came a moment ago, and the batch that it is kept with is still to be written.
  int looks = api.dispatcher()->HasBegun(id) ? kLooks : 0;
  for (; absl::IsNotFound(request.status()) && looks > 0; --looks) {
    api.dispatcher()->FlushSoon();
    const Woken why = co_await call.exchange->Wait(kBetweenLooks);
    if (why == Woken::kGone) break;
    request = api.host().archive().FindRequest(id);
  }
  if (request.ok() ? !Sees(call, (*request)->features.tenant) : absl::IsNotFound(request.status()))
    request = absl::NotFoundError(absl::StrCat("there is no request ", ToString(id)));
  if (!request.ok()) co_return ProblemFor(call.request, request.status());
  const auto view = api.past_views().Find((*request)->view);
  co_return JsonResponse(200, RequestBody(**request, view.ok() ? view->get() : nullptr));
}

}  // namespace handle
}  // namespace spillway
