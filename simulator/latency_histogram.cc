#include "simulator/latency_histogram.h"

#include <algorithm>
#include <cmath>

#include "core/units.h"

namespace spillway {
namespace {

constexpr double kFirst = 1e-6;  // seconds: all that is shorter is in bucket 0
constexpr double kWidth = 0.002;
constexpr std::size_t kMost = 14'000;  // exp(0.002 x 14,000) microseconds: 1.4e6 s

std::size_t BucketOf(double seconds) {
  if (seconds <= kFirst) return 0;
  const double bucket = std::ceil(std::log(seconds / kFirst) / kWidth);
  return std::min(static_cast<std::size_t>(bucket), kMost);
}

double MiddleOf(std::size_t bucket) {
  return bucket == 0 ? 0 : kFirst * std::exp(kWidth * (static_cast<double>(bucket) - 0.5));
}

}  // namespace

void LatencyHistogram::Add(absl::Duration d, std::int64_t count) {
  const double seconds = absl::ToDoubleSeconds(d);
  const std::size_t bucket = BucketOf(seconds);
  if (bucket >= buckets_.size()) buckets_.resize(bucket + 1);
  buckets_[bucket] += count;
  count_ += count;
  sum_ += seconds * static_cast<double>(count);
}

double LatencyHistogram::Quantile(double fraction) const {
  if (count_ == 0) return 0;
  const auto rank = std::max<std::int64_t>(
      static_cast<std::int64_t>(std::ceil(fraction * static_cast<double>(count_))), 1);
  std::int64_t seen = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen >= rank) return MiddleOf(i);
  }
  return MiddleOf(buckets_.size() - 1);
}

LatencySummary LatencyHistogram::Summary() const {
  return {.p50 = Quantile(0.5),
          .p90 = Quantile(0.9),
          .p99 = Quantile(0.99),
          .mean = count_ == 0 ? 0 : sum_ / static_cast<double>(count_),
          .count = count_};
}

std::vector<std::pair<double, double>> LatencyHistogram::Cdf(int points) const {
  std::vector<std::pair<double, double>> cdf;
  if (count_ == 0) return cdf;
  std::int64_t seen = 0, next = 1;  // the next point is due at next / points of all
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    if (buckets_[i] == 0) continue;
    seen += buckets_[i];
    if (seen * points < next * count_) continue;
    cdf.emplace_back(MiddleOf(i), static_cast<double>(seen) / static_cast<double>(count_));
    next = seen * points / count_ + 1;
  }
  return cdf;
}

}  // namespace spillway
