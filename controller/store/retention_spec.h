#pragma once

#include <cstdint>

#include "absl/time/time.h"

namespace spillway::store {

// How long the past is kept. Swept away: finished jobs (with their work and decisions) that ended
// more than `max_age` ago or are more than `max_jobs`, the oldest first; events of the same age or
// more than kEventsPerJob x `max_jobs`, from the front of the log; decisions about refused
// submissions whose event is gone; ledger rows after `ledger_age`; answers after `answer_age`.
// Whatever is queued, starting or running stays, however old.
//
// A log that was cut no longer folds from its first event: what was decided stays readable and
// explained (decisions hold every figure), but it is decided again only from a copy of the state
// folder that was taken before, or from a log that is still whole.
struct Retention {
  absl::Duration max_age = absl::Hours(24 * 30);
  std::int64_t max_jobs = 1'000'000;
  absl::Duration ledger_age = absl::Hours(24 * 731);  // two years
  absl::Duration answer_age = absl::Hours(25);        // what was promised (24 h), and some more
};
inline constexpr std::int64_t kEventsPerJob = 20;

}  // namespace spillway::store
