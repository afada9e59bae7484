#include "controller/simulations.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "controller/northbound/api.h"
#include "controller/northbound/handlers.h"
#include "controller/northbound/reply.h"
#include "formats/simulation_text.h"

namespace spillway {
namespace {

// Results are made by the simulator from files that came with the program and from texts that an
// operator sent. A page of them gets no origin, no network and no way out of itself, whatever
// stands in it; its own style and script stand within it.
constexpr char kReportPolicy[] =
    "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; script-src "
    "'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

HttpResponse NoDesk(const Call& call) {
  return ProblemAnswer(call.request, ProblemCode::kUnavailable, "no simulations are run here");
}
HttpResponse NoSimulation(const Call& call) {
  return ProblemAnswer(call.request, ProblemCode::kNotFound,
                       absl::StrCat("there is no simulation ", call.args[0]));
}

// A replay tells what the work of all tenants cost: it is for those who see all of it.
bool Shown(const Call& call, const Simulation& simulation) {
  return !simulation.is_replay || call.role >= Role::kOperator;
}

std::optional<Simulation> FindFor(Simulations& desk, const Call& call) {
  const auto number = ParseSimulationId(call.args[0]);
  if (!number) return std::nullopt;
  auto simulation = desk.Find(*number);
  return simulation && Shown(call, *simulation) ? std::move(simulation) : std::nullopt;
}

std::string BodyOf(const Simulation& simulation) {
  std::string body;
  JsonWriter w(body);
  WriteSimulation(w, simulation);
  return body;
}

}  // namespace

namespace handle {

Awaitable<HttpAnswer> StartSimulation(Api& api, Call call) {
  Simulations* desk = api.simulations();
  if (desk == nullptr) co_return NoDesk(call);
  const auto order = ParseSimulationOrder(call.request.body);
  if (!order.ok()) co_return MalformedBody(call.request, order.status());
  const auto started = desk->Start(*order, call.request.body);
  if (!started.ok()) co_return ProblemFor(call.request, started.status());
  HttpResponse response = JsonResponse(201, BodyOf(*started));
  response.headers.Add("Location", absl::StrCat("/api/v1/simulations/", started->Id()));
  co_return response;
}

Awaitable<HttpAnswer> ListSimulations(Api& api, Call call) {
  Simulations* desk = api.simulations();
  if (desk == nullptr) co_return NoDesk(call);
  std::string body, first, last;
  JsonWriter w(body);
  w.BeginObject().Member("object", "list").Key("data").BeginArray();
  for (const Simulation& simulation : desk->List()) {
    if (!Shown(call, simulation)) continue;
    WriteSimulation(w, simulation);
    last = simulation.Id();
    if (first.empty()) first = last;
  }
  w.EndArray();
  if (first.empty()) {
    w.NullMember("first_id").NullMember("last_id");
  } else {
    w.Member("first_id", first).Member("last_id", last);
  }
  w.Member("has_more", false).EndObject();
  co_return Tagged(call.request, std::move(body));
}

Awaitable<HttpAnswer> GetSimulation(Api& api, Call call) {
  Simulations* desk = api.simulations();
  if (desk == nullptr) co_return NoDesk(call);
  const auto simulation = FindFor(*desk, call);
  if (!simulation) co_return NoSimulation(call);
  co_return Tagged(call.request, BodyOf(*simulation));
}

Awaitable<HttpAnswer> CancelSimulation(Api& api, Call call) {
  Simulations* desk = api.simulations();
  if (desk == nullptr) co_return NoDesk(call);
  const auto simulation = FindFor(*desk, call);
  if (!simulation) co_return NoSimulation(call);
  const auto cancelled = desk->Cancel(simulation->number);
  if (!cancelled.ok()) co_return ProblemFor(call.request, cancelled.status());
  co_return JsonResponse(200, BodyOf(*cancelled));
}

Awaitable<HttpAnswer> GetSimulationResults(Api& api, Call call) {
  Simulations* desk = api.simulations();
  if (desk == nullptr) co_return NoDesk(call);
  const auto simulation = FindFor(*desk, call);
  if (!simulation) co_return NoSimulation(call);
  auto results = desk->Results(simulation->number);
  if (!results.ok()) co_return ProblemFor(call.request, results.status());
  co_return Tagged(call.request, *std::move(results));
}

Awaitable<HttpAnswer> GetSimulationReport(Api& api, Call call) {
  Simulations* desk = api.simulations();
  if (desk == nullptr) co_return NoDesk(call);
  const auto simulation = FindFor(*desk, call);
  if (!simulation) co_return NoSimulation(call);
  auto report = desk->Report(simulation->number);
  if (!report.ok()) co_return ProblemFor(call.request, report.status());
  const std::string etag = EtagOf(*report);
  HttpResponse response =
      Tagged(call.request, *std::move(report), etag, "text/html; charset=utf-8");
  response.headers.Add("Content-Security-Policy", kReportPolicy);
  response.headers.Add("X-Content-Type-Options", "nosniff");
  response.headers.Add("Referrer-Policy", "no-referrer");
  co_return response;
}

Awaitable<HttpAnswer> ListScenarios(Api& api, Call call) {
  Simulations* desk = api.simulations();
  if (desk == nullptr) co_return NoDesk(call);
  std::string body;
  JsonWriter w(body);
  const std::vector<ShippedScenario>& scenarios = desk->Scenarios();
  w.BeginObject().Member("object", "list").Key("data").BeginArray();
  for (const ShippedScenario& scenario : scenarios)
    w.BeginObject().Member("name", scenario.name).Member("says", scenario.says).EndObject();
  w.EndArray();
  if (scenarios.empty()) {
    w.NullMember("first_id").NullMember("last_id");
  } else {
    w.Member("first_id", scenarios.front().name).Member("last_id", scenarios.back().name);
  }
  w.Member("has_more", false).EndObject();
  co_return Tagged(call.request, std::move(body));
}

}  // namespace handle
}  // namespace spillway
