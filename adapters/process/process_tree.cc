#include "adapters/process/process_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "adapters/process/files.h"
#include "core/text.h"

namespace spillway {
namespace {

constexpr std::size_t kMaxStat = 4096;
constexpr std::size_t kMaxEnvironment = 4 << 20;

}  // namespace

std::optional<ProcessStat> ParseProcessStat(std::string_view text) {
  const std::size_t open = text.find('(');
  const std::size_t close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open)
    return std::nullopt;
  ProcessStat stat;
  const std::vector<std::string> fields =
      absl::StrSplit(ToAbsl(text.substr(close + 1)), ' ', absl::SkipEmpty());
  constexpr std::size_t kStartField = 19;  // field 22, counted from the one after the name
  if (fields.size() <= kStartField || fields[0].size() != 1) return std::nullopt;
  stat.state = fields[0][0];
  const bool good = absl::SimpleAtoi(ToAbsl(text.substr(0, open)), &stat.pid) &&
                    absl::SimpleAtoi(fields[1], &stat.parent) &&
                    absl::SimpleAtoi(fields[2], &stat.group) &&
                    absl::SimpleAtoi(fields[3], &stat.session) &&
                    absl::SimpleAtoi(fields[kStartField], &stat.start_ticks);
  return good ? std::optional(stat) : std::nullopt;
}

std::optional<ProcessStat> ReadProcess(pid_t pid) {
  const auto text = ReadWholeFile(AT_FDCWD, absl::StrCat("/proc/", pid, "/stat"), kMaxStat);
  return text.ok() ? ParseProcessStat(*text) : std::nullopt;
}

std::vector<ProcessStat> ListProcesses() {
  std::vector<ProcessStat> all;
  const UniqueFd proc(open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto names = ListFolder(proc.get());
  if (!names.ok()) return all;
  for (const std::string& name : *names) {
    pid_t pid = 0;
    if (!absl::SimpleAtoi(name, &pid)) continue;
    if (const auto stat = ReadProcess(pid)) all.push_back(*stat);
  }
  return all;
}

std::vector<ProcessStat> DescendantsOf(pid_t root, const std::vector<ProcessStat>& all) {
  std::multimap<pid_t, const ProcessStat*> children;
  for (const ProcessStat& stat : all) children.emplace(stat.parent, &stat);
  std::vector<ProcessStat> found;
  std::set<pid_t> seen{root};  // a snapshot taken while processes die may hold a circle
  std::vector<pid_t> open{root};
  while (!open.empty()) {
    const pid_t parent = open.back();
    open.pop_back();
    const auto [first, last] = children.equal_range(parent);
    for (auto child = first; child != last; ++child) {
      if (!seen.insert(child->second->pid).second) continue;
      open.push_back(child->second->pid);
      if (child->second->state != 'Z') found.push_back(*child->second);
    }
  }
  return found;
}

bool SignalDescendants(pid_t root, int signal, const std::vector<pid_t>& spared) {
  const std::vector<ProcessStat> tree = DescendantsOf(root, ListProcesses());
  std::set<pid_t> groups;
  for (const ProcessStat& stat : tree) {
    if (std::find(spared.begin(), spared.end(), stat.group) == spared.end())
      groups.insert(stat.group);
  }
  for (const pid_t group : groups) {
    if (group > 1) kill(-group, signal);
  }
  for (const ProcessStat& stat : tree) {
    if (!groups.contains(stat.group)) kill(stat.pid, signal);
  }
  return !tree.empty();
}

std::vector<ProcessStat> ProcessesWithEnvironment(std::string_view prefix) {
  std::vector<ProcessStat> found;
  for (const ProcessStat& stat : ListProcesses()) {
    const auto text =
        ReadWholeFile(AT_FDCWD, absl::StrCat("/proc/", stat.pid, "/environ"), kMaxEnvironment);
    if (!text.ok()) continue;
    for (const absl::string_view entry : absl::StrSplit(*text, '\0')) {
      if (!ToStd(entry).starts_with(prefix)) continue;
      found.push_back(stat);
      break;
    }
  }
  return found;
}

void KillIfSame(pid_t pid, std::uint64_t start_ticks) {
  const auto stat = ReadProcess(pid);
  if (stat && stat->start_ticks == start_ticks) kill(pid, SIGKILL);
}

}  // namespace spillway
