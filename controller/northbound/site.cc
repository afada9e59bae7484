#include "absl/strings/str_cat.h"
#include "controller/northbound/api.h"
#include "controller/northbound/assets.h"
#include "controller/northbound/handlers.h"
#include "controller/northbound/open_metrics.h"
#include "controller/northbound/reply.h"
#include "core/text.h"

namespace spillway::handle {

Awaitable<HttpAnswer> GetMetrics(Api& api, Call call) {
  const bool open = WantsOpenMetrics(call.request.headers.Get("Accept"));
  HttpResponse response;
  response.headers.Add("Content-Type", open ? std::string(kOpenMetricsType)
                                            : "text/plain; version=0.0.4; charset=utf-8");
  response.headers.Add("Cache-Control", "no-store");
  response.headers.Add("Vary", "Accept");
  response.body = api.metrics().Render();
  if (open) response.body = OpenMetricsOf(response.body);
  co_return response;
}

Awaitable<HttpAnswer> GetHealth(Api&, Call) { co_return TextResponse(200, "ok\n"); }

Awaitable<HttpAnswer> GetReady(Api& api, Call call) {
  if (api.ready() && !call.exchange->draining()) co_return TextResponse(200, "ready\n");
  co_return ProblemAnswer(
      call.request, ProblemCode::kUnavailable,
      api.ready() ? "the controller is stopping" : "the controller is not ready yet");
}

Awaitable<HttpAnswer> GetOpenapi(Api&, Call call) {
  static const std::string etag = EtagOf(OpenapiText());
  co_return Tagged(call.request, std::string(OpenapiText()), etag, "application/yaml");
}

// The dashboard for browsers; a list of what there is for programs and for people who only have
// curl.
Awaitable<HttpAnswer> GetIndex(Api& api, Call call) {
  if (const Asset* page = FindAsset("index.html"); page != nullptr && WantsPage(call.request))
    co_return AssetAnswer(call.request, *page);
  std::string body;
  JsonWriter w(body);
  w.BeginObject().Member("name", "spillway").Member("ready", api.ready());
  w.Key("paths").BeginArray();
  for (const Route& route : Routes()) {
    w.BeginObject().Member("method", MethodName(route.method)).Member("path", route.pattern);
    w.Member("operation", route.operation).EndObject();
  }
  w.EndArray().EndObject();
  HttpResponse response = JsonResponse(200, std::move(body));
  response.headers.Add("Vary", "Accept, Accept-Encoding");
  co_return response;
}

Awaitable<HttpAnswer> GetProblem(Api&, Call call) {
  const ProblemKind* kind = FindProblem(call.args[0]);
  if (kind == nullptr) {
    co_return ProblemAnswer(call.request, ProblemCode::kNotFound,
                            absl::StrCat("there is no problem `", call.args[0], "`"));
  }
  co_return TextResponse(200,
                         absl::StrCat(ToAbsl(kind->title), "\n\n", ToAbsl(kind->says),
                                      "\n\ncode: ", ToAbsl(kind->name), "\nstatus: ", kind->status,
                                      "\nretryable: ", kind->retryable ? "yes" : "no", "\n"));
}

}  // namespace spillway::handle
