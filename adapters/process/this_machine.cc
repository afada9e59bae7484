#include "adapters/process/this_machine.h"

#include <fcntl.h>
#include <sched.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "adapters/process/cgroups.h"
#include "adapters/process/files.h"
#include "core/text.h"

namespace spillway {
namespace {

// Words of the kernel (arch/x86/include/asm/cpufeatures.h, Documentation/arch/arm64/elf_hwcaps.rst)
// that decide what inference software can use, and what the device catalogue calls them.
constexpr std::pair<const char*, const char*> kFeatureWords[] = {
    {"amx_tile", "amx"},
    {"amx_bf16", "amx_bf16"},
    {"amx_int8", "amx_int8"},
    {"amx_fp16", "amx_fp16"},
    {"avx", "avx"},
    {"avx2", "avx2"},
    {"fma", "fma"},
    {"f16c", "f16c"},
    {"avx512f", "avx512f"},
    {"avx512_bf16", "avx512_bf16"},
    {"avx512_fp16", "avx512_fp16"},
    {"avx512_vnni", "avx512_vnni"},
    {"avx_vnni", "avx_vnni"},
    {"asimd", "neon"},
    {"asimddp", "dotprod"},
    {"sve", "sve"},
    {"sve2", "sve2"},
    {"i8mm", "i8mm"},
    {"bf16", "bf16"},
    {"sme", "sme"},
};

// CPU implementers of Arm's Main ID Register.
constexpr std::pair<const char*, const char*> kVendors[] = {
    {"GenuineIntel", "intel"},   {"AuthenticAMD", "amd"}, {"HygonGenuine", "hygon"},
    {"CentaurHauls", "zhaoxin"}, {"0x41", "arm"},         {"0x46", "fujitsu"},
    {"0x48", "huawei"},          {"0x4e", "nvidia"},      {"0x50", "ampere"},
    {"0x51", "qualcomm"},        {"0x61", "apple"},       {"0xc0", "ampere"},
};

std::string Slurp(const std::string& path) {
  auto text = ReadWholeFile(AT_FDCWD, path, 4 << 20);
  return text.ok() ? *std::move(text) : std::string();
}

Arch OwnArch() {
#if defined(__aarch64__)
  return Arch::kArm64;
#elif defined(__riscv)
  return Arch::kRiscv64;
#else
  return Arch::kX86_64;
#endif
}

void Lower(std::int64_t& bound, std::int64_t value) {
  if (value >= 0) bound = bound < 0 ? value : std::min(bound, value);
}

std::int64_t NumberIn(const std::string& folder, const char* file) {
  std::int64_t value = -1;
  return absl::SimpleAtoi(Slurp(absl::StrCat(folder, "/", file)), &value) ? value : -1;
}

std::int64_t QuotaIn(const std::string& folder) {
  const std::vector<std::string> two = absl::StrSplit(Slurp(absl::StrCat(folder, "/cpu.max")), ' ');
  std::int64_t quota = -1, period = -1;
  if (two.size() != 2 || !absl::SimpleAtoi(two[0], &quota) || !absl::SimpleAtoi(two[1], &period)) {
    quota = NumberIn(folder, "cpu.cfs_quota_us");
    period = NumberIn(folder, "cpu.cfs_period_us");
  }
  return quota > 0 && period > 0 ? quota * 1000 / period : -1;
}

}  // namespace

CpuWords ParseCpuInfo(std::string_view cpuinfo) {
  std::map<std::string, std::string> first;  // the first processor speaks for all
  for (const absl::string_view line : absl::StrSplit(ToAbsl(cpuinfo), '\n')) {
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(':', 1));
    if (parts.size() != 2) continue;
    first.emplace(absl::StripAsciiWhitespace(parts[0]), absl::StripAsciiWhitespace(parts[1]));
  }
  CpuWords words;
  for (const char* key : {"model name", "uarch", "Model"}) {
    if (words.model.empty()) words.model = first[key];
  }
  const std::string id =
      first.contains("vendor_id") ? first["vendor_id"] : first["CPU implementer"];
  for (const auto& [name, vendor] : kVendors) {
    if (id == name) words.vendor = vendor;
  }
  const std::string list = first.contains("flags") ? first["flags"] : first["Features"];
  const std::set<std::string> flags = absl::StrSplit(list, ' ', absl::SkipEmpty());
  std::set<std::string> features;
  for (const auto& [flag, feature] : kFeatureWords) {
    if (flags.contains(flag)) features.insert(feature);
  }
  // "rv64imafdcv_zba_...": single letters after the width, then names.
  const std::string isa = first["isa"].substr(0, first["isa"].find('_'));
  if (absl::StartsWith(isa, "rv64") && absl::StrContains(isa.substr(4), 'v'))
    features.insert("rvv");
  words.features.assign(features.begin(), features.end());
  return words;
}

Bytes ParseMemTotal(std::string_view meminfo) {
  for (const absl::string_view line : absl::StrSplit(ToAbsl(meminfo), '\n')) {
    const std::vector<std::string> parts = absl::StrSplit(line, ' ', absl::SkipEmpty());
    std::int64_t kib = 0;
    if (parts.size() == 3 && parts[0] == "MemTotal:" && absl::SimpleAtoi(parts[1], &kib))
      return Bytes(kib * 1024);
  }
  return Bytes(0);
}

CgroupAllowance ReadAllowance(std::string folder, const std::string& root) {
  CgroupAllowance allowance;
  for (;;) {
    Lower(allowance.milli_cpus, QuotaIn(folder));
    Lower(allowance.memory, NumberIn(folder, "memory.max"));
    Lower(allowance.memory, NumberIn(folder, "memory.limit_in_bytes"));
    const std::size_t slash = folder.rfind('/');
    if (folder.size() <= root.size() || slash == std::string::npos) return allowance;
    folder.resize(slash);
  }
}

Machine ThisMachine() {
  Machine machine;
  cpu_set_t set;
  CPU_ZERO(&set);
  const std::int64_t cpus = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  machine.cpus = MilliCpus(cpus * 1000);
  machine.memory = ParseMemTotal(Slurp("/proc/meminfo"));
  for (const CgroupHierarchy& at :
       FindCgroups(Slurp("/proc/self/mountinfo"), Slurp("/proc/self/cgroup"))) {
    const CgroupAllowance allowance = ReadAllowance(at.folder, at.root);
    if (allowance.milli_cpus >= 0)
      machine.cpus = std::min(machine.cpus, MilliCpus(allowance.milli_cpus));
    if (allowance.memory >= 0) machine.memory = std::min(machine.memory, Bytes(allowance.memory));
  }
  machine.arch = OwnArch();
  CpuWords words = ParseCpuInfo(Slurp("/proc/cpuinfo"));
  machine.vendor = std::move(words.vendor);
  machine.features = std::move(words.features);
  return machine;
}

Machine Less(Machine machine, MilliCpus reserved_cpus, Bytes reserved_memory) {
  machine.cpus = std::max(machine.cpus - reserved_cpus, MilliCpus(0));
  machine.memory = std::max(machine.memory - reserved_memory, Bytes(0));
  return machine;
}

}  // namespace spillway
