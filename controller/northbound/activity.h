#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "controller/northbound/time_spread.h"
#include "core/ids.h"
#include "core/request.h"

namespace spillway {

// What ended lately, counted in steps of ten seconds. The last five minutes are kept. Not
// thread-safe.
class Activity {
 public:
  static constexpr absl::Duration kStep = absl::Seconds(10);
  static constexpr std::size_t kSteps = 30;

  struct PoolCounts {
    std::uint32_t jobs = 0, requests = 0;
  };
  struct Step {
    std::int64_t number = 0;  // steps since 1970
    std::int64_t jobs = 0, requests = 0;
    std::int64_t refused = 0;       // requests that had no answer through no fault of the client
    std::vector<PoolCounts> pools;  // by PoolId
    TimeSpread job, request, first_token;
  };
  static std::int64_t StepOf(absl::Time at) { return absl::ToUnixSeconds(at) / 10; }

  // `lasted`: from submission to the end.
  void JobEnded(absl::Time at, PoolId pool, absl::Duration lasted);
  void RequestEnded(absl::Time at, const Request& request);

  // Null: nothing ended in that step, or it is no longer kept.
  const Step* Find(std::int64_t number) const;
  // The steps of the last `span` before `now`, the open one included, as one.
  Step Sum(absl::Time now, absl::Duration span) const;

 private:
  Step& At(absl::Time at);
  std::deque<Step> steps_;  // rising numbers
};

// One figure over the last hour: a value a step. Not thread-safe.
class SeriesRing {
 public:
  static constexpr std::int64_t kSteps = 360;
  SeriesRing();
  // Steps come in rising order; those that are left out have no value.
  void Put(std::int64_t step, std::optional<double> value);
  std::optional<double> At(std::int64_t step) const;

 private:
  std::array<float, kSteps> values_;
  std::int64_t last_ = 0;  // the newest step; 0: none
};

}  // namespace spillway
