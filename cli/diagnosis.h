#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "formats/value.h"

// What is wrong with a controller, judged from what it says of itself. Pure, so that tests can hand
// in a patient with any illness.
namespace spillway::cli {

enum class Health : std::uint8_t { kGood, kCare, kBad };

struct Finding {
  Health health = Health::kGood;
  std::string what;    // "4 of 5 pools are up"
  std::string remedy;  // what to do; empty where nothing is to be done
};

// What a controller answered. A part that it did not answer is null or empty, and nothing is said
// about it.
struct Patient {
  Value pools;          // GET /api/v1/pools
  std::string metrics;  // GET /metrics
  absl::Time now;
};

// In the order in which one would look: configuration, pools, engines, queue, records, bounds.
// Something is said about each of them, good or bad.
std::vector<Finding> Diagnose(const Patient& patient);

// The samples of one metric in a page for Prometheus: labels as they are written, and the value.
struct MetricSample {
  std::string labels;  // `pool="a10",vendor="nvidia"`
  double value = 0;
};
std::vector<MetricSample> SamplesOf(std::string_view metrics, std::string_view name);
// The value of a label in `labels`, "" if there is none.
std::string LabelIn(std::string_view labels, std::string_view name);

}  // namespace spillway::cli
