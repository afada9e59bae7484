// The part that docs/extend/policy.md adds step by step. The page shows the lines between the two
// marks, and a test below holds that they are these.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

// [example]
#include <algorithm>
#include <utility>

#include "core/units.h"
#include "policies/choice.h"

namespace spillway {

// The least carbon among the pools that cost about the same: green as far as it is cheap.
//
// Assumes: figures of all options are for the same piece of work.
// Algorithm: of the tied pools those that cost at most (1 + premium) x the cheapest are kept; the
// one with the least carbon is picked. Ties go to the smaller PoolId.
class GreenWithinPremium final : public Choice {
 public:
  explicit GreenWithinPremium(double premium) : premium_(premium) {}  // [0, 1]

  std::size_t Pick(absl::Span<const Option> options, std::uint64_t) const override {
    const auto cost = [](const Option& a, const Option& b) {
      return a.marginal_cost < b.marginal_cost;
    };
    const Usd cheapest = std::min_element(options.begin(), options.end(), cost)->marginal_cost;
    const Usd limit = Scale(cheapest, 1 + premium_);
    const auto rank = [&](const Option& o) {
      return std::tuple(o.marginal_cost > limit, o.carbon, o.pool);
    };
    const auto greener = [&](const Option& a, const Option& b) { return rank(a) < rank(b); };
    const auto best = std::min_element(options.begin(), options.end(), greener);
    return static_cast<std::size_t>(best - options.begin());
  }

 private:
  double premium_;
};

}  // namespace spillway
// [example]

namespace spillway {
namespace {

const std::vector<Option> kOptions{
    {.pool = PoolId(0), .marginal_cost = Usd(1'000), .carbon = GramsCo2e(900)},
    {.pool = PoolId(1), .marginal_cost = Usd(1'100), .carbon = GramsCo2e(500)},
    {.pool = PoolId(2), .marginal_cost = Usd(1'101), .carbon = GramsCo2e(1)}};

TEST(GreenWithinPremium, PaysForGreenUpToThePremiumAndNoMore) {
  EXPECT_EQ(GreenWithinPremium(0.10).Pick(kOptions, 0), 1u);
  EXPECT_EQ(GreenWithinPremium(0.11).Pick(kOptions, 0), 2u);
  EXPECT_EQ(GreenWithinPremium(0).Pick(kOptions, 0), 0u);
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(std::string(SPILLWAY_SOURCE_DIR) + "/" + path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(GreenWithinPremium, IsWhatThePageShows) {
  const std::string mark = "// [example]\n";
  const std::string source = ReadAll("tests/policies/worked_example_test.cc");
  const std::size_t begin = source.find(mark) + mark.size();
  const std::string example = source.substr(begin, source.find(mark, begin) - begin);
  ASSERT_THAT(example, testing::HasSubstr("class GreenWithinPremium"));
  EXPECT_THAT(ReadAll("docs/extend/policy.md"), testing::HasSubstr("```cpp\n" + example + "```\n"));
}

}  // namespace
}  // namespace spillway
