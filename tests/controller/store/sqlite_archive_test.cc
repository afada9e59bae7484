#include "controller/store/sqlite_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "absl/strings/str_cat.h"
#include "controller/store/sqlite_store.h"
#include "tests/controller/store/scribe.h"
#include "tests/support/temporary_folder.h"

namespace spillway {
namespace {

using testing_support::Scribe;
using testing_support::TemporaryFolder;

class SqliteArchiveTest : public testing::Test {
 protected:
  void SetUp() override {
    store_ = *SqliteStore::Open({.path = path_});
    archive_ = *SqliteArchive::Open({.path = path_});
    for (int i = 0; i < 12; ++i) ASSERT_TRUE(store_->Commit(scribe_.NextApplied(10)).ok());
  }

  // What a listing must give: filtered, sorted and cut by hand.
  template <class Rows, class Wanted, class Query>
  static auto Expected(const Rows& rows, const Query& query, Wanted wanted) {
    std::vector<typename Rows::mapped_type> all;
    for (const auto& [id, row] : rows) {
      const bool newest = query.order == SortOrder::kNewestFirst;
      if (query.after && (newest ? id >= *query.after : id <= *query.after)) continue;
      if (wanted(row)) all.push_back(row);
    }
    if (query.order == SortOrder::kNewestFirst) std::reverse(all.begin(), all.end());
    const bool has_more = all.size() > static_cast<std::size_t>(query.limit);
    if (has_more) all.resize(static_cast<std::size_t>(query.limit));
    return std::pair(all, has_more);
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_.Of("spillway.db");
  Scribe scribe_{11};
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<SqliteArchive> archive_;
};

TEST_F(SqliteArchiveTest, ListsJobsAsAFilterByHandWould) {
  std::size_t found = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    testing_support::RandomValues random(seed);
    JobQuery query;
    if (random.OneIn(2)) query.tenant = Scribe::TenantName(random.Below(4));
    if (random.OneIn(6)) query.name = random.Text();
    if (random.OneIn(3)) query.pool = Scribe::PoolName(static_cast<int>(random.Below(4)));
    for (auto n = random.OneIn(2) ? random.Below(4) : 0; n > 0; --n)
      query.states.push_back(static_cast<JobState>(random.Below(6)));
    if (random.OneIn(2)) query.after = JobId{random.Below(130)};
    query.limit = static_cast<int>(1 + random.Below(30));
    if (random.OneIn(2)) query.order = SortOrder::kOldestFirst;

    const auto [jobs, has_more] = Expected(scribe_.model().jobs, query, [&](const Job& job) {
      const auto pool = job.attempts.empty() ? kNoPool : job.attempts.back().pool;
      const auto& states = query.states;
      return (!query.tenant || job.work->tenant == *query.tenant) &&
             (!query.name || job.work->name == *query.name) &&
             (!query.pool || (pool != kNoPool &&
                              Scribe::PoolName(static_cast<int>(Index(pool))) == *query.pool)) &&
             (states.empty() || std::find(states.begin(), states.end(), job.state) != states.end());
    });
    const auto page = archive_->ListJobs(query);
    ASSERT_TRUE(page.ok()) << "seed " << seed << ": " << page.status();
    ASSERT_TRUE(page->items == jobs) << "seed " << seed;
    ASSERT_EQ(page->has_more, has_more) << "seed " << seed;
    found += jobs.size();
  }
  EXPECT_GT(found, 1000u);  // the queries did find something
}

TEST_F(SqliteArchiveTest, ListsDecisionsAsAFilterByHandWould) {
  std::size_t found = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    testing_support::RandomValues random(seed);
    DecisionQuery query;
    if (random.OneIn(2)) query.tenant = Scribe::TenantName(random.Below(4));
    if (random.OneIn(3)) query.job = JobId{random.Below(40)};
    if (random.OneIn(3)) query.outcome = static_cast<Outcome>(random.Below(3));
    if (random.OneIn(2)) query.after = DecisionId{random.Below(300)};
    query.limit = static_cast<int>(1 + random.Below(30));
    if (random.OneIn(2)) query.order = SortOrder::kOldestFirst;

    const auto [decisions, has_more] =
        Expected(scribe_.model().decisions, query, [&](const auto& decision) {
          return (!query.tenant || decision->tenant == *query.tenant) &&
                 (!query.job || decision->work == *query.job) &&
                 (!query.outcome || decision->outcome == *query.outcome);
        });
    const auto page = archive_->ListDecisions(query);
    ASSERT_TRUE(page.ok()) << "seed " << seed << ": " << page.status();
    ASSERT_EQ(page->has_more, has_more) << "seed " << seed;
    ASSERT_EQ(page->items.size(), decisions.size()) << "seed " << seed;
    for (std::size_t i = 0; i < decisions.size(); ++i)
      ASSERT_TRUE(*page->items[i] == *decisions[i]) << "seed " << seed;
    found += decisions.size();
  }
  EXPECT_GT(found, 1000u);
}

TEST_F(SqliteArchiveTest, PagesFollowEachOtherWithoutGapOrRepeat) {
  JobQuery query{.limit = 7};
  std::vector<JobId> seen;
  while (true) {
    const auto page = archive_->ListJobs(query);
    ASSERT_TRUE(page.ok());
    for (const Job& job : page->items) seen.push_back(job.id);
    if (!page->has_more) break;
    query.after = seen.back();
  }
  std::vector<JobId> all;
  for (const auto& [id, job] : scribe_.model().jobs) all.insert(all.begin(), id);
  EXPECT_EQ(seen, all);
}

TEST_F(SqliteArchiveTest, LimitsStayBetweenOneAndAHundred) {
  EXPECT_EQ(archive_->ListJobs({.limit = 0})->items.size(), 1u);
  EXPECT_EQ(archive_->ListJobs({.limit = -5})->items.size(), 1u);
  const std::size_t all = scribe_.model().decisions.size();
  ASSERT_GT(all, 100u);
  EXPECT_EQ(archive_->ListDecisions({.limit = 1'000'000})->items.size(), 100u);
}

TEST_F(SqliteArchiveTest, FiltersTheLedgerByTimeTenantAndPool) {
  std::size_t found = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    testing_support::RandomValues random(seed);
    const absl::Time hour = std::get<0>(scribe_.model().ledger.rbegin()->first);
    const auto ago = [&] { return hour - absl::Hours(static_cast<std::int64_t>(random.Below(6))); };
    LedgerQuery query;
    if (random.OneIn(2)) query.from = ago();
    if (random.OneIn(2)) query.until = ago();
    if (random.OneIn(3)) query.tenant = Scribe::TenantName(random.Below(3));
    if (random.OneIn(3)) query.pool = Scribe::PoolName(static_cast<int>(random.Below(4)));
    std::vector<record::LedgerRow> wanted;
    for (const auto& [key, row] : scribe_.model().ledger) {
      if ((!query.from || row.hour >= *query.from) && (!query.until || row.hour < *query.until) &&
          (!query.tenant || row.tenant == *query.tenant) &&
          (!query.pool || Scribe::PoolName(static_cast<int>(Index(row.pool))) == *query.pool))
        wanted.push_back(row);
    }
    const auto rows = archive_->Ledger(query);
    ASSERT_TRUE(rows.ok()) << rows.status();
    ASSERT_TRUE(*rows == wanted) << "seed " << seed;
    found += wanted.size();
  }
  EXPECT_GT(found, 100u);
}

TEST_F(SqliteArchiveTest, FindsTheWorkOfEveryDecisionRefusedOnesToo) {
  int refused = 0;
  for (const auto& [id, decision] : scribe_.model().decisions) {
    const auto work = archive_->FindWorkOf(*decision);
    ASSERT_TRUE(work.ok()) << work.status();
    if (decision->work == JobId{}) {
      ++refused;
      const Event& e = scribe_.model().events.at(Number(decision->event) - 1);
      EXPECT_EQ(**work, *std::get<event::Submitted>(e.body).work);
    } else {
      EXPECT_EQ(**work, *scribe_.model().jobs.at(decision->work).work);
    }
  }
  EXPECT_GT(refused, 0);
}

TEST_F(SqliteArchiveTest, SaysWhatIsNotThere) {
  EXPECT_EQ(archive_->FindJob(JobId{12345}).status(), absl::NotFoundError("no job-012345"));
  EXPECT_EQ(archive_->FindDecision(DecisionId{99999}).status(),
            absl::NotFoundError("no dec-099999"));
  Decision orphan;
  orphan.event = EventNumber{99999};
  EXPECT_EQ(archive_->FindWorkOf(orphan).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(*archive_->FindAnswer("nobody", "key"), std::nullopt);
}

TEST_F(SqliteArchiveTest, ValuesAreNeverTakenForSql) {
  const JobQuery query{.tenant = "' OR 1=1 --", .name = "\"; DROP TABLE jobs; --"};
  EXPECT_THAT(archive_->ListJobs(query)->items, testing::IsEmpty());
  EXPECT_EQ(*archive_->FindAnswer("' OR '1'='1", "' OR '1'='1"), std::nullopt);
  EXPECT_EQ(archive_->ListJobs({})->items.size(), 20u);
}

TEST(SqliteArchive, ADatabaseThatIsNotThereIsToldAtOnce) {
  const TemporaryFolder folder;
  const auto archive = SqliteArchive::Open({.path = folder.Of("nothing.db")});
  EXPECT_EQ(archive.status().code(), absl::StatusCode::kUnavailable) << archive.status();
}

// More threads than connections, while the writer commits: each call sees whole batches only.
TEST_F(SqliteArchiveTest, ReadersBesideTheWriterSeeWholeBatches) {
  std::atomic<bool> stop{false};
  std::atomic<int> reads{0}, wrong{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 8; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        // Every batch below writes the same number into two tables' rows.
        const auto page = archive_->ListJobs({.name = "pair", .limit = 2});
        if (!page.ok() || page->items.size() == 1 ||
            (page->items.size() == 2 && page->items[0].own_failures != page->items[1].own_failures))
          ++wrong;
        ++reads;
      }
    });
  }
  auto work = std::make_shared<Work>();
  work->name = "pair";
  Job one, two;
  one.id = JobId{100'001}, two.id = JobId{100'002};
  one.work = two.work = work;
  for (int i = 0; i < 200 || reads < 500; ++i) {
    one.own_failures = two.own_failures = i;
    Batch batch;
    batch.records = {record::JobRow{one, i == 0}, record::JobRow{two, i == 0}};
    ASSERT_TRUE(store_->Commit(batch).ok());
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace spillway
