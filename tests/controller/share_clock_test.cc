#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "controller/dispatcher.h"
#include "tests/support/test_clock.h"

namespace spillway {
namespace {

using absl::Milliseconds;
using absl::Nanoseconds;
using absl::Seconds;

const absl::Time kStart = absl::FromUnixSeconds(1'790'000'000);

TEST(ShareClock, AloneItIsAllTheTime) {
  ShareClock clock;
  const auto mark = clock.Enter(kStart, 1);
  EXPECT_EQ(clock.Leave(kStart + Seconds(3), 1, mark), Seconds(3));
  const auto later = clock.Enter(kStart + Seconds(100), 1);
  EXPECT_EQ(clock.Leave(kStart + Seconds(101), 1, later), Seconds(1)) << "idle time is nobody's";
}

TEST(ShareClock, TogetherEachHasItsPart) {
  ShareClock clock;
  const auto a = clock.Enter(kStart, 1);
  const auto b = clock.Enter(kStart + Seconds(2), 3);  // three choices
  EXPECT_EQ(clock.Leave(kStart + Seconds(6), 3, b), Seconds(3));
  EXPECT_EQ(clock.Leave(kStart + Seconds(7), 1, a), Seconds(2 + 1 + 1));
}

TEST(ShareClock, AClockThatIsSetBackTakesNothingAway) {
  ShareClock clock;
  const auto a = clock.Enter(kStart, 1);
  const auto b = clock.Enter(kStart - Seconds(50), 1);
  EXPECT_EQ(clock.Leave(kStart - Seconds(40), 1, b), absl::ZeroDuration());
  EXPECT_EQ(clock.Leave(kStart + Seconds(1), 1, a), Seconds(1));
  const auto c = clock.Enter(kStart - absl::Hours(1), 1);
  EXPECT_EQ(clock.Leave(kStart - absl::Hours(1) + Seconds(3), 1, c), Seconds(3))
      << "whoever comes after it is not served for nothing";
}

// A thread that read the time before another one, and comes behind it, is not given that time too.
TEST(ShareClock, TimeIsGivenOnce) {
  ShareClock clock;
  const auto a = clock.Enter(kStart, 1);
  EXPECT_EQ(clock.Leave(kStart + Milliseconds(10), 1, a), Milliseconds(10));
  const auto b = clock.Enter(kStart + Milliseconds(5), 1);
  EXPECT_EQ(clock.Leave(kStart + Milliseconds(12), 1, b), Milliseconds(2));
}

TEST(ShareClock, SharesSumToTheBusyTime) {
  for (std::uint32_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937_64 dice(seed);
    ShareClock clock;
    struct Held {
      std::uint64_t mark;
      int sequences;
    };
    std::vector<Held> held;
    absl::Time now = kStart;
    absl::Duration busy, shared;
    constexpr int kSteps = 2000;
    for (int step = 0; step < kSteps || !held.empty(); ++step) {
      const absl::Duration passed = Nanoseconds(
          static_cast<std::int64_t>(dice() % (dice() % 3 == 0 ? 10'000'000'000u : 1000u)));
      if (!held.empty()) busy += passed;
      now += passed;
      if (step < kSteps && (held.empty() || dice() % 2 == 0)) {
        const int sequences = 1 + static_cast<int>(dice() % 4);
        held.push_back({clock.Enter(now, sequences), sequences});
        continue;
      }
      const std::size_t at = dice() % held.size();
      const absl::Duration share = clock.Leave(now, held[at].sequences, held[at].mark);
      EXPECT_GE(share, absl::ZeroDuration());
      shared += share;
      held.erase(held.begin() + static_cast<std::ptrdiff_t>(at));
    }
    EXPECT_LE(shared, busy) << "never more";
    EXPECT_GE(shared, busy - Nanoseconds(2 * kSteps)) << "a nanosecond for each that ended";
  }
}

TEST(ShareClock, ManyThreadsShareWhatThereWas) {
  ShareClock share;
  TestClock clock(kStart);
  std::atomic<std::int64_t> sum{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2000; ++i) {
        const auto mark = share.Enter(clock.Now(), 1 + t % 3);
        clock.Advance(Nanoseconds(1 + i % 700));
        sum += absl::ToInt64Nanoseconds(share.Leave(clock.Now(), 1 + t % 3, mark));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(Nanoseconds(sum.load()), clock.Now() - kStart);
  EXPECT_GT(sum.load(), 0);
}

}  // namespace
}  // namespace spillway
