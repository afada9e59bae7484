#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/names.h"
#include "core/units.h"

// What kinds of hardware there are: the words of configs/catalog/devices.yaml.
namespace spillway {

enum class DeviceKind : std::uint8_t { kCpu, kGpu, kNpu };
inline constexpr EnumNames<DeviceKind, 3> kDeviceKindNames{
    {{DeviceKind::kCpu, "cpu"}, {DeviceKind::kGpu, "gpu"}, {DeviceKind::kNpu, "npu"}}};
constexpr const auto& NamesOf(DeviceKind) { return kDeviceKindNames; }

enum class Precision : std::uint8_t { kFp64, kFp32, kTf32, kBf16, kFp16, kFp8, kInt8, kInt4 };
inline constexpr EnumNames<Precision, 8> kPrecisionNames{{{Precision::kFp64, "fp64"},
                                                          {Precision::kFp32, "fp32"},
                                                          {Precision::kTf32, "tf32"},
                                                          {Precision::kBf16, "bf16"},
                                                          {Precision::kFp16, "fp16"},
                                                          {Precision::kFp8, "fp8"},
                                                          {Precision::kInt8, "int8"},
                                                          {Precision::kInt4, "int4"}}};
constexpr const auto& NamesOf(Precision) { return kPrecisionNames; }

enum class Arch : std::uint8_t { kX86_64, kArm64, kRiscv64 };
inline constexpr EnumNames<Arch, 3> kArchNames{
    {{Arch::kX86_64, "x86_64"}, {Arch::kArm64, "arm64"}, {Arch::kRiscv64, "riscv64"}}};
constexpr const auto& NamesOf(Arch) { return kArchNames; }

// A price seen somewhere, for the reader of the catalogue; pools state their own.
struct ListPrice {
  UsdPerHour node_hour{};
  std::string of;     // what was priced: "g5.xlarge (1 device), us-east-1, on demand"
  std::string as_of;  // day, YYYY-MM-DD
  std::string source;
};

// One entry of the catalogue: a single accelerator, or for kind cpu a slice of `vcpus` of a server.
struct Device {
  std::string name;
  std::string says;  // what it stands for
  DeviceKind kind = DeviceKind::kCpu;
  std::string vendor;        // lower case
  std::optional<Arch> arch;  // CPUs only
  int vcpus = 0;             // CPUs only: the slice that the figures stand for
  Bytes memory{};
  BytesPerSecond bandwidth{};
  std::map<Precision, OpsPerSecond> peak;  // dense
  Watts idle{}, busy{};
  std::vector<std::string> features;
  std::vector<ListPrice> prices;
  std::map<std::string, std::string> sources;  // figure group -> where it was read
};

// How fast one device does one class of work.
struct ClassRate {
  double units_per_second = 0;  // of one whole device (CPUs: of the whole slice); > 0
  bool measured = false;        // false: scaled from another device by the rule in `source`
  std::string source;
};
struct WorkClass {
  std::string name;
  std::string unit;  // what one unit of demand is: "image", "token", "page"
  std::string says;
  std::map<std::string, ClassRate> rates;  // by name of the device
};

}  // namespace spillway
