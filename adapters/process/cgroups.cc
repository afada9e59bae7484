#include "adapters/process/cgroups.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/status.h"
#include "core/text.h"

namespace spillway {
namespace {

constexpr std::int64_t kPeriodMicros = 100'000;  // of CPU quotas; the kernel's own default

absl::Status SetFile(const std::string& folder, const std::string& file, const std::string& value) {
  const UniqueFd fd(open(absl::StrCat(folder, "/", file).c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd) return ErrnoStatus(errno, absl::StrCat("open ", folder, "/", file));
  if (write(fd.get(), value.data(), value.size()) != static_cast<ssize_t>(value.size())) {
    return ErrnoStatus(errno, absl::StrCat("write ", value, " to ", folder, "/", file));
  }
  return absl::OkStatus();
}

std::string ReadText(const std::string& folder, const std::string& file) {
  const auto text = ReadWholeFile(AT_FDCWD, absl::StrCat(folder, "/", file), 1 << 20);
  return text.ok() ? *text : std::string();
}

bool Writable(const std::string& folder, const std::string& file) {
  return access(absl::StrCat(folder, "/", file).c_str(), W_OK) == 0;
}

bool Lists(const std::string& words, absl::string_view word) {
  const std::vector<absl::string_view> all =
      absl::StrSplit(words, absl::ByAnyChar(" ,\n"), absl::SkipEmpty());
  return std::find(all.begin(), all.end(), word) != all.end();
}

// "key N" in a file of such lines; 0 if it is not there.
std::int64_t Counter(const std::string& text, absl::string_view key) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    std::int64_t value = 0;
    if (absl::ConsumePrefix(&line, key) && absl::ConsumePrefix(&line, " ") &&
        absl::SimpleAtoi(line, &value)) {
      return value;
    }
  }
  return 0;
}

// In version 2 a parent must hand its controllers on, which the kernel refuses while it has
// processes of its own. Tried, since a service manager may have made that room for us (Delegate=,
// DelegateSubgroup=).
void HandOnControllers(const std::string& folder) {
  for (const char* controller : {"+memory", "+cpu", "+pids"}) {
    SetFile(folder, "cgroup.subtree_control", controller).IgnoreError();
  }
}

absl::Status Limit(const CgroupHierarchy& at, const std::string& folder, const RunLimits& limits) {
  const bool two = at.version == 2;
  if (at.memory && limits.memory > Bytes(0)) {
    const std::string bytes = absl::StrCat(limits.memory.value());
    SPILLWAY_RETURN_IF_ERROR(SetFile(folder, two ? "memory.max" : "memory.limit_in_bytes", bytes));
    // Without these, a run would swap instead of being held; absent where the kernel does not count
    // swap.
    SetFile(folder, two ? "memory.swap.max" : "memory.memsw.limit_in_bytes", two ? "0" : bytes)
        .IgnoreError();
    if (two) SetFile(folder, "memory.oom.group", "1").IgnoreError();
  }
  if (at.cpu && limits.cpus > MilliCpus(0)) {
    const std::int64_t quota =
        std::max<std::int64_t>(limits.cpus.value() * kPeriodMicros / 1000, 1000);
    SPILLWAY_RETURN_IF_ERROR(
        two ? SetFile(folder, "cpu.max", absl::StrCat(quota, " ", kPeriodMicros))
            : SetFile(folder, "cpu.cfs_quota_us", absl::StrCat(quota)));
  }
  if (at.pids && limits.processes > 0) {
    SPILLWAY_RETURN_IF_ERROR(SetFile(folder, "pids.max", absl::StrCat(limits.processes)));
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<CgroupHierarchy> FindCgroups(std::string_view mountinfo, std::string_view own) {
  std::map<std::string, std::string>
      path_of;  // controllers as in /proc/self/cgroup ("" for version 2) -> our path
  for (const absl::string_view line : absl::StrSplit(ToAbsl(own), '\n', absl::SkipEmpty())) {
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() == 3) path_of[parts[1]] = parts[2];
  }
  std::vector<CgroupHierarchy> found;
  for (const absl::string_view line : absl::StrSplit(ToAbsl(mountinfo), '\n', absl::SkipEmpty())) {
    // ... root mount-point options [tags] - type source super-options   (proc(5))
    const std::vector<std::string> halves = absl::StrSplit(line, absl::MaxSplits(" - ", 1));
    if (halves.size() != 2) continue;
    const std::vector<std::string> front = absl::StrSplit(halves[0], ' ');
    const std::vector<std::string> back = absl::StrSplit(halves[1], ' ');
    if (front.size() < 6 || back.size() < 3 || !absl::StartsWith(back[0], "cgroup")) continue;
    CgroupHierarchy at;
    at.version = back[0] == "cgroup2" ? 2 : 1;
    const bool two = at.version == 2;
    at.memory = two || Lists(back[2], "memory");
    at.cpu = two || Lists(back[2], "cpu");
    at.pids = two || Lists(back[2], "pids");
    if (!at.memory && !at.cpu && !at.pids) continue;
    std::string path;
    bool known = false;
    for (const auto& [controllers, its_path] : path_of) {
      const bool same = two ? controllers.empty()
                            : (at.memory && Lists(controllers, "memory")) ||
                                  (at.cpu && Lists(controllers, "cpu")) ||
                                  (at.pids && Lists(controllers, "pids"));
      if (same) path = its_path, known = true;
    }
    if (!known) continue;
    // Inside a container the mount may show only a part of the tree: paths count from that root.
    const std::string& root = front[3];
    if (root != "/" && absl::StartsWith(path, root)) path = path.substr(root.size());
    at.root = front[4];
    at.folder = path == "/" || path.empty() ? front[4] : absl::StrCat(front[4], path);
    found.push_back(at);
  }
  return found;
}

Cgroups Cgroups::Open(std::vector<CgroupHierarchy> hierarchies, const std::string& name) {
  Cgroups opened;
  for (CgroupHierarchy& at : hierarchies) {
    if (at.version == 2) HandOnControllers(at.folder);
    at.folder = absl::StrCat(at.folder, "/", name);
    if (mkdir(at.folder.c_str(), 0755) != 0 && errno != EEXIST) continue;
    if (at.version == 2) HandOnControllers(at.folder);
    // A run's cgroup is made and looked at: only what can be written there will hold.
    const std::string trial = absl::StrCat(at.folder, "/trial");
    if (mkdir(trial.c_str(), 0755) != 0 && errno != EEXIST) continue;
    const bool two = at.version == 2;
    at.memory = at.memory && Writable(trial, two ? "memory.max" : "memory.limit_in_bytes");
    at.cpu = at.cpu && Writable(trial, two ? "cpu.max" : "cpu.cfs_quota_us");
    at.pids = at.pids && Writable(trial, "pids.max");
    const bool joinable = Writable(trial, "cgroup.procs");
    rmdir(trial.c_str());
    if (joinable && (at.memory || at.cpu || at.pids)) {
      opened.hierarchies_.push_back(at);
    } else {
      rmdir(at.folder.c_str());
    }
  }
  return opened;
}

std::vector<std::string> Cgroups::Words() const {
  bool memory = false, cpu = false, pids = false;
  for (const CgroupHierarchy& at : hierarchies_) {
    memory |= at.memory, cpu |= at.cpu, pids |= at.pids;
  }
  std::vector<std::string> words;
  if (cpu) words.emplace_back("cpu-quota");
  if (memory) words.emplace_back("memory-cgroup");
  if (pids) words.emplace_back("pids-cgroup");
  return words;
}

bool Cgroups::limits_processes() const {
  return std::any_of(hierarchies_.begin(), hierarchies_.end(),
                     [](const auto& at) { return at.pids; });
}

absl::StatusOr<std::vector<UniqueFd>> Cgroups::Create(const std::string& run,
                                                      const RunLimits& limits) const {
  std::vector<UniqueFd> entrances;
  for (const CgroupHierarchy& at : hierarchies_) {
    const std::string folder = absl::StrCat(at.folder, "/", run);
    if (mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) {
      return ErrnoStatus(errno, absl::StrCat("make cgroup ", folder));
    }
    SPILLWAY_RETURN_IF_ERROR(Limit(at, folder, limits));
    UniqueFd entrance(open(absl::StrCat(folder, "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
    if (!entrance) return ErrnoStatus(errno, absl::StrCat("open cgroup ", folder));
    entrances.push_back(std::move(entrance));
  }
  return entrances;
}

bool Cgroups::RanOutOfMemory(const std::string& run) const {
  return std::any_of(hierarchies_.begin(), hierarchies_.end(), [&](const auto& at) {
    const std::string folder = absl::StrCat(at.folder, "/", run);
    const char* file = at.version == 2 ? "memory.events" : "memory.oom_control";
    return at.memory && Counter(ReadText(folder, file), "oom_kill") > 0;
  });
}

void Cgroups::KillAll(const std::string& run) const {
  for (const CgroupHierarchy& at : hierarchies_) {
    const std::string members = ReadText(absl::StrCat(at.folder, "/", run), "cgroup.procs");
    for (const absl::string_view line : absl::StrSplit(members, '\n', absl::SkipEmpty())) {
      pid_t pid = 0;
      if (absl::SimpleAtoi(line, &pid) && pid > 1) kill(pid, SIGKILL);
    }
  }
}

bool Cgroups::Remove(const std::string& run) const {
  bool gone = true;
  for (const CgroupHierarchy& at : hierarchies_) {
    gone &= rmdir(absl::StrCat(at.folder, "/", run).c_str()) == 0 || errno == ENOENT;
  }
  return gone;
}

bool Cgroups::RemoveOwn() const {
  bool gone = true;
  for (const CgroupHierarchy& at : hierarchies_) {
    const UniqueFd folder(open(at.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (const auto names = ListFolder(folder.get()); names.ok()) {
      for (const std::string& name : *names) unlinkat(folder.get(), name.c_str(), AT_REMOVEDIR);
    }
    gone &= rmdir(at.folder.c_str()) == 0 || errno == ENOENT;
  }
  return gone;
}

}  // namespace spillway
