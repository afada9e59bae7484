#pragma once

#include "absl/time/time.h"
#include "core/estimate.h"
#include "core/pool.h"
#include "core/request.h"
#include "scheduler/router_view.h"

namespace spillway {

// How long a connection to an engine may take where its pool does not say.
inline constexpr absl::Duration kConnectTime = absl::Seconds(5);

// How long an engine is waited for. Beyond it the engine counts as failed: before the first byte
// another is asked, after it the answer breaks off.
struct EngineTime {
  absl::Duration first;  // from the request sent to the first event of a stream, else to the head
  absl::Duration idle;   // between two pieces after that
};

// What the pool says; left out:
//  - first event of a stream: 5 times what the objective allows or, if that is longer, what was
//    expected (the wait at p90 and twice the first token), 10 s to 2 min. While nothing was
//    observed of the model there, 2 min: an assumed speed is no reason to give an engine up.
//  - a whole answer: 5 times the expected wait and the time for max_tokens at the slower one of
//    objective and estimate, 30 s to 10 min; without max_tokens or observations 10 min.
//  - idle: 1 min. Engines buffer, and what has begun cannot be asked of another.
// `expected`: of the endpoint that was chosen; another one is taken to be no slower than twice.
EngineTime EngineTimeFor(const EngineTimeouts& says, bool observed, const RequestFeatures& features,
                         const RequestLimits& limits, const Estimate& expected);

}  // namespace spillway
