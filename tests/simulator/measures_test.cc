// What a cell measures with: histograms, strips, means.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "simulator/latency_histogram.h"
#include "simulator/student.h"
#include "simulator/time_strip.h"
#include "simulator/workloads/draw.h"

namespace spillway {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

TEST(LatencyHistogram, QuantilesAreRightWithinATenthOfAPercent) {
  RandomStream random = MakeRandomStream(7, "latencies");
  LatencyHistogram histogram;
  std::vector<double> all;
  for (int i = 0; i < 50'000; ++i) {
    all.push_back(std::exp(3 * DrawNormal(random)) * 0.1);
    histogram.Add(absl::Seconds(all.back()));
  }
  std::sort(all.begin(), all.end());
  for (const double q : {0.01, 0.5, 0.9, 0.99, 0.999}) {
    const double exact = all[static_cast<std::size_t>(std::ceil(q * 50'000)) - 1];
    EXPECT_NEAR(histogram.Quantile(q), exact, 0.0011 * exact) << q;
  }
  EXPECT_EQ(histogram.count(), 50'000);
}

TEST(LatencyHistogram, KnowsNothingOfNothing) {
  const LatencyHistogram histogram;
  EXPECT_EQ(histogram.Quantile(0.5), 0);
  EXPECT_EQ(histogram.Summary().mean, 0);
  EXPECT_TRUE(histogram.Cdf(100).empty());
}

TEST(LatencyHistogram, TheCurveRisesToOne) {
  LatencyHistogram histogram;
  for (int i = 1; i <= 1000; ++i) histogram.Add(absl::Milliseconds(i));
  const auto cdf = histogram.Cdf(100);
  EXPECT_LE(cdf.size(), 101u);
  EXPECT_GT(cdf.size(), 90u);
  EXPECT_EQ(cdf.back().second, 1);
  for (std::size_t i = 1; i < cdf.size(); ++i) {
    EXPECT_GT(cdf[i].first, cdf[i - 1].first);
    EXPECT_GT(cdf[i].second, cdf[i - 1].second);
  }
}

TEST(TimeStrip, MeansAreByTime) {
  TimeStrip strip;
  strip.Set(absl::Seconds(0), 1);
  strip.Set(absl::Seconds(5), 0.5);
  strip.Set(absl::Seconds(15), 0);
  strip.Close(absl::Seconds(20));
  EXPECT_DOUBLE_EQ(strip.Mean(), (5 + 5.0) / 20);
  EXPECT_THAT(strip.Bins(absl::Seconds(10)),
              ElementsAre(DoubleNear(0.75, 1e-12), DoubleNear(0.25, 1e-12)));
}

TEST(TimeStrip, BinsStayFewWhateverTheSpan) {
  TimeStrip strip;
  for (int i = 0; i < 100'000; ++i) strip.Set(absl::Seconds(i), i % 2);
  strip.Close(absl::Seconds(100'000));
  const auto bins = strip.Bins(strip.bin());
  EXPECT_LE(bins.size(), TimeStrip::kMostBins);
  for (const double bin : bins) EXPECT_NEAR(bin, 0.5, 0.01);
  EXPECT_NEAR(strip.Mean(), 0.5, 1e-4);
}

TEST(MeanWithInterval, IsStudents) {
  // t(0.975, 4) = 2.776445; the deviation of 1..5 is sqrt(2.5).
  const MeanOf mean = MeanWithInterval({1, 2, 3, 4, 5});
  EXPECT_DOUBLE_EQ(mean.mean, 3);
  EXPECT_NEAR(mean.half, 2.776445 * std::sqrt(2.5 / 5), 1e-6);
  EXPECT_EQ(MeanWithInterval({4}).half, 0);
  EXPECT_EQ(MeanWithInterval({}).mean, 0);
}

}  // namespace
}  // namespace spillway
