#include <memory>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "controller/northbound/api.h"
#include "controller/northbound/ask.h"
#include "controller/northbound/handlers.h"
#include "controller/northbound/params.h"
#include "controller/northbound/reply.h"
#include "core/text.h"
#include "formats/policy_text.h"
#include "policies/check.h"

namespace spillway {
namespace {

std::string TagOf(std::uint64_t version) { return absl::StrCat("\"", version, "\""); }

// "rules[2].claim[0]" as a JSON pointer: "/rules/2/claim/0".
std::string PointerOf(const std::string& where) {
  if (where.empty()) return where;
  return absl::StrCat("/", absl::StrReplaceAll(where, {{"[", "/"}, {"]", ""}, {".", "/"}}));
}

std::string ResultBody(std::uint64_t version, bool dry_run, const std::vector<Finding>& findings) {
  std::string body;
  JsonWriter w(body);
  w.BeginObject().Member("object", "policy_result").Member("version", version);
  w.Member("dry_run", dry_run).Key("warnings").BeginArray();
  for (const Finding& finding : findings) {
    w.BeginObject().Member("pointer", PointerOf(finding.where));
    w.Member("detail", finding.what).EndObject();
  }
  w.EndArray().EndObject();
  return body;
}

// The errors among the findings, as a problem; nothing if there is none.
std::optional<HttpResponse> Refused(const HttpRequest& request,
                                    const std::vector<Finding>& findings) {
  ProblemDetails details;
  for (const Finding& finding : findings) {
    if (finding.error) details.errors.push_back({PointerOf(finding.where), finding.what});
  }
  if (details.errors.empty()) return std::nullopt;
  details.detail = absl::StrCat(details.errors[0].pointer, ": ", details.errors[0].detail);
  return ProblemAnswer(request, ProblemCode::kInvalidPolicy, std::move(details));
}

HttpResponse Changed(const HttpRequest& request, std::uint64_t version) {
  HttpResponse response =
      ProblemAnswer(request, ProblemCode::kPreconditionFailed,
                    absl::StrCat("the policy is at version ", TagOf(version), " now"));
  response.headers.Add("ETag", TagOf(version));
  return response;
}

}  // namespace

namespace handle {

Awaitable<HttpAnswer> GetPolicy(Api& api, Call call) {
  const std::shared_ptr<const Snapshot> snapshot = api.host().snapshot();
  const bool yaml = call.request.headers.Get("Accept").find("yaml") != std::string_view::npos;
  // One tag for both forms: what If-Match protects is the policy, not its spelling.
  HttpResponse response = Tagged(
      call.request, yaml ? WritePolicyYaml(*snapshot->policy) : WritePolicyJson(*snapshot->policy),
      TagOf(snapshot->policy_version), yaml ? "application/yaml" : "application/json");
  response.headers.Add("Vary", "Accept");
  co_return response;
}

Awaitable<HttpAnswer> SetPolicy(Api& api, Call call) {
  Params params(call.request, {"dry_run"});
  const bool dry_run = params.Flag("dry_run");
  if (auto refused = params.Refused()) co_return *std::move(refused);
  Host& host = api.host();
  const std::shared_ptr<const Snapshot> before = host.snapshot();
  const auto match = call.request.headers.Find("If-Match");
  if (!match && !dry_run) {
    co_return ProblemAnswer(call.request, ProblemCode::kPreconditionRequired,
                            absl::StrCat("send If-Match with the ETag of GET /api/v1/policy, which "
                                         "is ",
                                         TagOf(before->policy_version), " now"));
  }
  if (match && !EtagListed(*match, TagOf(before->policy_version), /*weak=*/false))
    co_return Changed(call.request, before->policy_version);

  auto policy = ParsePolicy(call.request.body);
  if (!policy.ok()) co_return MalformedBody(call.request, policy.status());
  const std::vector<Finding> findings =
      CheckPolicy(*policy, before->Fleet(), before->config->tenants, before->config->catalog);
  if (auto refused = Refused(call.request, findings)) co_return *std::move(refused);
  if (dry_run) co_return JsonResponse(200, ResultBody(before->policy_version, true, findings));

  const auto spec = std::make_shared<const PolicySpec>(*std::move(policy));
  absl::AnyInvocable<void(Host::Done<PolicyAnswer>)> start =
      [&host, spec, version = before->policy_version](Host::Done<PolicyAnswer> done) {
        host.SetPolicy(spec, version, std::move(done));
      };
  const std::optional<PolicyAnswer> answer =
      co_await Ask<PolicyAnswer>(*call.exchange, std::move(start));
  if (!answer) co_return ProblemAnswer(call.request, ProblemCode::kNoAnswer, "no answer in time");
  if (absl::IsAborted(answer->status)) co_return Changed(call.request, answer->version);
  if (absl::IsInvalidArgument(answer->status)) {
    co_return ProblemAnswer(call.request, ProblemCode::kInvalidPolicy,
                            std::string(answer->status.message()));
  }
  if (!answer->status.ok()) co_return ProblemFor(call.request, answer->status);
  HttpResponse response = JsonResponse(200, ResultBody(answer->version, false, findings));
  response.headers.Add("ETag", TagOf(answer->version));
  co_return response;
}

}  // namespace handle
}  // namespace spillway
