#include "scheduler/releases.h"

#include <gtest/gtest.h>

#include <boost/random/mersenne_twister.hpp>
#include <deque>
#include <vector>

namespace spillway {
namespace {

constexpr std::int64_t kNode = 1'000'000;
const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);
absl::int128 NodeSeconds(int n) { return absl::int128(kNode) * n * 1'000'000'000; }
AttemptKey Key(std::uint64_t n) { return {JobId{n}, 1}; }
// Keeps what is added alive.
struct Held {
  Releases releases;
  std::deque<Running> running;
  void Add(AttemptKey key, absl::Time end, std::int64_t micro_nodes) {
    running.push_back({.key = key, .micro_nodes = micro_nodes});
    releases.Add(running.back(), end);
  }
  absl::Time Ready(absl::Time now, std::int64_t capacity, std::int64_t need,
                   absl::int128 ahead) const {
    return releases.Ready(now, capacity, need, ahead);
  }
};
absl::Time In(int seconds) { return kNow + absl::Seconds(seconds); }

TEST(Releases, OneSlotIsExact) {
  Held r;
  r.Add(Key(1), In(30), kNode);
  EXPECT_EQ(r.Ready(kNow, kNode, kNode, 0), In(30));
  EXPECT_EQ(r.Ready(kNow, kNode, kNode, NodeSeconds(20)), In(50));
}

TEST(Releases, SeveralSlotsShareTheWorkAhead) {
  Held r;
  r.Add(Key(1), In(10), kNode);
  r.Add(Key(2), In(30), kNode);
  EXPECT_EQ(r.Ready(kNow, 2 * kNode, kNode, 0), In(10));
  // 20 node-seconds on the first from its release at 10 on, done at 30.
  EXPECT_EQ(r.Ready(kNow, 2 * kNode, kNode, NodeSeconds(20)), In(30));
  EXPECT_EQ(r.Ready(kNow, 2 * kNode, kNode, NodeSeconds(40)), In(40));
}

TEST(Releases, WorkThatNeedsMoreThanOneReleaseWaitsForEnough) {
  Held r;
  r.Add(Key(1), In(10), kNode / 2);
  r.Add(Key(2), In(25), kNode / 2);
  EXPECT_EQ(r.Ready(kNow, kNode, kNode, 0), In(25));
}

TEST(Releases, WhatOverrunsIsExpectedToGoOnAsLongAgain) {
  Held r;
  r.Add(Key(1), In(-20), kNode);
  EXPECT_EQ(r.Ready(kNow, kNode, kNode, 0), In(20));
}

TEST(Releases, OverdueOnesComeInOrderOfWhatIsExpectedOfThem) {
  Held r;
  r.Add(Key(1), In(-20), kNode);
  r.Add(Key(2), In(-5), kNode);
  r.Add(Key(3), In(10), kNode);
  std::vector<std::uint64_t> order;
  std::vector<std::int64_t> times;
  r.releases.Walk(kNow, [&](const Running& running, std::int64_t when) {
    order.push_back(Number(running.key.job));
    times.push_back((when - absl::ToUnixNanos(kNow)) / 1'000'000'000);
    return true;
  });
  EXPECT_EQ(order, (std::vector<std::uint64_t>{2, 3, 1}));
  EXPECT_EQ(times, (std::vector<std::int64_t>{5, 10, 20}));
}

TEST(Releases, BehindALongQueueEverySlotTakesItsPart) {
  Held r;
  for (int i = 0; i < 17; ++i) r.Add(Key(i + 1), In(i + 1), kNode);
  // All slots are free after their releases: the sum of (t - release) is the work ahead.
  EXPECT_EQ(r.Ready(kNow, 17 * kNode, kNode, NodeSeconds(17 * 100)), kNow + absl::Seconds(109));
}

// The same, step by step: the oracle of the tree.
std::int64_t ByWalking(const std::vector<std::pair<std::int64_t, std::int64_t>>& releases,
                       std::int64_t capacity, std::int64_t need, absl::int128 ahead) {
  std::int64_t free = capacity;
  for (const auto& [end, micro] : releases) free -= micro;
  std::int64_t t = absl::ToUnixNanos(kNow);
  absl::int128 left = ahead;
  for (const auto& [end, micro] : releases) {
    if (free >= need && left <= absl::int128(free) * (end - t)) break;
    left -= absl::int128(free) * (end - t);
    t = end;
    free += micro;
  }
  if (left <= 0) return t;
  return t + static_cast<std::int64_t>((left + free - 1) / free);
}
TEST(Releases, TheTreeAnswersAsTheWalkDoes) {
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    boost::random::mt19937 dice(seed);
    Held r;
    std::vector<std::pair<std::int64_t, std::int64_t>> sorted;
    const int count = 1 + static_cast<int>(dice() % 20);
    for (int i = 0; i < count; ++i) {
      const absl::Time end = kNow + absl::Milliseconds(1 + dice() % 60'000);
      const std::int64_t micro = kNode / static_cast<std::int64_t>(1 + dice() % 4);
      r.Add(Key(i + 1), end, micro);
      sorted.emplace_back(absl::ToUnixNanos(end), micro);
    }
    std::sort(sorted.begin(), sorted.end());
    const std::int64_t capacity = std::int64_t{count} * kNode;
    const std::int64_t need = kNode / static_cast<std::int64_t>(1 + dice() % 4);
    const absl::int128 ahead = absl::int128(kNode) * (dice() % 600'000) * 1'000'000 + 1;
    EXPECT_EQ(absl::ToUnixNanos(r.Ready(kNow, capacity, need, ahead)),
              ByWalking(sorted, capacity, need, ahead));
  }
}

TEST(Releases, WithoutCapacityItIsNever) {
  Held r;
  EXPECT_EQ(r.Ready(kNow, 0, kNode, NodeSeconds(1)), absl::InfiniteFuture());
}

}  // namespace
}  // namespace spillway
