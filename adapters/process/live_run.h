#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "adapters/process/event_loop.h"
#include "adapters/process/output_log.h"
#include "adapters/process/warden.h"

// A command that runs: its warden, and the pumps that carry its output to the log files. The
// command never waits for a reader and never loses one: the pumps read as fast as it prints, and
// keep a bound.
namespace spillway {

class LiveRun {
 public:
  struct Plan {
    AttemptKey key;
    CommandPlan command;
    int records = -1, logs = -1;  // folders
    int wardens_lock = -1;
    std::uint64_t log_bound = 0;  // bytes of each stream
    AtStep at_step;
  };
  // Called from the loop, never from within a call of this class. They may not destroy the run.
  struct Callbacks {
    std::function<void()> on_started;
    std::function<void()> on_output;
    // The warden is gone. Nothing: it was killed, so its tree may still be about.
    std::function<void(std::optional<StatusRecord>)> on_over;
  };
  // Forks the warden. An error means that nothing was started.
  static absl::StatusOr<std::unique_ptr<LiveRun>> Begin(EventLoop& loop, Plan plan,
                                                        Callbacks callbacks);
  ~LiveRun();
  LiveRun(const LiveRun&) = delete;
  LiveRun& operator=(const LiveRun&) = delete;

  void Cancel(absl::Duration grace);
  pid_t warden() const { return warden_; }
  const OutputLog& log(LogStream stream) const {
    return stream == LogStream::kStdout ? *out_.log : *err_.log;
  }
  // After on_over, once no process of the tree is left: takes what is still in the pipes and closes
  // the logs. Words if the disk failed, else empty.
  std::string FinishLogs();

 private:
  struct Pump {
    UniqueFd pipe;
    std::optional<OutputLog> log;
  };
  LiveRun(EventLoop& loop, Callbacks callbacks) : loop_(loop), callbacks_(std::move(callbacks)) {}
  void OnPacket();
  // False: nothing more can be read now.
  bool PumpOnce(Pump& pump);
  void OnReadable(Pump& pump);

  EventLoop& loop_;
  Callbacks callbacks_;
  UniqueFd control_;
  Pump out_, err_;
  pid_t warden_ = 0;
  std::optional<StatusRecord> status_;
};

// "job-000045.1.out", "job-000045.1.err"
std::string LogName(AttemptKey key, LogStream stream);

}  // namespace spillway
