#include "performance/batch_capacity.h"

#include <gtest/gtest.h>

#include <boost/random/uniform_int_distribution.hpp>
#include <cstdio>

#include "formats/catalog_file.h"
#include "tests/performance/batch_load.h"

namespace spillway {
namespace {

using absl::Milliseconds;
using testing_support::BatchRun;
using testing_support::BatchVisit;
using testing_support::RunBatches;

BatchTimes Constant(absl::Duration time) { return BatchTimes({{{1, time}, {1'000'000, time}}}, 1); }
BatchTimes Affine(absl::Duration once, absl::Duration item) {
  return BatchTimes({{{1, once + item}, {1000, once + item * 1000}}}, 1);
}

// ---- Closed forms that theory has for the server itself

// With instances enough for all, a batch is its first request and whoever comes within the delay:
// 1 + rate x delay of them on average, and each of those others has waited for half of it.
TEST(BatchServerTheory, ABatchIsItsFirstAndWhoeverComesWithinTheDelay) {
  const BatchCapacity server{Constant(Milliseconds(3)),
                             {.max_items = 1'000, .max_delay = Milliseconds(4), .instances = 50}};
  for (const double per_ms : {0.1, 1.0, 5.0}) {
    const BatchRun run = RunBatches(server, per_ms * 1000, 200'000, 3);
    const double others = per_ms * 4;
    const double batch = static_cast<double>(run.gauges.items) / run.gauges.batches;
    EXPECT_NEAR(batch, 1 + others, 0.02 * (1 + others)) << per_ms;
    EXPECT_NEAR(run.MeanQueuedMillis(), (4 + others * 2) / (1 + others), 0.05) << per_ms;
  }
}

// Nobody waits for anybody: a server that takes all that there is computes what came in the
// meantime, so r = rate x T(r), and T(r) = a + b r gives r = rate a / (1 - rate b).
TEST(BatchServerTheory, BatchesGrowUntilTheyKeepUp) {
  const BatchCapacity server{Affine(Milliseconds(2), absl::Microseconds(100)),
                             {.max_items = 1000, .max_delay = absl::ZeroDuration()}};
  for (const double per_ms : {5.0, 8.0, 9.0}) {
    const BatchRun run = RunBatches(server, per_ms * 1000, 300'000, 5);
    const double batch = static_cast<double>(run.gauges.items) / run.gauges.batches;
    EXPECT_NEAR(batch, per_ms * 2 / (1 - per_ms * 0.1), 0.05 * batch) << per_ms;
  }
}

// Full batches, one after the other, do max_items / T(max_items) for each instance and no more.
TEST(BatchServerTheory, ABacklogIsWorkedOffAtTheBestRate) {
  const BatchCapacity server{Affine(Milliseconds(1), Milliseconds(1)),
                             {.max_items = 4, .instances = 3}};
  const BatchRun run = RunBatches(server, 1e6, 30'000, 7);
  EXPECT_NEAR(absl::ToDoubleSeconds(run.span), 30'000 / (3 * 4 / 0.005), 0.1);
  EXPECT_NEAR(run.utilization, 1, 0.01);
}

// Work is conserved: what the server was busy with, at its best rate, is what came in.
TEST(BatchServerTheory, UtilizationIsTheWorkThatCameIn) {
  const BatchCapacity server{Affine(Milliseconds(1), absl::Microseconds(200)),
                             {.max_items = 20, .max_delay = Milliseconds(1), .instances = 2}};
  const double best = absl::ToDoubleSeconds(server.times.Of(20)) / 20 / 2;
  const BatchRun run = RunBatches(server, 3000, 60'000, 11, [](auto& random) {
    return boost::random::uniform_int_distribution<int>(1, 3)(random);
  });
  EXPECT_NEAR(run.utilization,
              static_cast<double>(run.gauges.items) * best / absl::ToDoubleSeconds(run.span), 1e-6);
}

// ---- What one more request would see

// M/D/1 seen by its arrivals: half of the service under way, and all of those that wait.
TEST(AnswerTimes, OfOneAtATimeAreThoseOfTheTextbook) {
  const BatchCapacity server{Constant(Milliseconds(2)),
                             {.max_items = 1, .max_delay = absl::ZeroDuration()}};
  EXPECT_EQ(AnswerTimesOf(server, {}, 1).wait, absl::ZeroDuration());
  for (int n = 1; n <= 10; ++n)
    EXPECT_EQ(AnswerTimesOf(server, {n, n}, 1).wait, Milliseconds(2 * n - 1)) << n;
  const BatchRun run = RunBatches(server, 400, 200'000, 13);
  double expected = 0;
  for (const BatchVisit& visit : run.visits)
    expected += absl::ToDoubleMilliseconds(AnswerTimesOf(server, visit.seen, 1).wait);
  expected /= static_cast<double>(run.visits.size());
  EXPECT_NEAR(expected, 0.8 * 2 / (2 * 0.2), 0.2) << "rho x T / (2 (1 - rho))";
  EXPECT_NEAR(expected / run.MeanQueuedMillis(), 1, 0.02);
}

TEST(AnswerTimes, OfAnIdleServerAreTheDelayAndTheBatch) {
  const BatchCapacity server{Affine(Milliseconds(1), Milliseconds(1)),
                             {.max_items = 4, .max_delay = Milliseconds(5)}};
  EXPECT_EQ(AnswerTimesOf(server, {}, 2),
            (BatchAnswerTimes{Milliseconds(5), Milliseconds(5), Milliseconds(3)}));
  EXPECT_EQ(AnswerTimesOf(server, {}, 4).wait, absl::ZeroDuration()) << "full: it begins at once";
  EXPECT_EQ(AnswerTimesOf(server, {}, 5).batch, absl::InfiniteDuration()) << "never fits";
}

TEST(AnswerTimes, WholeBatchesOfOthersComeFirst) {
  const BatchCapacity server{Constant(Milliseconds(10)),
                             {.max_items = 3, .max_delay = absl::ZeroDuration()}};
  // One of three under way, three such requests before it.
  const BatchAnswerTimes times = AnswerTimesOf(server, {4, 12}, 3);
  EXPECT_EQ(times.wait, Milliseconds(5 + 3 * 10));
  EXPECT_EQ(times.wait_p90, Milliseconds(9 + 3 * 10));
}

TEST(AnswerTimes, MoreInFlightNeverAnswersSooner) {
  const BatchCapacity server{Affine(Milliseconds(1), absl::Microseconds(100)),
                             {.max_items = 16, .max_delay = Milliseconds(1), .instances = 2}};
  absl::Duration before{};
  for (int n = 0; n < 200; ++n) {
    const BatchAnswerTimes times = AnswerTimesOf(server, {n, 2 * n}, 2);
    EXPECT_LE(times.wait, times.wait_p90) << n;
    // Half a batch more or less: what gathers is not known.
    EXPECT_GE(times.wait + times.batch + Milliseconds(1), before) << n;
    before = std::max(before, times.wait + times.batch);
  }
}

// ---- Against the server itself, for what the catalogue has tables of

struct ServerCase {
  const char* name;
  const char* work_class;
  const char* device;
  int max_items;
  absl::Duration max_delay;
  double load;  // of its best rate
  int most;     // items of a request, evenly from 1
};
class AgainstTheServer : public testing::TestWithParam<ServerCase> {};

TEST_P(AgainstTheServer, EstimatesAreRightOnAverage) {
  const ServerCase& s = GetParam();
  const auto catalog = LoadCatalog(SPILLWAY_SOURCE_DIR "/configs/catalog");
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  PoolSpec pool;
  pool.device = s.device;
  pool.node.devices = catalog->devices.at(s.device).kind == DeviceKind::kCpu ? 0 : 1;
  pool.node.cpus = MilliCpus(catalog->devices.at(s.device).vcpus * 1000);
  ServeSpec serve;
  serve.work_class = s.work_class;
  serve.max_items = s.max_items;
  serve.max_delay = s.max_delay;
  const auto server = BatchCapacityFor(*catalog, pool, serve);
  const double best =
      server->limits.instances * s.max_items / absl::ToDoubleSeconds(server->times.Of(s.max_items));
  const BatchRun run =
      RunBatches(*server, s.load * best / ((1 + s.most) / 2.0), 60'000, 17, [&](auto& random) {
        return boost::random::uniform_int_distribution<int>(1, s.most)(random);
      });
  double expected = 0, found = 0, within = 0;
  for (const BatchVisit& visit : run.visits) {
    const BatchAnswerTimes times = AnswerTimesOf(*server, visit.seen, visit.items);
    expected += absl::ToDoubleMilliseconds(times.wait + times.batch);
    found += absl::ToDoubleMilliseconds(visit.stay);
    within += visit.stay <= times.wait_p90 + times.batch ? 1 : 0;
  }
  const double n = static_cast<double>(run.visits.size());
  std::printf("%s: expected %.3f ms, observed %.3f ms, ratio %.2f; %.1f %% within p90\n", s.name,
              expected / n, found / n, expected / found, 100 * within / n);
  EXPECT_NEAR(expected / found, 1, 0.2);
  EXPECT_GE(within / n, 0.65);
}

constexpr absl::Duration kNone{};
INSTANTIATE_TEST_SUITE_P(
    All, AgainstTheServer,
    testing::Values(
        ServerCase{"L40SQuiet", "ranking", "nvidia-l40s-48g", 64, Milliseconds(1), 0.05, 3},
        ServerCase{"L40SBusy", "ranking", "nvidia-l40s-48g", 64, Milliseconds(1), 0.5, 3},
        ServerCase{"L40SFull", "ranking", "nvidia-l40s-48g", 64, Milliseconds(1), 0.85, 3},
        ServerCase{"L40SEager", "ranking", "nvidia-l40s-48g", 64, kNone, 0.5, 3},
        ServerCase{"XeonQuiet", "ranking", "xeon-spr-amx-24vcpu", 3, kNone, 0.2, 3},
        ServerCase{"XeonBusy", "ranking", "xeon-spr-amx-24vcpu", 3, kNone, 0.6, 3},
        ServerCase{"XeonFull", "ranking", "xeon-spr-amx-24vcpu", 1, kNone, 0.85, 1},
        ServerCase{"InferentiaBusy", "resnet50-inference", "aws-inferentia2-32g", 8,
                   Milliseconds(2), 0.5, 1},
        ServerCase{"L4Full", "resnet50-inference", "nvidia-l4-24g", 64, Milliseconds(2), 0.8, 4}),
    [](const auto& row) { return row.param.name; });

// ---- What a pool says

TEST(BatchCapacity, IsWhatWasMeasuredUnlessThePoolSaysOtherwise) {
  const auto catalog = LoadCatalog(SPILLWAY_SOURCE_DIR "/configs/catalog");
  ASSERT_TRUE(catalog.ok());
  PoolSpec pool;
  pool.device = "xeon-spr-amx-24vcpu";
  pool.node.cpus = MilliCpus(48'000);
  ServeSpec serve;
  serve.work_class = "ranking";
  EXPECT_EQ(BatchCapacityFor(*catalog, pool, serve)->limits.instances, 8) << "two slices";
  serve.cpus = MilliCpus(12'000);
  EXPECT_EQ(BatchCapacityFor(*catalog, pool, serve)->limits.instances, 2) << "half of one";
  EXPECT_EQ(BatchCapacityFor(*catalog, pool, serve)->limits.max_items, 64);
  serve.instances = 3;
  serve.max_items = 5;
  serve.max_delay = Milliseconds(7);
  EXPECT_EQ(BatchCapacityFor(*catalog, pool, serve)->limits,
            (BatchLimits{.max_items = 5, .max_delay = Milliseconds(7), .instances = 3}));
  pool.device = "nvidia-l40s-48g";
  pool.node.devices = 4;
  serve = {};
  serve.work_class = "ranking";
  serve.devices = 2;
  const auto gpus = BatchCapacityFor(*catalog, pool, serve);
  EXPECT_EQ(gpus->limits.instances, 2);
  EXPECT_EQ(gpus->limits.max_items, 64);
  EXPECT_EQ(gpus->times.basis(), Basis::kProfile);
  serve.work_class = "nothing";
  EXPECT_EQ(BatchCapacityFor(*catalog, pool, serve)->times.basis(), Basis::kAssumed);
}

}  // namespace
}  // namespace spillway
