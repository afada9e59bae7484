#include "controller/store/state_lock.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "tests/support/temporary_folder.h"

namespace spillway {
namespace {

using testing::HasSubstr;
using testing_support::TemporaryFolder;

TEST(StateLock, MakesAPrivateFolderAndThoseAboveIt) {
  const TemporaryFolder folder;
  const std::string state = folder.Of("a/b/state");
  ASSERT_TRUE(StateLock::Take(state).ok());
  struct stat found {};
  ASSERT_EQ(::stat(state.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0700u);
}

TEST(StateLock, TakesAFolderWithATrailingSlashAndLeavesForeignFilesAlone) {
  const TemporaryFolder folder;
  { std::ofstream(folder.Of("notes.txt")) << "mine"; }
  ASSERT_TRUE(StateLock::Take(folder.path() + "/").ok());
  EXPECT_TRUE(std::filesystem::exists(folder.Of("notes.txt")));
}

TEST(StateLock, TheSecondIsToldWhoHoldsIt) {
  const TemporaryFolder folder;
  const auto first = StateLock::Take(folder.path());
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = StateLock::Take(folder.path());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(second.status().message()),
              HasSubstr(absl::StrCat("is in use by another controller, process ", ::getpid())));
}

TEST(StateLock, AFolderThatCannotBeIsAWrongArgument) {
  for (const char* folder : {"/proc/x", "/proc/x/y", "/dev/null/x"}) {
    const absl::Status status = StateLock::Take(folder).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_NE(status.message().find("name a folder that can be made"), status.message().npos);
  }
}

TEST(StateLock, IsFreeAgainAfterItsHolder) {
  const TemporaryFolder folder;
  ASSERT_TRUE(StateLock::Take(folder.path()).ok());
  EXPECT_TRUE(StateLock::Take(folder.path()).ok());
}

TEST(StateLock, GoesWithTheProcessHoweverItEnds) {
  const TemporaryFolder folder;
  int told[2];
  ASSERT_EQ(::pipe(told), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = StateLock::Take(folder.path());
    const char ok = lock.ok() ? 'y' : 'n';
    (void)!::write(told[1], &ok, 1);
    ::pause();
    ::_exit(0);
  }
  char answer = 0;
  ASSERT_EQ(::read(told[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  const auto held = StateLock::Take(folder.path());
  EXPECT_THAT(std::string(held.status().message()), HasSubstr(absl::StrCat("process ", child)));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(StateLock::Take(folder.path()).ok());
  ::close(told[0]);
  ::close(told[1]);
}

TEST(StateLock, ProgramsThatTheHolderStartsDoNotInheritIt) {
  const TemporaryFolder folder;
  auto lock = StateLock::Take(folder.path());
  ASSERT_TRUE(lock.ok());
  int told[2];
  ASSERT_EQ(::pipe2(told, 0), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl("/bin/sh", "sh", "-c", absl::StrCat("echo >&", told[1], "; exec sleep 60").c_str(),
            nullptr);
    ::_exit(1);
  }
  char line = 0;
  ASSERT_EQ(::read(told[0], &line, 1), 1);  // the program runs
  lock->reset();
  EXPECT_TRUE(StateLock::Take(folder.path()).ok());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(told[0]);
  ::close(told[1]);
}

TEST(StateLock, SaysWhatIsInTheWay) {
  const TemporaryFolder folder;
  { std::ofstream(folder.Of("file")) << ""; }
  EXPECT_THAT(std::string(StateLock::Take(folder.Of("file")).status().message()),
              HasSubstr(folder.Of("file")));
}

}  // namespace
}  // namespace spillway
