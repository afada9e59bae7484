#pragma once

#include "core/catalog.h"
#include "core/machine.h"

namespace spillway {

// Three devices with round figures, a class of one of them, models by name and a machine, for pools
// to be filled in from.
inline Catalog SmallCatalog() {
  Catalog catalog;
  Device& slice = catalog.devices["xeon-16vcpu"];
  slice = {.name = "xeon-16vcpu",
           .kind = DeviceKind::kCpu,
           .vendor = "intel",
           .arch = Arch::kX86_64,
           .vcpus = 16,
           .memory = Bytes(32ll << 30),
           .bandwidth = BytesPerSecond(51e9)};
  slice.peak = {{Precision::kFp32, OpsPerSecond(1e12)},
                {Precision::kBf16, OpsPerSecond(20e12)},
                {Precision::kInt8, OpsPerSecond(40e12)}};
  slice.idle = Watts(16);
  slice.busy = Watts(64);
  slice.features = {"avx2", "amx"};
  Device& gpu = catalog.devices["nvidia-a10g-24g"];
  gpu = {.name = "nvidia-a10g-24g",
         .kind = DeviceKind::kGpu,
         .vendor = "nvidia",
         .memory = Bytes(24ll << 30),
         .bandwidth = BytesPerSecond(600e9)};
  gpu.peak = {{Precision::kFp32, OpsPerSecond(31e12)}, {Precision::kFp16, OpsPerSecond(70e12)}};
  gpu.idle = Watts(20);
  gpu.busy = Watts(150);
  gpu.features = {"mig"};
  Device& old = catalog.devices["arm-4cpu"];
  old = {.name = "arm-4cpu",
         .kind = DeviceKind::kCpu,
         .vendor = "arm",
         .arch = Arch::kArm64,
         .vcpus = 4,
         .memory = Bytes(8ll << 30)};
  old.peak = {{Precision::kFp32, OpsPerSecond(1e11)}};
  old.busy = Watts(8);
  for (const char* model : {"m", "chat-7b", "qwen2-7b"}) catalog.models[model].name = model;
  WorkClass& texts = catalog.classes["embedding"];
  texts.name = "embedding";
  texts.rates["nvidia-a10g-24g"] = {.units_per_second = 100};
  return catalog;
}

inline Machine SmallMachine() {
  return {.cpus = MilliCpus(8000),
          .memory = Bytes(16ll << 30),
          .arch = Arch::kX86_64,
          .vendor = "amd",
          .features = {"avx2", "avx512_bf16"},
          .limits = {"cpus by quota"}};
}

}  // namespace spillway
