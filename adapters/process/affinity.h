#pragma once

#include <sched.h>

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "core/units.h"

// Which of this machine's CPUs a command runs on, where it holds fewer than all.
namespace spillway {

class CpuShares {
 public:
  // Of the CPUs that we ourselves may run on.
  explicit CpuShares(const cpu_set_t& allowed);

  struct Share {
    std::vector<int> cpus;
    std::int64_t milli_each = 0;
  };
  // As many CPUs as `wanted` touches, those that hold least so far first (lowest number on a tie).
  // Nothing: it is given all of them, or did not ask for a limit.
  std::optional<Share> Take(MilliCpus wanted);
  void Return(const Share& share);

 private:
  std::map<int, std::int64_t> held_;  // CPU -> milli-CPUs held there
};

cpu_set_t SetOf(const CpuShares::Share& share);

}  // namespace spillway
