#include "controller/northbound/time_spread.h"

#include <algorithm>
#include <cmath>

namespace spillway {
namespace {

constexpr double kLeast = 1e-4;  // seconds

}  // namespace

void TimeSpread::Add(absl::Duration time) {
  const double seconds = std::max(absl::ToDoubleSeconds(time), kLeast);
  const double place = std::floor(std::log2(seconds / kLeast) * kPerOctave);
  ++buckets_[std::min(static_cast<std::size_t>(place), kBuckets - 1)];
  ++count_;
}

void TimeSpread::Add(const TimeSpread& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
}

std::optional<absl::Duration> TimeSpread::Quantile(double part) const {
  if (count_ == 0) return std::nullopt;
  const auto wanted =
      static_cast<std::uint64_t>(std::max(1.0, std::ceil(part * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  std::size_t bucket = 0;
  while (bucket + 1 < kBuckets && (seen += buckets_[bucket]) < wanted) ++bucket;
  const double middle = (static_cast<double>(bucket) + 0.5) / kPerOctave;
  return absl::Seconds(kLeast * std::exp2(middle));
}

}  // namespace spillway
