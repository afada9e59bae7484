// A supervisor for tests: --dir DIR [--idle-ms N] [--log-bound N] [--all-logs N] [--grace-ms N]
// [--max-live N]
// [--processes N] [--kept-ms N]. If DIR/crash-at holds "STEP WHO", it kills processes with SIGKILL
// when that step is first reached: WHO is `self` (whoever reached it) or `all` (a warden takes its
// supervisor along).
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>

#include "adapters/process/supervisor.h"

namespace {

void CrashAt(const std::string& dir, std::string_view step) {
  const std::string file = dir + "/crash-at";
  std::string wanted, who;
  std::ifstream(file) >> wanted >> who;
  if (wanted != step || unlink(file.c_str()) != 0) return;
  if (who == "all" && step.substr(0, 7) == "warden:") kill(getppid(), SIGKILL);
  kill(getpid(), SIGKILL);
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> flags;
  for (int i = 1; i + 1 < argc; i += 2) flags[argv[i]] = argv[i + 1];
  const auto number = [&](const char* flag, long fallback) {
    return flags.contains(flag) ? std::atol(flags[flag].c_str()) : fallback;
  };
  spillway::SupervisorOptions options{.dir = flags["--dir"]};
  options.idle = absl::Milliseconds(number("--idle-ms", 60'000));
  options.runs.log_bound = static_cast<std::uint64_t>(number("--log-bound", 8 << 20));
  options.runs.all_logs_bound = static_cast<std::uint64_t>(number("--all-logs", 2L << 30));
  options.runs.grace = absl::Milliseconds(number("--grace-ms", 5'000));
  options.runs.kept = absl::Milliseconds(number("--kept-ms", 24L * 3600 * 1000));
  options.runs.max_live = static_cast<std::size_t>(number("--max-live", 4096));
  options.runs.max_processes = number("--processes", 4096);
  options.runs.at_step = [dir = options.dir](std::string_view step) { CrashAt(dir, step); };
  return spillway::RunSupervisor(options);
}
