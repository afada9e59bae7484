#include "scheduler/lifecycle.h"

#include <algorithm>

namespace spillway {

std::optional<JobState> After(JobState state, JobStep step) {
  using enum JobState;
  const bool launched = state == kStarting || state == kRunning;
  switch (step) {
    case JobStep::kLaunch:
      return state == kQueued ? std::optional(kStarting) : std::nullopt;
    case JobStep::kStart:
      return state == kStarting ? std::optional(kRunning) : std::nullopt;
    case JobStep::kRetry:
      return launched ? std::optional(kQueued) : std::nullopt;
    case JobStep::kSucceed:
      return launched ? std::optional(kSucceeded) : std::nullopt;
    case JobStep::kFail:
      return IsTerminal(state) ? std::nullopt : std::optional(kFailed);
    case JobStep::kCancel:
      return IsTerminal(state) ? std::nullopt : std::optional(kCancelled);
  }
  return std::nullopt;
}

absl::Duration Backoff(int failures) {
  const int doublings = std::clamp(failures - 1, 0, 6);
  return std::min(absl::Seconds(1) * (1 << doublings), absl::Minutes(1));
}

}  // namespace spillway
