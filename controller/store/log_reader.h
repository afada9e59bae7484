#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/decision.h"
#include "core/event.h"
#include "core/router_inputs.h"

namespace spillway {

// The past of a state folder, for whoever decides it again: the event log and what was recorded of
// it, page by page in the order of their numbers. Nothing is written and no lock is taken, so the
// controller may run meanwhile: what it adds after Open is not seen. One thread at a time.
//
// Works on a copy of a folder too, also on one that may not be written to (a database that was
// closed in order, or whose write-ahead log was copied with it to where files can be made).
class LogReader {
 public:
  struct Epoch {  // one start of a controller
    std::uint64_t number = 0;
    EventNumber event{};
    absl::Time at;
  };
  // As things stood at Open.
  struct Contents {
    EventNumber first{}, last{};  // of the log; zero: it is empty
    std::vector<Epoch> epochs;    // all that ever were, rising
    std::int64_t pools = 0;       // that ever were: their ids are below
  };

  // `path`: the database. kNotFound: there is none. kInvalidArgument: it is no database, or not
  // Spillway's. kFailedPrecondition: tables of another version. kDataLoss: damaged.
  static absl::StatusOr<std::unique_ptr<LogReader>> Open(const std::string& path);
  ~LogReader();

  const Contents& contents() const;

  // The next events from `from` on; none: that was all. A page holds at most 256 events, and as
  // soon as it has 4 MiB of text no more. kOutOfRange: `from` was swept away.
  absl::StatusOr<std::vector<Event>> Events(EventNumber from);
  // The next decisions after `after` (at most 256) that were made within the log as it stood at
  // Open; decisions about requests stand in the log and not here.
  absl::StatusOr<std::vector<std::shared_ptr<const Decision>>> Decisions(DecisionId after);
  // kNotFound: no longer kept.
  absl::StatusOr<std::shared_ptr<const RouterInputs>> FindRouterInputs(EventNumber id);
  // Whether a job is still kept, and its decisions with it.
  absl::StatusOr<bool> Keeps(JobId job);

 private:
  class Impl;
  explicit LogReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace spillway
