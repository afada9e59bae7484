#include "cli/this_host.h"

#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "adapters/process/cgroups.h"
#include "adapters/process/this_machine.h"

namespace spillway::cli {
namespace {

std::string Slurp(const char* path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace

Machine MachineHere() {
  Machine machine = ThisMachine();
  machine.limits = {"cpu-affinity"};
  const Cgroups tried =
      Cgroups::Open(FindCgroups(Slurp("/proc/self/mountinfo"), Slurp("/proc/self/cgroup")),
                    absl::StrCat("spillway-try-", getpid()));
  for (std::string& word : tried.Words()) machine.limits.push_back(std::move(word));
  tried.RemoveOwn();
  return machine;
}

}  // namespace spillway::cli
