#pragma once

#include <memory>
#include <string>
#include <utility>

#include "performance/engine.h"
#include "performance/step_time.h"

// Hardware, models and step times for the tests of engines.
namespace spillway {

// Step times that a test can compute in its head: a fixed part, and so much for each token.
class AffineTimes final : public StepTimes {
 public:
  AffineTimes(absl::Duration step, absl::Duration prompt_token, absl::Duration sequence,
              absl::Duration context_token = absl::ZeroDuration())
      : step_(step), prompt_token_(prompt_token), sequence_(sequence), context_(context_token) {}
  absl::Duration Of(const StepBatch& b) const override {
    if (b.empty()) return absl::ZeroDuration();
    return step_ + prompt_token_ * b.prefill_tokens + sequence_ * b.decodes +
           context_ * b.decode_context;
  }
  Basis basis() const override { return Basis::kAssumed; }

 private:
  absl::Duration step_, prompt_token_, sequence_, context_;
};

inline Device Gpu(std::string name = "gpu", double tflops = 70, double gb_per_second = 600,
                  std::int64_t gib = 24) {
  Device device;
  device.name = std::move(name);
  device.kind = DeviceKind::kGpu;
  device.memory = Bytes(gib << 30);
  device.bandwidth = BytesPerSecond(gb_per_second * 1e9);
  device.peak = {{Precision::kBf16, OpsPerSecond(tflops * 1e12)}};
  return device;
}
inline Device Cpu() {
  Device device = Gpu("cpu", 19.7, 51, 32);
  device.kind = DeviceKind::kCpu;
  device.vcpus = 16;
  return device;
}
// Llama 2 7B.
inline Model Llama7b() {
  Model m;
  m.name = "llama";
  m.parameters = m.active_parameters = 6738415616;
  m.layers = 32;
  m.hidden = 4096;
  m.heads = m.kv_heads = 32;
  m.head_size = 128;
  m.ffn = 11008;
  m.vocabulary = 32000;
  m.context = 4096;
  return m;
}
inline Model Mixture() {
  Model m = Llama7b();
  m.name = "mixture";
  m.parameters = 46702792704;
  m.active_parameters = 12879925248;
  m.kv_heads = 8;
  m.ffn = 14336;
  m.experts = 8;
  m.experts_per_token = 2;
  return m;
}

inline Catalog World() {
  Catalog catalog;
  for (const Device& d : {Gpu(), Gpu("big", 989, 3350, 80), Gpu("small", 70, 600, 8), Cpu()}) {
    catalog.devices[d.name] = d;
  }
  for (const Model& m : {Llama7b(), Mixture()}) catalog.models[m.name] = m;
  return catalog;
}
inline PoolSpec PoolOf(const Device& device, int devices = 1) {
  PoolSpec pool;
  pool.name = device.name + "-pool";
  pool.device = device.name;
  pool.kind = device.kind;
  if (device.kind == DeviceKind::kCpu) {
    pool.node = {.cpus = MilliCpus(device.vcpus * 1000), .memory = device.memory};
  } else {
    pool.node = {.cpus = MilliCpus(8000), .memory = Bytes(64ll << 30), .devices = devices};
    pool.device_memory = device.memory;
  }
  return pool;
}
inline ServeSpec Serving(std::string model, Precision precision = Precision::kBf16) {
  return {.model = std::move(model), .precision = precision};
}

}  // namespace spillway
