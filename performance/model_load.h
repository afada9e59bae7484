#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/catalog.h"
#include "core/pool.h"
#include "core/storage.h"

// How long an engine takes from its start to its first request: it reads the weights, moves them to
// its devices at the same time, and sets itself up.
//
//   load = max(weights / storage, weights / (link x devices)) + set-up
//
// Storage: what a person finds who loads models of 7, 70 and 405 billion parameters in 10, 60 and
// 120 s (16, 16 and 8 bits; users' list in inference-sim#1215): 3 GB/s from a local NVMe and 5 s
// of set-up. That list has slower places up to 30 times as slow, which is what object storage is
// here; block storage and a shared file system lie between, assumed. The link is PCIe 4 x16, of
// which about 25 GB/s are had; each node reads for itself.
namespace spillway {

BytesPerSecond SpeedOf(Storage storage);

inline constexpr BytesPerSecond kLinkOfDevice{25e9};
inline constexpr absl::Duration kEngineSetUp = absl::Seconds(5);

// kNotFound: the catalogue lacks the model or the pool's device.
absl::StatusOr<absl::Duration> LoadTimeOf(const Catalog& catalog, const PoolSpec& pool,
                                          const ServeSpec& serve, Storage storage);

}  // namespace spillway
