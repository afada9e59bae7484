#include "cli/help.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

namespace spillway::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Overview, NamesEveryCommandButHiddenOnes) {
  const std::string text = Overview({});
  for (const CommandSpec& command : Commands()) {
    if (command.hidden) {
      EXPECT_THAT(text, Not(HasSubstr(std::string(command.path))));
    } else {
      EXPECT_THAT(text, HasSubstr("  " + std::string(command.path)));
    }
  }
}

TEST(HelpFor, ShowsOptionsAndExamples) {
  const std::string text = HelpFor(*FindCommand("submit"), {});
  EXPECT_THAT(text, HasSubstr("spillway submit [OPTIONS] [FILE] [-- COMMAND...]"));
  EXPECT_THAT(text, HasSubstr("--start-within TIME"));
  EXPECT_THAT(text, HasSubstr("spillway submit --wait --cpus 2 -- sha256sum /etc/hostname"));
}

TEST(HelpFor, FitsIntoTheScreen) {
  for (const CommandSpec& command : Commands()) {
    std::istringstream lines(HelpFor(command, {.width = 100}));
    for (std::string line; std::getline(lines, line);) EXPECT_LE(DisplayWidth(line), 110) << line;
  }
}

// `simulate -o` is a folder; the common -o,--output is then spelled in full.
TEST(HelpFor, SpellsNoOptionTwice) {
  for (const CommandSpec& command : Commands()) {
    std::istringstream lines(HelpFor(command, {}));
    std::multiset<std::string> spelled;
    for (std::string line; std::getline(lines, line);) {
      const std::size_t indent = line.find_first_not_of(' ');
      if (indent != 2 && indent != 6) continue;  // no option's own line
      std::istringstream words(line);
      std::string word;
      while (words >> word && word.starts_with('-')) {
        const bool more = word.ends_with(',');
        spelled.insert(more ? word.substr(0, word.size() - 1) : word);
        if (!more) break;
      }
    }
    EXPECT_EQ(spelled.count("--help"), 1u) << command.path;
    for (const std::string& option : spelled)
      EXPECT_EQ(spelled.count(option), 1u) << command.path << " " << option;
  }
}

TEST(HelpFor, OffersNoFormatWhereThereIsText) {
  EXPECT_THAT(HelpFor(*FindCommand("jobs"), {}), HasSubstr("-o, --output FORMAT"));
  EXPECT_THAT(HelpFor(*FindCommand("simulate"), {}), HasSubstr("--output FORMAT"));
  EXPECT_THAT(HelpFor(*FindCommand("logs"), {}), Not(HasSubstr("--output")));
}

// To refresh: build/release/spillway help --markdown > docs/cli.md
TEST(Manual, TheBookSaysWhatTheProgramDoes) {
  std::ifstream file(std::string(SPILLWAY_SOURCE_DIR) + "/docs/cli.md");
  std::ostringstream book;
  book << file.rdbuf();
  EXPECT_EQ(book.str(), MarkdownManual()) << "spillway help --markdown > docs/cli.md";
}

}  // namespace
}  // namespace spillway::cli
