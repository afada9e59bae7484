#pragma once

#include <functional>
#include <string_view>

#include "absl/time/time.h"
#include "adapters/process/exec.h"
#include "adapters/process/records.h"

// One small process stands between the supervisor and each command. It adopts every process that
// the command leaves behind (it is their subreaper), so that the tree of a run is exactly what
// descends from its warden, whatever sessions, groups or double forks are played. It writes the
// exit status to disk itself, ends what the command left running, and ends everything when its
// supervisor dies.
namespace spillway {

// Named instants at which the tests kill processes; does nothing otherwise.
using AtStep = std::function<void(std::string_view step)>;

struct WardenPlan {
  AttemptKey key;
  CommandPlan command;
  CommandStreams streams;
  int records = -1;  // folder of the run's records
  int control = -1;  // SOCK_SEQPACKET to the supervisor; end of file: it has died
  int lock = -1;     // held as long as any warden lives
  AtStep at_step;
};

// What a warden says: one packet each, this mark and then the record.
inline constexpr char kWardenStarted = 'S';  // StartedRecord: the command has begun
inline constexpr char kWardenOver = 'O';     // StatusRecord: nothing of it is left
// What it is told: 'C' and the grace in nanoseconds (8 bytes): end the tree, by force after the
// grace.
inline constexpr char kWardenCancel = 'C';
std::string CancelPacket(absl::Duration grace);

// Runs in a process of its own, freshly forked from the supervisor.
[[noreturn]] void RunWarden(WardenPlan plan);

}  // namespace spillway
