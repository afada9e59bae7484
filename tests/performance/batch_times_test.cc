#include "performance/batch_times.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/random/exponential_distribution.hpp>
#include <boost/random/mersenne_twister.hpp>

#include "formats/catalog_file.h"
#include "performance/batch_server.h"
#include "tests/performance/engine_world.h"

namespace spillway {
namespace {

using absl::Microseconds;
using absl::Milliseconds;

TEST(BatchTimes, AreLinearBetweenPointsFlatBelowAndAtTheLastRateAbove) {
  const BatchTimes times({{{2, Milliseconds(3)}, {6, Milliseconds(5)}, {10, Milliseconds(20)}}}, 1);
  EXPECT_EQ(times.Of(1), Milliseconds(3));
  EXPECT_EQ(times.Of(2), Milliseconds(3));
  EXPECT_EQ(times.Of(4), Milliseconds(4));
  EXPECT_EQ(times.Of(6), Milliseconds(5));
  EXPECT_EQ(times.Of(10), Milliseconds(20));
  EXPECT_EQ(times.Of(15), Milliseconds(30));
  EXPECT_EQ(times.basis(), Basis::kProfile);
}

TEST(BatchTimes, NoiseIsLifted) {
  const BatchTimes times({{{1, Milliseconds(4)}, {2, Milliseconds(3)}, {4, Milliseconds(8)}}}, 1);
  for (int items = 1; items < 10; ++items) EXPECT_LE(times.Of(items), times.Of(items + 1));
  EXPECT_EQ(times.Of(2), Milliseconds(4));
}

TEST(BatchTimes, OfARateAreAMillisecondAndTheItems) {
  const BatchTimes times = BatchTimes::OfRate(1000, 1);
  EXPECT_EQ(times.Of(1), Milliseconds(2));
  EXPECT_EQ(times.Of(9), Milliseconds(10));
  EXPECT_EQ(times.basis(), Basis::kAssumed);
  EXPECT_EQ(BatchTimes::OfRate(1000, 0.5).Of(9), Milliseconds(5));
}

TEST(BatchSpeedFor, TakesTheProfileThenTheRateThenNothing) {
  Catalog world = World();
  WorkClass& rank = world.classes["rank"];
  rank.rates["gpu"] = {.units_per_second = 500};
  PoolSpec pool = PoolOf(Gpu());
  const std::vector<BatchProfile> profiles = {
      {.work_class = "rank", .device = "big", .instances = 2, .points = {{1, Milliseconds(4)}}}};
  const auto rated = BatchSpeedFor(world, profiles, pool, "rank");
  ASSERT_TRUE(rated);
  EXPECT_EQ(rated->times.Of(1), Milliseconds(3));
  EXPECT_EQ(rated->instances, 1);
  EXPECT_FALSE(BatchSpeedFor(world, profiles, pool, "other"));
  EXPECT_FALSE(BatchSpeedFor(world, profiles, PoolOf(Cpu()), "rank"));
  EXPECT_FALSE(BatchSpeedFor(world, profiles, PoolOf(Gpu("unknown")), "rank"));
  pool = PoolOf(Gpu("big"));
  pool.speed = 4;
  pool.confidential = {"tdx"};
  const auto measured = BatchSpeedFor(world, profiles, pool, "rank");
  ASSERT_TRUE(measured);
  EXPECT_EQ(measured->times.Of(1), Microseconds(1080));
  EXPECT_EQ(measured->instances, 2);
  EXPECT_EQ(measured->times.basis(), Basis::kProfile);
}

struct Latencies {
  double mean = 0, p50 = 0;  // ms
};
// Of single items that arrive at random.
Latencies LatenciesOf(const BatchProfile& profile, int max_items, double per_second) {
  BatchServer server(BatchTimes(profile.points, 1), {.max_items = max_items,
                                                     .max_delay = absl::ZeroDuration(),
                                                     .instances = profile.instances,
                                                     .max_waiting = 1'000'000});
  boost::random::mt19937_64 draw(5);
  boost::random::exponential_distribution<double> gap(per_second);
  constexpr int kRequests = 200'000;
  std::vector<absl::Time> arrivals;
  std::vector<BatchOutput> out;
  absl::Time now = absl::UnixEpoch();
  const auto until = [&](absl::Time limit) {
    for (absl::Time next; (next = server.NextEvent(now)) < limit;) {
      server.Advance(now = next, out);
    }
  };
  double at = 0;
  for (int id = 0; id < kRequests; ++id) {
    at += gap(draw);
    arrivals.push_back(absl::UnixEpoch() + absl::Nanoseconds(static_cast<std::int64_t>(at * 1e9)));
    until(arrivals.back());
    now = arrivals.back();
    server.Add({static_cast<std::uint64_t>(id)}, now);
    server.NextEvent(now);
  }
  until(absl::InfiniteFuture());
  std::vector<double> millis;
  double sum = 0;
  for (const BatchOutput& o : out) {
    millis.push_back(absl::ToDoubleMilliseconds(o.at - arrivals[o.id]));
    sum += millis.back();
  }
  std::nth_element(millis.begin(), millis.begin() + kRequests / 2, millis.end());
  return {sum / kRequests, millis[kRequests / 2]};
}

// What MLPerf's Server scenario saw (per device, single samples at random), where the tables were
// computed from it.
TEST(Batches, OfRankingComeToTheLatenciesOfMlperfServer) {
  const std::string folder = SPILLWAY_SOURCE_DIR "/configs/catalog";
  const auto catalog = LoadCatalog(folder);
  ASSERT_TRUE(catalog.ok());
  const auto batches = LoadBatches(folder, *catalog);
  ASSERT_TRUE(batches.ok());
  int found = 0;
  for (const BatchProfile& profile : *batches) {
    if (profile.work_class != "ranking" || !profile.measured) continue;
    ++found;
    if (profile.device == "nvidia-l40s-48g") {
      EXPECT_NEAR(LatenciesOf(profile, 64, 21'102).mean, 1.447, 0.1);
    } else {
      EXPECT_NEAR(LatenciesOf(profile, 1, 9'102).p50, 4.7, 0.7);
    }
  }
  EXPECT_EQ(found, 2);
}

// The tables of the catalogue against the rates of its classes, which were read elsewhere: full
// batches come to them.
TEST(Batches, OfTheCatalogueAgreeWithTheRatesOfTheirClasses) {
  const std::string folder = SPILLWAY_SOURCE_DIR "/configs/catalog";
  const auto catalog = LoadCatalog(folder);
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  const auto batches = LoadBatches(folder, *catalog);
  ASSERT_TRUE(batches.ok()) << batches.status();
  ASSERT_GE(batches->size(), 12u);
  for (const BatchProfile& profile : *batches) {
    SCOPED_TRACE(profile.work_class + " on " + profile.device);
    const auto& rates = catalog->classes.at(profile.work_class).rates;
    const auto rate = rates.find(profile.device);
    ASSERT_NE(rate, rates.end());
    EXPECT_EQ(profile.measured, rate->second.measured);
    const int most = profile.points.back().items;
    const double full =
        profile.instances * most / absl::ToDoubleSeconds(BatchTimes(profile.points, 1).Of(most));
    EXPECT_NEAR(full / rate->second.units_per_second, 1, 0.16);
  }
}

}  // namespace
}  // namespace spillway
