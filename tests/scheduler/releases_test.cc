#include "scheduler/releases.h"

#include <gtest/gtest.h>

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
  // 20 node-seconds on the first by its release at 10, done at 30; the second is free then too.
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
  r.releases.Walk(kNow, [&](AttemptKey key, std::int64_t, const Running&, std::int64_t when) {
    order.push_back(Number(key.job));
    times.push_back((when - absl::ToUnixNanos(kNow)) / 1'000'000'000);
    return true;
  });
  EXPECT_EQ(order, (std::vector<std::uint64_t>{2, 3, 1}));
  EXPECT_EQ(times, (std::vector<std::int64_t>{5, 10, 20}));
}

TEST(Releases, BehindALongQueueTheClosedFormIsTheWalk) {
  Held few, many;
  for (int i = 0; i < 16; ++i) few.Add(Key(i + 1), In(i + 1), kNode);
  for (int i = 0; i < 17; ++i) many.Add(Key(i + 1), In(i + 1), kNode);
  // All slots are free after their releases: the sum of (t - release) is the work ahead.
  EXPECT_EQ(few.Ready(kNow, 16 * kNode, kNode, NodeSeconds(16 * 100)),
            kNow + absl::Seconds(100) + absl::Milliseconds(8500));
  EXPECT_EQ(many.Ready(kNow, 17 * kNode, kNode, NodeSeconds(17 * 100)), kNow + absl::Seconds(109));
}

TEST(Releases, WithoutCapacityItIsNever) {
  Held r;
  EXPECT_EQ(r.Ready(kNow, 0, kNode, NodeSeconds(1)), absl::InfiniteFuture());
}

}  // namespace
}  // namespace spillway
