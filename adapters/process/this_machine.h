#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/machine.h"
#include "core/units.h"

// What this machine offers to a pool of adapter `process`.
namespace spillway {

// Reads /proc, /sys and the affinity of the calling thread; `limits` is for the supervisor to know.
Machine ThisMachine();
// What is left for jobs: at least 0.
Machine Less(Machine machine, MilliCpus reserved_cpus, Bytes reserved_memory);

// The parts, over text, for tests.
struct CpuWords {
  std::string vendor, model;
  std::vector<std::string> features;
};
// /proc/cpuinfo of any architecture: `flags` on x86, `Features` on arm64, `isa` on riscv64.
CpuWords ParseCpuInfo(std::string_view cpuinfo);
// MemTotal of /proc/meminfo; 0 if it is not there.
Bytes ParseMemTotal(std::string_view meminfo);
// What the quotas and limits from `folder` upwards to `root` allow (files of cgroup version 1 or
// 2). Negative: no limit.
struct CgroupAllowance {
  std::int64_t milli_cpus = -1;
  std::int64_t memory = -1;
};
CgroupAllowance ReadAllowance(std::string folder, const std::string& root);

}  // namespace spillway
