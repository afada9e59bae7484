#include "formats/did_you_mean.h"

#include <map>

#include <gtest/gtest.h>

namespace spillway {
namespace {

const std::vector<std::string> kNames{"amd-mi300x-192g", "gaudi3-128g",     "nvidia-a100-80g",
                                      "nvidia-l4-24g",   "nvidia-l40s-48g", "xeon-icx-16vcpu",
                                      "xeon-spr-16vcpu", "xeon-spr-24vcpu", "xeon-spr-32vcpu"};

TEST(DidYouMean, NamesTheNearestWordOrNone) {
  EXPECT_EQ(DidYouMean("nodez", {"name", "nodes"}), " (did you mean `nodes`?)");
  EXPECT_EQ(DidYouMean("price", {"name", "nodes"}), "");
  EXPECT_EQ(DidYouMean(std::string(65, 'x'), {std::string(64, 'x')}), "");
  EXPECT_EQ(DidYouMean("nodes", {}), "");
}

struct Case {
  std::string word, meant;
};
class Names : public testing::TestWithParam<Case> {};
TEST_P(Names, AreFoundByTheirParts) {
  EXPECT_EQ(DidYouMeanName(GetParam().word, kNames), GetParam().meant);
}
INSTANTIATE_TEST_SUITE_P(
    All, Names,
    testing::Values(Case{"a100", " (did you mean `nvidia-a100-80g`?)"},
                    Case{"A100", " (did you mean `nvidia-a100-80g`?)"},
                    Case{"mi300x", " (did you mean `amd-mi300x-192g`?)"},
                    Case{"gaudi3", " (did you mean `gaudi3-128g`?)"},
                    // Near as a whole goes before a part.
                    Case{"nvidia-a10-80g", " (did you mean `nvidia-a100-80g`?)"},
                    // A part that is the word goes before one that begins with it.
                    Case{"l4", " (did you mean `nvidia-l4-24g`?)"},
                    Case{"l40", " (did you mean `nvidia-l40s-48g`?)"},
                    Case{"nvidia",
                         " (did you mean `nvidia-a100-80g`, `nvidia-l4-24g` or "
                         "`nvidia-l40s-48g`?)"},
                    Case{"16vcpu", " (did you mean `xeon-icx-16vcpu` or `xeon-spr-16vcpu`?)"},
                    Case{"xeon", ""},  // too many
                    Case{"100", ""}, Case{"zzz", ""}, Case{"", ""}));

TEST(KeysOf, AreThoseOfAMap) {
  EXPECT_EQ(KeysOf(std::map<std::string, int>{{"b", 1}, {"a", 2}}),
            (std::vector<std::string>{"a", "b"}));
}

}  // namespace
}  // namespace spillway
