#include "controller/store/last_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spillway::store {
namespace {

std::vector<std::size_t> Kept(const std::vector<Record>& records) {
  std::vector<std::size_t> kept;
  for (const LastRow& row : LastRows(records)) kept.push_back(row.index);
  return kept;
}

record::JobRow JobOf(std::uint64_t id, bool is_new = false) {
  record::JobRow row;
  row.job.id = JobId{id};
  row.is_new = is_new;
  return row;
}

record::ObservationRow Observed(std::string tenant, std::string name) {
  record::ObservationRow row;
  row.tenant = std::move(tenant);
  row.name = std::move(name);
  return row;
}

TEST(LastRows, KeepsTheLastOfEachKeyInOrder) {
  record::PoolRow pool;
  pool.pool = PoolId{1};
  EXPECT_THAT(
      Kept({JobOf(1), record::CountersRow{}, JobOf(2), pool, JobOf(1), record::CountersRow{}}),
      testing::ElementsAre(2, 3, 4, 5));
  EXPECT_THAT(Kept({}), testing::IsEmpty());
}

TEST(LastRows, TheSameNumberInAnotherTableIsAnotherKey) {
  record::PoolRow pool;
  record::PoolBooksRow books;
  record::PolicyRow policy;
  pool.pool = books.pool = PoolId{1};
  policy.version = 1;
  EXPECT_THAT(Kept({JobOf(1), pool, books, policy}), testing::ElementsAre(0, 1, 2, 3));
}

TEST(LastRows, AJobThatIsNewAndChangedInOneBatchIsStillNew) {
  const std::vector<Record> records{JobOf(1, true), JobOf(2), JobOf(1)};
  const auto rows = LastRows(records);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_FALSE(rows[0].is_new);
  EXPECT_TRUE(rows[1].is_new);
}

TEST(LastRows, EveryPartOfTheLedgersKeyCounts) {
  record::LedgerRow row;
  row.hour = absl::FromUnixSeconds(3600);
  row.pool = PoolId{1};
  row.tenant = "a";
  std::vector<Record> records(6, row);
  std::get<record::LedgerRow>(records[1]).hour = absl::FromUnixSeconds(7200);
  std::get<record::LedgerRow>(records[2]).pool = PoolId{2};
  std::get<record::LedgerRow>(records[3]).tenant = "b";
  std::get<record::LedgerRow>(records[4]).category = record::Category::kIdle;
  EXPECT_THAT(Kept(records), testing::ElementsAre(1, 2, 3, 4, 5));
}

TEST(LastRows, TextsOfAKeyDoNotRunIntoEachOther) {
  EXPECT_THAT(Kept({Observed("ab", "c"), Observed("a", "bc"), Observed("ab", "c")}),
              testing::ElementsAre(1, 2));
}

}  // namespace
}  // namespace spillway::store
