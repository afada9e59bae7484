#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Who descends from whom, as /proc tells it. Snapshots: by the time they are read, processes may
// have come and gone, so whoever must end a tree looks again until nothing is left.
namespace spillway {

struct ProcessStat {
  pid_t pid = 0, parent = 0, group = 0, session = 0;
  char state = '?';  // Z: dead, and not yet waited for
  std::uint64_t start_ticks =
      0;  // since boot (field 22 of /proc/PID/stat); with the pid it names one process
};
// Nothing: no such process. The name in the second field may hold spaces and parentheses.
std::optional<ProcessStat> ParseProcessStat(std::string_view text);
std::optional<ProcessStat> ReadProcess(pid_t pid);
std::vector<ProcessStat> ListProcesses();

// Living descendants of `root`, without it, in no particular order.
std::vector<ProcessStat> DescendantsOf(pid_t root, const std::vector<ProcessStat>& all);
// Sends `signal` to every descendant of `root`, and to their process groups (which a process that
// forks without end cannot outrun). True if there was one. The groups in `spared` are left alone.
bool SignalDescendants(pid_t root, int signal, const std::vector<pid_t>& spared);

// Processes in whose environment an entry begins with `prefix` ("NAME=value"), as they were
// started.
std::vector<ProcessStat> ProcessesWithEnvironment(std::string_view prefix);
// Kills the process if it is still the one that was recorded.
void KillIfSame(pid_t pid, std::uint64_t start_ticks);

}  // namespace spillway
