#include "controller/metrics/label_cap.h"

#include <gtest/gtest.h>

namespace spillway {
namespace {

TEST(HarmlessLabel, MarkupAndLettersOfAllLanguagesStandAsTheyAre) {
  for (const char* text :
       {"plain-name", "<script>alert(1)</script>", "a\"b\\c{d}", "größe", "模型", "😀"})
    EXPECT_EQ(HarmlessLabel(text), text);
}

// Prometheus refuses a whole scrape for one label that is not UTF-8.
TEST(HarmlessLabel, WhatIsNoTextBecomesQuestionMarks) {
  EXPECT_EQ(HarmlessLabel("a\xff"
                          "b"),
            "a?b");
  EXPECT_EQ(HarmlessLabel("\xc0\xaf"), "??");            // overlong
  EXPECT_EQ(HarmlessLabel("\xed\xa0\x80"), "???");       // a surrogate
  EXPECT_EQ(HarmlessLabel("\xf5\x80\x80\x80"), "????");  // above U+10FFFF
  EXPECT_EQ(HarmlessLabel("cut \xe6\xa8"), "cut ??");
  EXPECT_EQ(HarmlessLabel("line\nfeed\x7f"), "line?feed?");
}

TEST(HarmlessLabel, IsCutBetweenCharacters) {
  EXPECT_EQ(HarmlessLabel(std::string(500, 'x')), std::string(kLongestLabel, 'x'));
  std::string wide(kLongestLabel - 1, 'x');
  EXPECT_EQ(HarmlessLabel(wide + "ü"), wide);
}

TEST(LabelCap, TheFirstKeepTheirNamesAndAllLaterOnesAreCounted) {
  LabelCap cap(2);
  EXPECT_EQ(cap.Of("a"), "a");
  EXPECT_EQ(cap.Of("b\n"), "b?");
  EXPECT_EQ(cap.Of("c"), "other");
  EXPECT_EQ(cap.Of("c"), "other");
  EXPECT_EQ(cap.Of("b\n"), "b?");
  EXPECT_EQ(cap.dropped(), 2u);
}

}  // namespace
}  // namespace spillway
