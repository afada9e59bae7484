#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "core/catalog.h"
#include "core/estimate.h"
#include "core/pool.h"
#include "core/text.h"
#include "core/work.h"

// How long a job takes on a pool, and how a duration seen on one pool reads on another. Names are
// resolved once, when a fleet is loaded (SpeedBook, PoolSpeed) and when work comes (SizedDemand);
// what is asked for each pool in each decision is arithmetic only.
namespace spillway {

// How fast one unit of hardware does one class of work: a whole device, on CPU pools one CPU.
struct Rate {
  double units_per_second = 0;  // 0: unknown, never "infinitely slow"
  bool measured = false;        // false: scaled from another device
  bool known() const { return units_per_second > 0; }
};

// One pool's part of the catalogue. A pool with `speedup: k` does everything k times as fast; one
// of trusted domains takes longer (ConfidentialFactor of fabric.h).
struct PoolSpeed {
  std::string pool, device;  // device: empty where no entry of the catalogue describes it
  double speed = 1;          // both of these
  bool by_cpu = false;       // rates are of one CPU, else of one whole device
  std::vector<Rate> rates;   // by number of the class; `speed` included
};

// The catalogue by number. Immutable; keeps copies of what it needs.
class SpeedBook {
 public:
  explicit SpeedBook(const Catalog& catalog);

  // 0, 1, ... in the order of the names; none: no such class.
  std::optional<int> ClassNumber(std::string_view work_class) const;
  // No rate is known for a pool without a device, or of another kind than its device.
  PoolSpeed SpeedOf(const PoolSpec& pool) const;

 private:
  struct DeviceRates {
    int vcpus = 0;  // of the slice that the rates are for; 0: an accelerator
    std::vector<Rate> rates;
  };
  absl::flat_hash_map<std::string, int, TextHash, std::equal_to<>> classes_;
  std::map<std::string, DeviceRates> devices_;
};

// A demand with its names resolved.
struct SizedDemand {
  enum class Kind : std::uint8_t { kUnknown, kUnits, kSeconds };
  Kind kind = Kind::kUnknown;
  int work_class = -1;       // kUnits; -1: a class that the catalogue does not know
  double units = 0;          // kUnits
  absl::Duration seconds{};  // kSeconds: p50 on hardware of speed 1
  std::string on_pool;       // kSeconds: the pool it was declared for ...
  std::string on_device;     // ... and its device, or the device; both empty: wherever it runs
  absl::Duration on_pool_seconds{};  // as declared
};
// `pool_named` finds a pool of the fleet for `{seconds, on: POOL}`; null where there is none.
SizedDemand Resolve(const Demand& demand, const SpeedBook& book,
                    absl::FunctionRef<const PoolSpeed*(std::string_view)> pool_named);

struct JobLength {
  absl::Duration p50{};
  Basis basis = Basis::kAssumed;
  friend bool operator==(const JobLength&, const JobLength&) = default;
};
// p90 by the spread of the basis (core/estimate.h).
Quantiles WithSpread(const JobLength& length);

// How long it would run, holding what `needs` says, by what is declared or what the catalogue
// knows:
//  - units of a class: units / (rate x devices held, or CPUs held, over all nodes of a gang);
//    `profile` if the rate was measured, else `assumed`
//  - seconds declared for this pool, its device, or wherever it runs: `declared`
//  - seconds declared for other hardware: nothing tells the ratio, so 1, and `assumed`
//  - nothing known, or a class or device without a rate: `if_unknown`, `assumed`
// All but seconds declared for this very pool are of hardware of speed 1, and divided by the pool's
// speed. Rounded to nanoseconds, 292 years at most.
JobLength LengthOf(const SizedDemand& demand, const Needs& needs, const PoolSpeed& pool,
                   absl::Duration if_unknown);

// Units per second of what `needs` holds; unknown where the class or the device has no rate, or the
// work holds nothing that the rate is for (CPU work on a node with devices).
Rate RateOf(int work_class, const Needs& needs, const PoolSpeed& pool);

// A duration observed `from` as it would be `to`: `observed` on the same device, `profile` or
// `assumed` through the class's rates, else ratio 1 and `assumed`; the pools' speeds count always.
struct Seat {
  const PoolSpeed& pool;
  const Needs& needs;
};
JobLength Transfer(absl::Duration observed, Seat from, Seat to, std::optional<int> work_class);

// How many times as fast `to` does the class as `from`, a whole device (or slice) of each; none:
// one of them has no rate.
std::optional<double> SpeedRatio(const WorkClass& work_class, const std::string& from,
                                 const std::string& to);

}  // namespace spillway
