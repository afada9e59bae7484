#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "simulator/workloads/workload.h"

namespace spillway::testing_support {

inline constexpr std::int64_t kSecond = 1'000'000'000;
inline const absl::Time kStart = absl::FromUnixSeconds(1'785'110'400);

// A file of configs/traces/.
std::string TraceFile(const std::string& name);

inline PartSpec RequestPart(ArrivalSpec arrivals, absl::Duration lasts) {
  PartSpec part{.name = "p", .arrivals = std::move(arrivals), .lasts = lasts};
  part.request.models = {{"m", 1.0}};
  part.request.prompt_tokens = LengthSpec{.constant = 100};
  part.request.output_tokens = LengthSpec{.constant = 10};
  return part;
}
inline PartSpec TracePartOf(TraceFormat format, const std::string& file) {
  TraceSpec trace;
  trace.format = format;
  trace.file = TraceFile(file);
  PartSpec part{.name = "t", .arrivals = trace};
  part.request.models = {{"m", 1.0}};
  return part;
}

inline Workload LoadOrDie(std::vector<PartSpec> parts) {
  auto workload = Workload::Load({"w", std::move(parts)});
  EXPECT_TRUE(workload.ok()) << workload.status();
  return *std::move(workload);
}
inline std::vector<Arrival> PullAll(ArrivalStream& stream) {
  std::vector<Arrival> all;
  Arrival arrival;
  while (stream.Next(arrival)) all.push_back(arrival);
  EXPECT_FALSE(stream.Next(arrival)) << "a stream that has ended gives nothing more";
  return all;
}
// What arrives with one seed. Names in it point into the workload.
inline std::vector<Arrival> PullAll(const Workload& workload, std::uint64_t seed) {
  return PullAll(*workload.Open(kStart, seed));
}
inline bool InOrder(const std::vector<Arrival>& all) {
  return std::is_sorted(all.begin(), all.end(),
                        [](const Arrival& a, const Arrival& b) { return a.at < b.at; });
}

struct Moments {
  double mean = 0, variance = 0;
};
inline Moments MomentsOf(const std::vector<double>& values) {
  Moments m;
  for (const double value : values) m.mean += value / static_cast<double>(values.size());
  for (const double value : values)
    m.variance += (value - m.mean) * (value - m.mean) / static_cast<double>(values.size() - 1);
  return m;
}
// Arrivals in each of `count` windows.
inline std::vector<double> CountsOf(const std::vector<Arrival>& all, std::int64_t window,
                                    std::size_t count) {
  std::vector<double> counts(count);
  for (const Arrival& arrival : all) {
    const auto i = static_cast<std::size_t>(arrival.at / window);
    if (i < count) ++counts[i];
  }
  return counts;
}

}  // namespace spillway::testing_support
