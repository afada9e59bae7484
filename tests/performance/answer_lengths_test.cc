#include "performance/answer_lengths.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace spillway {
namespace {

// ---- Against draws: batches of sequences whose lengths are known to nobody, each followed by
// another as it ends, looked at after a long while.
struct Lengths {
  const char* name;
  double (*draw)(std::mt19937_64&);
};
double Unit(std::mt19937_64& dice) {
  return (static_cast<double>(dice() >> 11) + 0.5) / 9007199254740992.0;
}
double Normal(std::mt19937_64& dice) {
  return std::sqrt(-2 * std::log(Unit(dice))) * std::cos(6.283185307 * Unit(dice));
}
const Lengths kKinds[] = {
    {"all alike", [](std::mt19937_64&) { return 200.0; }},
    {"exponential", [](std::mt19937_64& d) { return std::ceil(-200 * std::log(Unit(d))); }},
    {"a few very long", [](std::mt19937_64& d) { return std::ceil(100 * std::exp(Normal(d))); }},
    {"short or long", [](std::mt19937_64& d) { return Unit(d) < 0.5 ? 10.0 : 400.0; }},
};

// As the router learns it from whole answers.
AnswerLengths Learned(const Lengths& kind, std::mt19937_64& dice) {
  std::vector<double> seen;
  double all = 0;
  for (int i = 0; i < 4000; ++i) {
    seen.push_back(kind.draw(dice));
    all += seen.back();
  }
  std::sort(seen.begin(), seen.end());
  const auto within = [&](double rest) {
    double sum = 0;
    for (const double x : seen) sum += std::min(x, rest);
    return sum;
  };
  std::vector<std::int64_t> left;
  for (std::size_t i = 1; i <= AnswerLengths::kPoints; ++i) {
    double low = 0, high = seen.back();
    while (high - low > 0.01) {
      const double middle = (low + high) / 2;
      (within(middle) < all * static_cast<double>(i) / AnswerLengths::kPoints ? low : high) =
          middle;
    }
    left.push_back(static_cast<std::int64_t>(std::ceil(high)));
  }
  return {all / static_cast<double>(seen.size()), left};
}

std::vector<double> Observe(const Lengths& kind, int batch, int ends, std::mt19937_64& dice) {
  std::vector<double> took;
  for (int run = 0; run < 800; ++run) {
    std::vector<double> until;
    const double look = 5'000;
    for (int i = 0; i < batch; ++i) {
      double at = -look * Unit(dice);
      while (at <= look) at += kind.draw(dice);
      until.push_back(at - look);
    }
    double now = 0;
    for (int i = 0; i < ends; ++i) {
      const auto first = std::min_element(until.begin(), until.end());
      now = *first;
      *first += kind.draw(dice);
    }
    took.push_back(now);
  }
  std::sort(took.begin(), took.end());
  return took;
}

TEST(AnswerLengths, NineOfTenBatchesHaveAPlaceByTheP90) {
  std::mt19937_64 dice(7);
  for (const Lengths& kind : kKinds) {
    const AnswerLengths lengths = Learned(kind, dice);
    for (const int batch : {1, 4, 8, 32}) {
      for (const int ends : {1, 3, 8}) {
        if (ends > 2 * batch) continue;
        SCOPED_TRACE(testing::Message()
                     << kind.name << ", " << ends << " of " << batch << ", seed 7");
        const std::vector<double> took = Observe(kind, batch, ends, dice);
        const AnswerLengths::Steps steps = lengths.Until(ends, batch);
        const auto part = [&](double limit) {
          return static_cast<double>(std::upper_bound(took.begin(), took.end(), limit) -
                                     took.begin()) /
                 static_cast<double>(took.size());
        };
        // The first end is exact; of more the mean is, and the spread nearly.
        const double slack = ends == 1 ? 0.05 : 0.2;
        EXPECT_NEAR(part(steps.p50), 0.5, slack + 0.1) << steps.p50;
        EXPECT_GE(part(steps.p90), ends == 1 ? 0.86 : 0.8) << steps.p90;
        if (ends == 1) {
          EXPECT_LE(part(steps.p90 * 0.7), 0.9) << "not without need";
        }
      }
    }
  }
}

TEST(AnswerLengths, MoreEndsTakeLongerAndMoreSequencesEndSooner) {
  const AnswerLengths lengths = AnswerLengths::WithMedian(100);
  EXPECT_NEAR(lengths.mean(), 144.3, 0.1);
  for (double n = 1; n < 300; n += 1) {
    EXPECT_LT(lengths.Until(1, n + 1).p90, lengths.Until(1, n).p90) << n;
    EXPECT_LT(lengths.Until(n, 16).p90, lengths.Until(n + 1, 16).p90) << n;
    EXPECT_LT(lengths.Until(n, 16).p50, lengths.Until(n, 16).p90) << n;
  }
  EXPECT_EQ(lengths.Until(0, 8).p90, 0);
}

// Memoryless: the least of n rests has the mean of one by n.
TEST(AnswerLengths, WithoutObservationsTheyAreMemoryless) {
  const AnswerLengths lengths = AnswerLengths::WithMedian(100);
  for (const double n : {1.0, 2.0, 5.0, 8.0, 9.0, 40.0}) {
    EXPECT_NEAR(lengths.Until(1, n).p50, 100 / n, 4 / n) << n;
    EXPECT_NEAR(lengths.Until(1, n).p90, 332.2 / n, 15 / n) << n;
  }
  EXPECT_EQ(AnswerLengths(50, {}).Until(1, 4).p90,
            AnswerLengths::WithMedian(34.65735).Until(1, 4).p90)
      << "a record without points";
}

}  // namespace
}  // namespace spillway
