#include "core/text.h"

#include <gtest/gtest.h>

#include <array>

namespace spillway {
namespace {

TEST(EditDistance, CountsSwapsAsOne) {
  EXPECT_EQ(EditDistance("node", "node"), 0u);
  EXPECT_EQ(EditDistance("nodes", "node"), 1u);
  EXPECT_EQ(EditDistance("ndoe", "node"), 1u);
  EXPECT_EQ(EditDistance("", "abc"), 3u);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
}
TEST(NearestWord, FindsWhatWasMeantOrNothing) {
  const std::array<std::string, 3> known{"nodes", "memory", "devices"};
  EXPECT_EQ(NearestWord("nodez", known), "nodes");
  EXPECT_EQ(NearestWord("memroy", known), "memory");
  EXPECT_EQ(NearestWord("xyzzy-plugh", known), "");
}

}  // namespace
}  // namespace spillway
