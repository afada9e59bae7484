#include "formats/pool_defaults.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/explain.h"
#include "core/text.h"
#include "formats/did_you_mean.h"

namespace spillway {
namespace {

bool HasWord(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}
void AddWords(std::vector<std::string>& words, const std::vector<std::string>& more) {
  for (const std::string& word : more) {
    if (!HasWord(words, word)) words.push_back(word);
  }
}

// How many of the catalogue's device a node is worth: its devices, or for a CPU the ratio of CPUs.
double CountIn(const Device& device, const NodeShape& node) {
  if (device.kind != DeviceKind::kCpu) return node.devices;
  return static_cast<double>(node.cpus.value()) / (1000.0 * device.vcpus);
}

constexpr bool IsSixteenBitsOrFewer(Precision precision) { return precision >= Precision::kBf16; }

double BestPeak(const Device& device) {
  double best = 0, best_narrow = 0;
  for (const auto& [precision, rate] : device.peak) {
    best = std::max(best, rate.value());
    if (IsSixteenBitsOrFewer(precision)) best_narrow = std::max(best_narrow, rate.value());
  }
  return best_narrow > 0 ? best_narrow : best;
}

// What any CPU computes, and what its features add.
std::vector<Precision> PrecisionsOf(const std::vector<std::string>& features) {
  const auto has_one_of = [&](std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return HasWord(features, word); });
  };
  std::vector<Precision> precisions = {Precision::kFp64, Precision::kFp32};
  if (has_one_of({"amx", "avx512_bf16", "bf16"})) precisions.push_back(Precision::kBf16);
  if (has_one_of({"avx512_fp16", "fphp", "asimdhp"})) precisions.push_back(Precision::kFp16);
  precisions.push_back(Precision::kInt8);
  return precisions;
}

// The machine less the reserve, where the text does not say the node.
void FillFromMachine(const Place& at, const Machine& machine, const PoolText& text,
                     PoolSpec& pool) {
  const MilliCpus cpus = machine.cpus - pool.adapter.reserve_cpus;
  const Bytes memory = machine.memory - pool.adapter.reserve_memory;
  if (pool.node.cpus == MilliCpus(0)) pool.node.cpus = std::max(cpus, MilliCpus(0));
  if (pool.node.memory == Bytes(0)) pool.node.memory = std::max(memory, Bytes(0));
  if (pool.node.cpus > cpus || pool.node.memory > memory) {
    at.Warn(absl::StrCat("pool `", pool.name, "` says more than this machine has left: ",
                         Describe(cpus), ", ", Describe(memory)));
  }
  const bool is_cpu = pool.kind == DeviceKind::kCpu;
  if (pool.vendor.empty() && is_cpu) pool.vendor = machine.vendor;
  if (!text.has_arch) pool.arch = machine.arch;
  AddWords(pool.features, machine.features);
  if (!text.has_runtimes) pool.runtimes.emplace("none", *Version::Parse("1"));
  pool.limits = machine.limits;
}

void FillFromDevice(const Device& device, const PoolText& text, PoolSpec& pool) {
  const bool is_cpu = device.kind == DeviceKind::kCpu;
  if (!text.has_arch && pool.adapter.type != "process" && device.arch) pool.arch = *device.arch;
  // A machine of our own is as large as it is; of others nothing else is known.
  if (is_cpu && pool.adapter.type != "process") {
    if (pool.node.cpus == MilliCpus(0)) pool.node.cpus = MilliCpus(1000 * device.vcpus);
    if (pool.node.memory == Bytes(0)) pool.node.memory = device.memory;
  }
  if (!is_cpu && pool.device_memory == Bytes(0)) pool.device_memory = device.memory;
  std::vector<std::string> features = device.features;
  AddWords(features, pool.features);
  pool.features = std::move(features);
  if (!text.has_precisions) {
    for (const auto& [precision, rate] : device.peak) pool.precisions.push_back(precision);
  }
  const double count = CountIn(device, pool.node);
  pool.peak_ops = BestPeak(device) * count;
  pool.power.idle = Scale(device.idle, count);
  pool.power.busy = Scale(device.busy, count);
}

}  // namespace

const Device* FindDevice(const Place& at, const Catalog& catalog, const PoolSpec& pool) {
  if (pool.device.empty()) {
    if (pool.adapter.type == "modelled") at.Fail("a modelled pool needs the key `device`");
    return nullptr;
  }
  const auto found = catalog.devices.find(pool.device);
  if (found != catalog.devices.end()) return &found->second;
  const Member& member = *std::find_if(at.value().map().begin(), at.value().map().end(),
                                       [](const Member& m) { return m.key == "device"; });
  at.Child(member).Fail(absl::StrCat("the catalogue has no device `", pool.device, "`",
                                     DidYouMeanName(pool.device, KeysOf(catalog.devices))));
  return nullptr;
}

void FillIn(const Place& at, const Device* device, const Machine& machine, const PoolText& text,
            PoolSpec& pool) {
  if (device && text.has_kind && device->kind != pool.kind) {
    at.Fail(absl::StrCat("`kind: ", ToAbsl(NameOf(pool.kind)), "`, but device `", pool.device,
                         "` is a ", ToAbsl(NameOf(device->kind))));
  }
  pool.modelled = pool.adapter.type == "modelled";
  if (device) pool.kind = device->kind;
  if (device && pool.vendor.empty()) pool.vendor = device->vendor;
  // The machine first: a device's figures are scaled to the node.
  if (pool.adapter.type == "process") FillFromMachine(at, machine, text, pool);
  if (device) FillFromDevice(*device, text, pool);
  const bool elsewhere = pool.adapter.type == "openai";  // what runs it is not ours to know
  if (!device && !text.has_precisions && pool.kind == DeviceKind::kCpu && !elsewhere) {
    pool.precisions = PrecisionsOf(pool.features);
  }
  if (pool.vendor.empty() && !elsewhere) at.Fail("a pool without `device` needs the key `vendor`");
  for (const char* feature : {"tdx", "sev-snp"}) {
    if (HasWord(pool.features, feature)) AddWords(pool.confidential, {feature});
  }
  if (!text.has_weights) {
    pool.weights = pool.node.devices > 0 ? ShareWeights{.devices = 1} : ShareWeights{.cpus = 1};
  }
}

}  // namespace spillway
