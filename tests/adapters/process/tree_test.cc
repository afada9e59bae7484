// Whole process trees: what a command leaves behind, what it hides, what does not want to end.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "adapters/process/process_tree.h"
#include "gmock/gmock.h"
#include "tests/adapters/process/supervised.h"

namespace spillway {
namespace {

class Trees : public Supervised {
 protected:
  void TearDown() override {
    // Nobody else would find it, had the code under test let it go.
    pid_t escapee = 0;
    if (absl::SimpleAtoi(ReadFile(Path("escapee")), &escapee) && Lives(escapee))
      kill(escapee, SIGKILL);
    Supervised::TearDown();
  }
  // A process that writes its pid to `file`, leaves session, group, parent and environment behind,
  // and heeds no SIGTERM: as far away as a process can get.
  static std::string Escapee(const std::string& file) {
    return absl::StrCat("env -i /usr/bin/setsid /bin/sh -c 'trap \"\" TERM HUP; echo $$ >", file,
                        ".tmp; mv ", file, ".tmp ", file,
                        "; while :; do /bin/sleep 0.2; done' </dev/null >/dev/null 2>&1 & ");
  }
  pid_t PidIn(const std::string& file) {
    EXPECT_TRUE(Eventually([&] { return Exists(file); }));
    pid_t pid = 0;
    EXPECT_TRUE(absl::SimpleAtoi(ReadFile(file), &pid));
    return pid;
  }
};

TEST_F(Trees, WhatTheMainCommandLeavesBehindIsEnded) {
  StartController();
  const std::string file = Path("escapee");
  const AttemptKey key = Shell(absl::StrCat("(", Escapee(file), ") ; while [ ! -e ", file,
                                            " ]; do sleep 0.01; done; exit 3"));
  EXPECT_EQ(End(key).exit_code, 3);
  EXPECT_FALSE(Lives(PidIn(file)));  // gone before the end was told
}

TEST_F(Trees, CancelEndsEscapeesAndThoseThatIgnoreSigterm) {
  StartController({}, {"--grace-ms", "50"});
  const std::string file = Path("escapee");
  const AttemptKey key =
      Shell(absl::StrCat("trap '' TERM; ", Escapee(file), "while :; do sleep 0.2; done"));
  const pid_t escapee = PidIn(file);
  Cancel(key);
  const event::AttemptEnded end = End(key);
  EXPECT_EQ(end.fault, Fault::kCancelled);
  EXPECT_FALSE(Lives(escapee));
}

TEST_F(Trees, CancelGivesTimeToEndInOrder) {
  StartController();
  const AttemptKey key =
      Shell("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done");
  ASSERT_TRUE(ReadLogOnce(key, 0, true).ok());
  Cancel(key);
  EXPECT_EQ(End(key).fault, Fault::kCancelled);
  EXPECT_EQ(Output(key), "ready\nbye\n");
}

TEST_F(Trees, CancelReachesAStoppedTree) {
  StartController();
  const AttemptKey key =
      Shell("trap 'echo heeded; exit 0' TERM; echo up; kill -STOP $$; echo never");
  ASSERT_TRUE(ReadLogOnce(key, 0, true).ok());
  Cancel(key);
  EXPECT_EQ(End(key).fault, Fault::kCancelled);
  EXPECT_EQ(Output(key), "up\nheeded\n");
}

TEST_F(Trees, CancelOfTheUnknownAndTheEndedDoesNothing) {
  StartController();
  Cancel({JobId(4711), 1});
  const AttemptKey key = Shell("exit 0");
  End(key);
  Cancel(key);
  const AttemptKey later = Shell("exit 0");
  EXPECT_EQ(End(later).fault, Fault::kNone);
  EXPECT_EQ(sink_->Ends(key), 1);
}

TEST_F(Trees, ForkBombIsHeldAndEnded) {
  StartController({}, {"--grace-ms", "10", "--processes", "40"});
  const std::vector<std::string> limits = client_->Limits();
  const bool held = std::find(limits.begin(), limits.end(), "pids-cgroup") != limits.end();
  if (!held) GTEST_SKIP() << "nothing here limits processes; a bomb would hit the machine";
  const AttemptKey key = Shell("bomb() { bomb | bomb & }; echo lit; (bomb) & exec sleep 60");
  ASSERT_TRUE(ReadLogOnce(key, 0, true).ok());
  const AttemptKey other = Shell("echo still here");
  EXPECT_EQ(End(other).exit_code, 0);
  Cancel(key);
  EXPECT_EQ(End(key).fault, Fault::kCancelled);
}

TEST_F(Trees, KilledWardenLosesItsRunAndLeavesNothing) {
  StartController();
  const std::string file = Path("escapee");
  const AttemptKey other = Shell("while [ ! -e " + Path("go") + " ]; do sleep 0.01; done");
  // The parent of the command is its warden.
  const AttemptKey key = Shell(absl::StrCat(Escapee(file), "while [ ! -e ", file,
                                            " ]; do sleep 0.01; done; kill -9 $PPID; sleep 5"));
  const event::AttemptEnded end = End(key);
  EXPECT_EQ(end.fault, Fault::kInfrastructure);
  EXPECT_THAT(end.message, testing::HasSubstr("warden was killed"));
  EXPECT_FALSE(Lives(PidIn(file)));
  EXPECT_EQ(sink_->Ends(other), 0);  // the hunt for orphans spares the runs of others
  close(creat(Path("go").c_str(), 0600));
  EXPECT_EQ(End(other).exit_code, 0);
}

}  // namespace
}  // namespace spillway
