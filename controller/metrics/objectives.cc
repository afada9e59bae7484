#include "controller/metrics/objectives.h"

namespace spillway {
namespace {

bool InTime(const Request& request, const RequestLimits& limits) {
  if (request.ttft) {
    return *request.ttft <= limits.ttft && (!request.tpot || *request.tpot <= limits.tpot);
  }
  const auto tokens = static_cast<double>(request.output_tokens.value_or(0));
  return request.ended - request.features.arrived <= limits.ttft + tokens * limits.tpot;
}

}  // namespace

std::optional<bool> KeptObjective(const Job& job) {
  if (!IsTerminal(job.state) || job.state == JobState::kCancelled) return std::nullopt;
  if (job.state == JobState::kFailed) {
    const bool own = !job.attempts.empty() && job.attempts.back().fault == Fault::kOwn;
    return own ? std::nullopt : std::optional(false);
  }
  const Objective& objective = job.work->objective;
  const bool began =
      !objective.start_within ||
      (job.started_at && *job.started_at - job.created_at <= *objective.start_within);
  const bool ended =
      !objective.deadline || (job.finished_at && *job.finished_at <= *objective.deadline);
  return began && ended;
}

std::optional<bool> KeptObjective(const Request& request, const RequestLimits& limits) {
  switch (request.end) {
    case RequestEnd::kAnswered:
      if (request.status >= 400) return std::nullopt;
      return InTime(request, limits);
    case RequestEnd::kBrokenOff:
    case RequestEnd::kFailed:
      return false;
    case RequestEnd::kRefused:
      return request.status >= 500 ? std::optional(false) : std::nullopt;
    case RequestEnd::kClientGone: {  // who left before a first token that was due has seen it
                                     // missed
      const absl::Duration waited = request.ended - request.features.arrived;
      const bool missed = request.features.stream && !request.ttft && waited > limits.ttft;
      return missed ? std::optional(false) : std::nullopt;
    }
    case RequestEnd::kCutOff:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace spillway
