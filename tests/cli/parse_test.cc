#include "cli/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace spillway::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Words = std::vector<std::string>;

TEST(ParseCommandLine, CommandBehindTheMarkIsKeptWordByWord) {
  const auto args =
      ParseCommandLine({"submit", "--cpus", "2", "--", "sh", "-c", "echo --wait", "--"});
  ASSERT_TRUE(args.ok()) << args.status();
  EXPECT_EQ(args->command->path, "submit");
  EXPECT_EQ(args->Get("--cpus"), "2");
  EXPECT_FALSE(args->Has("--wait"));
  EXPECT_THAT(args->command_line, ElementsAre("sh", "-c", "echo --wait", "--"));
}

TEST(ParseCommandLine, OptionsStandBeforeOrBehindOperands) {
  const auto args = ParseCommandLine(
      {"--server", "http://x", "submit", "job.json", "--wait", "--priority", "-5"});
  ASSERT_TRUE(args.ok()) << args.status();
  EXPECT_THAT(args->operands, ElementsAre("job.json"));
  EXPECT_EQ(args->Get("--server"), "http://x");
  EXPECT_EQ(args->Get("--priority"), "-5");
  EXPECT_TRUE(args->Has("--wait"));
}

TEST(ParseCommandLine, ShortAndEqualsFormsMeanTheSame) {
  for (const Words& words :
       {Words{"jobs", "-o", "json"}, {"jobs", "--output=json"}, {"-o", "json", "jobs"}}) {
    const auto args = ParseCommandLine(words);
    ASSERT_TRUE(args.ok()) << args.status();
    EXPECT_EQ(args->Get("--output"), "json");
  }
}

TEST(ParseCommandLine, RepeatedOptionsKeepTheirOrder) {
  const auto args = ParseCommandLine({"jobs", "--state", "running", "--state", "queued"});
  ASSERT_TRUE(args.ok()) << args.status();
  EXPECT_THAT(args->All("--state"), ElementsAre("running", "queued"));
  EXPECT_THAT(args->All("--pool"), IsEmpty());
}

TEST(ParseCommandLine, TwoWordCommandsAndOperandsOfTheFirstWord) {
  EXPECT_EQ(ParseCommandLine({"pools", "drain", "a10"})->command->path, "pools drain");
  const auto pool = ParseCommandLine({"pools", "a10"});
  EXPECT_EQ(pool->command->path, "pools");
  EXPECT_THAT(pool->operands, ElementsAre("a10"));
}

TEST(ParseCommandLine, NothingMeansHelp) {
  EXPECT_EQ(ParseCommandLine({})->command->path, "help");
  EXPECT_EQ(ParseCommandLine({"--help"})->command->path, "help");
  const auto args = ParseCommandLine({"cancel", "--help"});  // although an operand is missing
  ASSERT_TRUE(args.ok()) << args.status();
  EXPECT_EQ(args->command->path, "cancel");
  EXPECT_TRUE(args->Has("--help"));
}

struct Mistake {
  std::string name;
  Words words;
  std::string says;
};
void PrintTo(const Mistake& mistake, std::ostream* to) { *to << mistake.name; }
class Mistakes : public testing::TestWithParam<Mistake> {};
TEST_P(Mistakes, AreNamedAndWhatWasMeantIsProposed) {
  const auto args = ParseCommandLine(GetParam().words);
  ASSERT_FALSE(args.ok());
  EXPECT_EQ(args.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(args.status().message()), HasSubstr(GetParam().says));
}
INSTANTIATE_TEST_SUITE_P(
    All, Mistakes,
    testing::ValuesIn(std::vector<Mistake>{
        {"Command", {"sumbit"}, "unknown command `sumbit` (did you mean `submit`?)"},
        {"NothingNear", {"frobnicate"}, "unknown command `frobnicate`\n"},
        {"SecondWord", {"policy", "gte"}, "unknown command `policy gte` (did you mean `get`?)"},
        {"HalfACommand", {"policy"}, "needs one more word: get, put, check"},
        {"Option", {"submit", "--cpu", "3"}, "unknown option `--cpu` (did you mean `--cpus`?)"},
        {"OptionWithEquals",
         {"jobs", "--pol=x"},
         "unknown option `--pol` (did you mean `--pool`?)"},
        {"OptionOfAnother", {"jobs", "--cpus", "3"}, "unknown option `--cpus`"},
        {"Twice", {"submit", "--cpus", "1", "--cpus", "2"}, "`--cpus` may be given once only"},
        {"NoValue", {"submit", "--cpus"}, "`--cpus` needs a value"},
        {"ValueForASwitch", {"submit", "--wait=no"}, "`--wait` takes no value"},
        {"MissingOperand", {"logs"}, "`spillway logs` needs JOB"},
        {"TooMany", {"logs", "a", "b"}, "what is `b`?"},
        {"CommandWithoutMark", {"submit", "job.json", "echo"}, "A command stands behind `--`"},
        {"NoCommandBehindMark", {"submit", "--"}, "no command behind `--`"},
        {"MarkWhereNoneBelongs", {"jobs", "--", "x"}, "nothing may stand behind `--` here"},
    }),
    [](const auto& row) { return row.param.name; });

TEST(ParseCommandLine, HelpTakesWordsAsNamesButNotTheValuesOfItsOptions) {
  const auto help = ParseCommandLine({"help", "policy", "put"});
  ASSERT_TRUE(help.ok());
  EXPECT_EQ(help->operands, (std::vector<std::string>{"policy", "put"}));
  const auto pages = ParseCommandLine({"help", "--man-pages", "out/man1"});
  ASSERT_TRUE(pages.ok()) << pages.status();
  EXPECT_EQ(pages->Get("--man-pages"), "out/man1");
  EXPECT_TRUE(pages->operands.empty());
}

TEST(Commands, EachHasASummaryTwoExamplesAndKnownOptionsInThem) {
  std::set<std::string_view> paths;
  for (const CommandSpec& command : Commands()) {
    SCOPED_TRACE(command.path);
    EXPECT_TRUE(paths.insert(command.path).second) << "twice in the table";
    EXPECT_FALSE(command.summary.empty());
    EXPECT_FALSE(command.summary.ends_with('.'));
    for (const Example& example : command.examples) {
      EXPECT_TRUE(example.line.starts_with("spillway ")) << example.line;
      EXPECT_FALSE(example.says.empty());
    }
  }
}

// Every example of the help must parse. They are plain enough to be split at blanks; quotes and
// what a shell would fill in are left out.
TEST(Commands, ExamplesParse) {
  for (const CommandSpec& command : Commands()) {
    for (const Example& example : command.examples) {
      if (example.line.find_first_of("$>") != std::string_view::npos) continue;
      Words words;
      std::string word;
      for (const char c : example.line.substr(9)) {
        if (c == ' ')
          words.push_back(std::exchange(word, ""));
        else if (c != '\'')
          word += c;
      }
      words.push_back(word);
      EXPECT_TRUE(ParseCommandLine(words).ok())
          << example.line << ": " << ParseCommandLine(words).status();
    }
  }
}

TEST(Commands, NoOptionStandsTwiceOrHidesACommonOne) {
  for (const CommandSpec& command : Commands()) {
    std::set<std::string_view> names;
    for (const OptionSpec& option : CommonOptions()) names.insert(option.LongName());
    for (const OptionSpec& option : command.options)
      EXPECT_TRUE(names.insert(option.LongName()).second) << command.path << " " << option.name;
  }
}

}  // namespace
}  // namespace spillway::cli
