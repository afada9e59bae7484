#pragma once

#include <cstdint>
#include <memory>

#include "core/workload.h"
#include "simulator/random_stream.h"

namespace spillway {

// Instants at which something arrives, without end.
class ArrivalTimes {
 public:
  virtual ~ArrivalTimes() = default;
  // ns since the start of the part, never less than the one before; at most kNever.
  virtual std::int64_t Next() = 0;
  static constexpr std::int64_t kNever = std::int64_t{1} << 62;
};

// Of a generator: null for traces and sessions, which have their own.
std::unique_ptr<ArrivalTimes> MakeArrivalTimes(const ArrivalSpec& spec, RandomStream random);

// A time in seconds as ns, to the nearest.
std::int64_t ArrivalNanos(double seconds);

}  // namespace spillway
