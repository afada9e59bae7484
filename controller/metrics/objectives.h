#pragma once

#include <optional>

#include "core/job.h"
#include "core/request.h"
#include "scheduler/router_view.h"

// Whether work that is over kept its objective: what an error budget counts. Pure.
namespace spillway {

// A job: it first ran within `start_within` of its submission and ended by its `deadline`. One that
// failed since no pool could be had, or that its pools lost, missed it. None: cancelled, failed by
// its own fault, or over before it was asked for.
std::optional<bool> KeptObjective(const Job& job);

// A request: its first token and the mean of the others came in time. Of an answer in one piece
// only the whole can be seen: it may take the first limit, and the second for each token. Broken
// off, failed or refused for want of room or of an engine that is up: missed. None: the client left
// or asked for what it cannot have (4xx), which is nobody's fault here.
std::optional<bool> KeptObjective(const Request& request, const RequestLimits& limits);

}  // namespace spillway
