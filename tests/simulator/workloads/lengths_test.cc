#include "simulator/workloads/lengths.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "tests/simulator/workloads/pulled.h"
#include "tests/support/temporary_folder.h"

namespace spillway {
namespace {

using testing::HasSubstr;
using testing_support::TemporaryFolder;

std::vector<std::int64_t> Draws(const LengthSpec& spec, std::size_t count) {
  const auto sampler = LengthSampler::Load(spec);
  EXPECT_TRUE(sampler.ok()) << sampler.status();
  RandomStream random = MakeRandomStream(1, "lengths");
  std::vector<std::int64_t> all(count);
  for (std::int64_t& value : all) value = sampler->DrawWhole(random);
  std::sort(all.begin(), all.end());
  return all;
}

TEST(Lengths, LognormalMeetsItsQuantiles) {
  const auto all = Draws({.shape = LengthShape::kLognormal, .p50 = 500, .p99 = 4000}, 100'000);
  // Standard errors of the quantiles: 0.4 % and 1.5 %.
  EXPECT_NEAR(static_cast<double>(all[50'000]), 500, 8);
  EXPECT_NEAR(static_cast<double>(all[99'000]), 4000, 240);
  EXPECT_GE(all.front(), 1);
}

TEST(Lengths, AreCutAtTheMost) {
  const auto all =
      Draws({.shape = LengthShape::kLognormal, .p50 = 500, .p99 = 4000, .most = 600}, 1000);
  EXPECT_EQ(all.back(), 600);
}

TEST(Lengths, ConstantMayBeZero) {
  EXPECT_EQ(Draws({.constant = 0}, 1)[0], 0);
  EXPECT_EQ(Draws({.constant = 7}, 1)[0], 7);
}

TEST(Lengths, QuantilesAreLinearInBetweenAndHoldAtTheEnds) {
  const std::vector<std::pair<double, double>> points{{0.1, 10}, {0.5, 20}, {0.9, 100}};
  EXPECT_EQ(QuantileAt(points, 0), 10);
  EXPECT_EQ(QuantileAt(points, 0.1), 10);
  EXPECT_DOUBLE_EQ(QuantileAt(points, 0.3), 15);
  EXPECT_DOUBLE_EQ(QuantileAt(points, 0.7), 60);
  EXPECT_EQ(QuantileAt(points, 0.99), 100);
  const auto all =
      Draws({.shape = LengthShape::kQuantiles, .quantiles = {{0, 0}, {1, 1000}}}, 100'000);
  EXPECT_NEAR(static_cast<double>(all[25'000]), 250, 8);
}

TEST(Lengths, ColumnsOfOneFileAreDrawnRowByRow) {
  TemporaryFolder folder;
  const std::string file = folder.Of("pairs.csv");
  std::ofstream(file) << "a,b\n1,10\n2,20\n3,30\n4,40\n";
  RequestSpec spec;
  spec.prompt_tokens = LengthSpec{.shape = LengthShape::kColumn, .file = file, .column = "a"};
  spec.output_tokens = LengthSpec{.shape = LengthShape::kColumn, .file = file, .column = "b"};
  const auto samplers = TokenSamplers::Load(spec);
  ASSERT_TRUE(samplers.ok()) << samplers.status();
  RandomStream prompts = MakeRandomStream(1, "p"), outputs = MakeRandomStream(1, "o");
  std::array<int, 5> seen{};
  for (int i = 0; i < 4000; ++i) {
    const auto draws = samplers->Draw(prompts, outputs);
    EXPECT_EQ(*draws.output, *draws.prompt * 10);
    ++seen.at(static_cast<std::size_t>(*draws.prompt));
  }
  for (std::size_t row = 1; row <= 4; ++row) EXPECT_NEAR(seen[row], 1000, 4 * std::sqrt(750));
}

TEST(Lengths, AFileThatIsNotThereIsNamed) {
  const auto sampler =
      LengthSampler::Load({.shape = LengthShape::kColumn, .file = "/none.csv", .column = "a"});
  EXPECT_EQ(sampler.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(sampler.status().message()), HasSubstr("/none.csv"));
}

}  // namespace
}  // namespace spillway
