#pragma once

#include <sched.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "adapters/process/files.h"

// The last steps of a process before it becomes the command.
namespace spillway {

struct CommandPlan {
  std::vector<std::string> argv;  // not empty, no NUL inside
  std::vector<std::string> env;   // "NAME=value": all that the command gets
  std::string cwd;                // for messages, and for chdir where `folder` is not set
  UniqueFd folder;                // its own fresh folder
  std::vector<UniqueFd> cgroup_entrances;
  cpu_set_t cpus{};
  bool pinned = false;  // to `cpus`
  int niceness = 0;
  std::int64_t processes = 0;  // RLIMIT_NPROC; 0: not set
};

// Where a start went wrong, sent over a pipe that closes by itself when the command begins.
enum class StartStep : std::int32_t { kLimits, kFolder, kCommand, kFork };
struct StartTrouble {
  StartStep step{};
  std::int32_t error = 0;  // errno
};
// True where it is the job's own fault (no such folder, no such command).
bool IsOwnFault(const StartTrouble& trouble);
std::string InWords(const StartTrouble& trouble, const CommandPlan& plan);

// Standard streams of the command; stdin is /dev/null.
struct CommandStreams {
  int out = -1, err = -1;
};
// In the child: a new session, limits, folder, streams, default signals, no new privileges, nothing
// else open; then the command. On failure writes a StartTrouble to `trouble` (close-on-exec) and
// exits. Dies with `parent`, the warden.
[[noreturn]] void BecomeCommand(const CommandPlan& plan, CommandStreams streams, int gate,
                                int trouble, pid_t parent);

// The files that a command name may stand for, in the order of PATH in `env`; the name itself if it
// has a slash. Empty entries of PATH are skipped: the working folder is never searched unasked.
std::vector<std::string> CandidatesFor(const std::string& name,
                                       const std::vector<std::string>& env);

// Closes every descriptor but those in `kept`.
void CloseAllBut(std::vector<int> kept);

}  // namespace spillway
