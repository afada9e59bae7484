#include "adapters/process/records.h"

#include <fcntl.h>
#include <unistd.h>

#include "gmock/gmock.h"
#include "tests/adapters/temporary_folder.h"

namespace spillway {
namespace {

const AttemptKey kKey{JobId(45), 3};

KeyRecord SomeKey() {
  KeyRecord record{.accepted_at = absl::FromUnixSeconds(9), .sequence = 4, .boot = "b"};
  record.order.key = kKey;
  record.order.command = {"x"};
  return record;
}

class Records : public testing::Test {
 protected:
  std::map<AttemptKey, FoundRun> Load(int expected_unreadable = 0) {
    int unreadable = 0;
    auto found = records_.Load(unreadable);
    EXPECT_TRUE(found.ok());
    EXPECT_EQ(unreadable, expected_unreadable);
    return *std::move(found);
  }
  void Overwrite(const std::string& name, const std::string& bytes) {
    ASSERT_TRUE(WriteWholeFile(folder_.fd(), name, bytes, Durability::kSurvivesKill).ok());
  }
  TemporaryFolder folder_;
  RunRecords records_{UniqueFd(open(folder_.path().c_str(), O_RDONLY | O_DIRECTORY))};
};

TEST_F(Records, RunNamesGoThereAndBack) {
  EXPECT_EQ(RunName(kKey), "job-000045.3");
  EXPECT_EQ(ParseRunName("job-000045.3"), kKey);
  for (const char* bad : {"", ".", "job-45.3", "job-000045", "job-000045.0", "job-000045.03",
                          "job-000045.-1", "x.1", "../job-000045.1", "job-000045.1.2"}) {
    EXPECT_EQ(ParseRunName(bad), std::nullopt) << bad;
  }
}

TEST_F(Records, WhatIsWrittenIsFoundAgain) {
  ASSERT_TRUE(records_.Write(kKey, SomeKey()).ok());
  ASSERT_TRUE(
      WriteRecord(folder_.fd(), kKey, StartedRecord{.warden = 5, .command = 6, .command_ticks = 7})
          .ok());
  ASSERT_TRUE(
      WriteRecord(folder_.fd(), kKey, StatusRecord{.outcome = RunOutcome::kExited, .code = 2})
          .ok());
  const FoundRun run = Load().at(kKey);
  EXPECT_EQ(run.key->order, SomeKey().order);
  EXPECT_EQ(run.started->command_ticks, 7u);
  EXPECT_EQ(run.status->code, 2);
  EXPECT_FALSE(run.end);
}

TEST_F(Records, EndStandsAlone) {
  ASSERT_TRUE(records_.Write(kKey, SomeKey()).ok());
  EndRecord end{.out = {.total = 10, .head = 4, .tail = 4, .in_order = true}};
  end.report.code = 3;
  ASSERT_TRUE(records_.Write(kKey, end, Durability::kSurvivesPowerLoss).ok());
  records_.RemoveAllButEnd(kKey);
  const FoundRun run = Load().at(kKey);
  EXPECT_FALSE(run.key);  // and with it the job's environment has left the disk
  EXPECT_EQ(run.end->report.code, 3);
  EXPECT_EQ(run.end->out.dropped(), 2u);
  records_.Remove(kKey);
  EXPECT_TRUE(Load().empty());
}

TEST_F(Records, DamagedRecordStillShowsThatTheKeyWasSeen) {
  ASSERT_TRUE(records_.Write(kKey, SomeKey()).ok());
  Overwrite("job-000045.3.key", "torn");
  const auto found = Load(1);
  ASSERT_TRUE(found.contains(kKey));
  EXPECT_FALSE(found.at(kKey).key);
}

TEST_F(Records, ForeignAndUnfinishedFilesAreLeftAlone) {
  Overwrite("notes.txt", "mine");
  Overwrite("job-000045.3.key.tmp", "half");
  EXPECT_TRUE(Load().empty());
  EXPECT_TRUE(ReadWholeFile(folder_.fd(), "notes.txt", 10).ok());
}

TEST_F(Records, EpochIsZeroAtFirstAndKept) {
  EXPECT_EQ(*ReadEpoch(folder_.fd()), 0u);
  ASSERT_TRUE(WriteEpoch(folder_.fd(), 12).ok());
  EXPECT_EQ(*ReadEpoch(folder_.fd()), 12u);
  Overwrite("supervisor.epoch", "garbage");
  EXPECT_FALSE(ReadEpoch(folder_.fd()).ok());  // not 0: an old controller must not get in
}

TEST(Files, LinksAreNotFollowed) {
  TemporaryFolder folder;
  ASSERT_EQ(symlink("/etc", (folder / "link").c_str()), 0);
  ASSERT_EQ(symlink("/etc/passwd", (folder / "file").c_str()), 0);
  EXPECT_FALSE(OpenFolder(folder.fd(), "link").ok());
  EXPECT_FALSE(ReadWholeFile(folder.fd(), "file", 1 << 20).ok());
  RemoveTree(folder.fd(), "link");
  EXPECT_EQ(access("/etc/passwd", F_OK), 0);
  EXPECT_NE(faccessat(folder.fd(), "link", F_OK, AT_SYMLINK_NOFOLLOW), 0);
}

TEST(Files, TreeIsRemovedWithAllThatIsInIt) {
  TemporaryFolder folder;
  const auto outer = OpenFolder(folder.fd(), "outer");
  const auto inner = OpenFolder(outer->get(), "inner");
  ASSERT_TRUE(WriteWholeFile(inner->get(), "file", "x", Durability::kSurvivesKill).ok());
  RemoveTree(folder.fd(), "outer");
  EXPECT_THAT(*ListFolder(folder.fd()), testing::IsEmpty());
}

TEST(Files, FileLongerThanItsBoundIsNotRead) {
  TemporaryFolder folder;
  ASSERT_TRUE(
      WriteWholeFile(folder.fd(), "f", std::string(100, 'x'), Durability::kSurvivesKill).ok());
  EXPECT_TRUE(ReadWholeFile(folder.fd(), "f", 100).ok());
  EXPECT_EQ(ReadWholeFile(folder.fd(), "f", 99).status().code(),
            absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace spillway
