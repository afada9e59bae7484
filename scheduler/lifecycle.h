#pragma once

#include <optional>

#include "core/job.h"

namespace spillway {

// What can happen to a job. The table below is the whole lifecycle: what is not in it does not
// happen.
enum class JobStep : std::uint8_t { kLaunch, kStart, kRetry, kSucceed, kFail, kCancel };

//              launch     start     retry    succeed     fail     cancel
//  queued      starting   -         -        -           failed   cancelled
//  starting    -          running   queued   succeeded   failed   cancelled
//  running     -          -         queued   succeeded   failed   cancelled
//  (ended)     -          -         -        -           -        -
// Starting may succeed without having been seen to run: adapters may miss a short run's start.
std::optional<JobState> After(JobState state, JobStep step);

// How long a job backs off before it is tried again: 1 s, doubling with each failure of the same
// kind, at most a minute. No chance in it: a replay gives the same.
absl::Duration Backoff(int failures);

}  // namespace spillway
