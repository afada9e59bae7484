#include "controller/store/retention_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "controller/store/sqlite_archive.h"
#include "controller/store/sqlite_store.h"
#include "tests/support/temporary_folder.h"

namespace spillway {
namespace {

using testing_support::TemporaryFolder;

constexpr std::size_t kAll = 1'000'000;
const absl::Time kStart = absl::FromUnixSeconds(1'750'000'000);

// One event, one job, one decision and one answer an hour; what happens to them is up to the test.
class RetentionTest : public testing::Test {
 protected:
  void Open(store::Retention retention) {
    store_ = *SqliteStore::Open({.path = path_, .retention = retention});
    archive_ = *SqliteArchive::Open({.path = path_});
  }
  void Submit(std::uint64_t number, JobState state, bool refused = false) {
    const absl::Time at = kStart + absl::Hours(static_cast<std::int64_t>(number));
    const auto work = std::make_shared<const Work>();
    Batch batch;
    batch.events.push_back({EventNumber{number}, at, event::Submitted{work}});
    auto decision = std::make_shared<Decision>();
    decision->id = DecisionId{number};
    decision->event = EventNumber{number};
    decision->work = refused ? JobId{} : JobId{number};
    batch.records.push_back(record::DecisionRow{decision});
    Job job;
    job.id = JobId{number};
    job.work = work;
    job.created_at = at;
    job.state = state;
    if (IsTerminal(state)) job.finished_at = at;
    if (!refused) batch.records.push_back(record::JobRow{job, true});
    record::LedgerRow ledger;
    ledger.hour = at;
    ledger.pool = PoolId{0};
    batch.records.push_back(ledger);
    batch.records.push_back(record::CountersRow{.last_event = EventNumber{number}});
    batch.answers.push_back({.tenant = "t", .key = absl::StrCat(number), .at = at});
    ASSERT_TRUE(store_->Commit(batch).ok());
  }
  // As often as there is something to do, and not for ever.
  void TidyAll(absl::Time now) {
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(store_->Tidy(now).ok());
  }
  std::vector<std::uint64_t> Jobs() {
    std::vector<std::uint64_t> ids;
    const auto page = archive_->ListJobs({.limit = 100, .order = SortOrder::kOldestFirst});
    for (const Job& job : page->items) ids.push_back(Number(job.id));
    return ids;
  }
  std::vector<std::uint64_t> Decisions() {
    std::vector<std::uint64_t> ids;
    const auto page = archive_->ListDecisions({.limit = 100, .order = SortOrder::kOldestFirst});
    for (const auto& decision : page->items) ids.push_back(Number(decision->id));
    return ids;
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_.Of("spillway.db");
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<SqliteArchive> archive_;
};

TEST_F(RetentionTest, OldFinishedJobsGoWithTheirDecisionsLiveOnesStay) {
  Open({.max_age = absl::Hours(5)});
  Submit(1, JobState::kQueued);
  Submit(2, JobState::kSucceeded);
  Submit(3, JobState::kRunning);
  Submit(4, JobState::kFailed);
  Submit(5, JobState::kCancelled);
  TidyAll(kStart + absl::Hours(9) + absl::Nanoseconds(1));
  EXPECT_THAT(Jobs(), testing::ElementsAre(1, 3, 5));
  EXPECT_THAT(Decisions(), testing::ElementsAre(1, 3, 5));
  EXPECT_EQ(archive_->FindJob(JobId{2}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(archive_->FindJob(JobId{1})->state, JobState::kQueued);
}

TEST_F(RetentionTest, OfTooManyFinishedJobsTheOldestGo) {
  Open({.max_jobs = 2});
  Submit(1, JobState::kSucceeded);
  Submit(2, JobState::kQueued);
  Submit(3, JobState::kSucceeded);
  Submit(4, JobState::kSucceeded);
  Submit(5, JobState::kSucceeded);
  TidyAll(kStart + absl::Hours(6));
  EXPECT_THAT(Jobs(), testing::ElementsAre(2, 4, 5));
  EXPECT_THAT(Decisions(), testing::ElementsAre(2, 4, 5));
}

TEST_F(RetentionTest, TheLogIsCutFromTheFrontAndSaysSo) {
  Open({.max_age = absl::Hours(3)});
  for (std::uint64_t n = 1; n <= 6; ++n) Submit(n, JobState::kQueued);
  TidyAll(kStart + absl::Hours(7));
  EXPECT_EQ(store_->Events(EventNumber{1}, kAll).status(),
            absl::OutOfRangeError("event 1 was swept away, the log begins at event 4"));
  const auto rest = store_->Events(EventNumber{4}, kAll);
  ASSERT_TRUE(rest.ok());
  EXPECT_EQ(rest->size(), 3u);
  EXPECT_EQ(archive_->FindWorkOf(**archive_->FindDecision(DecisionId{1})).ok(), true);
}

TEST_F(RetentionTest, TheLogIsBoundedInLengthToo) {
  Open({.max_jobs = 1});
  for (std::uint64_t n = 1; n <= 30; ++n) Submit(n, JobState::kQueued);
  TidyAll(kStart + absl::Hours(31));
  EXPECT_EQ(store_->Events(EventNumber{11}, kAll)->size(), 20u);
  EXPECT_FALSE(store_->Events(EventNumber{10}, kAll).ok());
}

TEST_F(RetentionTest, TheLastEventStaysHoweverOld) {
  Open({.max_age = absl::Hours(1)});
  Submit(1, JobState::kSucceeded);
  Submit(2, JobState::kSucceeded);
  TidyAll(kStart + absl::Hours(10'000));
  EXPECT_EQ(store_->Events(EventNumber{2}, kAll)->size(), 1u);
  ASSERT_TRUE(store_->Recall().ok());
  Submit(3, JobState::kQueued);  // and the log goes on
}

TEST_F(RetentionTest, RefusedSubmissionsGoWithTheirEvents) {
  Open({.max_age = absl::Hours(3)});
  for (std::uint64_t n = 1; n <= 6; ++n) Submit(n, JobState::kQueued, /*refused=*/true);
  TidyAll(kStart + absl::Hours(7));
  EXPECT_THAT(Decisions(), testing::ElementsAre(4, 5, 6));
  for (const std::uint64_t id : Decisions())
    EXPECT_TRUE(archive_->FindWorkOf(**archive_->FindDecision(DecisionId{id})).ok());
}

TEST_F(RetentionTest, AnswersStayForADayAndAnHour) {
  Open({});
  for (std::uint64_t n = 1; n <= 3; ++n) Submit(n, JobState::kQueued);
  TidyAll(kStart + absl::Hours(27));
  EXPECT_FALSE(archive_->FindAnswer("t", "1")->has_value());
  EXPECT_TRUE(archive_->FindAnswer("t", "2")->has_value());
  EXPECT_TRUE(archive_->FindAnswer("t", "3")->has_value());
}

TEST_F(RetentionTest, TheLedgerStaysForTwoYears) {
  Open({});
  for (std::uint64_t n = 1; n <= 3; ++n) Submit(n, JobState::kQueued);
  TidyAll(kStart + absl::Hours(24 * 731 + 2));
  const auto rows = archive_->Ledger({});
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ(rows->front().hour, kStart + absl::Hours(2));
}

TEST_F(RetentionTest, WithoutCauseNothingGoes) {
  Open({});
  for (std::uint64_t n = 1; n <= 5; ++n) Submit(n, JobState::kSucceeded);
  TidyAll(kStart + absl::Hours(6));
  EXPECT_EQ(Jobs().size(), 5u);
  EXPECT_EQ(Decisions().size(), 5u);
  EXPECT_EQ(store_->Events(EventNumber{1}, kAll)->size(), 5u);
  EXPECT_EQ(archive_->Ledger({})->size(), 5u);
  EXPECT_TRUE(archive_->FindAnswer("t", "1")->has_value());
}

}  // namespace
}  // namespace spillway
