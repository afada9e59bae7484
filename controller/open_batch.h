#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "controller/archive.h"
#include "controller/host.h"
#include "controller/job_feed.h"
#include "controller/keys_in_flight.h"
#include "scheduler/brain.h"

// What passes between the host's two threads; of no use to anybody else.
namespace spillway {

// Who waits for the answer to a submission, and where in the batch the parts of it stand.
struct Submitter {
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  Host::Done<SubmitAnswer> done;
  SubmitAnswer answer;  // without the job: that is made of its row, after the commit
  std::size_t job_row = kNone;
  std::size_t stored = kNone;
  std::optional<KeysInFlight::Key> key;
};

// Folded events and all that came of them. Becomes one transaction.
struct OpenBatch {
  std::vector<Event> events;
  std::vector<PackedRequests> packed;
  std::vector<std::size_t> record_ends;  // beside `events`: the records of each end here
  Effects effects;
  std::vector<StoredAnswer> answers;
  std::vector<Submitter> submitters;
  std::vector<absl::AnyInvocable<void()>> others;  // answers to other calls
  std::shared_ptr<const Snapshot> snapshot;        // made after the last event; may be null

  // By the clock that paces: what is in it may wait until then. The past: somebody waits for it.
  absl::Duration rests_until = -absl::InfiniteDuration();

  bool empty() const { return events.empty() && !snapshot && others.empty(); }
  void Hurry() { rests_until = -absl::InfiniteDuration(); }
};

// What a committed batch means for those who watch jobs: for each event the last row of each job.
// Jobs are moved out of the records; `jobs` gives them back by the place of their row.
struct Published {
  std::vector<JobChange> changes;
  std::vector<std::shared_ptr<const Job>> jobs;  // beside the records; null for all other rows
};
Published TakeJobs(const std::vector<Event>& events, const std::vector<std::size_t>& record_ends,
                   std::vector<Record>& records);

}  // namespace spillway
