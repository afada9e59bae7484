// Decode steps as lines against decode steps as they are computed, on all hardware and all models
// of the catalogue, measured or not.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "formats/catalog_file.h"
#include "performance/step_time.h"
#include "tests/performance/engine_world.h"

namespace spillway {
namespace {

TEST(DecodeCurve, IsTheLongerOfItsLines) {
  const auto curve = LongerOf(TickLine{0, 10}, TickLine{std::int64_t{4} << kTickBits, 1});
  ASSERT_TRUE(curve);
  EXPECT_EQ(curve->gentle.slope, 1);
  EXPECT_EQ(curve->steep.slope, 10);
  EXPECT_EQ(curve->At(0), std::int64_t{4} << kTickBits);
  EXPECT_EQ(curve->At(1'000'000), 10'000'000);
  EXPECT_EQ(LongerOf(std::nullopt, TickLine{}), std::nullopt);
  // A nanosecond at least, wherever it is.
  EXPECT_EQ(LongerOf(TickLine{}, TickLine{})->At(0), 1 << kTickBits);
}

TEST(DecodeCurve, LinesThatTicksCannotHoldAreNone) {
  EXPECT_EQ(TickLineOf(1e-9, 2e-9), (TickLine{1 << kTickBits, 2 << kTickBits}));
  EXPECT_EQ(TickLineOf(1001, 0), std::nullopt);
  EXPECT_EQ(TickLineOf(1, 0.01), std::nullopt);
  EXPECT_EQ(TickLineOf(1, -1e-9), std::nullopt);
  EXPECT_EQ(TickLineOf(std::numeric_limits<double>::infinity(), 0), std::nullopt);
  EXPECT_EQ(TickLineOf(std::numeric_limits<double>::quiet_NaN(), 0), std::nullopt);
}

TEST(DecodeCurve, AgreesWithTheStepsOfTheWholeCatalogue) {
  auto catalog = LoadCatalog(SPILLWAY_SOURCE_DIR "/configs/catalog");
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  int compared = 0, measured = 0;
  for (const auto& [name, device] : catalog->devices) {
    for (const auto& [model, entry] : catalog->models) {
      for (const int devices : {1, 4, 8, 12}) {
        const auto times = StepTimesFor(*catalog, PoolOf(device, devices), Serving(model));
        if (times == nullptr) continue;
        measured += times->basis() == Basis::kProfile;
        for (const int n : {1, 2, 7, 32, 64, 200, 600}) {
          const auto curve = times->Decodes(n);
          if (!curve) {
            EXPECT_GT(times->Of({.decodes = n, .decode_context = 1000}), absl::Seconds(20)) << name;
            continue;
          }
          for (const std::int64_t each : {1, 20, 300, 600, 5000, 100'000}) {
            const double line = static_cast<double>(curve->At(n * each)) / (1 << kTickBits);
            const auto step =
                static_cast<double>(ToNanos(times->Of({.decodes = n, .decode_context = n * each})));
            // Rounded to a nanosecond here and to ticks for each token there.
            const double close = 1 + 1e-9 * step + static_cast<double>(n * each) / (2 << kTickBits);
            ASSERT_NEAR(line, step, close) << name << " " << model << " " << n << " x " << each;
            ++compared;
          }
        }
      }
    }
  }
  EXPECT_GT(compared, 10'000);
  EXPECT_GT(measured, 5);
}

}  // namespace
}  // namespace spillway
