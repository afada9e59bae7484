#include "tests/support/fold_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "controller/store/sqlite_store.h"
#include "tests/support/fleets.h"
#include "tests/support/random_values.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/world.h"

// The log folds to the tables: what a brain said while it ran, what it says when the log is read
// again, and what a restart reads back are the same.
namespace spillway {
namespace {

using testing_support::FoldLog;
using testing_support::RandomValues;
using testing_support::TemporaryFolder;

Config DemoConfig() {
  Config config;
  config.fleet = fixtures::DemoFleet();
  return config;
}

// A world and, of each of its events, the records that it led to.
class Recorded {
 public:
  Recorded() : world_(DemoConfig()) {
    starts_.push_back(0);  // the first event was given before anybody could listen
    world_.on_event = [this](const Event&) { starts_.push_back(world_.records.size()); };
  }
  fixtures::World& world() { return world_; }

  // Everything that happened, committed in groups of random size.
  void Commit(SqliteStore& store, RandomValues& random) const {
    for (std::size_t i = 0; i < world_.log.size();) {
      const std::size_t end = std::min<std::size_t>(world_.log.size(), i + 1 + random.Below(20));
      Batch batch;
      batch.events.assign(At(world_.log, i), At(world_.log, end));
      batch.records.assign(At(world_.records, starts_[i]), end == starts_.size()
                                                               ? world_.records.cend()
                                                               : At(world_.records, starts_[end]));
      const absl::Status status = store.Commit(batch);
      ASSERT_TRUE(status.ok()) << status;
      i = end;
    }
  }

 private:
  template <class T>
  static typename std::vector<T>::const_iterator At(const std::vector<T>& all, std::size_t i) {
    return all.begin() + static_cast<std::ptrdiff_t>(i);
  }
  fixtures::World world_;
  std::vector<std::size_t> starts_;
};

Work RandomWork(RandomValues& random) {
  Work work;
  work.name = absl::StrCat("job-", random.Below(5));
  work.tenant = absl::StrCat("tenant-", random.Below(3));
  work.run.command = {"true"};
  work.needs.cpus = MilliCpus(static_cast<std::int64_t>(500 + random.Below(8000)));
  work.needs.devices.count = static_cast<int>(random.Below(2));
  work.demand =
      DeclaredSeconds{absl::Seconds(static_cast<std::int64_t>(5 + random.Below(600))), ""};
  work.objective.start_within = absl::Seconds(static_cast<std::int64_t>(1 + random.Below(300)));
  work.priority = static_cast<int>(random.Below(5));
  return work;
}

// Some hours with everything that can happen.
void Live(fixtures::World& world, RandomValues& random) {
  world.fate = [&random](const command::Launch&) {
    const Fault fault = random.OneIn(8)   ? Fault::kOwn
                        : random.OneIn(8) ? Fault::kInfrastructure
                                          : Fault::kNone;
    return fixtures::Fate{absl::Seconds(static_cast<std::int64_t>(1 + random.Below(900))), fault};
  };
  for (int i = 0; i < 150; ++i) {
    world.RunFor(absl::Seconds(static_cast<std::int64_t>(random.Below(120))));
    const PoolId pool{static_cast<std::uint32_t>(random.Below(world.pools.size()))};
    switch (random.Below(12)) {
      case 0:
        world.Give(event::CancelRequested{JobId{1 + random.Below(world.log.size())}});
        break;
      case 1:
        world.Give(
            event::PoolStateSet{pool, random.OneIn(3) ? PoolState::kDraining : PoolState::kActive});
        break;
      case 2:
        world.Give(event::NodeSeen{pool, 0, random.OneIn(2)});
        break;
      case 3:
        world.Give(event::PoolPriced{
            pool,
            {.node_hour = UsdPerHour(static_cast<std::int64_t>(random.Below(5'000'000'000)))}});
        break;
      default:
        world.Submit(RandomWork(random));
    }
  }
}

class Fold : public testing::TestWithParam<std::uint64_t> {};

TEST_P(Fold, TheLogFoldsToTheTables) {
  RandomValues random(GetParam());
  const TemporaryFolder folder;
  const std::string path = folder.Of("spillway.db");
  Recorded recorded;
  Live(recorded.world(), random);
  recorded.Commit(**SqliteStore::Open({.path = path}), random);
  ASSERT_GT(recorded.world().jobs.size(), 50u);
  EXPECT_EQ(FoldLog(path, folder.path()), absl::OkStatus());
}

// What is read back at a start is enough for a brain to go on as if nothing had been: with restarts
// in between the log still folds to the same tables.
TEST_P(Fold, WithRestartsInBetweenToo) {
  RandomValues random(GetParam());
  const TemporaryFolder folder;
  const std::string path = folder.Of("spillway.db");
  Recorded recorded;
  for (int i = 0; i < 3; ++i) {
    Live(recorded.world(), random);
    recorded.world().Restart();
  }
  recorded.Commit(**SqliteStore::Open({.path = path}), random);
  EXPECT_EQ(FoldLog(path, folder.path()), absl::OkStatus());
}
INSTANTIATE_TEST_SUITE_P(Seeds, Fold, testing::Range<std::uint64_t>(1, 6));

// The store gives back what the world would have kept in memory.
TEST(Recall, GivesBackWhatARestartNeeds) {
  RandomValues random(7);
  const TemporaryFolder folder;
  Recorded recorded;
  Live(recorded.world(), random);
  const auto store = *SqliteStore::Open({.path = folder.Of("spillway.db")});
  recorded.Commit(*store, random);
  const auto found = store->Recall();
  ASSERT_TRUE(found.ok()) << found.status();
  const Remembered wanted = recorded.world().Tables();
  EXPECT_TRUE(found->counters == wanted.counters);
  EXPECT_TRUE(found->jobs == wanted.jobs);
  EXPECT_TRUE(found->observations == wanted.observations);
  EXPECT_TRUE(found->books == wanted.books);
  EXPECT_EQ(found->pools.size(), wanted.pools.size());
  EXPECT_EQ(found->policy.has_value(), wanted.policy.has_value());
  Brain brain;
  EXPECT_EQ(brain.Restore(*found), absl::OkStatus());
}

TEST(FoldLog, NoticesARowThatIsNotWhatTheLogSays) {
  RandomValues random(3);
  const TemporaryFolder folder;
  const std::string path = folder.Of("spillway.db");
  Recorded recorded;
  Live(recorded.world(), random);
  recorded.Commit(**SqliteStore::Open({.path = path}), random);
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db,
                         "UPDATE ledger SET cost = cost + 1 WHERE hour = (SELECT max(hour) FROM"
                         " ledger)",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(db);
  const absl::Status status = FoldLog(path, folder.path());
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("table ledger differs"));
}

}  // namespace
}  // namespace spillway
