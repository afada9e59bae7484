#include "core/runtime.h"

#include <gtest/gtest.h>

namespace spillway {
namespace {

Version V(const char* text) { return *Version::Parse(text); }
RuntimeNeed Need(const char* text) { return *RuntimeNeed::Parse(text); }

TEST(Version, ComparesNumberByNumber) {
  EXPECT_LT(V("12.4"), V("12.10"));
  EXPECT_EQ(V("12"), V("12.0.0"));
  EXPECT_GT(V("2024.4"), V("2023.9.9"));
}
TEST(Version, RefusesWhatIsNoVersion) {
  for (const char* text : {"", "12.", ".4", "12.x", "1.2.3.4.5.6.7", "-1", "99999999999"})
    EXPECT_FALSE(Version::Parse(text).ok()) << text;
}
TEST(RuntimeNeed, ReadsEveryOperator) {
  EXPECT_TRUE(Need("cuda").MetBy(V("1")));
  EXPECT_TRUE(Need("cuda>=12").MetBy(V("12.4")));
  EXPECT_FALSE(Need("cuda>=12.5").MetBy(V("12.4")));
  EXPECT_FALSE(Need("cuda>12").MetBy(V("12.0")));
  EXPECT_TRUE(Need("cuda<=12").MetBy(V("12.0")));
  EXPECT_TRUE(Need("cuda<13").MetBy(V("12.9")));
  EXPECT_TRUE(Need("cuda=12").MetBy(V("12.0")));
}
TEST(RuntimeNeed, WritesWhatItRead) {
  for (const char* text : {"none", "cuda>=12.4", "rocm<6", "cann=8.0"})
    EXPECT_EQ(Need(text).ToString(), text);
}
TEST(RuntimeNeed, RefusesWhatIsNone) {
  for (const char* text : {"", ">=12", "cuda>=", "cuda>>12", "CUDA", "cu da"})
    EXPECT_FALSE(RuntimeNeed::Parse(text).ok()) << text;
}

}  // namespace
}  // namespace spillway
