#pragma once

#include <string>
#include <vector>

#include "core/pool.h"

namespace spillway {

// What was found of the machine that the controller runs on; fills in pools of adapter `process`.
struct Machine {
  MilliCpus cpus{};  // that this process may use: affinity and cgroup quota counted
  Bytes memory{};    // the same for memory
  Arch arch = Arch::kX86_64;
  std::string vendor;                 // of the processor, lower case: intel, amd, arm, ...
  std::vector<std::string> features;  // amx, avx512_bf16, sve, i8mm, ...
  std::vector<std::string> limits;    // which limits can be enforced here: words for people
};

}  // namespace spillway
