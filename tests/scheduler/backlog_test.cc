#include "scheduler/backlog.h"

#include <gtest/gtest.h>

#include <boost/random/mersenne_twister.hpp>
#include <map>

namespace spillway {
namespace {

TEST(Backlog, SumsAheadAreThoseOfASortedList) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    boost::random::mt19937 dice(seed);
    Backlog backlog;
    std::map<QueueRank, Load> list;
    for (int step = 0; step < 400; ++step) {
      const QueueRank rank{static_cast<std::int64_t>(dice() % 50), JobId{dice() % 100}};
      if (const auto found = list.find(rank); found != list.end()) {
        backlog.Remove(rank);
        list.erase(found);
      } else {
        const Load load{absl::int128(dice() % 1000), absl::int128(dice() % 1000)};
        backlog.Add(rank, load);
        list.emplace(rank, load);
      }
      Load ahead;
      const QueueRank probe{static_cast<std::int64_t>(dice() % 50), JobId{dice() % 100}};
      for (const auto& [other, load] : list) {
        if (other < probe) ahead += load;
      }
      ASSERT_EQ(backlog.Ahead(probe), ahead);
      ASSERT_EQ(backlog.size(), list.size());
      ASSERT_EQ(backlog.AnyAhead(probe), !list.empty() && list.begin()->first < probe);
      if (!list.empty()) {
        ASSERT_EQ(backlog.First(), list.begin()->first);
      }
    }
  }
}

TEST(Backlog, LoadIsCapacityTimesTime) {
  const Load load = LoadOf(500'000, {absl::Seconds(2), absl::Seconds(3)});
  EXPECT_EQ(load.p50, absl::int128(500'000) * 2'000'000'000);
  EXPECT_EQ(load.p90, absl::int128(500'000) * 3'000'000'000);
}

}  // namespace
}  // namespace spillway
