#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "controller/northbound/handlers.h"
#include "core/text.h"

namespace spillway {
namespace {

constexpr std::size_t kNoBody = 0;
constexpr std::size_t kIgnored = 1024;  // clients that send an empty object with every POST
constexpr std::size_t kJobBody = 256 << 10;
constexpr std::size_t kPoolBody = 64 << 10;
constexpr std::size_t kPriceBody = 4 << 10;
constexpr std::size_t kPolicyBody = 1 << 20;
constexpr std::size_t kSimulationBody = 1 << 20;

constexpr std::size_t kPromptBody = 32 << 20;

constexpr Route kRoutes[] = {
    {Method::kPost, "/v1/chat/completions", "createChatCompletion", Role::kSubmitter, kPromptBody,
     handle::ChatCompletions},
    {Method::kPost, "/v1/completions", "createCompletion", Role::kSubmitter, kPromptBody,
     handle::Completions},
    {Method::kPost, "/v1/embeddings", "createEmbedding", Role::kSubmitter, kPromptBody,
     handle::Embeddings},
    {Method::kGet, "/v1/models", "listModels", Role::kReader, kNoBody, handle::ListModels},
    {Method::kGet, "/v1/models/{id}", "getModel", Role::kReader, kNoBody, handle::GetModel, true},
    {Method::kPost, "/api/v1/jobs", "submitJob", Role::kSubmitter, kJobBody, handle::SubmitJob},
    {Method::kGet, "/api/v1/jobs", "listJobs", Role::kReader, kNoBody, handle::ListJobs},
    {Method::kGet, "/api/v1/jobs/{id}", "getJob", Role::kReader, kNoBody, handle::GetJob},
    {Method::kPost, "/api/v1/jobs/{id}/cancel", "cancelJob", Role::kSubmitter, kIgnored,
     handle::CancelJob},
    {Method::kGet, "/api/v1/jobs/{id}/logs", "getJobLogs", Role::kReader, kNoBody,
     handle::GetJobLogs},
    {Method::kGet, "/api/v1/jobs/{id}/events", "watchJob", Role::kReader, kNoBody,
     handle::WatchJob},
    {Method::kGet, "/api/v1/pools", "listPools", Role::kReader, kNoBody, handle::ListPools},
    {Method::kPost, "/api/v1/pools", "addPool", Role::kOperator, kPoolBody, handle::AddPool},
    {Method::kGet, "/api/v1/pools/{name}", "getPool", Role::kReader, kNoBody, handle::GetPool},
    {Method::kPost, "/api/v1/pools/{name}/cordon", "cordonPool", Role::kOperator, kIgnored,
     handle::CordonPool},
    {Method::kPost, "/api/v1/pools/{name}/drain", "drainPool", Role::kOperator, kIgnored,
     handle::DrainPool},
    {Method::kPost, "/api/v1/pools/{name}/resume", "resumePool", Role::kOperator, kIgnored,
     handle::ResumePool},
    {Method::kGet, "/api/v1/pools/{name}/price", "getPoolPrice", Role::kReader, kNoBody,
     handle::GetPoolPrice},
    {Method::kPut, "/api/v1/pools/{name}/price", "setPoolPrice", Role::kOperator, kPriceBody,
     handle::SetPoolPrice},
    {Method::kGet, "/api/v1/devices", "listDevices", Role::kReader, kNoBody, handle::ListDevices},
    {Method::kGet, "/api/v1/policy", "getPolicy", Role::kReader, kNoBody, handle::GetPolicy},
    {Method::kPut, "/api/v1/policy", "setPolicy", Role::kOperator, kPolicyBody, handle::SetPolicy},
    {Method::kGet, "/api/v1/decisions", "listDecisions", Role::kReader, kNoBody,
     handle::ListDecisions},
    {Method::kGet, "/api/v1/decisions/{id}", "getDecision", Role::kReader, kNoBody,
     handle::GetDecision},
    {Method::kGet, "/api/v1/requests", "listRequests", Role::kReader, kNoBody,
     handle::ListRequests},
    {Method::kPost, "/api/v1/decisions:dry-run", "dryRun", Role::kReader, kJobBody, handle::DryRun},
    {Method::kGet, "/api/v1/costs", "getCosts", Role::kReader, kNoBody, handle::GetCosts},
    {Method::kGet, "/api/v1/ledger", "getLedger", Role::kReader, kNoBody, handle::GetLedger},
    {Method::kGet, "/api/v1/overview", "getOverview", Role::kReader, kNoBody, handle::GetOverview},
    {Method::kGet, "/api/v1/series", "getSeries", Role::kReader, kNoBody, handle::GetSeries},
    {Method::kGet, "/api/v1/stream", "watchOverview", Role::kReader, kNoBody, handle::GetStream},
    {Method::kPost, "/api/v1/simulations", "startSimulation", Role::kOperator, kSimulationBody,
     handle::StartSimulation},
    {Method::kGet, "/api/v1/simulations", "listSimulations", Role::kReader, kNoBody,
     handle::ListSimulations},
    {Method::kGet, "/api/v1/simulations/{id}", "getSimulation", Role::kReader, kNoBody,
     handle::GetSimulation},
    {Method::kPost, "/api/v1/simulations/{id}/cancel", "cancelSimulation", Role::kOperator, kNoBody,
     handle::CancelSimulation},
    {Method::kGet, "/api/v1/simulations/{id}/results", "getSimulationResults", Role::kReader,
     kNoBody, handle::GetSimulationResults},
    {Method::kGet, "/api/v1/simulations/{id}/report", "getSimulationReport", Role::kReader, kNoBody,
     handle::GetSimulationReport},
    {Method::kGet, "/api/v1/scenarios", "listScenarios", Role::kReader, kNoBody,
     handle::ListScenarios},
    {Method::kGet, "/metrics", "getMetrics", Role::kPublic, kNoBody, handle::GetMetrics},
    {Method::kGet, "/healthz", "getHealth", Role::kPublic, kNoBody, handle::GetHealth},
    {Method::kGet, "/readyz", "getReady", Role::kPublic, kNoBody, handle::GetReady},
    {Method::kGet, "/openapi.yaml", "getOpenapi", Role::kPublic, kNoBody, handle::GetOpenapi},
    {Method::kGet, "/problems/{code}", "getProblem", Role::kPublic, kNoBody, handle::GetProblem},
    {Method::kGet, "/assets/{name}", "getAsset", Role::kPublic, kNoBody, handle::GetAsset},
    {Method::kGet, "/", "getIndex", Role::kPublic, kNoBody, handle::GetIndex},
};

bool IsVariable(std::string_view part) { return part.starts_with('{'); }

// Does the path fit? Walks the pattern without a copy: patterns are plain ASCII.
bool Fits(const Route& route, const std::vector<std::string>& path) {
  std::string_view pattern = route.pattern;
  pattern.remove_prefix(1);
  std::size_t at = 0;
  while (!pattern.empty()) {
    const std::size_t slash = std::min(pattern.find('/'), pattern.size());
    const std::string_view part = pattern.substr(0, slash);
    if (at == path.size()) return false;
    if (IsVariable(part) ? path[at].empty() : path[at] != part) return false;
    ++at;
    pattern.remove_prefix(std::min(slash + 1, pattern.size()));
  }
  if (!route.takes_rest) return at == path.size();
  // No empty names within: `/v1/models/a//b` is nothing.
  return std::none_of(path.begin() + static_cast<std::ptrdiff_t>(at), path.end(),
                      [](const std::string& part) { return part.empty(); });
}

std::vector<std::string> ArgsOf(const Route& route, const std::vector<std::string>& path) {
  std::vector<std::string> args;
  if (route.pattern.find('{') == std::string_view::npos) return args;
  std::size_t at = 0;
  for (absl::string_view part : absl::StrSplit(ToAbsl(route.pattern.substr(1)), '/')) {
    if (IsVariable(ToStd(part))) args.push_back(path[at]);
    ++at;
  }
  for (; route.takes_rest && at < path.size(); ++at) absl::StrAppend(&args.back(), "/", path[at]);
  return args;
}

}  // namespace

absl::Span<const Route> Routes() { return kRoutes; }

Match FindRoute(Method method, const std::vector<std::string>& path) {
  Match match;
  const Method wanted = method == Method::kHead ? Method::kGet : method;
  for (const Route& route : kRoutes) {
    if (!Fits(route, path)) continue;
    if (route.method == wanted) {
      match.route = &route;
      match.args = ArgsOf(route, path);
      match.allowed.clear();
      return match;
    }
    absl::StrAppend(
        &match.allowed, match.allowed.empty() ? "" : ", ",
        route.method == Method::kGet ? "GET, HEAD" : std::string(MethodName(route.method)));
  }
  return match;
}

}  // namespace spillway
