// MLPerf Inference v4.1, closed division: Server (single samples at random, p99 within a bound)
// against Offline (all at once) on the same system, as logged by run_1 (mlcommons/
// inference_results_v4.1 @ 198fc467, Apache-2.0; not verified by MLCommons).
#include <gtest/gtest.h>

#include <cstdio>

#include "formats/catalog_file.h"
#include "tests/performance/batch_load.h"

namespace spillway {
namespace {

using absl::Milliseconds;

struct Row {
  const char* name;
  const char* work_class;
  const char* device;
  absl::Duration bound;    // of p99
  double server, offline;  // published, samples a second of the whole system
};
constexpr auto kBoundOfRanking = Milliseconds(60);

class Mlperf : public testing::TestWithParam<Row> {
 protected:
  static const BatchProfile& ProfileOf(const Catalog& catalog, const Row& row) {
    for (const BatchProfile& profile : catalog.batches) {
      if (profile.work_class == row.work_class && profile.device == row.device) return profile;
    }
    ADD_FAILURE() << "no batches of " << row.work_class << " on " << row.device;
    return catalog.batches.front();
  }
  // The highest rate, as a part of that of full batches, at which 99 of 100 are within `bound`.
  static double PartWithin(const BatchProfile& profile, absl::Duration bound) {
    const int items = profile.points.back().items;
    const BatchCapacity server{
        BatchTimes(profile.points, 1),
        {.max_items = items, .max_delay = absl::ZeroDuration(), .instances = profile.instances}};
    const double full = profile.instances * items / absl::ToDoubleSeconds(server.times.Of(items));
    double low = 0, high = 1;
    for (int i = 0; i < 8; ++i) {
      const double part = (low + high) / 2;
      const auto run = testing_support::RunBatches(server, part * full, 100'000, 23);
      (run.StayAt(0.99) <= bound ? low : high) = part;
    }
    return low;
  }
};

// Published: a bound costs throughput. The model must say so too, promise no less than was shown to
// be possible, and never more than full batches give.
TEST_P(Mlperf, ServerIsBelowOfflineAndTheModelAgrees) {
  const Row& row = GetParam();
  const auto catalog = LoadCatalog(SPILLWAY_SOURCE_DIR "/configs/catalog");
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  const BatchProfile& profile = ProfileOf(*catalog, row);
  const double published = row.server / row.offline;
  ASSERT_LT(published, 1);
  const double part = PartWithin(profile, row.bound);
  const double tight = PartWithin(profile, row.bound / 4);
  std::printf("%s: published %.2f, model %.2f; within a quarter of the bound %.2f\n", row.name,
              published, part, tight);
  EXPECT_LT(part, 1);
  EXPECT_GE(part, published - 0.01);
  EXPECT_LE(tight, part) << "a tighter bound leaves less";
}
INSTANTIATE_TEST_SUITE_P(V41, Mlperf,
                         testing::Values(Row{"RankingL40S", "ranking", "nvidia-l40s-48g",
                                             kBoundOfRanking, 84'409.03, 115'424},
                                         Row{"RankingXeon8592", "ranking", "xeon-emr-amx-256vcpu",
                                             kBoundOfRanking, 9'102.39, 10'404.5},
                                         Row{"Resnet50L40S", "resnet50-inference",
                                             "nvidia-l40s-48g", Milliseconds(15), 150'014.75,
                                             174'603},
                                         Row{"RetinanetL40S", "object-detection", "nvidia-l40s-48g",
                                             Milliseconds(100), 3'001.4, 3'191.45},
                                         Row{"BertL40S", "bert-large-qa", "nvidia-l40s-48g",
                                             Milliseconds(130), 12'002.4, 13'248.3}),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace spillway
