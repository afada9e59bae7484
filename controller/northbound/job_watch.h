#pragma once

#include <optional>

#include "controller/archive.h"
#include "controller/northbound/api.h"

namespace spillway {

// A stream of what happens to the jobs that `query` selects (its limits and order do not count).
struct WatchOrder {
  JobQuery query;
  std::optional<JobId> only;  // one job: the stream begins with how it stands, ends when it ends
  std::optional<EventNumber> after;  // resume; none: from now on
};

// Frames: event ADDED or MODIFIED with the job as data, BOOKMARK with {"resource_version":N}; the
// id is the number of the event, and stands on the last frame of that event only, so that a client
// that comes back misses nothing. Problems (too old, too many streams) are answered before it
// begins.
HttpAnswer WatchJobs(Api& api, const HttpRequest& request, Exchange& exchange, WatchOrder order);

// Where to resume: Last-Event-ID, else ?resource_version=N. Refused in `params` if it is no number.
std::optional<EventNumber> ResumePoint(const HttpRequest& request, class Params& params);

}  // namespace spillway
