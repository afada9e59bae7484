#include "cli/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_split.h"

namespace spillway::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> LinesOf(const std::string& text) {
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

TEST(Table, AlignsColumnsAndLeavesNoBlanksAtTheEnd) {
  Table table({{"POOL"}, {"COST", Align::kRight}, {"WHY"}});
  table.Add({"local", "$1", "cheapest"});
  table.Add({"xeon-amx", "$10.50", ""});
  EXPECT_THAT(LinesOf(table.Render({})),
              ElementsAre("POOL        COST  WHY", "--------------------------",
                          "local         $1  cheapest", "xeon-amx  $10.50"));
}

TEST(Table, NoLineIsWiderThanTheScreen) {
  Table table(
      {{"JOB"}, {"NAME", Align::kLeft, Squeeze::kCut}, {"WHY", Align::kLeft, Squeeze::kWrap}});
  table.Add({"job-000001", std::string(80, 'n'),
             "one two three four five six seven eight nine ten eleven"});
  for (const int width : {40, 50, 60, 100}) {
    for (const std::string& line : LinesOf(table.Render({.unicode = true, .width = width})))
      EXPECT_LE(DisplayWidth(line), width) << line;
  }
}

TEST(Table, CutsNamesAndWrapsReasons) {
  Table table({{"NAME", Align::kLeft, Squeeze::kCut}, {"WHY", Align::kLeft, Squeeze::kWrap}});
  table.Add({"a-rather-long-name-of-a-job", "needs 12 GiB, a node has 8 GiB"});
  const auto lines = LinesOf(table.Render({.unicode = true, .width = 40}));
  EXPECT_THAT(lines[2], HasSubstr("…"));
  EXPECT_GT(lines.size(), 3u);  // the reason went on in another line
  EXPECT_THAT(lines.back(), HasSubstr("GiB"));
}

TEST(Table, IdentifiersAreNeverCutEvenIfTheyDoNotFit) {
  Table table({{"JOB"}, {"WHY", Align::kLeft, Squeeze::kCut}});
  const std::string id(60, 'j');
  table.Add({id, "a reason that is long"});
  EXPECT_THAT(table.Render({.width = 40}), HasSubstr(id));
}

TEST(Table, NothingIsCutWhereNobodyLooks) {
  Table table({{"NAME", Align::kLeft, Squeeze::kCut}});
  table.Add({std::string(500, 'n')});
  EXPECT_THAT(table.Render({.width = 0}), HasSubstr(std::string(500, 'n')));
}

TEST(Table, ColoursTextButNotTheGap) {
  Table table({{"STATE"}, {"POOL"}});
  table.Add({{"ok", Tone::kGood}, "local"});
  EXPECT_THAT(table.Render({.colour = true}), HasSubstr("\x1b[32mok\x1b[0m     local"));
}

TEST(Table, ControlCharactersInCellsAreHarmless) {
  Table table({{"NAME"}});
  table.Add({"evil\x1b[2J\r\n"});
  EXPECT_THAT(table.Render({}), Not(HasSubstr("\x1b")));
  EXPECT_EQ(LinesOf(table.Render({})).size(), 3u);
}

TEST(Table, RulesStandBetweenRowsOnlyIfAskedFor) {
  Table table({{"A"}});
  table.Add({"1"});
  table.Add({"2"});
  EXPECT_EQ(LinesOf(table.Render({})).size(), 4u);
  table.set_ruled();
  EXPECT_THAT(LinesOf(table.Render({})), ElementsAre("A", "-", "1", "-", "2"));
}

TEST(Table, NotesStandBelowTheirRowAndAreWrapped) {
  Table table({{"A"}});
  table.Add({"1"});
  table.AddNote(4, "why: one two three four five six seven eight nine");
  table.Add({"2"});
  EXPECT_THAT(LinesOf(table.Render({.width = 40})),
              ElementsAre("A", "-", "1", "    why: one two three four five six",
                          "    seven eight nine", "2"));
}

TEST(WrapWords, BreaksAtBlanksAndCutsUpGiantWords) {
  EXPECT_THAT(WrapWords("one two three", 7), ElementsAre("one two", "three"));
  EXPECT_THAT(WrapWords("abcdefgh", 3), ElementsAre("abc", "def", "gh"));
  EXPECT_THAT(WrapWords("", 5), ElementsAre(""));
  EXPECT_THAT(WrapWords("  a   b  ", 9), ElementsAre("a b"));
  EXPECT_THAT(WrapWords("ää öö", 2), ElementsAre("ää", "öö"));
}

TEST(WrapWords, EveryWordSurvivesAtAnyWidth) {
  const std::string text = "would start in 95 s (p90), the objective is 60 s";
  for (int width = 1; width < 60; ++width) {
    std::string joined;
    for (const std::string& line : WrapWords(text, width)) {
      EXPECT_LE(DisplayWidth(line), width);
      joined += line;
    }
    std::erase(joined, ' ');
    std::string expected = text;
    std::erase(expected, ' ');
    EXPECT_EQ(joined, expected) << width;
  }
}

}  // namespace
}  // namespace spillway::cli
