#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "absl/strings/str_cat.h"
#include "formats/findings.h"
#include "formats/value.h"
#include "tests/formats/random_tree.h"

namespace spillway {
namespace {

using testing::HasSubstr;

std::string Error(std::string_view text) {
  const auto value = ParseJson(text);
  return value.ok() ? "accepted" : std::string(value.status().message());
}

TEST(ParseJson, ReadsEveryKind) {
  const auto value =
      ParseJson(R"( {"a": [null, true, false, -1, 2.50, 1e3, "x\u00e9\n\"", {}], "": 0} )");
  ASSERT_TRUE(value.ok()) << value.status();
  const auto& items = value->Find("a")->list();
  ASSERT_EQ(items.size(), 8u);
  EXPECT_TRUE(items[0].is_null());
  EXPECT_TRUE(items[1].boolean());
  EXPECT_FALSE(items[2].boolean());
  EXPECT_EQ(items[3].AsInt64(), -1);
  EXPECT_EQ(items[4].real(), 2.5);
  EXPECT_EQ(items[4].text(), "2.50");
  EXPECT_EQ(items[5].real(), 1000.0);
  EXPECT_EQ(items[6].string(), "x\xc3\xa9\n\"");
  EXPECT_TRUE(items[7].map().empty());
  EXPECT_EQ(value->Find("")->AsInt64(), 0);
}

TEST(ParseJson, EveryValueKnowsItsPlace) {
  const auto value = ParseJson("{\n  \"k\\\"]\": [\"a,}\\\\\",\n 12 , {\"x\":{}}],\n\"b\" :true}");
  ASSERT_TRUE(value.ok()) << value.status();
  const auto at = [](const Mark& mark) { return absl::StrCat(mark.line, ":", mark.column); };
  const Member& k = value->map()[0];
  EXPECT_EQ(k.key, "k\"]");
  EXPECT_EQ(at(k.mark), "2:3");
  EXPECT_EQ(at(k.value.mark()), "2:11");
  EXPECT_EQ(at(k.value.list()[0].mark()), "2:12");
  EXPECT_EQ(at(k.value.list()[1].mark()), "3:2");
  EXPECT_EQ(at(k.value.list()[2].mark()), "3:7");
  EXPECT_EQ(at(k.value.list()[2].Find("x")->mark()), "3:12");
  EXPECT_EQ(at(value->map()[1].mark), "4:1");
  EXPECT_EQ(at(value->map()[1].value.mark()), "4:6");
  EXPECT_EQ(value->map()[1].value.mark().offset, 44u);
}

TEST(ParseJson, NumbersAreExact) {
  EXPECT_EQ(ParseJson("9223372036854775807")->AsInt64(), INT64_MAX);
  EXPECT_EQ(ParseJson("-9223372036854775808")->AsInt64(), INT64_MIN);
  EXPECT_EQ(ParseJson("18446744073709551615")->AsUint64(), UINT64_MAX);
  EXPECT_EQ(ParseJson("18446744073709551616")->kind(), Value::Kind::kReal);
  // Boost.JSON 1.81 reads these one unit in the last place off.
  for (const char* text : {"0.1", "1.7976931348623157e308", "4.35", "123456789.123456789e-20"}) {
    EXPECT_EQ(ParseJson(text)->real(), std::strtod(text, nullptr)) << text;
  }
  EXPECT_EQ(ParseJson("1e-400")->real(), 0.0);
}

TEST(ParseJson, RefusesWithThePlace) {
  EXPECT_EQ(Error(""), "line 1, column 1: the text is empty");
  EXPECT_EQ(Error(" \n "), "line 1, column 1: the text is empty");
  EXPECT_EQ(Error("{\"a\": 1,\n \"b\": 2,\n\"a\": 3}"),
            "line 3, column 1: key `a` stands here twice");
  EXPECT_EQ(Error("[1] x"), "line 1, column 5: something stands after the end of the value");
  EXPECT_EQ(Error("[1][2]"), "line 1, column 4: something stands after the end of the value");
  EXPECT_EQ(Error("{\"a\": [1, 2"), "line 1, column 12: the text ends too early");
  EXPECT_THAT(Error("{\"a\" 1}"), HasSubstr("line 1, column 6: not valid JSON"));
  EXPECT_THAT(Error("{'a': 1}"), HasSubstr("line 1, column 2: not valid JSON"));
}

class NotJson : public testing::TestWithParam<const char*> {};
TEST_P(NotJson, IsRefused) { EXPECT_NE(Error(GetParam()), "accepted"); }
INSTANTIATE_TEST_SUITE_P(Strictly, NotJson,
                         testing::Values("[1,]", "{\"a\":1,}", "// c\n1", "/* */1", "NaN",
                                         "Infinity", "-", "01", "+1", ".5", "1.", "1e", "tru",
                                         "\"\t\"", "\"\\x\"", "\"\\ud800\"", "\"\xff\"",
                                         "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\xef\xbb\xbf{}",
                                         "{a:1}", "{1:1}", "{\"a\"}", "[", "]", "\"a", "1e400",
                                         "-1e999"));

TEST(ParseJson, DepthIsBounded) {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']');
  };
  EXPECT_EQ(Error(nested(64)), "accepted");
  EXPECT_THAT(Error(nested(65)), HasSubstr("more than 64 deep"));
  EXPECT_THAT(Error(std::string(1 << 19, '[')), HasSubstr("more than 64 deep"));
}

TEST(ParseJson, ValuesAndBytesAreBounded) {
  std::string many = "[0";
  for (int i = 0; i < 100'000; ++i) many += ",0";
  EXPECT_THAT(Error(many + "]"), HasSubstr("more than 100000 values"));
  EXPECT_EQ(Error("\"" + std::string((1 << 20) - 2, 'a') + "\""), "accepted");
  EXPECT_THAT(Error("\"" + std::string((1 << 20) - 1, 'a') + "\""),
              HasSubstr("the text is 1048577 bytes long, at most 1048576 are taken"));
  EXPECT_THAT(Error(std::string(200, '1')), HasSubstr("a number of 200 characters"));
}

TEST(ParseJson, ManyEqualKeysAreFoundFast) {
  std::string many = "{";
  for (int i = 0; i < 40'000; ++i) absl::StrAppend(&many, "\"key", i, "\":0,");
  EXPECT_EQ(Error(many + "\"key0\":1}"),
            absl::StrCat("line 1, column ", many.size() + 1, ": key `key0` stands here twice"));
}

TEST(WriteJson, ReadsBackEqual) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    std::mt19937_64 draw(seed);
    const Value tree = RandomTree(draw, 0);
    for (const bool pretty : {false, true}) {
      const auto again = ParseJson(WriteJson(tree, pretty));
      ASSERT_TRUE(again.ok()) << "seed " << seed << ": " << again.status();
      ASSERT_EQ(*again, tree) << "seed " << seed << ": " << WriteJson(tree);
    }
  }
}

}  // namespace
}  // namespace spillway
