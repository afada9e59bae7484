#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "adapters/adapter.h"
#include "controller/archive.h"
#include "controller/job_feed.h"
#include "controller/observer.h"
#include "controller/request_sink.h"
#include "controller/snapshot.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/work.h"
#include "scheduler/brain.h"

// The live host of the brain. One thread, the control strand, owns the brain and calls the
// adapters; one thread, the store thread, commits what the brain said. Everybody else hands a value
// in and gets a value back.
//
// Order of effects: the control thread takes what waits as a batch, numbers and stamps it, and
// folds it; the store thread commits events, records and answers as one transaction; only then are
// changes published, callers answered and commands run, in this order, while the control thread may
// fold the next batch. A failed commit ends the process with nothing of that batch let out.
namespace spillway {

struct HostOptions {
  std::size_t waiting_submissions = 4096;  // beyond this many, submissions are refused
  std::int64_t queued_jobs = 1'000'000;    // the same for jobs that wait for a pool
  std::size_t waiting_chunks = 256;        // of ended requests; who books more waits
  std::size_t batch_events = 1024;         // about the largest transaction
  absl::Duration snapshot_period = absl::Milliseconds(20);  // at most one snapshot in this time
  absl::Duration rest = absl::Milliseconds(50);  // how long requests in no hurry wait for others
  JobFeed::Limits feed;
  // Store thread: what readers see from now on. Must not block for long.
  std::function<void(const Snapshot&)> on_snapshot;
};

// The first answer to an Idempotency-Key is given again to everyone who sends the same request.
struct IdempotencyKey {
  std::string key;              // 1 to 255 characters; scoped to the work's tenant
  std::uint64_t body_hash = 0;  // XXH64 of the request's body
};

enum class Admission : std::uint8_t {
  kAccepted,    // `job` and `decision` are set, and durable
  kImpossible,  // no configured pool could ever do it: `decision` says why, `status` in short
  kOverBudget,  // its tenant's budget allows it on no pool; the same
  kReplayed,    // `stored` is the answer to the first request with this key
  kKeyBusy,     // the first request with this key is still being worked on
  kKeyReused,   // the key was used with another body
  kFull,        // too many submissions or jobs wait: try again later
  kFailed,      // `status` says why: stopping, or the archive cannot be read
};

struct SubmitAnswer {
  Admission admission = Admission::kFailed;
  absl::Status status;
  std::shared_ptr<const Job> job;
  std::shared_ptr<const Decision> decision;
  std::optional<StoredAnswer> stored;  // where a key was given: what was answered under it
};

struct Submission {
  std::shared_ptr<const Work> work;  // defaults filled in; never null
  std::optional<IdempotencyKey> key;
  // With a key: makes the answer that is committed together with the job. Called on the control
  // thread, for kAccepted and kImpossible; status, body and location are to be filled in.
  std::function<StoredAnswer(const SubmitAnswer&)> render;
};

struct PolicyAnswer {
  absl::Status status;        // kAborted: `expected` is not the version in force; kInvalidArgument
  std::uint64_t version = 0;  // in force now
};

// Counts for metrics; exact at some instant not long ago.
struct HostStats {
  std::size_t waiting_submissions = 0;
  std::size_t waiting_inputs = 0;  // adapter events, operator calls and committed commands
  std::size_t open_events = 0;     // folded, not yet committed
  std::uint64_t refused_submissions = 0;
  std::size_t keys_in_flight = 0;
};

// An adapter as the host knows it.
struct HostedAdapter {
  JobAdapter* jobs = nullptr;  // outlives the host; null: it takes requests, but no jobs
  // Told of every pool of its type, and of each change of one, before anything is launched there.
  // On the control thread, like the calls of JobAdapter. May be empty.
  std::function<void(PoolId, const PoolSpec&)> meet;
};

class Host final : public AdapterSink, public RequestSink {
 public:
  // By type: "process", "modelled".
  using Adapters = std::map<std::string, HostedAdapter>;

  // Everything outlives the host. `journal` is used by one thread at a time, `brain` by none but
  // the host.
  Host(HostOptions options, const Clock& clock, Brain& brain, Journal& journal, Archive& archive,
       Observer& observer);
  ~Host() override;  // Stop()
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  // Recalls, restores and commits the new epoch; then starts the adapters, each with the attempts
  // that the records believe to be running there, and both threads. Once. Blocks.
  absl::Status Start(std::shared_ptr<const Config> config, Adapters adapters);

  // Refuses what comes from now on, commits what was taken, lets go of the adapters (what runs goes
  // on) and joins the threads. Every caller has its answer when this returns. Safe to call again.
  void Stop();

  // --- Calls, from any thread. `done` is called exactly once: on the store thread once the effects
  // are durable, or at once (on the caller's thread or the control thread) where there are none. It
  // must not block, and must not call back into the host.
  template <class T>
  using Done = absl::AnyInvocable<void(T)>;

  // With a key the archive is asked first, on the caller's thread: one read.
  void Submit(Submission submission, Done<SubmitAnswer> done);
  // kNotFound: no such job. A job that is over already is a success.
  void Cancel(JobId job, Done<absl::Status> done);
  void SetPoolState(PoolId pool, PoolState state, Done<absl::Status> done);
  // Nobody waits for it.
  void SeeCarbon(event::CarbonSeen seen);
  // `expected`: the price must still be this one's `version` (see PriceVersion); kAborted if not.
  void PricePool(PoolId pool, Price price, std::optional<std::string> expected,
                 Done<absl::Status> done);
  void AddPool(std::shared_ptr<const PoolSpec> pool, Done<absl::Status> done);
  void SetPolicy(std::shared_ptr<const PolicySpec> policy, std::optional<std::uint64_t> expected,
                 Done<PolicyAnswer> done);
  // The configuration file was read again: all that event::FileRead names, or nothing of it.
  void Reload(std::shared_ptr<const Config> config, Done<absl::Status> done);
  // What would be decided now, without a trace.
  void DryRun(std::shared_ptr<const Work> work, Done<Decision> done);
  // Ledger rows of the current hour as they would be booked now, idle included.
  void OpenLedger(Done<std::vector<record::LedgerRow>> done);
  // As JobAdapter::Logs. kNotFound: no adapter drives that pool any more.
  void Logs(PoolId pool, AttemptKey key, LogStream stream, std::uint64_t offset, std::size_t limit,
            bool follow, JobAdapter::LogAnswer answer);

  // The clock may have jumped: look at it, and fire the brain's timer if it is due.
  void Tick();

  // --- AdapterSink: any thread, never refused before Stop().
  void Post(event::Body happened) override;

  // --- RequestSink. Observers are told and the journal's row is made on the caller's thread, and
  // the requests are let go as soon as the brain has seen them. While `waiting_chunks` wait for the
  // control thread the caller does too, so that a disk that stands still is felt where requests
  // are admitted.
  void Book(event::RequestsEnded ended, bool hurry) override;

  // --- Reads, any thread, at once.
  std::shared_ptr<const Snapshot> snapshot() const;  // never null once started
  JobFeed& feed();
  const JobFeed& feed() const;
  Archive& archive();
  const Clock& clock() const;
  bool DrivenHere(const std::string& adapter_type) const;  // is there an adapter of this type?
  HostStats stats() const;
  const HostOptions& options() const;
  std::uint64_t epoch() const;  // of this start

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// A word that differs whenever two prices do: what an ETag of a price is made of.
std::string PriceVersion(const Price& price);

}  // namespace spillway
