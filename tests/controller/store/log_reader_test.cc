#include "controller/store/log_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "controller/store/connection.h"
#include "controller/store/sqlite_store.h"
#include "tests/controller/store/scribe.h"
#include "tests/support/temporary_folder.h"

namespace spillway {
namespace {

using testing::HasSubstr;
using testing_support::Scribe;
using testing_support::TemporaryFolder;

void Execute(const std::string& path, const std::string& sql) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
      << sqlite3_errmsg(db);
  sqlite3_close(db);
}

class LogReaderTest : public testing::Test {
 protected:
  LogReaderTest() : path_(folder_.Of("spillway.db")), scribe_(11) {
    store_ = *SqliteStore::Open({.path = path_});
    Write(30);
  }
  void Write(int batches) {
    for (int i = 0; i < batches; ++i) ASSERT_TRUE(store_->Commit(scribe_.NextApplied(25)).ok());
  }
  std::unique_ptr<LogReader> Open() {
    auto reader = LogReader::Open(path_);
    EXPECT_TRUE(reader.ok()) << reader.status();
    return *std::move(reader);
  }
  static std::vector<Event> AllEvents(LogReader& reader) {
    std::vector<Event> all;
    for (EventNumber next = reader.contents().first;;) {
      auto page = reader.Events(next);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok() || page->empty()) return all;
      EXPECT_LE(page->size(), 256u);
      for (Event& event : *page) all.push_back(std::move(event));
      next = EventNumber{Number(all.back().number) + 1};
    }
  }

  const TemporaryFolder folder_;
  const std::string path_;
  Scribe scribe_;
  std::unique_ptr<SqliteStore> store_;
};

TEST_F(LogReaderTest, GivesAllEventsInOrderBesideTheWriter) {
  const auto reader = Open();
  const std::size_t at_open = scribe_.model().events.size();
  EXPECT_EQ(reader->contents().last, scribe_.model().events.back().number);
  EXPECT_EQ(reader->contents().pools, static_cast<std::int64_t>(scribe_.model().pools.size()));
  Write(3);  // not seen by a reader that was there before
  const std::vector<Event> found = AllEvents(*reader);
  ASSERT_EQ(found.size(), at_open);
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].number, scribe_.model().events[i].number);
    EXPECT_EQ(found[i].at, scribe_.model().events[i].at);
    EXPECT_EQ(found[i].body.index(), scribe_.model().events[i].body.index());
  }
}

TEST_F(LogReaderTest, GivesAllDecisionsInOrder) {
  const auto reader = Open();
  std::vector<std::shared_ptr<const Decision>> found;
  for (DecisionId after{};;) {
    auto page = reader->Decisions(after);
    ASSERT_TRUE(page.ok()) << page.status();
    if (page->empty()) break;
    for (auto& decision : *page) found.push_back(std::move(decision));
    after = found.back()->id;
  }
  ASSERT_EQ(found.size(), scribe_.model().decisions.size());
  std::size_t i = 0;
  for (const auto& [id, decision] : scribe_.model().decisions) EXPECT_EQ(*found[i++], *decision);
  const JobId kept = scribe_.model().jobs.begin()->first;
  EXPECT_TRUE(*reader->Keeps(kept));
  EXPECT_FALSE(*reader->Keeps(JobId{999'999'999}));
  EXPECT_TRUE(absl::IsNotFound(reader->FindRouterInputs(EventNumber{999'999'999}).status()));
}

TEST_F(LogReaderTest, ReadsACopyAndLeavesItAsItWas) {
  store_.reset();
  const std::string copy = folder_.Of("copy.db");
  std::filesystem::copy_file(path_, copy);
  std::ifstream before_file(copy, std::ios::binary);
  const std::string before{std::istreambuf_iterator<char>(before_file), {}};
  {
    auto reader = LogReader::Open(copy);
    ASSERT_TRUE(reader.ok()) << reader.status();
    EXPECT_EQ(AllEvents(**reader).size(), scribe_.model().events.size());
  }
  std::ifstream after_file(copy, std::ios::binary);
  EXPECT_EQ((std::string{std::istreambuf_iterator<char>(after_file), {}}), before);
}

// Where no file can be made beside the database, nothing is tried.
TEST_F(LogReaderTest, AStillDatabaseNeedsNoFileBesideIt) {
  store_.reset();
  const std::string copy = folder_.Of("50% still?#.db");
  std::filesystem::copy_file(path_, copy);
  const auto connection = store::Connection::Open(copy, store::Connection::Use::kReadStill);
  ASSERT_TRUE(connection.ok()) << connection.status();
  store::Query count(**connection, "SELECT count(*) FROM events");
  ASSERT_TRUE(count.Next());
  EXPECT_EQ(count.Int(0), static_cast<std::int64_t>(scribe_.model().events.size()));
  EXPECT_FALSE(std::filesystem::exists(copy + "-shm"));
  EXPECT_FALSE(std::filesystem::exists(copy + "-wal"));
}

TEST_F(LogReaderTest, ALogThatWasCutOrHasAHoleSaysSo) {
  store_.reset();
  Execute(path_, "DELETE FROM events WHERE number < 100");
  auto reader = Open();
  EXPECT_EQ(reader->contents().first, EventNumber{100});
  EXPECT_EQ(reader->Events(EventNumber{5}).status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(AllEvents(*reader).front().number, EventNumber{100});
  Execute(path_, "DELETE FROM events WHERE number = 120");
  const absl::Status hole = Open()->Events(EventNumber{100}).status();
  EXPECT_EQ(hole.code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(std::string(hole.message()), HasSubstr("event 120 is not in the log"));
}

TEST_F(LogReaderTest, ADamagedRowIsNamed) {
  store_.reset();
  Execute(path_, "UPDATE events SET body = 'nonsense' WHERE number = 3");
  const absl::Status status = Open()->Events(EventNumber{1}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("table events, key 3"));
}

TEST(LogReaderOpen, WhatIsNoStateIsRefused) {
  const TemporaryFolder folder;
  const auto code = [](const std::string& path) { return LogReader::Open(path).status().code(); };
  EXPECT_EQ(code(folder.Of("nothing.db")), absl::StatusCode::kNotFound);
  EXPECT_EQ(code(folder.path()), absl::StatusCode::kInvalidArgument);
  const std::string garbage = folder.Of("garbage.db");
  std::ofstream(garbage) << std::string(9000, 'x');
  EXPECT_EQ(code(garbage), absl::StatusCode::kInvalidArgument);
  const std::string empty = folder.Of("empty.db");
  std::ofstream(empty).flush();
  EXPECT_EQ(code(empty), absl::StatusCode::kInvalidArgument);
  const std::string foreign = folder.Of("foreign.db");
  Execute(foreign, "CREATE TABLE t(x)");
  EXPECT_EQ(code(foreign), absl::StatusCode::kInvalidArgument);
  const std::string other = folder.Of("other.db");
  SqliteStore::Open({.path = other}).value();
  Execute(other, "UPDATE meta SET value = 2 WHERE key = 'schema'");
  EXPECT_EQ(code(other), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace spillway
