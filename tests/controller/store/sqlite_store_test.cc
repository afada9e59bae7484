#include "controller/store/sqlite_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <limits>

#include "absl/strings/str_cat.h"
#include "controller/store/schema.h"
#include "controller/store/sqlite_archive.h"
#include "tests/controller/store/scribe.h"
#include "tests/support/temporary_folder.h"

namespace spillway {
namespace {

using testing::HasSubstr;
using testing_support::Difference;
using testing_support::Scribe;
using testing_support::TemporaryFolder;

constexpr std::size_t kAll = std::numeric_limits<std::int32_t>::max();

std::string Message(const absl::Status& status) { return std::string(status.message()); }

class SqliteStoreTest : public testing::Test {
 protected:
  std::unique_ptr<SqliteStore> OpenStore() {
    auto store = SqliteStore::Open({.path = path_});
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  std::unique_ptr<SqliteArchive> OpenArchive() {
    auto archive = SqliteArchive::Open({.path = path_});
    EXPECT_TRUE(archive.ok()) << archive.status();
    return archive.ok() ? *std::move(archive) : nullptr;
  }
  // Runs SQL past the store, as somebody with the sqlite3 program would.
  void Sql(const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db);
    sqlite3_close(db);
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_.Of("spillway.db");
};

TEST_F(SqliteStoreTest, ANewOneRemembersNothing) {
  const auto store = OpenStore();
  const auto remembered = store->Recall();
  ASSERT_TRUE(remembered.ok()) << remembered.status();
  EXPECT_EQ(Difference(testing_support::Model(), *remembered), "");
  EXPECT_FALSE(remembered->policy.has_value());
  EXPECT_THAT(*store->Events(EventNumber{1}, kAll), testing::IsEmpty());
}

// The law of the store: after any batches, the log holds all events and each table the last row of
// each key; the same after the next start.
TEST_F(SqliteStoreTest, HoldsTheEventsAndTheLastRowOfEachKey) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    const TemporaryFolder folder;
    const std::string path = folder.Of("spillway.db");
    auto store = *SqliteStore::Open({.path = path});
    auto archive = *SqliteArchive::Open({.path = path});
    Scribe scribe(seed);
    for (int i = 0; i < 20; ++i) {
      const absl::Status status =
          store->Commit(scribe.NextApplied(static_cast<int>(scribe.random().Below(8))));
      ASSERT_TRUE(status.ok()) << status;
      ASSERT_EQ(Difference(scribe.model(), *archive), "");
      ASSERT_EQ(Difference(scribe.model(), *store->Recall()), "");
      if (scribe.random().OneIn(4)) store = nullptr, store = *SqliteStore::Open({.path = path});
    }
    EXPECT_EQ(Difference(scribe.model(), *store->Events(EventNumber{1}, kAll)), "");
    EXPECT_TRUE(archive->Check().ok());
  }
}

TEST_F(SqliteStoreTest, GivesTheLogInParts) {
  const auto store = OpenStore();
  Scribe scribe(3);
  ASSERT_TRUE(store->Commit(scribe.NextApplied(10)).ok());
  const auto part = store->Events(EventNumber{4}, 3);
  ASSERT_TRUE(part.ok());
  ASSERT_EQ(part->size(), 3u);
  EXPECT_EQ(part->front().number, EventNumber{4});
  EXPECT_EQ(part->back().number, EventNumber{6});
  EXPECT_THAT(*store->Events(EventNumber{11}, 3), testing::IsEmpty());
}

TEST_F(SqliteStoreTest, RemembersTheLastEpoch) {
  auto store = OpenStore();
  Batch batch;
  batch.events.push_back({.number = EventNumber{1},
                          .at = absl::FromUnixSeconds(5),
                          .body = event::Started{7, std::make_shared<const Config>()}});
  batch.records.push_back(record::CountersRow{.last_event = EventNumber{1}, .epoch = 7});
  ASSERT_TRUE(store->Commit(batch).ok());
  store.reset();
  EXPECT_EQ(OpenStore()->Recall()->counters.epoch, 7u);
}

TEST_F(SqliteStoreTest, RefusesEventsThatDoNotContinueTheLog) {
  const auto store = OpenStore();
  Scribe scribe(1);
  Batch batch = scribe.Next(2);
  batch.events[1].number = EventNumber{3};
  EXPECT_THAT(Message(store->Commit(batch)), HasSubstr("does not follow the log, whose next is 2"));
  EXPECT_THAT(*store->Events(EventNumber{1}, kAll), testing::IsEmpty());
}

TEST_F(SqliteStoreTest, TakesNothingAfterAFailure) {
  const auto store = OpenStore();
  Scribe scribe(1);
  ASSERT_FALSE(store->Commit({.events = {{.number = EventNumber{9}}}}).ok());
  const absl::Status later = store->Commit(scribe.Next(1));
  EXPECT_EQ(later.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(later), HasSubstr("takes nothing since an earlier failure"));
  EXPECT_EQ(store->Tidy(absl::UnixEpoch()).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(SqliteStoreTest, AWrongRowLeavesNothingOfItsBatch) {
  const auto store = OpenStore();
  Scribe scribe(4);
  Batch batch = scribe.Next(6);
  Job unknown;
  unknown.id = JobId{999};
  unknown.work = std::make_shared<const Work>();
  batch.records.push_back(record::JobRow{unknown, /*is_new=*/false});
  EXPECT_THAT(Message(store->Commit(batch)), HasSubstr("job-000999 is to be changed, but no such"));
  EXPECT_EQ(Difference(testing_support::Model(), *store->Recall()), "");
}

TEST_F(SqliteStoreTest, RefusesStampsBetweenNanoseconds) {
  const auto store = OpenStore();
  Batch batch;
  batch.events.push_back({.number = EventNumber{1},
                          .at = absl::UnixEpoch() + absl::Nanoseconds(1) / 4,
                          .body = event::TimerFired{}});
  EXPECT_EQ(store->Commit(batch).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(SqliteStoreTest, ASecondWriterCannotContinueTheSameLog) {
  const auto one = OpenStore();
  const auto other = OpenStore();
  Scribe scribe(1), rival(2);
  ASSERT_TRUE(one->Commit(scribe.NextApplied(3)).ok());
  EXPECT_FALSE(other->Commit(rival.Next(3)).ok());
  EXPECT_EQ(Difference(scribe.model(), *one->Recall()), "");
}

TEST_F(SqliteStoreTest, TheFilesAreTheOwnersAlone) {
  { std::ofstream(path_) << ""; }
  ASSERT_EQ(::chmod(path_.c_str(), 0644), 0);
  const auto store = OpenStore();
  Scribe scribe(1);
  ASSERT_TRUE(store->Commit(scribe.Next(1)).ok());
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat found {};
    ASSERT_EQ(::stat((path_ + suffix).c_str(), &found), 0) << suffix;
    EXPECT_EQ(found.st_mode & 0777, 0600u) << suffix;
  }
}

TEST_F(SqliteStoreTest, TheWriteAheadLogIsWrittenBackByTidy) {
  const auto store = OpenStore();
  const auto archive = OpenArchive();
  Scribe scribe(5);
  const absl::Time long_ago = absl::FromUnixSeconds(-9'000'000'000);  // jobs end at any time
  std::uintmax_t largest = 0;
  for (int i = 0; i < 120; ++i) {
    Batch batch = scribe.NextApplied(4);
    StoredAnswer large{.tenant = "t", .key = "k", .body = std::string(1 << 20, 'x')};
    batch.answers.push_back(large);
    const absl::Status committed = store->Commit(batch);
    ASSERT_TRUE(committed.ok()) << committed;
    ASSERT_TRUE(store->Tidy(long_ago).ok());
    largest = std::max(largest, std::filesystem::file_size(path_ + "-wal"));
  }
  EXPECT_LT(largest, std::uintmax_t{40} << 20);  // 120 MiB went through it
  EXPECT_TRUE(archive->FindAnswer("t", "k")->has_value());
}

TEST_F(SqliteStoreTest, RefusesAFolderOrATextInPlaceOfADatabase) {
  EXPECT_FALSE(SqliteStore::Open({.path = folder_.path()}).ok());
  { std::ofstream(path_) << std::string(5000, 'x'); }
  const auto store = SqliteStore::Open({.path = path_});
  EXPECT_EQ(store.status().code(), absl::StatusCode::kInvalidArgument) << store.status();
}

TEST_F(SqliteStoreTest, RefusesTablesOfANewerProgram) {
  OpenStore();
  Sql("UPDATE meta SET value = value + 1 WHERE key = 'schema'");
  const auto store = SqliteStore::Open({.path = path_});
  EXPECT_EQ(store.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(store.status()),
              HasSubstr(absl::StrCat("tables of version ", store::kSchemaVersion + 1,
                                     ", this program knows version ", store::kSchemaVersion)));
}

TEST_F(SqliteStoreTest, RefusesADatabaseOfAnotherProgram) {
  Sql("CREATE TABLE recipes(name TEXT)");
  const absl::Status status = SqliteStore::Open({.path = path_}).status();
  EXPECT_THAT(Message(status), HasSubstr("not Spillway's"));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);  // whoever named it can mend it
}

TEST_F(SqliteStoreTest, ADamagedRowIsNamedByTableAndKey) {
  auto store = OpenStore();
  Scribe scribe(6);
  ASSERT_TRUE(store->Commit(scribe.NextApplied(10)).ok());
  store.reset();
  Sql("UPDATE pools SET body = '{\"v\":1,\"pool\":\"x\"}' WHERE id = (SELECT min(id) FROM pools)");
  store = OpenStore();
  const auto remembered = store->Recall();
  EXPECT_EQ(remembered.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(
      Message(remembered.status()),
      testing::ContainsRegex("damaged row of table pools, key [0-2]: /pool: found a string"));
}

TEST_F(SqliteStoreTest, ADamagedEventIsNamedByItsNumber) {
  auto store = OpenStore();
  Scribe scribe(6);
  ASSERT_TRUE(store->Commit(scribe.NextApplied(4)).ok());
  Sql("UPDATE events SET kind = 'dreamt' WHERE number = 3");
  EXPECT_THAT(Message(store->Events(EventNumber{1}, kAll).status()),
              HasSubstr("table events, key 3: unknown kind of event `dreamt`"));
}

TEST_F(SqliteStoreTest, ALogThatEndsElsewhereThanTheTablesIsDamage) {
  auto store = OpenStore();
  Scribe scribe(6);
  ASSERT_TRUE(store->Commit(scribe.NextApplied(4)).ok());
  store.reset();
  Sql("DELETE FROM events WHERE number = 4");
  EXPECT_THAT(Message(OpenStore()->Recall().status()),
              HasSubstr("the log ends at event 3, the tables at event 4"));
}

TEST_F(SqliteStoreTest, BytesThatWereOverwrittenAreNoticed) {
  auto store = OpenStore();
  Scribe scribe(7);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(store->Commit(scribe.NextApplied(10)).ok());
  store.reset();
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  for (int page = 1; page < 6; ++page) {
    file.seekp(page * 4096);
    file << std::string(64, '\xa5');
  }
  file.close();
  EXPECT_EQ(SqliteStore::Open({.path = path_}).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace spillway
