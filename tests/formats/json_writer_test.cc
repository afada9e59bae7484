#include "formats/json_writer.h"

#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <random>

#include "formats/value.h"

namespace spillway {
namespace {

template <class T>
std::string Written(const T& value) {
  std::string out;
  JsonWriter(out).Value(value);
  return out;
}

TEST(JsonWriter, PutsCommasBetweenEntriesAndNowhereElse) {
  std::string out;
  JsonWriter w(out);
  w.BeginObject().Member("id", "job-1").Key("nodes").BeginArray().Value(1).Value(2).EndArray();
  w.Key("empty").BeginArray().EndArray().Key("deep").BeginObject().Key("x").BeginObject();
  w.EndObject().Member("y", true).EndObject().NullMember("n").EndObject();
  EXPECT_EQ(out, R"({"id":"job-1","nodes":[1,2],"empty":[],"deep":{"x":{},"y":true},"n":null})");
}

TEST(JsonWriter, LeavesWhatStoodInFront) {
  std::string out = "data: ";
  JsonWriter w(out);
  w.BeginArray().Raw("{\"a\":1}").Raw("2").Value(false).EndArray();
  EXPECT_EQ(w.out(), "data: [{\"a\":1},2,false]");
}

TEST(JsonWriter, PlainKeysAndTextsReadLikeOthers) {
  std::string plain, escaped;
  JsonWriter(plain).BeginObject().PlainKey("a").PlainText("b").PlainKey("c").Value(1).EndObject();
  JsonWriter(escaped).BeginObject().Key("a").Value("b").Key("c").Value(1).EndObject();
  EXPECT_EQ(plain, escaped);
}

TEST(JsonWriter, WritesIntegersToTheEndsOfTheirRange) {
  EXPECT_EQ(Written(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(Written(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
  EXPECT_EQ(Written(std::int8_t{-7}), "-7");
  EXPECT_EQ(Written(std::uint8_t{200}), "200");
}

TEST(JsonWriter, WritesTheShortestDoubleThatReadsBack) {
  EXPECT_EQ(Written(0.1), "0.1");
  EXPECT_EQ(Written(1.0), "1");
  EXPECT_EQ(Written(-0.0), "-0.0");
  EXPECT_EQ(Written(1e300), "1e+300");
  EXPECT_EQ(Written(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(Written(std::nan("")), "null");
}

TEST(JsonWriter, EveryFiniteDoubleReadsBackTheSame) {
  std::mt19937_64 bits(20240501);
  for (int i = 0; i < 100'000; ++i) {
    const double number = std::bit_cast<double>(bits());
    if (!std::isfinite(number)) continue;
    const std::string text = Written(number);
    double read = 0;
    std::from_chars(text.data(), text.data() + text.size(), read);
    ASSERT_EQ(std::bit_cast<std::uint64_t>(read), std::bit_cast<std::uint64_t>(number)) << text;
  }
}

struct TextCase {
  std::string_view text, json;
};
class JsonText : public testing::TestWithParam<TextCase> {};
TEST_P(JsonText, IsEscaped) { EXPECT_EQ(Written(GetParam().text), GetParam().json); }
TEST_P(JsonText, IsEscapedTheSameWayAsAKey) {
  std::string out;
  JsonWriter(out).BeginObject().Member(GetParam().text, 1).EndObject();
  EXPECT_EQ(out, "{" + std::string(GetParam().json) + ":1}");
}
INSTANTIATE_TEST_SUITE_P(All, JsonText,
                         testing::Values(TextCase{"", R"("")"}, TextCase{"plain", R"("plain")"},
                                         TextCase{"a\"b\\c/d", R"("a\"b\\c/d")"},
                                         TextCase{"\b\f\n\r\t", R"("\b\f\n\r\t")"},
                                         TextCase{{"\x00\x1f\x7f", 3}, "\"\\u0000\\u001f\x7f\""},
                                         TextCase{"\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80",
                                                  "\"\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\""},
                                         TextCase{"a\xff z", "\"a\xef\xbf\xbd z\""},
                                         TextCase{"\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
                                         TextCase{"\xe2\x82\"",
                                                  "\"\xef\xbf\xbd\xef\xbf\xbd\\\"\""}));

TEST(IsUtf8, KnowsTheEndsOfEachRange) {
  for (const char* good : {"", "a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
                           "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"})
    EXPECT_TRUE(IsUtf8(good)) << testing::PrintToString(good);
  for (const char* bad :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf", "\xed\xa0\x80",
        "\xe2\x82", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xfe"})
    EXPECT_FALSE(IsUtf8(bad)) << testing::PrintToString(bad);
}

TEST(JsonWriter, AnyBytesBecomeATextThatTheReaderTakes) {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    std::mt19937_64 bits(seed);
    std::string bytes(bits() % 40, '\0');
    for (char& c : bytes) c = static_cast<char>(bits() >> (bits() % 2));
    const auto read = ParseJson(Written(std::string_view(bytes)));
    ASSERT_TRUE(read.ok()) << "seed " << seed << ": " << read.status();
    ASSERT_TRUE(IsUtf8(read->string())) << "seed " << seed;
    if (IsUtf8(bytes)) {
      ASSERT_EQ(read->string(), bytes) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace spillway
