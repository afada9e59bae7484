#include "cli/screen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spillway::cli {
namespace {

const ScreenFacts kTerminal = {
    .terminal = true, .terminal_width = 120, .term = "xterm", .utf8 = true};

TEST(DecideScreen, TerminalHasColourWidthAndLife) {
  const Screen screen = DecideScreen(kTerminal, ColourWish::kAuto);
  EXPECT_TRUE(screen.colour);
  EXPECT_TRUE(screen.live);
  EXPECT_EQ(screen.width, 120);
}

TEST(DecideScreen, PipeHasNoneOfThem) {
  const Screen screen = DecideScreen({.terminal = false, .term = "xterm"}, ColourWish::kAuto);
  EXPECT_FALSE(screen.colour);
  EXPECT_FALSE(screen.live);
  EXPECT_EQ(screen.width, 0);
}

TEST(DecideScreen, NoColorWinsOverATerminalAndAlwaysOverNoColor) {
  ScreenFacts facts = kTerminal;
  facts.no_color = "1";
  EXPECT_FALSE(DecideScreen(facts, ColourWish::kAuto).colour);
  EXPECT_TRUE(DecideScreen(facts, ColourWish::kAlways).colour);
  EXPECT_FALSE(DecideScreen(kTerminal, ColourWish::kNever).colour);
}

TEST(DecideScreen, DumbTerminalIsTreatedWithCare) {
  ScreenFacts facts = kTerminal;
  facts.term = "dumb";
  EXPECT_FALSE(DecideScreen(facts, ColourWish::kAuto).colour);
  EXPECT_FALSE(DecideScreen(facts, ColourWish::kAuto).live);
}

TEST(DecideScreen, ColumnsIsBelievedEvenInAPipe) {
  EXPECT_EQ(DecideScreen({.columns = "90"}, ColourWish::kAuto).width, 90);
  ScreenFacts facts = kTerminal;
  facts.columns = "nonsense";
  EXPECT_EQ(DecideScreen(facts, ColourWish::kAuto).width, 120);
}

TEST(DecideScreen, NeverNarrowerThanATableCanBe) {
  EXPECT_EQ(DecideScreen({.columns = "3"}, ColourWish::kAuto).width, 40);
}

TEST(ParseColourWish, KnowsThreeWords) {
  EXPECT_EQ(ParseColourWish("always"), ColourWish::kAlways);
  EXPECT_EQ(ParseColourWish("never"), ColourWish::kNever);
  EXPECT_EQ(ParseColourWish("auto"), ColourWish::kAuto);
  EXPECT_EQ(ParseColourWish("yes"), std::nullopt);
}

TEST(Paint, WrapsTextInAToneOnlyWhereThereIsColour) {
  EXPECT_EQ((Screen{.colour = true}.Paint(Tone::kGood, "ok")), "\x1b[32mok\x1b[0m");
  EXPECT_EQ((Screen{.colour = false}.Paint(Tone::kGood, "ok")), "ok");
  EXPECT_EQ((Screen{.colour = true}.Paint(Tone::kPlain, "ok")), "ok");
  EXPECT_EQ((Screen{.colour = true}.Paint(Tone::kBad, "")), "");
}

TEST(DisplayWidth, CountsCodePoints) {
  EXPECT_EQ(DisplayWidth("abc"), 3);
  EXPECT_EQ(DisplayWidth("größe"), 5);
  EXPECT_EQ(DisplayWidth("…"), 1);
}

TEST(Cut, KeepsWhatFitsAndSaysThatSomethingIsMissing) {
  EXPECT_EQ(Cut("abcdef", 6, "…"), "abcdef");
  EXPECT_EQ(Cut("abcdef", 4, "…"), "abc…");
  EXPECT_EQ(Cut("äöüäöü", 4, "…"), "äöü…");
  EXPECT_EQ(Cut("abcdef", 4, ".."), "ab..");
}

TEST(Printable, NoControlCharacterReachesTheTerminal) {
  EXPECT_EQ(Printable("a\x1b[2Jb\nc\x7f"), "a?[2Jb?c?");
  EXPECT_EQ(Printable("größe"), "größe");
}

}  // namespace
}  // namespace spillway::cli
