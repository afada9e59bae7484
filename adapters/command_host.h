#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "adapters/adapter.h"
#include "core/ids.h"
#include "core/units.h"

// Commands that run on this machine and outlive the controller. process/ implements it with a
// supervisor; process/ and modelled/ both drive it, so that neither looks into the other.
namespace spillway {

// One command to run, once, whatever happens: (job, attempt) is the key.
struct LaunchOrder {
  AttemptKey key;
  std::uint64_t epoch = 0;           // of the controller; older than the newest seen: refused
  std::string owner;                 // the adapter that launches: "process", "modelled"
  std::vector<std::string> command;  // argument vector, handed on byte for byte
  std::vector<std::pair<std::string, std::string>> env;   // of the job; SPILLWAY_* is refused there
  std::vector<std::pair<std::string, std::string>> told;  // what we tell it: SPILLWAY_POOL, ...
  std::string cwd;                                        // empty: a fresh folder of its own
  MilliCpus cpus{};                                       // 0: not limited
  Bytes memory{};                                         // 0: not limited
  int niceness = 0;                                       // 0 to 19
  absl::Duration hold{};   // it is not over before this long after its start
  std::string turn_group;  // at most `turn_limit` commands of one group run at once; the
  int turn_limit = 0;      // others wait for their turn, oldest first. 0: no limit
  friend bool operator==(const LaunchOrder&, const LaunchOrder&) = default;
};

enum class RunPhase : std::uint8_t {
  kWaiting,  // accepted, nothing runs yet
  kRunning,  // the command runs, or is over and still holds what it pretends to hold
  kEnded,    // nothing of it runs, its output is complete
};
enum class RunOutcome : std::uint8_t {
  kNone,         // not over
  kExited,       // `code` is the exit code
  kSignalled,    // `code` is the signal
  kCannotStart,  // the job's own fault: no such command, no such folder; `code` is the errno or 0
  kCancelled,    // it was asked to end, and has
  kLost,         // nothing of it runs, and nobody knows how it ended
};

// Where one run is now. Reports say the whole state each time, so that a lost or repeated one does
// no harm.
struct RunReport {
  AttemptKey key;
  std::string owner;
  RunPhase phase = RunPhase::kWaiting;
  RunOutcome outcome = RunOutcome::kNone;
  int code = 0;
  bool out_of_memory = false;                    // ended by its memory limit
  std::string message;                           // in words where the outcome does not say it all
  absl::Time accepted_at, started_at, ended_at;  // InfinitePast: not yet
  absl::Duration cpu_time{};                     // of the whole tree, as far as it was waited for
  Bytes peak_memory{};                           // of the largest process
  friend bool operator==(const RunReport&, const RunReport&) = default;
};

// Calls return at once; answers and reports come on one thread of the host, one at a time, in
// order.
class CommandHost {
 public:
  virtual ~CommandHost() = default;

  using ReportSink = std::function<void(const RunReport&)>;
  using Done = std::function<void(const absl::Status&)>;

  // Takes over the runs of `owner`. From now on every change of its runs is reported to `sink`.
  // Older epochs are fenced off, runs that are not in `known` are ended, and known ones of which
  // there is no trace are recorded as lost, so that they never start. Blocks until the host answers
  // (10 s at most).
  virtual absl::Status Take(const std::string& owner, std::uint64_t epoch,
                            absl::Span<const AttemptKey> known, ReportSink sink) = 0;
  // A key that was seen starts nothing: its state is reported once more. kAborted: the epoch is
  // old; kUnavailable: nothing was started, and will not be; kResourceExhausted: too much runs
  // here.
  virtual void Launch(const LaunchOrder& order, Done done) = 0;
  virtual void Cancel(const std::string& owner, AttemptKey key, std::uint64_t epoch) = 0;
  virtual void Logs(const std::string& owner, AttemptKey key, LogStream stream,
                    std::uint64_t offset, std::size_t limit, bool follow,
                    JobAdapter::LogAnswer answer) = 0;
  // The end of this run is known to its owner: it need not be reported again, and may be swept in
  // time.
  virtual void Acknowledge(const std::string& owner, AttemptKey key) = 0;
  // No report to `owner` and none of its callbacks comes after this returns. Not to be called from
  // one.
  virtual void Leave(const std::string& owner) = 0;
  // Which limits hold here, as words: "cpu-affinity", "cpu-quota", "memory-cgroup", "pids-cgroup".
  // Known once Take() has succeeded.
  virtual std::vector<std::string> Limits() const = 0;
};

}  // namespace spillway
