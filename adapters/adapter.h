#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "core/command.h"
#include "core/event.h"
#include "core/ids.h"
#include "core/pool.h"

// The southbound contract: how any vendor's hardware comes in. An adapter drives the pools of one
// type. It never decides: which pool, which node and when are the brain's; it makes that so and
// tells what happened. docs/extend/adapter.md leads through writing one.
namespace spillway {

// Where an adapter tells what happened. Thread-safe, returns at once, outlives the adapter. Events
// about one attempt come in order: started (at most once), then ended (exactly once).
class AdapterSink {
 public:
  virtual ~AdapterSink() = default;
  virtual void Post(event::Body happened) = 0;  // AttemptStarted, AttemptEnded or NodeSeen
};

enum class LogStream : std::uint8_t { kStdout, kStderr };

// A piece of a job's output. `end`: the attempt is over and `next` is its end; nothing more will
// come.
struct LogChunk {
  std::string bytes;
  std::uint64_t next = 0;     // offset to ask for next
  std::uint64_t dropped = 0;  // bytes that were left out between the asked offset and `bytes`
  bool end = false;
};

// The face for jobs. Calls come from the controller's control thread, one at a time, and must not
// block for longer than it takes to hand the call on; answers come through the sink or the
// callbacks, on any thread. After Stop() returns neither is called any more.
class JobAdapter {
 public:
  virtual ~JobAdapter() = default;

  // Takes the pools over at controller start, `epoch` being the new one. `known` are the attempts
  // that the records believe to be running here: for each of them, exactly one thing follows
  // through the sink: AttemptStarted (it runs on), AttemptEnded with how it ended, or AttemptEnded
  // with kInfrastructure (it is lost: it does not run, and never will). Attempts found here that
  // are not known are ended.
  virtual absl::Status Start(std::uint64_t epoch, absl::Span<const AttemptKey> known) = 0;

  // Idempotent by (job, attempt): a seen one starts nothing. An epoch older than the newest that
  // was seen is refused, without a word to the sink. What cannot be started ends with AttemptEnded
  // and kOwn (the job's fault: no such command) or kInfrastructure.
  virtual void Launch(const command::Launch& launch) = 0;

  // Ends the whole process tree; AttemptEnded follows, with kCancelled unless it was already over.
  // Unknown or ended attempts: nothing happens.
  virtual void Cancel(const command::Cancel& cancel) = 0;

  // Output from `offset` on, at most `limit` bytes. With `follow`, an answer waits until there is
  // something to say (or the attempt is over), at most 15 s. kNotFound: no such attempt or its
  // output is no longer kept.
  using LogAnswer = absl::AnyInvocable<void(absl::StatusOr<LogChunk>)>;
  virtual void Logs(AttemptKey key, LogStream stream, std::uint64_t offset, std::size_t limit,
                    bool follow, LogAnswer answer) = 0;

  // Lets go of the pools: running work goes on without the controller.
  virtual void Stop() = 0;
};

}  // namespace spillway
