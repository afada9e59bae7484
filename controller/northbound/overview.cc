#include <utility>

#include "controller/northbound/api.h"
#include "controller/northbound/ask.h"
#include "controller/northbound/handlers.h"
#include "controller/northbound/params.h"
#include "controller/northbound/pulse_text.h"
#include "controller/northbound/reply.h"
#include "controller/northbound/tenancy.h"

namespace spillway::handle {

Awaitable<HttpAnswer> GetOverview(Api& api, Call call) {
  const Params params(call.request, {});
  if (auto refused = params.Refused()) co_return *std::move(refused);
  Pulse* pulse = api.pulse();
  if (pulse == nullptr)
    co_return ProblemAnswer(call.request, ProblemCode::kUnavailable, "nobody takes the pulse");
  absl::AnyInvocable<void(Host::Done<Pulse::View>)> start = [pulse](Host::Done<Pulse::View> done) {
    pulse->Fresh(std::move(done));
  };
  const auto view = co_await Ask<Pulse::View>(*call.exchange, std::move(start));
  if (!view || *view == nullptr)
    co_return ProblemAnswer(call.request, ProblemCode::kNoAnswer, "no answer in time");
  HttpResponse response =
      JsonResponse(200, OverviewBody(**view, {call.role, TenantShown(call, std::nullopt)}));
  response.headers.Add("Cache-Control", "no-store");
  co_return response;
}

Awaitable<HttpAnswer> GetSeries(Api& api, Call call) {
  Params params(call.request, {"window_s"});
  const std::int64_t window = params.Whole("window_s", 10, 3600).value_or(3600);
  if (auto refused = params.Refused()) co_return *std::move(refused);
  const Pulse* pulse = api.pulse();
  if (pulse == nullptr)
    co_return ProblemAnswer(call.request, ProblemCode::kUnavailable, "nobody takes the pulse");
  HttpResponse response =
      JsonResponse(200, pulse->SeriesBody(absl::Seconds(window), call.role >= Role::kOperator));
  response.headers.Add("Cache-Control", "no-store");
  co_return response;
}

}  // namespace spillway::handle
