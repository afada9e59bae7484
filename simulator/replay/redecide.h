#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "scheduler/brain.h"
#include "simulator/replay/recorded_log.h"

namespace spillway {

// One decision that does not come out as it was recorded.
struct RedecidedDifference {
  std::string what;  // "dec-000017", "req-3-000123"
  std::string how;   // "pool: recorded a10, now xeon"
};

struct RedecidedCount {
  std::int64_t equal = 0, differing = 0;
  std::int64_t not_kept = 0;    // made again, but what was recorded of it was swept away since
  std::int64_t not_redone = 0;  // recorded, but what it was decided by is no longer kept
  std::int64_t compared() const { return equal + differing; }
};

struct Redecided {
  LogExtent log;
  absl::Time from, until;   // of the first and last event that is kept
  std::int64_t events = 0;  // read
  RedecidedCount decisions, requests;
  std::vector<RedecidedDifference> first;  // at most kDifferencesTold, in the order of the log

  bool all_equal() const { return decisions.differing == 0 && requests.differing == 0; }
};
inline constexpr std::size_t kDifferencesTold = 10;

struct RedecideOptions {
  // Hears each event after it was folded, with what the brain said; only of a log that is whole.
  std::function<void(const Event&, const Reply&, const Effects&, const Brain&)> on_fold;
  std::function<void(EventNumber done, EventNumber last)> on_progress;  // each page
  std::function<bool()> cancelled;                                      // asked each page
};

// Decides the whole past once more, with the code that decides live. The log is folded from its
// first event through a fresh Brain (a restart changes nothing: what a restored brain decides, the
// one that folded the log decides too), and each decision about a job is compared with its row.
// Each kept request is routed again by the router's inputs, counts and draw that stand in its
// record.
//
// A log whose front was swept away cannot be folded: then decisions about jobs are counted as not
// redone, requests are routed again as ever. Memory is bounded by what the brain holds of live work
// and one page of each; time grows with the log. Errors: the log's own; kFailedPrecondition: it is
// empty; kCancelled.
absl::StatusOr<Redecided> Redecide(RecordedLog& log, const RedecideOptions& options = {});

}  // namespace spillway
