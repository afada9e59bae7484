#include "cli/simulation_child.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "formats/file_text.h"
#include "tests/support/temporary_folder.h"

namespace spillway::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Shell scripts stand for the simulator.
class Child : public testing::Test {
 protected:
  SimulationChild Runs(const std::string& script, absl::Duration longest = absl::Minutes(1),
                       absl::Duration grace = absl::Milliseconds(200)) {
    const std::string program = folder_.Of("program");
    std::ofstream(program) << "#!/bin/sh\n" << script;
    ::chmod(program.c_str(), 0700);
    return SimulationChild({.program = program,
                            .library = folder_.Of("library"),
                            .catalog = "/catalog",
                            .database = "/state/spillway.db",
                            .longest = longest,
                            .grace = grace});
  }
  absl::StatusOr<std::string> Execute(SimulationChild child,
                                      const SimulationOrder& order = Shipped()) {
    return child.Execute({.order = order,
                          .folder = folder_.path(),
                          .on_progress =
                              [this](SimulationProgress p) {
                                heard_.push_back(p.done);
                                whats_.push_back(p.what);
                              },
                          .cancelled = [this] { return cancel_.load(); }});
  }
  static SimulationOrder Shipped() { return {.what = ShippedScenario{"spot", ""}, .seeds = 2}; }
  std::string TextOf(const std::string& name) const {
    return ReadTextFile(folder_.Of(name)).value_or("");
  }

  testing_support::TemporaryFolder folder_;
  std::vector<std::int64_t> heard_;
  std::vector<std::string> whats_;
  std::atomic<bool> cancel_{false};
};

TEST_F(Child, HearsProgressAndTheVerdict) {
  const auto verdict = Execute(Runs(R"(
    echo '{"done":0,"total":0,"what":"sizing the fleet a10g for chat"}' >&2
    echo '{"done":1,"total":3,"what":7}' >&2
    echo 'words on standard output go nowhere'
    echo '{"done":3,"total":3,"what":"runs"}' >&2
    echo '{"verdict":"It is cheaper."}' >&2)"));
  ASSERT_TRUE(verdict.ok()) << verdict.status();
  EXPECT_EQ(*verdict, "It is cheaper.");
  EXPECT_THAT(heard_, ElementsAre(0, 1, 3));
  EXPECT_THAT(whats_, ElementsAre("sizing the fleet a10g for chat", "", "runs"));
}

TEST_F(Child, AFailureIsToldInTheProgramsOwnWords) {
  const auto failed = Execute(Runs("echo 'error: s.yaml:3: no such pool' >&2; exit 2"));
  EXPECT_EQ(failed.status().message(), "s.yaml:3: no such pool");
  EXPECT_THAT(std::string(Execute(Runs("exit 3")).status().message()), HasSubstr("exit code 3"));
  EXPECT_THAT(std::string(Execute(Runs("kill -9 $$")).status().message()), HasSubstr("signal 9"));
  // A replay that found differences has told them, and succeeded.
  EXPECT_EQ(*Execute(Runs(R"(echo '{"verdict":"9 of 10"}' >&2; exit 1)")), "9 of 10");
}

TEST_F(Child, WordsWithoutEndAreCut) {
  const auto failed = Execute(Runs("yes 'error: again and again' | head -n 100000 >&2; exit 2"));
  EXPECT_FALSE(failed.ok());
  EXPECT_LE(failed.status().message().size(), 8192u);
}

TEST_F(Child, CancelledItEndsEvenIfItWouldNot) {
  std::thread later([this] {
    for (int i = 0; i < 2000 && TextOf("pid").empty(); ++i) absl::SleepFor(absl::Milliseconds(5));
    cancel_ = true;
  });
  const auto cancelled =
      Execute(Runs("trap '' INT TERM; echo $$ > pid; while :; do sleep 0.05; done"));
  later.join();
  EXPECT_TRUE(absl::IsCancelled(cancelled.status())) << cancelled.status();
  int pid = 0;
  ASSERT_TRUE(absl::SimpleAtoi(TextOf("pid"), &pid));
  EXPECT_NE(::kill(pid, 0), 0) << "it still runs";
}

TEST_F(Child, WhatTakesTooLongIsEnded) {
  const auto late = Execute(Runs("sleep 60", absl::Milliseconds(200)));
  EXPECT_TRUE(absl::IsDeadlineExceeded(late.status())) << late.status();
}

// The thread that started it stands for the controller: what it started dies with it.
TEST_F(Child, DiesWithTheThreadThatStartedIt) {
  const SimulationChild child = Runs("echo $$ > pid; exec sleep 60");
  const pid_t controller = ::fork();
  if (controller == 0) {
    Execute(child).IgnoreError();
    ::_exit(0);
  }
  int pid = 0;
  for (int i = 0; i < 2000 && !absl::SimpleAtoi(TextOf("pid"), &pid); ++i)
    absl::SleepFor(absl::Milliseconds(5));
  ASSERT_GT(pid, 0);
  ::kill(controller, SIGKILL);
  int status = 0;
  ::waitpid(controller, &status, 0);
  bool gone = false;
  for (int i = 0; i < 2000 && !gone; ++i) {
    std::ifstream stat(absl::StrCat("/proc/", pid, "/stat"));
    std::string id, name, state;
    gone = !(stat >> id >> name >> state) || state == "Z";
    absl::SleepFor(absl::Milliseconds(5));
  }
  EXPECT_TRUE(gone);
}

TEST_F(Child, SaysWhatItRuns) {
  const std::string tell = "printf '%s\\n' \"$@\" > words; ls > files";
  ASSERT_TRUE(Execute(Runs(tell)).ok());
  EXPECT_THAT(TextOf("words"), HasSubstr("--seeds\n2\n"));
  EXPECT_THAT(TextOf("words"), HasSubstr("/library/scenarios/spot.yaml"));
  ASSERT_TRUE(Execute(Runs(tell), {.what = ScenarioText{"name: mine\n"}, .seeds = {}}).ok());
  EXPECT_THAT(TextOf("words"), HasSubstr("--library\n"));
  EXPECT_EQ(TextOf("scenario.yaml"), "name: mine\n");
  OwnPast past;
  past.since = absl::FromUnixSeconds(1'785'110'400);
  past.policy_yaml = "name: p\n";
  ASSERT_TRUE(Execute(Runs(tell), {.what = past, .seeds = {}}).ok());
  EXPECT_THAT(TextOf("words"), HasSubstr("--replay\n/state/spillway.db\n"));
  EXPECT_THAT(TextOf("words"), HasSubstr("--since\n2026-07-27T00:00:00Z\n"));
  EXPECT_THAT(TextOf("words"), HasSubstr("--policy\npolicy.yaml\n"));
  EXPECT_EQ(TextOf("policy.yaml"), "name: p\n");
}

TEST_F(Child, ListsTheScenariosOfTheLibraryByName) {
  std::filesystem::create_directories(folder_.Of("library/scenarios"));
  std::ofstream(folder_.Of("library/scenarios/b.yaml")) << "name: b\nsays: \"Second.\"\n";
  std::ofstream(folder_.Of("library/scenarios/a.yaml")) << "name: a\nsays: \"First\n  of two.\"\n";
  std::ofstream(folder_.Of("library/scenarios/notes.txt")) << "no scenario";
  const auto found = Runs("").Scenarios();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].name, "a");
  EXPECT_EQ(found[0].says, "First of two.");
}

}  // namespace
}  // namespace spillway::cli
