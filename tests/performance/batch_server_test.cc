#include "performance/batch_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/random/exponential_distribution.hpp>
#include <boost/random/mersenne_twister.hpp>
#include <map>
#include <random>

namespace spillway {
namespace {

using absl::Microseconds;
using absl::Milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;
const absl::Time kStart = absl::UnixEpoch();

// 1 ms, and 1 ms for each item.
BatchTimes Times() { return BatchTimes({{{1, Milliseconds(2)}, {9, Milliseconds(10)}}}, 1); }

class Bench {
 public:
  explicit Bench(BatchLimits limits, BatchTimes times = Times())
      : server(std::move(times), limits) {}
  BatchAdmission Add(std::uint64_t id, int items = 1) { return server.Add({id, items}, now); }
  void At(absl::Duration time) { now = kStart + time; }
  // To the next event; what it gave.
  std::vector<BatchOutput> Next() {
    std::vector<BatchOutput> out;
    const absl::Time next = server.NextEvent(now);
    if (next == absl::InfiniteFuture()) return out;
    EXPECT_GE(next, now);
    now = next;
    server.Advance(now, out);
    return out;
  }
  std::vector<BatchOutput> Drain() {
    std::vector<BatchOutput> out;
    for (int i = 0; server.NextEvent(now) != absl::InfiniteFuture(); ++i) {
      EXPECT_LT(i, 1'000'000);
      for (const BatchOutput& o : Next()) out.push_back(o);
    }
    return out;
  }

  BatchServer server;
  absl::Time now = kStart;
};

TEST(BatchServer, WaitsForOthersUntilTheDelayIsOver) {
  Bench bench({.max_items = 8, .max_delay = Milliseconds(5)});
  bench.Add(1);
  EXPECT_EQ(bench.server.NextEvent(bench.now), kStart + Milliseconds(5));
  bench.At(Milliseconds(3));
  bench.Add(2);
  EXPECT_EQ(bench.server.NextEvent(bench.now), kStart + Milliseconds(5));
  EXPECT_THAT(bench.Next(), IsEmpty());  // it begins
  EXPECT_EQ(bench.server.gauges().waiting, 2);
  const absl::Time end = kStart + Milliseconds(5 + 3);
  EXPECT_THAT(bench.Next(), ElementsAre(BatchOutput{1, end, Milliseconds(5)},
                                        BatchOutput{2, end, Milliseconds(2)}));
  EXPECT_EQ(bench.server.NextEvent(bench.now), absl::InfiniteFuture());
}

TEST(BatchServer, AFullBatchBeginsAtOnce) {
  Bench bench({.max_items = 4, .max_delay = Milliseconds(5)});
  for (int id = 1; id <= 6; ++id) bench.Add(id);
  EXPECT_EQ(bench.server.NextEvent(bench.now), kStart + Milliseconds(5));  // its end: 1 + 4
  EXPECT_EQ(bench.server.gauges().running, 4);
  EXPECT_EQ(bench.server.gauges().waiting, 2);
  EXPECT_EQ(bench.Next().size(), 4u);
  // The others have waited for 5 ms by then.
  EXPECT_THAT(bench.Next(), ElementsAre(BatchOutput{5, kStart + Milliseconds(8), Milliseconds(5)},
                                        BatchOutput{6, kStart + Milliseconds(8), Milliseconds(5)}));
}

TEST(BatchServer, WhoeverIsTooManyForABatchClosesIt) {
  Bench bench({.max_items = 8, .max_delay = Milliseconds(50)});
  EXPECT_EQ(bench.Add(1, 9), BatchAdmission::kNeverFits);
  bench.Add(1, 5);
  bench.Add(2, 4);  // does not fit beside 1
  bench.Add(3, 3);  // would, but nobody overtakes
  EXPECT_EQ(bench.server.NextEvent(bench.now), kStart + Milliseconds(6));
  EXPECT_EQ(bench.server.gauges().waiting_items, 7);
  EXPECT_THAT(bench.Next(),
              ElementsAre(BatchOutput{1, kStart + Milliseconds(6), absl::ZeroDuration()}));
  // 2 and 3 have one place left and wait for their delay.
  EXPECT_EQ(bench.server.NextEvent(bench.now), kStart + Milliseconds(50));
}

TEST(BatchServer, InstancesComputeSideBySide) {
  Bench bench({.max_items = 2, .max_delay = absl::ZeroDuration(), .instances = 2});
  bench.Add(1, 2);
  EXPECT_EQ(bench.server.NextEvent(bench.now), kStart + Milliseconds(3));
  bench.At(Milliseconds(2));
  bench.Add(2, 1);
  bench.Add(3, 1);
  bench.Add(4, 1);
  EXPECT_EQ(bench.server.NextEvent(bench.now), kStart + Milliseconds(3));
  EXPECT_EQ(bench.server.gauges().busy, 2);
  EXPECT_EQ(bench.server.gauges().waiting, 1);
  EXPECT_EQ(bench.Next().size(), 1u);
  EXPECT_THAT(bench.Drain(),
              ElementsAre(BatchOutput{2, kStart + Milliseconds(5), absl::ZeroDuration()},
                          BatchOutput{3, kStart + Milliseconds(5), absl::ZeroDuration()},
                          BatchOutput{4, kStart + Milliseconds(5), Milliseconds(1)}));
  EXPECT_EQ(bench.server.gauges().busy_time, Milliseconds(3 + 3 + 2));
}

TEST(BatchServer, TheQueueIsBounded) {
  Bench bench({.max_items = 1, .max_delay = absl::ZeroDuration(), .max_waiting = 1});
  EXPECT_EQ(bench.Add(1), BatchAdmission::kAdmitted);
  EXPECT_EQ(bench.Add(2), BatchAdmission::kQueueFull);
  bench.server.NextEvent(bench.now);  // takes 1
  EXPECT_EQ(bench.Add(2), BatchAdmission::kAdmitted);
  EXPECT_EQ(bench.Drain().size(), 2u);
}

TEST(BatchServer, WhoeverLeavesGetsNoAnswerAndTheBatchTakesItsTime) {
  Bench bench({.max_items = 2, .max_delay = absl::ZeroDuration()});
  bench.Add(1);
  bench.Add(2);
  bench.Add(3);
  EXPECT_EQ(bench.server.NextEvent(bench.now), kStart + Milliseconds(3));
  bench.server.Cancel(1);
  bench.server.Cancel(3);
  bench.server.Cancel(77);
  EXPECT_EQ(bench.server.gauges().waiting_items, 0);
  EXPECT_THAT(bench.Drain(),
              ElementsAre(BatchOutput{2, kStart + Milliseconds(3), absl::ZeroDuration()}));
}

// Whatever comes when: everybody is answered once, in order, in batches that fit, and nobody
// waits beside a free instance for longer than the delay.
class BatchServerLaw : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Seeds, BatchServerLaw, testing::Range(0, 50));

TEST_P(BatchServerLaw, EverybodyIsAnsweredOnce) {
  std::mt19937 draw(static_cast<unsigned>(GetParam()));
  const auto up_to = [&](int n) { return static_cast<int>(draw() % static_cast<unsigned>(n)) + 1; };
  const BatchLimits limits{.max_items = up_to(20),
                           .max_delay = Microseconds(up_to(8000) - 1),
                           .instances = up_to(4),
                           .max_waiting = up_to(50)};
  Bench bench(limits);
  std::map<std::uint64_t, int> items;
  std::map<absl::Time, int> ended;  // items by the instant
  std::vector<BatchOutput> answers;
  std::int64_t admitted = 0;
  const auto take = [&](absl::Time until) {
    while (bench.server.NextEvent(bench.now) <= until) {
      if (bench.server.NextEvent(bench.now) == absl::InfiniteFuture()) return;
      const BatchGauges before = bench.server.gauges();
      EXPECT_LE(before.busy, limits.instances);
      for (const BatchOutput& o : bench.Next()) {
        EXPECT_EQ(o.at, bench.now);
        answers.push_back(o);
      }
    }
  };
  for (std::uint64_t id = 1; id <= 500; ++id) {
    const absl::Time at = bench.now + Microseconds(up_to(3000) - 1);
    take(at);
    bench.now = at;
    const int n = up_to(limits.max_items);
    if (bench.Add(id, n) == BatchAdmission::kAdmitted) {
      items[id] = n;
      admitted += n;
    }
    bench.server.NextEvent(bench.now);
  }
  take(absl::InfiniteFuture());
  ASSERT_EQ(answers.size(), items.size());
  std::uint64_t begun_last = 0;
  for (const BatchOutput& o : answers) {
    EXPECT_EQ(items.erase(o.id), 1u) << o.id;
    EXPECT_GE(o.queued, absl::ZeroDuration());
    if (limits.instances > 1) continue;  // else a smaller batch may end first
    EXPECT_GT(o.id, begun_last);
    begun_last = o.id;
  }
  const BatchGauges end = bench.server.gauges();
  EXPECT_EQ(end.waiting + end.running + end.busy + end.waiting_items, 0);
  EXPECT_EQ(end.items, admitted);
  EXPECT_GE(end.batches * limits.max_items, admitted);
  EXPECT_GE(end.busy_time, end.batches * Milliseconds(2));
}

// One at a time, at random: M/D/1, whose mean wait is rho x service / (2 (1 - rho)).
TEST(BatchServer, OneAtATimeIsTheTextbookQueue) {
  Bench bench({.max_items = 1, .max_delay = absl::ZeroDuration(), .max_waiting = 1'000'000},
              BatchTimes({{{1, Milliseconds(1)}}}, 1));
  boost::random::mt19937_64 draw(11);
  boost::random::exponential_distribution<double> gap(0.7);  // each millisecond
  constexpr int kRequests = 400'000;
  double waited = 0;
  std::vector<BatchOutput> out;
  double at = 0;
  for (int id = 1; id <= kRequests; ++id) {
    at += gap(draw);
    const absl::Time arrival = kStart + absl::Nanoseconds(static_cast<std::int64_t>(at * 1e6));
    for (absl::Time next; (next = bench.server.NextEvent(bench.now)) <= arrival;) {
      bench.now = next;
      bench.server.Advance(next, out);
    }
    bench.now = arrival;
    bench.Add(static_cast<std::uint64_t>(id));
    bench.server.NextEvent(bench.now);
  }
  for (const BatchOutput& o : bench.Drain()) out.push_back(o);
  for (const BatchOutput& o : out) waited += absl::ToDoubleMilliseconds(o.queued);
  ASSERT_EQ(out.size(), static_cast<std::size_t>(kRequests));
  EXPECT_NEAR(waited / kRequests, 0.7 / (2 * 0.3), 0.03);
}

}  // namespace
}  // namespace spillway
