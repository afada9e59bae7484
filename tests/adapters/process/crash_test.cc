// Death at every instant: of the controller, of the supervisor, of the wardens, of all together.
// Whatever dies, a command runs at most once, and its end is told once.
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "adapters/process/process_tree.h"
#include "gmock/gmock.h"
#include "tests/adapters/process/supervised.h"

extern char** environ;

namespace spillway {
namespace {

class Crashes : public Supervised {
 protected:
  std::string CountedScript(const std::string& then) {
    return absl::StrCat("echo ran >>", Path("runs.txt"), "; ", then);
  }
  std::size_t Runs() { return LinesOf(Path("runs.txt")).size(); }
};

class ControllerDies : public Crashes, public testing::WithParamInterface<const char*> {};
TEST_P(ControllerDies, AndTheNextOneLaunchesAgain) {
  const std::string script = CountedScript("exit 4");
  std::string program = TEST_CONTROLLER, supervisor = TEST_SUPERVISOR, step = GetParam(),
              text = script;
  char* argv[] = {program.data(), dir_.data(), supervisor.data(),
                  step.data(),    text.data(), nullptr};
  pid_t pid = 0;
  ASSERT_EQ(posix_spawn(&pid, program.c_str(), nullptr, nullptr, argv, environ), 0);
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
  // The next controller's records hold the attempt as launched, and it asks again for what it
  // cannot know to have happened.
  const AttemptKey key{JobId(1), 1};
  epoch_ = last_job_ = 1;
  StartController({key});
  LaunchAgain(key, script, epoch_);
  const event::AttemptEnded end = End(key);
  EXPECT_EQ(End(Shell("exit 0")).exit_code, 0);
  // Either it had been taken, and ran; or it had not, and never will.
  EXPECT_EQ(Runs(), end.exit_code == 4 ? 1u : 0u);
  if (end.exit_code != 4) {
    EXPECT_EQ(end.fault, Fault::kInfrastructure);
  }
  if (step == "answered") {
    EXPECT_EQ(end.exit_code, 4);
  }
  if (step == "connected" || step == "taken" || step == "half") {
    EXPECT_EQ(end.fault, Fault::kInfrastructure);
  }
}
INSTANTIATE_TEST_SUITE_P(AtStep, ControllerDies,
                         testing::Values("connected", "taken", "half", "launched", "answered"),
                         [](const auto& row) { return std::string(row.param); });

struct Step {
  const char* name;
  const char* step;
  const char* who;
  bool lost;  // it may have begun, and nobody knows how it ended
};
class SupervisorDies : public Crashes, public testing::WithParamInterface<Step> {};
TEST_P(SupervisorDies, AndEveryCommandRunsAtMostOnce) {
  CrashAt(GetParam().step, GetParam().who);
  StartController({}, {"--grace-ms", "50"});
  const AttemptKey key = Shell(CountedScript("exit 4"));
  const event::AttemptEnded end = End(key);  // the client finds a new supervisor by itself
  EXPECT_FALSE(Exists(Path("crash-at"))) << "the step was never reached";
  EXPECT_EQ(sink_->Ends(key), 1);
  EXPECT_LE(sink_->Starts(key), 1);
  EXPECT_LE(Runs(), 1u);
  if (GetParam().lost) {
    EXPECT_EQ(end.fault, Fault::kInfrastructure) << end.message;
  } else {
    EXPECT_EQ(end.exit_code, 4) << end.message;
    EXPECT_EQ(Runs(), 1u);
  }
  // The same key again starts nothing, whatever has happened.
  StopController();
  StartController({key});
  LaunchAgain(key, CountedScript("exit 4"), epoch_);
  End(key);
  EXPECT_EQ(End(Shell("exit 0")).exit_code, 0);
  EXPECT_LE(Runs(), 1u);
}
INSTANTIATE_TEST_SUITE_P(
    AtStep, SupervisorDies,
    testing::Values(Step{"KeyWritten", "key-written", "self", false},
                    Step{"WardenForkedAndAllDie", "warden:forked", "all", false},
                    Step{"WardenAloneBeforeItsRecord", "warden:forked", "self", true},
                    Step{"StartRecordedAndAllDie", "warden:recorded", "all", true},
                    Step{"StartRecordedAndWardenDies", "warden:recorded", "self", true},
                    Step{"CommandOverAndAllDie", "warden:command-over", "all", true},
                    Step{"StatusWrittenAndAllDie", "warden:status-written", "all", false},
                    Step{"StatusWrittenAndWardenDies", "warden:status-written", "self", false},
                    Step{"BeforeTheEndIsWritten", "before-end", "self", false},
                    Step{"EndWritten", "end-written", "self", false}),
    [](const auto& row) { return std::string(row.param.name); });

TEST_F(Crashes, SupervisorKilledWhileACommandRunsEndsItAndTellsThatItIsLost) {
  StartController();
  const AttemptKey key =
      Shell(CountedScript("(setsid sh -c 'trap \"\" TERM; echo $$ >" + Path("pid") +
                          "; while :; do sleep 0.1; done' &) ; while :; do sleep 0.1; done"));
  ASSERT_TRUE(Eventually([&] { return !LinesOf(Path("pid")).empty(); }));
  const pid_t pid = std::stoi(ReadFile(Path("pid")));
  KillSupervisor(SIGKILL);
  const event::AttemptEnded end = End(key);
  EXPECT_EQ(end.fault, Fault::kInfrastructure);
  EXPECT_THAT(end.message, testing::HasSubstr("supervisor died"));
  EXPECT_FALSE(Lives(pid));  // it was gone before that was told
  EXPECT_EQ(Runs(), 1u);
}

TEST_F(Crashes, SupervisorAndWardensKilledTogetherLeaveNothingRunning) {
  StartController();
  const AttemptKey key =
      Shell(CountedScript("(setsid sh -c 'echo $$ >" + Path("pid") +
                          "; while :; do sleep 0.1; done' &) ; while :; do sleep 0.1; done"));
  ASSERT_TRUE(Eventually([&] { return !LinesOf(Path("pid")).empty(); }));
  const pid_t pid = std::stoi(ReadFile(Path("pid")));
  const pid_t supervisor = SupervisorPid();
  kill(supervisor, SIGSTOP);  // so that it cannot see its warden die first
  for (const ProcessStat& stat : DescendantsOf(supervisor, ListProcesses())) {
    if (stat.parent == supervisor) kill(stat.pid, SIGKILL);
  }
  kill(supervisor, SIGKILL);
  EXPECT_EQ(End(key).fault, Fault::kInfrastructure);
  EXPECT_FALSE(Lives(pid));
}

TEST_F(Crashes, WhatHadNotBegunIsCarriedOnByTheNextSupervisor) {
  StartController();
  PoolSpec pool;
  pool.name = "pretended";
  pool.adapter.max_commands = 1;
  modelled_->AddPool(PoolId(1), pool);
  ASSERT_TRUE(modelled_->Start(epoch_, {}).ok());
  const auto launch = [&](const std::string& script) {
    const AttemptKey key = NextKey();
    command::Launch order =
        LaunchOf(key, {.command = {"/bin/sh", "-c", script}, .env = {}, .cwd = {}});
    order.pool = PoolId(1);
    modelled_->Launch(order);
    return key;
  };
  const AttemptKey running = launch("while :; do sleep 0.1; done");
  const AttemptKey waiting = launch(CountedScript("exit 3"));
  ASSERT_TRUE(sink_->WaitForStart(running));
  ASSERT_TRUE(Eventually([&] { return Exists(Path("runs/job-000002.1.key")); }));
  KillSupervisor(SIGKILL);
  EXPECT_EQ(End(running).fault, Fault::kInfrastructure);
  EXPECT_EQ(End(waiting).exit_code, 3);
  EXPECT_EQ(Runs(), 1u);
}

TEST_F(Crashes, SupervisorKilledAgainAndAgainStartsNothingTwice) {
  StartController();
  std::vector<AttemptKey> keys;
  for (int i = 0; i < 30; ++i) {
    keys.push_back(Shell(absl::StrCat("echo ", i, " >>", Path("runs.txt"), "; sleep 0.0", i % 7)));
    if (i % 6 == 5) KillSupervisor(SIGKILL);
  }
  for (const AttemptKey key : keys) End(key);
  std::vector<std::string> lines = LinesOf(Path("runs.txt"));
  std::sort(lines.begin(), lines.end());
  EXPECT_EQ(std::adjacent_find(lines.begin(), lines.end()), lines.end()) << "a command ran twice";
  for (const AttemptKey key : keys) EXPECT_EQ(sink_->Ends(key), 1);
}

TEST_F(Crashes, TornRecordIsNotBelievedAndStartsNothing) {
  StartController();
  const AttemptKey key = Shell(CountedScript("while :; do sleep 0.05; done"));
  ASSERT_TRUE(Eventually([&] { return Runs() == 1; }));
  StopController();
  KillSupervisor(SIGKILL);
  ASSERT_TRUE(Eventually([&] { return SupervisorPid() == 0; }));
  std::ofstream(Path("runs/job-000001.1.key"), std::ios::trunc) << "torn";
  StartController({key});
  EXPECT_EQ(End(key).fault, Fault::kInfrastructure);
  LaunchAgain(key, CountedScript("exit 0"), epoch_);
  EXPECT_EQ(End(Shell("exit 0")).exit_code, 0);
  EXPECT_EQ(Runs(), 1u);
}

}  // namespace
}  // namespace spillway
