#include "formats/json_scan.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

#include "formats/value.h"
#include "tests/formats/random_tree.h"

namespace spillway {
namespace {

bool Valid(std::string_view text) {
  JsonCursor cursor(text);
  return cursor.Skip() && cursor.AtEnd();
}

TEST(JsonScan, TakesWhatIsJson) {
  for (const char* text :
       {"null", "true", "false", "0", "-0", "12", "-1.5e+10", "1E5", "0.25", R"("")",
        R"("a\"\\\/\b\f\n\r\té😀")", "[]", "{}", "[1,[2,{}]]", " { \"a\" : [ 1 , 2 ] } \r\n\t",
        "\"\xff\"" /* UTF-8 is the engine's business */}) {
    EXPECT_TRUE(Valid(text)) << text;
  }
}

TEST(JsonScan, RefusesWhatIsNot) {
  for (const char* text : {"",
                           " ",
                           "nul",
                           "nullx",
                           "tru",
                           "01",
                           "-",
                           "+1",
                           "1.",
                           ".5",
                           "1e",
                           "1e+",
                           "0x1",
                           "NaN",
                           "\"",
                           "\"a",
                           R"("\x")",
                           R"("\u12g4")",
                           R"("\u12)",
                           "\"\n\"",
                           "\"\x01\"",
                           "[",
                           "]",
                           "[1,]",
                           "[,1]",
                           "[1 2]",
                           "{",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{a:1}",
                           "{\"a\":1 \"b\":2}",
                           "1 2",
                           "{}{}",
                           "'a'",
                           "/**/1",
                           "\xEF\xBB\xBF{}"}) {
    EXPECT_FALSE(Valid(text)) << text;
  }
}

TEST(JsonScan, BoundsDepth) {
  const auto nested = [](int n) { return std::string(n, '[') + std::string(n, ']'); };
  EXPECT_TRUE(Valid(nested(64)));
  EXPECT_FALSE(Valid(nested(65)));
  EXPECT_FALSE(Valid(nested(100'000)));
}

TEST(JsonScan, FindsTheEndOfLongStringsAtEveryOffset) {
  for (std::size_t size = 0; size < 200; ++size) {
    for (const char* end : {"\"", "\\n\"", "\\\"\""}) {
      EXPECT_TRUE(Valid("\"" + std::string(size, 'x') + end)) << size;
    }
    EXPECT_FALSE(Valid("\"" + std::string(size, 'x'))) << size;
    EXPECT_FALSE(Valid("\"" + std::string(size, 'x') + "\x1f" + std::string(40, 'x') + "\""));
    EXPECT_TRUE(Valid("\"" + std::string(size, 'x') + "\x7f\x80" + std::string(40, 'x') + "\""));
  }
}

TEST(JsonScan, AgreesWithTheWholeReaderOnWhatIsWritten) {
  std::mt19937_64 draw(7);
  for (int i = 0; i < 2000; ++i) {
    std::string text = WriteJson(RandomTree(draw, 0));
    EXPECT_TRUE(Valid(text)) << "seed 7, round " << i << ": " << text;
    if (text.empty()) continue;
    text.resize(draw() % text.size());  // Cut short: both refuse, but for a shorter number.
    EXPECT_EQ(Valid(text), ParseJson(text).ok()) << "seed 7, round " << i << ": " << text;
  }
}

JsonText TextOf(std::string_view text) {
  JsonCursor cursor(text);
  JsonText out;
  EXPECT_TRUE(cursor.String(&out)) << text;
  return out;
}

TEST(JsonText, ResolvesEscapes) {
  const JsonText text = TextOf(R"("a\n\"\u00e9\u20ac\ud83d\ude00z")");
  EXPECT_TRUE(text.escaped());
  EXPECT_EQ(ResolveJsonText(text), "a\n\"é€😀z");
  EXPECT_EQ(text.bytes, ResolveJsonText(text)->size());
  EXPECT_FALSE(TextOf(R"("plain é")").escaped());
}

TEST(JsonText, HalfAPairMeansNothing) {
  for (const char* text : {R"("\ud83d")", R"("\ude00")", R"("\ud83dx")", R"("\ud83d\u0041")"}) {
    EXPECT_EQ(ResolveJsonText(TextOf(text)), std::nullopt) << text;
  }
}

TEST(JsonText, ComparesWhatIsMeant) {
  EXPECT_TRUE(SameJsonText(TextOf(R"("m\u006fdel")"), "model"));
  EXPECT_FALSE(SameJsonText(TextOf(R"("m\u006fdels")"), "model"));
  EXPECT_FALSE(SameJsonText(TextOf(R"("Model")"), "model"));
  EXPECT_TRUE(SimilarJsonText(TextOf(R"("M\u004fDEL")"), "model"));
  EXPECT_FALSE(SimilarJsonText(TextOf(R"("modem")"), "model"));
}

}  // namespace
}  // namespace spillway
