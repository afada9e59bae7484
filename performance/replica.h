#pragma once

#include "absl/status/statusor.h"
#include "core/catalog.h"
#include "core/pool.h"

// One replica of an engine: a model, and the hardware of a pool that it holds.
namespace spillway {

// Refers to the catalogue, which must outlive it.
struct Replica {
  const Device* device = nullptr;
  const Model* model = nullptr;
  Precision precision = Precision::kBf16;  // of the weights
  double units = 1;  // devices on each node; for a CPU slices of the catalogue's entry
  int nodes = 1;
  double efficiency = 1;  // (0, 1]: of units x nodes times the speed of one
  double slowdown = 1;    // >= 1: confidential computing
  double speed = 1;       // of the pool
  Bytes memory{};         // over all nodes

  bool by_cpu() const { return device->kind == DeviceKind::kCpu; }
  // How many times as much of a rate of the catalogue's entry it has.
  double parallel() const { return units * nodes * efficiency; }
  // Of the keys and values of one token, over all devices: heads that are fewer than the devices of
  // a node are held more than once.
  double KvBytesPerToken() const;
};

// kNotFound: the pool names no device, or the catalogue does not know it or the model.
// `serve.devices` and `serve.cpus` of zero mean the whole node; where the pool does not say what a
// node has, one device (one slice) of the catalogue's size.
absl::StatusOr<Replica> ReplicaOf(const Catalog& catalog, const PoolSpec& pool,
                                  const ServeSpec& serve);

// Keys and values are kept in 16 bits for weights of 16 bits or fewer, else as the weights.
double KvElementBytes(Precision precision);

// The catalogue's profile for this very hardware; bf16 and fp16 count as the same. Null: none.
const EngineProfile* ProfileFor(const Catalog& catalog, const Replica& replica);

}  // namespace spillway
