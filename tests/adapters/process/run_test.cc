// What a command gets, and what is told of its end.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "tests/adapters/process/supervised.h"

namespace spillway {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;
using testing::StartsWith;

class RunOneCommand : public Supervised {
 protected:
  void SetUp() override {
    Supervised::SetUp();
    StartController();
  }
};

TEST_F(RunOneCommand, StartsThenEndsWithExitCodeZero) {
  const AttemptKey key = Shell("exit 0");
  const event::AttemptEnded end = End(key);
  EXPECT_EQ(end.fault, Fault::kNone);
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_EQ(sink_->Starts(key), 1);
  EXPECT_EQ(sink_->Ends(key), 1);
}

TEST_F(RunOneCommand, ExitCodeIsTheJobsOwnFault) {
  const event::AttemptEnded end = End(Shell("exit 7"));
  EXPECT_EQ(end.fault, Fault::kOwn);
  EXPECT_EQ(end.exit_code, 7);
  EXPECT_EQ(end.signal, std::nullopt);
}

TEST_F(RunOneCommand, SignalIsToldAsSuch) {
  const event::AttemptEnded end = End(Shell("kill -SEGV $$"));
  EXPECT_EQ(end.fault, Fault::kOwn);
  EXPECT_EQ(end.signal, SIGSEGV);
  EXPECT_EQ(end.exit_code, std::nullopt);
}

TEST_F(RunOneCommand, MissingCommandIsToldInWords) {
  const AttemptKey key = Launch({"no-such-command-anywhere"});
  const event::AttemptEnded end = End(key);
  EXPECT_EQ(end.fault, Fault::kOwn);
  EXPECT_EQ(end.message,
            "cannot start: command `no-such-command-anywhere`: No such file or directory");
  EXPECT_EQ(sink_->Starts(key), 0);
}

TEST_F(RunOneCommand, FileThatMayNotBeRunIsToldInWords) {
  std::ofstream(Path("plain")) << "text";
  EXPECT_EQ(End(Launch({Path("plain")})).message,
            absl::StrCat("cannot start: command `", Path("plain"), "`: Permission denied"));
}

TEST_F(RunOneCommand, MissingFolderIsToldInWords) {
  const event::AttemptEnded end =
      End(Launch({"/bin/true"}, {.command = {}, .env = {}, .cwd = "/no/such/folder"}));
  EXPECT_EQ(end.fault, Fault::kOwn);
  EXPECT_EQ(end.message, "cannot start: folder `/no/such/folder`: No such file or directory");
}

TEST_F(RunOneCommand, ScriptWithoutInterpreterIsNeverGivenToAShell) {
  std::ofstream(Path("script")) << "touch " << Path("ran") << "\n";
  chmod(Path("script").c_str(), 0700);
  EXPECT_THAT(End(Launch({Path("script")})).message, HasSubstr("Exec format error"));
  EXPECT_FALSE(Exists(Path("ran")));
}

TEST_F(RunOneCommand, ArgumentsArriveByteForByte) {
  std::vector<std::string> hostile{"; touch " + Path("pwned"),
                                   "$(id)",
                                   "`id`",
                                   "a\nb",
                                   " ",
                                   "",
                                   "'\"\\",
                                   "*",
                                   "--",
                                   "-n",
                                   "\x01\xff\xfe",
                                   std::string(100'000, 'x'),
                                   "%s%n",
                                   "~",
                                   "${IFS}",
                                   "\t|&<>"};
  std::vector<std::string> command{"/bin/sh", "-c", "for a; do printf '%s\\0' \"$a\"; done", "sh"};
  command.insert(command.end(), hostile.begin(), hostile.end());
  const AttemptKey key = Launch(command);
  ASSERT_EQ(End(key).exit_code, 0);
  EXPECT_EQ(Output(key),
            absl::StrCat(absl::StrJoin(hostile, std::string(1, '\0')), std::string(1, '\0')));
  EXPECT_FALSE(Exists(Path("pwned")));
}

TEST_F(RunOneCommand, EnvironmentHoldsOnlyWhatIsAllowed) {
  setenv("LD_PRELOAD_OF_CONTROLLER", "leak", 1);
  setenv("SECRET_KEY", "leak", 1);
  StopController();
  KillSupervisor(SIGTERM);
  ASSERT_TRUE(Eventually([&] { return SupervisorPid() == 0; }));
  setenv("LANG", "C.UTF-8", 1);
  StartController();  // and with it a supervisor that has our environment before it
  const AttemptKey key =
      Launch({"/usr/bin/env", "-0"},
             {.command = {}, .env = {{"GIVEN", "a\nb=c"}, {"HOME", "/nowhere"}}, .cwd = {}});
  ASSERT_EQ(End(key).exit_code, 0);
  std::vector<std::string> names;
  const std::vector<std::string> entries = absl::StrSplit(Output(key), '\0', absl::SkipEmpty());
  for (const std::string& entry : entries) names.push_back(entry.substr(0, entry.find('=')));
  EXPECT_THAT(names,
              ElementsAre("GIVEN", "HOME", "LANG", "PATH", "SPILLWAY_ATTEMPT", "SPILLWAY_DEVICE",
                          "SPILLWAY_DEVICES", "SPILLWAY_JOB", "SPILLWAY_POOL", "SPILLWAY_RUN"));
  EXPECT_THAT(entries, IsSupersetOf({"GIVEN=a\nb=c", "HOME=/nowhere", "SPILLWAY_POOL=here",
                                     "SPILLWAY_ATTEMPT=1"}));
  unsetenv("SECRET_KEY");
  unsetenv("LD_PRELOAD_OF_CONTROLLER");
}

TEST_F(RunOneCommand, ReservedVariableIsRefused) {
  const event::AttemptEnded end =
      End(Launch({"/bin/true"}, {.command = {}, .env = {{"SPILLWAY_RUN", "x"}}, .cwd = {}}));
  EXPECT_EQ(end.fault, Fault::kOwn);
  EXPECT_THAT(end.message, HasSubstr("`SPILLWAY_RUN`"));
}

TEST_F(RunOneCommand, NothingElseIsOpenAndSignalsAreDefault) {
  // The shell itself opens nothing; ls has its own descriptor of the folder that it lists.
  const AttemptKey files = Launch({"/bin/ls", "/proc/self/fd"});
  ASSERT_EQ(End(files).exit_code, 0);
  EXPECT_EQ(Output(files), "0\n1\n2\n3\n");
  const AttemptKey status =
      Launch({"/bin/grep", "-E", "^(SigBlk|SigIgn|NoNewPrivs|Seccomp)", "/proc/self/status"});
  ASSERT_EQ(End(status).exit_code, 0);
  EXPECT_THAT(Output(status),
              AllOf(HasSubstr("SigBlk:\t0000000000000000"), HasSubstr("SigIgn:\t0000000000000000"),
                    HasSubstr("NoNewPrivs:\t1")));
}

TEST_F(RunOneCommand, StandardInputIsEmptyAndUmaskAndCoreAreSet) {
  const AttemptKey key = Shell("cat; umask; ulimit -c");
  ASSERT_EQ(End(key).exit_code, 0);
  EXPECT_EQ(Output(key), "0022\n0\n");
}

TEST_F(RunOneCommand, HasAFreshFolderOfItsOwnForEachAttempt) {
  const AttemptKey first = Shell("pwd; touch mine");
  ASSERT_EQ(End(first).exit_code, 0);
  EXPECT_EQ(Output(first), absl::StrCat(Path("work/"), ToString(first.job), "\n"));
  EXPECT_TRUE(Exists(Path("work/" + ToString(first.job) + "/mine")));
  const AttemptKey second{first.job, 2};
  LaunchAgain(second, "pwd; ls -a", epoch_);
  ASSERT_EQ(End(second).exit_code, 0);
  EXPECT_EQ(Output(second), absl::StrCat(Path("work/"), ToString(first.job), ".2\n.\n..\n"));
}

TEST_F(RunOneCommand, StreamsAreKeptApart) {
  const AttemptKey key = Shell("echo out; echo err >&2");
  ASSERT_EQ(End(key).exit_code, 0);
  EXPECT_EQ(Output(key), "out\n");
  EXPECT_EQ(Output(key, LogStream::kStderr), "err\n");
  EXPECT_EQ(ReadFile(Path("logs/job-000001.1.out")), "out\n");
}

TEST_F(RunOneCommand, FewerCpusThanThereAreMeansAffinity) {
  Needs needs;
  needs.cpus = MilliCpus(500);
  const AttemptKey key = Launch({"/usr/bin/nproc"}, {}, needs);
  ASSERT_EQ(End(key).exit_code, 0);
  EXPECT_EQ(Output(key), "1\n");
  EXPECT_THAT(client_->Limits(), Contains("cpu-affinity"));
}

TEST_F(RunOneCommand, MemoryLimitHoldsWhereThePoolSaysSo) {
  const std::vector<std::string> limits = client_->Limits();
  if (std::find(limits.begin(), limits.end(), "memory-cgroup") == limits.end())
    GTEST_SKIP() << "no writable cgroup here";
  Needs needs;
  needs.memory = Bytes(32 << 20);
  const event::AttemptEnded end = End(Launch(
      {"/bin/sh", "-c", "head -c 300000000 /dev/zero | tail -c 300000000 >/dev/null; kill -9 $$"},
      {}, needs));
  EXPECT_EQ(end.fault, Fault::kOwn);
  EXPECT_THAT(end.message, HasSubstr("memory limit"));
  // The same without a limit that bites ends well.
  needs.memory = Bytes(1LL << 30);
  EXPECT_EQ(
      End(Launch({"/bin/sh", "-c", "head -c 100000000 /dev/zero | tail -c 100000000 >/dev/null"},
                 {}, needs))
          .fault,
      Fault::kNone);
}

TEST_F(RunOneCommand, ManyAtOnceAllEndOnce) {
  std::vector<AttemptKey> keys;
  for (int i = 0; i < 60; ++i) keys.push_back(Shell(absl::StrCat("echo ", i, "; exit ", i % 3)));
  for (int i = 0; i < 60; ++i) {
    EXPECT_EQ(End(keys[i]).exit_code, i % 3);
    EXPECT_EQ(Output(keys[i]), absl::StrCat(i, "\n"));
  }
  for (const AttemptKey key : keys) EXPECT_EQ(sink_->Ends(key), 1);
}

TEST_F(RunOneCommand, CommandTooLongForOneMessageIsRefusedAsItsOwnFault) {
  const event::AttemptEnded end = End(Launch({"/bin/true", std::string(2 << 20, 'x')}));
  EXPECT_EQ(end.fault, Fault::kOwn);
  EXPECT_THAT(end.message, HasSubstr("at most 1048576"));
}

}  // namespace
}  // namespace spillway
