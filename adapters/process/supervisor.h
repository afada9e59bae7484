#pragma once

#include <string>

#include "absl/time/time.h"
#include "adapters/process/run_table.h"

// The program behind `spillway supervise --dir DIR`: a small process that outlives the controller,
// runs its commands and keeps what is known of them on disk.
namespace spillway {

struct SupervisorOptions {
  std::string dir;                          // the state folder, made if it is missing (0700)
  absl::Duration idle = absl::Seconds(60);  // ends itself so long after its last run and controller
  bool daemonize = true;                    // detach; the caller returns once the socket answers
  RunTableOptions runs;                     // `state_path` is filled in
};

// Returns the exit code of the process: 0 if it has ended in order, if (daemonized) another one is
// ready to serve, or if one already is. Words of what went wrong go to stderr.
int RunSupervisor(SupervisorOptions options);

// Names of files in DIR.
inline constexpr const char* kSupervisorSocket = "supervisor.sock";
inline constexpr const char* kSupervisorLog = "supervisor.log";

// A path to `name` below the open folder `dir` that is short enough for a socket address, however
// long the path of the folder is.
std::string SocketPath(int dir, const std::string& name);
// -1 and errno, or a connected socket.
int ConnectToSupervisor(int dir);

}  // namespace spillway
