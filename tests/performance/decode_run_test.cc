#include "performance/decode_run.h"

#include <gtest/gtest.h>

#include <random>

namespace spillway {
namespace {

TEST(DecodeRun, IsTheClosedFormOfALine) {
  // a = 1000, g = 3; two sequences, 10 tokens: 1030, 1036, 1042, ...
  const DecodeRun run({{1000, 3}, {0, 3}}, 2, 10);
  EXPECT_EQ(run.Ticks(0), 0);
  EXPECT_EQ(run.Ticks(1), 1030);
  EXPECT_EQ(run.Ticks(3), 1030 + 1036 + 1042);
}

TEST(DecodeRun, PassesFromOneLineToTheOther) {
  // 100, until 10 x tokens is more: with 8, 9, 10 tokens still 100, with 11 110.
  const DecodeRun run({{100, 0}, {0, 10}}, 1, 8);
  EXPECT_EQ(run.Ticks(3), 300);
  EXPECT_EQ(run.Ticks(4), 410);
  EXPECT_EQ(run.Ticks(5), 530);
  EXPECT_EQ(DecodeRun({{100, 0}, {0, 10}}, 1, 20).Ticks(2), 410);  // from the beginning
}

class DecodeRunLaw : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Seeds, DecodeRunLaw, testing::Range(0, 40));

TEST_P(DecodeRunLaw, IsTheSumOfItsSteps) {
  std::mt19937_64 draw(static_cast<unsigned>(GetParam()));
  const auto up_to = [&](std::int64_t n) {
    return static_cast<std::int64_t>(draw() % static_cast<std::uint64_t>(n));
  };
  for (int i = 0; i < 50; ++i) {
    const std::int64_t slope = up_to(2) * up_to(1'000'000'000);
    const DecodeCurve curve{{1 + up_to(std::int64_t{1} << 50), slope},
                            {up_to(std::int64_t{1} << 51) - (std::int64_t{1} << 50),
                             slope + up_to(2) * up_to(1'000'000'000)}};
    const int sequences = static_cast<int>(up_to(100)) + 1;
    const std::int64_t context = up_to(1'000'000);
    const DecodeRun run(curve, sequences, context);
    std::int64_t sum = 0;
    for (std::int64_t step = 0; step < 300; ++step) {
      ASSERT_EQ(run.Ticks(step), sum) << "step " << step;
      sum += curve.At(context + step * sequences);
    }
  }
}

TEST(DecodeRun, IsNeverSoLongThatItsTicksOverflow) {
  // A second for each step, a millisecond more for each token.
  const std::int64_t second = std::int64_t{1'000'000'000} << kTickBits;
  const DecodeRun run({{second, 0}, {0, second / 1000}}, 64, 1000);
  const std::int64_t most = run.AtMost(1'000'000);
  EXPECT_GT(most, 50);
  EXPECT_LT(most, 1'000'000);
  for (std::int64_t step = 1; step <= most; ++step) {
    ASSERT_GT(run.Ticks(step), run.Ticks(step - 1)) << step;
  }
  EXPECT_EQ(run.AtMost(10), 10);
}

}  // namespace
}  // namespace spillway
