#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/decision.h"
#include "core/event.h"
#include "core/router_inputs.h"

namespace spillway {

struct LogEpoch {  // one start of a controller
  std::uint64_t number = 0;
  EventNumber event{};
  absl::Time at;
};
struct LogExtent {
  EventNumber first{}, last{};   // zero: the log is empty. More than 1: its front was swept away
  std::vector<LogEpoch> epochs;  // all that ever were, rising
  std::int64_t pools = 0;        // that ever were: ids are below
  bool is_whole() const { return first == EventNumber{1}; }
};

// What a controller left behind, as a replay wants to read it: in order, page by page. Where it
// stands is up to whoever implements this. Pages are rising without gaps; an empty one is the end.
class RecordedLog {
 public:
  virtual ~RecordedLog() = default;
  virtual const LogExtent& extent() const = 0;
  virtual absl::StatusOr<std::vector<Event>> Events(EventNumber from) = 0;
  virtual absl::StatusOr<std::vector<std::shared_ptr<const Decision>>> Decisions(
      DecisionId after) = 0;
  // kNotFound: no longer kept.
  virtual absl::StatusOr<std::shared_ptr<const RouterInputs>> FindRouterInputs(EventNumber id) = 0;
  // Whether the job is still kept, and its decisions with it.
  virtual absl::StatusOr<bool> Keeps(JobId job) = 0;
};

}  // namespace spillway
