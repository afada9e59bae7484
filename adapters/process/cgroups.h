#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "adapters/process/files.h"
#include "core/units.h"

// Limits that the kernel enforces on a whole process tree. Both generations of cgroups are used
// where they are writable for us, each controller for itself; where none is, the pool says so.
// Files: kernel documentation, admin-guide/cgroup-v2.rst and
// admin-guide/cgroup-v1/{memory,pids}.rst, scheduler/sched-bwc.rst.
namespace spillway {

struct RunLimits {
  MilliCpus cpus{};            // 0: none
  Bytes memory{};              // 0: none
  std::int64_t processes = 0;  // and threads; 0: none
};

// A folder under which one or more controllers can be set.
struct CgroupHierarchy {
  std::string folder;  // our own cgroup there
  std::string root;    // the topmost folder of the hierarchy that we can see
  int version = 2;
  bool memory = false, cpu = false, pids = false;
  friend bool operator==(const CgroupHierarchy&, const CgroupHierarchy&) = default;
};
// From /proc/self/mountinfo and /proc/self/cgroup: where our own cgroups lie and which controllers
// of ours are bound there (for version 2 all three are assumed; Cgroups::Open finds out).
std::vector<CgroupHierarchy> FindCgroups(std::string_view mountinfo, std::string_view own);

class Cgroups {
 public:
  // Makes folder `name` in each hierarchy and keeps those controllers that can really be set.
  static Cgroups Open(std::vector<CgroupHierarchy> hierarchies, const std::string& name);
  Cgroups() = default;
  Cgroups(Cgroups&&) = default;
  Cgroups& operator=(Cgroups&&) = default;

  // "memory-cgroup", "cpu-quota", "pids-cgroup".
  std::vector<std::string> Words() const;
  bool limits_processes() const;
  // Makes the cgroup of a run. Whoever writes "0" to the descriptors is limited from then on.
  absl::StatusOr<std::vector<UniqueFd>> Create(const std::string& run,
                                               const RunLimits& limits) const;
  // Whether the kernel has killed a process of the run for its memory limit.
  bool RanOutOfMemory(const std::string& run) const;
  // Kills what is left in the run's cgroups: leftovers of a supervisor that died.
  void KillAll(const std::string& run) const;
  // False: something of it is not wholly gone yet; to be tried again.
  bool Remove(const std::string& run) const;
  // Removes our own folders with all that is empty in them; to be called when no run is left.
  // False: the kernel has not forgotten the last processes yet.
  bool RemoveOwn() const;

 private:
  std::vector<CgroupHierarchy> hierarchies_;  // `folder` is ours alone
};

}  // namespace spillway
