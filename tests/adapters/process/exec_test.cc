#include "adapters/process/exec.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "gmock/gmock.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(CandidatesFor, NameWithASlashIsTakenAsItIs) {
  EXPECT_THAT(CandidatesFor("./x", {"PATH=/a:/b"}), ElementsAre("./x"));
  EXPECT_THAT(CandidatesFor("/bin/x", {}), ElementsAre("/bin/x"));
}

TEST(CandidatesFor, PlainNameIsSearchedInOrderAndNeverInTheWorkingFolder) {
  EXPECT_THAT(CandidatesFor("x", {"A=1", "PATH=/a::/b:"}), ElementsAre("/a/x", "/b/x"));
  EXPECT_THAT(CandidatesFor("x", {"A=1"}), IsEmpty());
}

TEST(StartTrouble, SaysWhoseFaultItIs) {
  EXPECT_TRUE(IsOwnFault({StartStep::kCommand, ENOENT}));
  EXPECT_TRUE(IsOwnFault({StartStep::kCommand, E2BIG}));
  EXPECT_TRUE(IsOwnFault({StartStep::kFolder, EACCES}));
  EXPECT_FALSE(IsOwnFault({StartStep::kCommand, ENOMEM}));
  EXPECT_FALSE(IsOwnFault({StartStep::kLimits, EACCES}));
  EXPECT_FALSE(IsOwnFault({StartStep::kFork, EAGAIN}));
}

TEST(StartTrouble, WordsStayOnOneLineAndShort) {
  CommandPlan plan;
  plan.argv = {"a\nb"};
  plan.cwd = std::string(199, 'x') + "\xc3\xa9" + std::string(500, 'y');
  EXPECT_EQ(InWords({StartStep::kCommand, ENOENT}, plan),
            "cannot start: command `a?b`: No such file or directory");
  const std::string folder = InWords({StartStep::kFolder, EACCES}, plan);
  EXPECT_EQ(folder, "cannot start: folder `" + std::string(199, 'x') + "...`: Permission denied");
}

TEST(CloseAllBut, ClosesTheOthers) {
  const pid_t child = fork();
  if (child == 0) {
    const int kept = open("/dev/null", O_RDONLY), other = open("/dev/null", O_RDONLY),
              far = fcntl(kept, F_DUPFD, 200);
    CloseAllBut({far, kept, -1});
    const bool good = fcntl(kept, F_GETFD) >= 0 && fcntl(far, F_GETFD) >= 0 &&
                      fcntl(other, F_GETFD) < 0 && fcntl(0, F_GETFD) < 0;
    _exit(good ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace spillway
