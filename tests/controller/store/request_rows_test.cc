#include "controller/store/request_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "absl/strings/str_cat.h"
#include "controller/store/schema.h"
#include "controller/store/sqlite_archive.h"
#include "controller/store/sqlite_store.h"
#include "formats/codec.h"
#include "tests/support/temporary_folder.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::TemporaryFolder;

const absl::Time kStart = absl::FromUnixSeconds(1'750'000'000);

class RequestRowsTest : public testing::Test {
 protected:
  void SetUp() override { Open({}); }
  void Open(store::Retention retention) {
    archive_.reset();
    store_.reset();
    auto store = SqliteStore::Open({.path = path_, .retention = retention});
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
    archive_ = *SqliteArchive::Open({.path = path_});
  }
  void Close() {
    archive_.reset();
    store_.reset();
  }
  static std::shared_ptr<const Request> Make(RequestId id) {
    auto request = std::make_shared<Request>();
    request->id = id;
    request->features.model = absl::StrCat("model of ", Number(id));
    return request;
  }
  // `packed`: as the host hands them over, which has let go of the requests themselves.
  void End(const std::vector<RequestId>& ids, bool packed = false) {
    ++events_;
    event::RequestsEnded ended;
    for (const RequestId id : ids) ended.requests.push_back(Make(id));
    Batch batch;
    if (packed) {
      batch.packed.push_back(*store_->Pack(event::Body(ended)));
      batch.packed.back().event = EventNumber{events_};
      ended.requests.clear();
    }
    batch.events.push_back({EventNumber{events_},
                            kStart + absl::Hours(static_cast<std::int64_t>(events_)),
                            std::move(ended)});
    batch.records.push_back(record::CountersRow{.last_event = EventNumber{events_}});
    const absl::Status status = store_->Commit(batch);
    ASSERT_TRUE(status.ok()) << status;
  }
  void Sql(const std::string& sql) { SQLite::Database(path_, SQLite::OPEN_READWRITE).exec(sql); }
  std::int64_t Count(const std::string& table) {
    return SQLite::Database(path_).execAndGet("SELECT count(*) FROM " + table).getInt64();
  }
  std::vector<std::uint64_t> List(std::optional<RequestId> after, int limit) {
    const auto found = archive_->ListRequests(after, limit);
    EXPECT_TRUE(found.ok()) << found.status();
    std::vector<std::uint64_t> ids;
    for (const auto& request : *found) ids.push_back(Number(request->id));
    return ids;
  }
  // Back to the tables of version 2, and one request as it was written then.
  void MakeOld(RequestId id) {
    Close();
    const std::string text = absl::StrCat(R"({"v":1,"r":[{"id":7,"draw":1},{"id":)", Number(id),
                                          R"(,"f":{"model":"of old"},"status":418}]})");
    Sql("DROP TABLE request_blocks");
    KeepBooksAsBeforeVersion4();
    Sql("UPDATE meta SET value = 2 WHERE key = 'schema'");
    Sql("UPDATE events SET body = '" + text + "' WHERE number = 1");
    Sql(absl::StrCat("INSERT INTO requests(id, event, place) VALUES(", Number(id), ", 1, 1)"));
  }

  // The ledger as it was kept before version 4: by hour, pool, tenant and category alone.
  void KeepBooksAsBeforeVersion4() {
    Sql("DROP TABLE budgets");
    Sql("DROP TABLE ledger");
    Sql("CREATE TABLE ledger(hour INTEGER NOT NULL, pool INTEGER NOT NULL, tenant TEXT NOT NULL, "
        "category TEXT NOT NULL, cost INTEGER NOT NULL, marginal_cost INTEGER NOT NULL, "
        "baseline_cost INTEGER NOT NULL, compared_cost INTEGER NOT NULL, ended INTEGER NOT NULL, "
        "without_baseline INTEGER NOT NULL, energy INTEGER NOT NULL, carbon INTEGER NOT NULL, "
        "PRIMARY KEY(hour, pool, tenant, category)) STRICT, WITHOUT ROWID");
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_.Of("spillway.db");
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<SqliteArchive> archive_;
  std::uint64_t events_ = 0;
};

TEST_F(RequestRowsTest, WhatWasPackedBeforeIsWrittenTheSame) {
  const std::vector<RequestId> ids{MakeRequestId(1, 300), MakeRequestId(1, 2), MakeRequestId(1, 1)};
  End(ids);
  End(ids, /*packed=*/true);
  EXPECT_FALSE(store_->Pack(event::TimerFired{}).has_value());
  const auto events = store_->Events(EventNumber{1}, 10);
  ASSERT_TRUE(events.ok()) << events.status();
  ASSERT_EQ(events->size(), 2u);
  EXPECT_EQ(EncodeEvent(events->front().body), EncodeEvent(events->back().body));
  EXPECT_EQ(std::get<event::RequestsEnded>(events->back().body).requests.size(), 3u);
  EXPECT_EQ(Count("request_blocks"), 4) << "two blocks, two events";
  EXPECT_EQ(Count("(SELECT DISTINCT body FROM events)"), 1);
}

TEST_F(RequestRowsTest, FindsEachByItsIdAndNothingElse) {
  End({MakeRequestId(1, 3), MakeRequestId(1, 1), MakeRequestId(1, 900)});
  End({MakeRequestId(1, 2), MakeRequestId(2, 1)});
  for (const RequestId id : {MakeRequestId(1, 3), MakeRequestId(1, 1), MakeRequestId(1, 900),
                             MakeRequestId(1, 2), MakeRequestId(2, 1)}) {
    const auto found = archive_->FindRequest(id);
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(**found, *Make(id));
  }
  for (const RequestId id : {MakeRequestId(1, 4), MakeRequestId(1, 899), MakeRequestId(3, 1)})
    EXPECT_EQ(archive_->FindRequest(id).status().code(), absl::StatusCode::kNotFound);
}

// Whatever order requests end in, pages of any size are those of the sorted ids.
TEST_F(RequestRowsTest, ListsTheNewestFirstInPagesOfAnySize) {
  std::mt19937_64 random(20'261'123);
  std::vector<std::uint64_t> ids;
  for (std::uint64_t count = 1; count <= 1500; ++count)
    ids.push_back(Number(MakeRequestId(1 + count / 700, count)));
  std::vector<std::uint64_t> order = ids;
  for (std::size_t i = 0; i < order.size(); ++i)  // some take much longer than others
    std::swap(order[i],
              order[std::min(i + random() % (random() % 20 == 0 ? 800 : 9), order.size() - 1)]);
  for (std::size_t at = 0; at < order.size();) {
    std::vector<RequestId> batch;
    for (std::size_t n = 1 + random() % 40; n > 0 && at < order.size(); --n)
      batch.push_back(RequestId{order[at++]});
    End(batch);
  }
  std::sort(ids.rbegin(), ids.rend());
  for (const int limit : {1, 7, 255, 256, 257, 5000}) {
    std::size_t at = limit == 1 ? ids.size() - 5 : 0;
    std::optional<RequestId> after;
    if (at > 0) after = RequestId{ids[at - 1]};
    for (;;) {
      const auto page = List(after, limit);
      const auto expected = absl::MakeConstSpan(ids).subspan(at, static_cast<std::size_t>(limit));
      ASSERT_THAT(page, testing::ElementsAreArray(expected)) << "limit " << limit << " at " << at;
      if (page.empty()) break;
      at += page.size();
      after = RequestId{page.back()};
    }
  }
  EXPECT_LT(Count("request_blocks"), 300);  // for 1,500 requests
}

TEST_F(RequestRowsTest, WhatWasWrittenByVersion2IsReadBesideWhatComesNow) {
  const RequestId old = MakeRequestId(1, 5);
  End({});
  MakeOld(old);
  Open({});
  EXPECT_EQ(
      SQLite::Database(path_).execAndGet("SELECT value FROM meta WHERE key = 'schema'").getInt(),
      store::kSchemaVersion);
  const auto found = archive_->FindRequest(old);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ((*found)->status, 418);
  EXPECT_EQ((*found)->features.model, "of old");
  const RequestId now = MakeRequestId(2, 1);
  End({now});
  EXPECT_EQ(**archive_->FindRequest(now), *Make(now));
  EXPECT_THAT(List(std::nullopt, 10), ElementsAre(Number(now), Number(old)));
  EXPECT_THAT(List(std::nullopt, 1), ElementsAre(Number(now)));
  EXPECT_THAT(List(now, 10), ElementsAre(Number(old)));
  EXPECT_TRUE(store_->Events(EventNumber{1}, 10).ok());
}

// Version 4 packed each request by itself.
TEST_F(RequestRowsTest, WhatWasWrittenByVersion4IsReadBesideWhatComesNow) {
  const RequestId old{300}, now{301};
  End({old});
  Close();
  Sql(R"(UPDATE events SET body = '{"v":2,"packed":"AQGF4AGsAgMUAARibHVlDAEB"}')");
  Sql("UPDATE meta SET value = 4 WHERE key = 'schema'");
  Open({});
  EXPECT_EQ(
      SQLite::Database(path_).execAndGet("SELECT value FROM meta WHERE key = 'schema'").getInt(),
      store::kSchemaVersion);
  End({now});
  const auto found = archive_->FindRequest(old);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ((*found)->features.tenant, "blue");
  EXPECT_EQ((*found)->answered_by, "blue");
  EXPECT_EQ((*found)->ended, absl::FromUnixNanos(8));
  EXPECT_EQ(**archive_->FindRequest(now), *Make(now));
  EXPECT_THAT(List(std::nullopt, 10), ElementsAre(301, 300));
  EXPECT_TRUE(store_->Events(EventNumber{1}, 10).ok());
}

TEST_F(RequestRowsTest, TablesOfVersion1AreBroughtUpToDate) {
  Close();
  for (const char* table : {"request_blocks", "requests", "routers", "models", "speeds"})
    Sql(absl::StrCat("DROP TABLE ", table));
  KeepBooksAsBeforeVersion4();
  Sql("UPDATE meta SET value = 1 WHERE key = 'schema'");
  Open({});
  End({MakeRequestId(1, 1)});
  EXPECT_TRUE(archive_->FindRequest(MakeRequestId(1, 1)).ok());
  EXPECT_TRUE(store_->Recall().ok());
}

// What was booked stays booked to the nano-dollar, and budgets begin with what was spent.
TEST_F(RequestRowsTest, TheLedgerOfVersion3IsKeptByKindAndModelFromThenOn) {
  Close();
  KeepBooksAsBeforeVersion4();
  Sql("UPDATE meta SET value = 3 WHERE key = 'schema'");
  const std::int64_t day =
      absl::ToUnixNanos(absl::FromCivil(absl::CivilDay(2026, 8, 3), absl::UTCTimeZone()));
  const std::int64_t hour = 3'600'000'000'000;
  const auto book = [&](std::int64_t at, const char* tenant, const char* category, int cost) {
    Sql(absl::StrCat("INSERT INTO ledger VALUES(", at, ", 0, '", tenant, "', '", category, "', ",
                     cost, ", 1, 2, 3, 4, 5, 6, 7)"));
  };
  book(day - hour, "a", "work", 100);
  book(day + hour, "a", "work", 20);
  book(day + 2 * hour, "a", "work", 3);
  book(day + hour, "", "idle", 1000);
  Open({});
  const auto rows = archive_->Ledger({});
  ASSERT_TRUE(rows.ok()) << rows.status();
  Usd work, idle;
  for (const record::LedgerRow& row : *rows)
    (row.category == record::Category::kIdle ? idle : work) += row.cost;
  EXPECT_EQ(work, Usd(123));
  EXPECT_EQ(idle, Usd(1000));
  const auto remembered = store_->Recall();
  ASSERT_TRUE(remembered.ok()) << remembered.status();
  std::map<BudgetPeriod, Usd> spent;
  for (const record::BudgetRow& row : remembered->budgets) spent[row.period] = row.spent;
  EXPECT_EQ(spent[BudgetPeriod::kDay], Usd(23)) << "of the last day that the ledger knows";
  EXPECT_EQ(spent[BudgetPeriod::kMonth], Usd(123));
}

TEST_F(RequestRowsTest, WhereRequestsStoodIsForgottenWithTheirEvents) {
  End({});
  MakeOld(MakeRequestId(1, 5));
  Open({.max_age = absl::Hours(2)});
  End({MakeRequestId(2, 1), MakeRequestId(2, 1000)});
  End({MakeRequestId(2, 2)});
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(store_->Tidy(kStart + absl::Minutes(270)).ok());
  EXPECT_EQ(Count("requests"), 0);
  EXPECT_EQ(Count("request_blocks"), 1);
  EXPECT_THAT(List(std::nullopt, 10), ElementsAre(Number(MakeRequestId(2, 2))));
  EXPECT_EQ(archive_->FindRequest(MakeRequestId(2, 1)).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(RequestRowsTest, ADamagedEventIsNamed) {
  End({MakeRequestId(1, 1)});
  Sql(R"(UPDATE events SET body = '{"v":2,"packed":"AAAA"}' WHERE number = 1)");
  const absl::Status status = archive_->FindRequest(MakeRequestId(1, 1)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("table events, key 1"));
}

}  // namespace
}  // namespace spillway
