#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <random>
#include <thread>

#include "absl/strings/str_cat.h"
#include "controller/store/sqlite_archive.h"
#include "controller/store/sqlite_store.h"
#include "tests/controller/store/scribe.h"
#include "tests/support/temporary_folder.h"

// A process that commits is killed at any instant: what it was told is committed is there, whole.
namespace spillway {
namespace {

using testing_support::Difference;
using testing_support::Scribe;
using testing_support::TemporaryFolder;

// Commits for ever what `scribe` writes next; says the number of each batch after its commit.
[[noreturn]] void CommitUntilKilled(const std::string& path, Scribe scribe, int say) {
  auto store = SqliteStore::Open({.path = path});
  if (!store.ok() || !(*store)->Recall().ok()) ::_exit(3);
  for (std::uint32_t i = 1;; ++i) {
    const Batch batch = scribe.NextApplied(2);
    if (!(*store)->Commit(batch).ok()) ::_exit(4);
    if (::write(say, &i, sizeof i) != sizeof i) ::_exit(5);
    if (i % 4 == 0 && !(*store)->Tidy(absl::InfinitePast()).ok()) ::_exit(6);
  }
}

struct Killed {
  std::uint32_t acknowledged = 0;  // batches
  bool by_us = false;
};

// Lets it go on until it has acknowledged `more` batches, and then a little.
Killed RunAndKill(const std::string& path, const Scribe& scribe, int more,
                  std::chrono::microseconds grace) {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    CommitUntilKilled(path, scribe, ends[1]);
  }
  ::close(ends[1]);
  Killed killed;
  std::uint32_t number = 0;
  for (int i = 0; i < more && ::read(ends[0], &number, sizeof number) == sizeof number; ++i)
    killed.acknowledged = number;
  std::this_thread::sleep_for(grace);  // to hit another place in the middle of a commit
  ::kill(child, SIGKILL);
  while (::read(ends[0], &number, sizeof number) == sizeof number) killed.acknowledged = number;
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  killed.by_us = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  return killed;
}

TEST(Crash, EveryAcknowledgedBatchIsThereAndNoneInPart) {
  constexpr std::uint64_t kSeed = 20240607;
  const TemporaryFolder folder;
  const std::string path = folder.Of("spillway.db");
  std::mt19937_64 bits(kSeed);
  Scribe scribe(kSeed);  // has written what is committed
  std::uint32_t committed = 0;
  for (int round = 0; round < 20; ++round) {
    SCOPED_TRACE(absl::StrCat("round ", round));
    const Killed killed = RunAndKill(path, scribe, static_cast<int>(bits() % 6),
                                     std::chrono::microseconds(bits() % 3000));
    ASSERT_TRUE(killed.by_us);

    const auto store = SqliteStore::Open({.path = path});
    ASSERT_TRUE(store.ok()) << store.status();
    const auto remembered = (*store)->Recall();
    ASSERT_TRUE(remembered.ok()) << remembered.status();
    // What is there is some number of whole batches: all acknowledged ones, and at most one more.
    std::uint32_t found = 0;
    while (scribe.model().counters.last_event < remembered->counters.last_event) {
      scribe.NextApplied(2);
      ++found;
    }
    ASSERT_GE(found, killed.acknowledged);
    ASSERT_LE(found, killed.acknowledged + 1);
    ASSERT_EQ(Difference(scribe.model(), *remembered), "");
    const auto archive = SqliteArchive::Open({.path = path});
    ASSERT_TRUE((*archive)->Check().ok());
    if (round % 5 == 4) {
      ASSERT_EQ(Difference(scribe.model(), **archive), "");
    }
    committed += found;
  }
  EXPECT_GT(committed, 20u);
}

}  // namespace
}  // namespace spillway
