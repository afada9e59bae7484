#include "cli/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "cli/commands.h"

namespace spillway::cli {
namespace {

using testing::AllOf;
using testing::Eq;
using testing::HasSubstr;
using testing::Not;

TEST(Completion, KnowsThreeShellsAndNoOther) {
  EXPECT_EQ(ParseShell("bash"), Shell::kBash);
  EXPECT_EQ(ParseShell("zsh"), Shell::kZsh);
  EXPECT_EQ(ParseShell("fish"), Shell::kFish);
  EXPECT_EQ(ParseShell("tcsh"), std::nullopt);
}

TEST(Completion, NamesEveryCommandAndOptionInEveryShell) {
  for (const Shell shell : {Shell::kBash, Shell::kZsh, Shell::kFish}) {
    const std::string script = CompletionFor(shell);
    for (const CommandSpec& command : Commands()) {
      if (command.hidden) continue;
      for (const OptionSpec& option : command.options)
        EXPECT_THAT(script, HasSubstr(std::string(option.LongName().substr(2))));
    }
    EXPECT_THAT(script, Not(HasSubstr("supervise"))) << "it is not for people";
  }
}

// What bash itself offers for a half-written line, in a folder with the file job.json in it.
class Bash : public testing::Test {
 protected:
  std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) /
                                  testing::UnitTest::GetInstance()->current_test_info()->name();
  void SetUp() override {
    std::filesystem::create_directories(folder_ / "bin");
    std::ofstream(folder_ / "job.json") << "{}";
    std::ofstream(folder_ / "completion") << CompletionFor(Shell::kBash);
    // The controller's names, without a controller.
    std::ofstream(folder_ / "bin/spillway") << "#!/bin/sh\n[ $1 = pools ] && echo a10 xeon-amx\n";
    std::filesystem::permissions(folder_ / "bin/spillway", std::filesystem::perms::owner_all);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Offers(const std::string& words) {
    const std::string script =
        "cd " + folder_.string() +
        " && PATH=$PWD/bin:$PATH && compopt() { :; } && . ./completion && COMP_WORDS=(" + words +
        ") && COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) && _spillway && echo \"${COMPREPLY[*]}\"";
    std::ofstream(folder_ / "try") << script;
    FILE* out = popen(("bash " + (folder_ / "try").string() + " 2>&1").c_str(), "r");
    std::string text;
    std::array<char, 4096> buffer{};
    while (fgets(buffer.data(), buffer.size(), out)) text += buffer.data();
    pclose(out);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
  }
};

TEST_F(Bash, OffersCommands) {
  EXPECT_EQ(Offers("spillway sub"), "submit");
  EXPECT_EQ(Offers("spillway policy ''"), "get put check");
  EXPECT_EQ(Offers("spillway --color never version --se"), "--server");
}

TEST_F(Bash, OffersTheOptionsOfTheCommandAndTheirWords) {
  EXPECT_EQ(Offers("spillway policy put --if"), "--if-match");
  EXPECT_EQ(Offers("spillway submit --arch ''"), "x86_64 arm64 riscv64");
  EXPECT_EQ(Offers("spillway jobs -o j"), "json");
  EXPECT_EQ(Offers("spillway completion ''"), "bash zsh fish");
}

TEST_F(Bash, OffersFilesAndWhatTheControllerKnows) {
  EXPECT_EQ(Offers("spillway submit jo"), "job.json");
  EXPECT_EQ(Offers("spillway pools drain ''"), "a10 xeon-amx");
  EXPECT_EQ(Offers("spillway submit --pool x"), "xeon-amx");
  EXPECT_THAT(Offers("spillway pools ''"), AllOf(HasSubstr("cordon"), HasSubstr("a10")));
}

TEST_F(Bash, OffersNothingThatWouldBeWrong) {
  EXPECT_THAT(Offers("spillway submit --cpus ''"), Eq(""));
  EXPECT_THAT(Offers("spillway nonsense ''"), Eq(""));
}

}  // namespace
}  // namespace spillway::cli
