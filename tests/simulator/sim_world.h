#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "formats/catalog_file.h"
#include "formats/config_file.h"
#include "simulator/cell.h"

// What tests of the simulator stand on: a fleet by its text, and arrivals from a list.
namespace spillway {

const Catalog& TestCatalog();  // configs/catalog
std::shared_ptr<Config> ConfigOf(const std::string& text);

// Two pools that serve the same model: Xeon slices that are paid for, and A10s.
inline const char kTwoPools[] = R"(
kind: Fleet
pools:
  - name: xeon
    adapter: {type: modelled}
    device: xeon-spr-amx-16vcpu
    kind: cpu
    node: {cpus: 16, memory: 32GiB}
    nodes: 2
    billing: committed
    price: {node_hour: 0.714 USD}
    serves: [{model: qwen2-1.5b, precision: bf16, replicas: 2, max_sequences: 4}]
  - name: a10
    adapter: {type: modelled}
    device: nvidia-a10g-24g
    kind: gpu
    node: {cpus: 4, memory: 16GiB, devices: 1}
    nodes: 2
    billing: metered
    price: {node_hour: 1.006 USD}
    serves: [{model: qwen2-1.5b, precision: bf16, replicas: 2}]
)";

// The second of them by itself.
std::shared_ptr<Config> A10sAlone();

class ListedArrivals : public ArrivalStream {
 public:
  explicit ListedArrivals(std::vector<Arrival> arrivals) : arrivals_(std::move(arrivals)) {}
  bool Next(Arrival& out) override {
    if (at_ == arrivals_.size()) return false;
    out = arrivals_[at_++];
    return true;
  }

 private:
  std::vector<Arrival> arrivals_;
  std::size_t at_ = 0;
};

inline Arrival Chat(absl::Duration at, std::int64_t prompt, std::int64_t output,
                    std::string_view model = "qwen2-1.5b") {
  Arrival arrival;
  arrival.at = ToNanos(at);
  arrival.model = model;
  arrival.tenant = "default";
  arrival.prompt_tokens = prompt;
  arrival.truth.output_tokens = output;
  return arrival;
}

// `count` of them, a Poisson process of `rate`, lengths exponential around the means given.
std::vector<Arrival> PoissonChats(int count, double rate, double prompt, double output,
                                  std::uint64_t seed);

// Fails the test where there is none of that name.
const PoolOutcome& PoolNamed(const CellOutcome& cell, const std::string& name);

inline ScenarioSpec PlainScenario() {
  ScenarioSpec scenario;
  scenario.name = "test";
  return scenario;
}

}  // namespace spillway
