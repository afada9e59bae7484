#include <gtest/gtest.h>

#include <limits>

#include "policies/queue_orders/earliest_deadline.h"
#include "policies/queue_orders/fifo.h"
#include "policies/queue_orders/priority.h"

namespace spillway {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

Work OfPriority(int priority) {
  Work work;
  work.priority = priority;
  return work;
}
bool GoesFirst(const QueueOrder& order, const Work& a, absl::Time a_came, const Work& b,
               absl::Time b_came) {
  return order.KeyOf(a, a_came) < order.KeyOf(b, b_came);
}

TEST(FifoOrder, EarlierWorkGoesFirstWhateverItsPriority) {
  EXPECT_TRUE(
      GoesFirst(FifoOrder(), OfPriority(-100), kNow, OfPriority(100), kNow + absl::Nanoseconds(1)));
}

TEST(PriorityOrder, LargerGoesFirst) {
  const PriorityOrder order(absl::Minutes(10));
  EXPECT_TRUE(GoesFirst(order, OfPriority(1), kNow, OfPriority(0), kNow));
  EXPECT_TRUE(GoesFirst(order, OfPriority(0), kNow, OfPriority(-1), kNow));
}
TEST(PriorityOrder, EqualPriorityIsFirstComeFirstServed) {
  EXPECT_TRUE(GoesFirst(PriorityOrder(absl::Minutes(10)), OfPriority(7), kNow, OfPriority(7),
                        kNow + absl::Nanoseconds(1)));
}
TEST(PriorityOrder, WaitingIsWorthOnePointAnAging) {
  const PriorityOrder order(absl::Minutes(10));
  const Work low = OfPriority(0), high = OfPriority(3);
  // Three points are worth 30 minutes.
  EXPECT_FALSE(GoesFirst(order, low, kNow, high, kNow + absl::Minutes(30) - absl::Nanoseconds(1)));
  EXPECT_TRUE(GoesFirst(order, low, kNow, high, kNow + absl::Minutes(30) + absl::Nanoseconds(1)));
}
TEST(PriorityOrder, WithoutAgingPriorityIsStrict) {
  for (const absl::Duration never : {absl::InfiniteDuration(), absl::Hours(24 * 365)}) {
    const PriorityOrder order(never);
    EXPECT_TRUE(
        GoesFirst(order, OfPriority(1), kNow + absl::Hours(24 * 36500), OfPriority(0), kNow));
    EXPECT_TRUE(GoesFirst(order, OfPriority(1), kNow, OfPriority(1), kNow + absl::Microseconds(1)));
    EXPECT_TRUE(GoesFirst(order, OfPriority(100), kNow, OfPriority(99), kNow));
    EXPECT_TRUE(GoesFirst(order, OfPriority(-99), kNow, OfPriority(-100), kNow));
  }
}
TEST(PriorityOrder, TheLongestAgingStillOrdersTheWholeRange) {
  const PriorityOrder order(absl::Hours(24 * 365) - absl::Nanoseconds(1));
  for (int priority = -100; priority < 100; ++priority) {
    EXPECT_TRUE(GoesFirst(order, OfPriority(priority + 1), kNow, OfPriority(priority), kNow));
    EXPECT_TRUE(GoesFirst(order, OfPriority(priority), kNow, OfPriority(priority),
                          kNow + absl::Nanoseconds(1)));
  }
}
TEST(PriorityOrder, SaturatesInsteadOfWrappingAround) {
  const PriorityOrder order(absl::Hours(24 * 364));
  EXPECT_EQ(order.KeyOf(OfPriority(-100), absl::InfiniteFuture()),
            std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(order.KeyOf(OfPriority(100), absl::InfinitePast()),
            std::numeric_limits<std::int64_t>::min());
}

Work DueBy(absl::Time deadline) {
  Work work;
  work.objective.deadline = deadline;
  return work;
}
Work StartingWithin(absl::Duration wait) {
  Work work;
  work.objective.start_within = wait;
  return work;
}

TEST(EarliestDeadlineOrder, WhatIsDueFirstGoesFirst) {
  EXPECT_TRUE(GoesFirst(EarliestDeadlineOrder(), DueBy(kNow + absl::Minutes(1)),
                        kNow + absl::Seconds(1), DueBy(kNow + absl::Minutes(2)), kNow));
}
TEST(EarliestDeadlineOrder, StartWithinCountsFromSubmission) {
  const EarliestDeadlineOrder order;
  EXPECT_EQ(order.KeyOf(StartingWithin(absl::Minutes(1)), kNow),
            order.KeyOf(DueBy(kNow + absl::Minutes(1)), kNow));
  EXPECT_TRUE(GoesFirst(order, StartingWithin(absl::Minutes(1)), kNow,
                        StartingWithin(absl::Minutes(1)), kNow + absl::Nanoseconds(1)));
}
TEST(EarliestDeadlineOrder, TheDeadlineCountsWhereBothAreGiven) {
  Work both = DueBy(kNow + absl::Hours(1));
  both.objective.start_within = absl::Seconds(1);
  EXPECT_EQ(EarliestDeadlineOrder().KeyOf(both, kNow),
            EarliestDeadlineOrder().KeyOf(DueBy(kNow + absl::Hours(1)), kNow));
}
TEST(EarliestDeadlineOrder, WorkWithoutAnObjectiveComesLastInOrderOfArrival) {
  const EarliestDeadlineOrder order;
  const Work open, endless = StartingWithin(absl::InfiniteDuration());
  EXPECT_TRUE(GoesFirst(order, DueBy(kNow + absl::Hours(24 * 365 * 50)), kNow, open, kNow));
  EXPECT_TRUE(GoesFirst(order, open, kNow, open, kNow + absl::Microseconds(1)));
  EXPECT_TRUE(GoesFirst(order, endless, kNow, open, kNow + absl::Microseconds(1)));
}

}  // namespace
}  // namespace spillway
