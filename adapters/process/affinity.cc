#include "adapters/process/affinity.h"

#include <algorithm>
#include <utility>

namespace spillway {

CpuShares::CpuShares(const cpu_set_t& allowed) {
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &allowed)) held_[cpu] = 0;
  }
}

std::optional<CpuShares::Share> CpuShares::Take(MilliCpus wanted) {
  if (wanted <= MilliCpus(0)) return std::nullopt;
  const auto count = static_cast<std::size_t>((wanted.value() + 999) / 1000);
  if (count >= held_.size()) return std::nullopt;
  std::vector<std::pair<std::int64_t, int>> by_load;
  for (const auto& [cpu, held] : held_) by_load.emplace_back(held, cpu);
  std::sort(by_load.begin(), by_load.end());
  Share share{.cpus = {}, .milli_each = wanted.value() / static_cast<std::int64_t>(count)};
  for (std::size_t i = 0; i < count; ++i) {
    share.cpus.push_back(by_load[i].second);
    held_[by_load[i].second] += share.milli_each;
  }
  return share;
}

void CpuShares::Return(const Share& share) {
  for (const int cpu : share.cpus) held_[cpu] -= share.milli_each;
}

cpu_set_t SetOf(const CpuShares::Share& share) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : share.cpus) CPU_SET(cpu, &set);
  return set;
}

}  // namespace spillway
