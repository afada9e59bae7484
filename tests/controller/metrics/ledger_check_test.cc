#include "controller/metrics/ledger_check.h"

#include <gtest/gtest.h>

#include "tests/support/memory_store.h"

namespace spillway {
namespace {

const absl::Time kHour = absl::FromUnixSeconds(1'785'000'000 / 3600 * 3600);

record::LedgerRow Row(std::uint32_t pool, std::int64_t cost) {
  return {.hour = kHour, .pool = PoolId{pool}, .tenant = "default", .cost = Usd(cost)};
}

CostProjection::Rows RowsOf(const std::vector<record::LedgerRow>& rows) {
  LabelCap tenants(10);
  CostProjection projection(tenants);
  for (const record::LedgerRow& row : rows) projection.Add(row, "pool");
  return projection.open();
}

TEST(Differing, RowsThatStandStillMustBeEqual) {
  const auto ours = RowsOf({Row(0, 5), Row(1, 7)});
  EXPECT_TRUE(Differing({Row(0, 5), Row(1, 7)}, ours, ours).empty());
  EXPECT_EQ(Differing({Row(0, 5), Row(1, 8)}, ours, ours).size(), 1u);
  EXPECT_EQ(Differing({Row(0, 5)}, ours, ours).size(), 1u);  // lost
  EXPECT_EQ(Differing({Row(0, 5), Row(1, 7), Row(2, 1)}, ours, ours).size(),
            1u);  // come from nowhere
}

TEST(Differing, RowsInMotionAreLeftForAnotherTime) {
  EXPECT_TRUE(Differing({Row(0, 9)}, RowsOf({Row(0, 5)}), RowsOf({Row(0, 7)})).empty());
}

class LedgerCheckTest : public testing::Test {
 protected:
  void Keep(const record::LedgerRow& row) {
    Batch batch;
    batch.records.push_back(row);
    ASSERT_TRUE(store.Commit(batch).ok());
  }
  MemoryStore store;
  CostProjection::Rows ours;
  LedgerCheck check{{.second_look = absl::ZeroDuration()}, store, [this] { return ours; }};
};

TEST_F(LedgerCheckTest, AgreesUntilSomebodyChangesTheFile) {
  EXPECT_FALSE(check.last());
  Keep(Row(0, 5));
  Keep(Row(1, 100));
  ours = RowsOf({Row(0, 5), Row(1, 100)});
  check.Check();
  EXPECT_EQ(check.last()->rows, 0u);
  Keep(Row(1, 60));
  check.Check();
  EXPECT_EQ(check.last()->rows, 1u);
  EXPECT_EQ(check.last()->difference, Usd(40));
  Keep(Row(1, 100));
  check.Check();
  EXPECT_EQ(check.last()->rows, 0u);
  EXPECT_EQ(check.last()->checks, 3u);
}

// Committed already, counted a moment later: no difference.
TEST_F(LedgerCheckTest, ARowThatIsCountedALittleLaterIsRight) {
  Keep(Row(0, 9));
  int looks = 0;
  LedgerCheck late({.second_look = absl::ZeroDuration()}, store,
                   [&] { return RowsOf({Row(0, ++looks <= 2 ? 5 : 9)}); });
  late.Check();
  EXPECT_EQ(late.last()->rows, 0u);
}

TEST_F(LedgerCheckTest, NothingToCompareIsNoDifference) {
  check.Check();
  EXPECT_EQ(check.last()->rows, 0u);
}

}  // namespace
}  // namespace spillway
