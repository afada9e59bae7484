#include "simulator/event_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/random/exponential_distribution.hpp>
#include <boost/random/mersenne_twister.hpp>
#include <boost/random/uniform_int_distribution.hpp>
#include <cstdint>
#include <limits>
#include <ostream>
#include <queue>
#include <string>
#include <vector>

#include "tests/support/allocations.h"

namespace spillway {
namespace {

using Draws = boost::random::mt19937_64;
using Queue = EventQueue<std::uint64_t>;
using Event = Queue::Event;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr EventClass kStep = EventClass::kStep;

struct Later {
  bool operator()(const Event& a, const Event& b) const { return b < a; }
};
// The oracle: the same order, from the standard library.
class Heap {
 public:
  void Push(std::int64_t time, EventClass event_class, std::uint64_t payload) {
    heap_.push({time, static_cast<std::uint64_t>(event_class) << 56 | next_++, payload});
  }
  Event Pop() {
    const Event event = heap_.top();
    heap_.pop();
    return event;
  }
  std::size_t size() const { return heap_.size(); }

 private:
  std::priority_queue<Event, std::vector<Event>, Later> heap_;
  std::uint64_t next_ = 0;
};

// How long after the current instant the next event is, of many kinds of worlds.
struct World {
  std::string name;
  std::int64_t (*delay)(Draws& draws);
};
// What a failed test calls it.
void PrintTo(const World& world, std::ostream* out) { *out << world.name; }
std::int64_t Uniform(Draws& draws, std::int64_t most) {
  return boost::random::uniform_int_distribution<std::int64_t>(0, most)(draws);
}
std::int64_t Exponential(Draws& draws, double mean) {
  return static_cast<std::int64_t>(boost::random::exponential_distribution<>(1 / mean)(draws));
}
const World kWorlds[] = {
    {"Exponential", [](Draws& draws) { return Exponential(draws, 1e9); }},
    {"Uniform", [](Draws& draws) { return Uniform(draws, 2 * kSecond); }},
    {"Bimodal",
     [](Draws& draws) {
       return Uniform(draws, 9) == 0 ? Exponential(draws, 1e12) : Exponential(draws, 1e6);
     }},
    {"AlwaysNow", [](Draws&) { return std::int64_t{0}; }},
    {"AlwaysTheSameDelay", [](Draws&) { return kSecond; }},
    {"FewNanoseconds", [](Draws& draws) { return Uniform(draws, 3); }},
    {"OnAGrid", [](Draws& draws) { return 3 * kSecond * Uniform(draws, 4); }},
    {"MostlyNow",
     [](Draws& draws) { return Uniform(draws, 4) == 0 ? Uniform(draws, kSecond) : 0; }},
    {"Skewed",  // each power of two of nanoseconds, up to 18 minutes, as likely as the next
     [](Draws& draws) { return Uniform(draws, std::int64_t{1} << Uniform(draws, 40)); }},
    {"FarFuture",  // a handful of timers decades ahead of everything else
     [](Draws& draws) {
       return Uniform(draws, 999) == 0 ? 900'000'000 * kSecond + Uniform(draws, 9)
                                       : Exponential(draws, 1e8);
     }},
};

class OfManyWorlds : public testing::TestWithParam<World> {};
INSTANTIATE_TEST_SUITE_P(EventQueue, OfManyWorlds, testing::ValuesIn(kWorlds),
                         [](const auto& world) { return world.param.name; });

// Pops both and compares all three parts of the order, and the payload.
void ExpectSamePop(Queue& queue, Heap& heap, const std::string& where) {
  const Event wanted = heap.Pop();
  ASSERT_EQ(queue.PeekTime(), wanted.time) << where;
  const Event found = queue.Pop();
  ASSERT_EQ(found.time, wanted.time) << where;
  ASSERT_EQ(found.order, wanted.order) << where;
  ASSERT_EQ(found.payload, wanted.payload) << where;
  ASSERT_EQ(queue.size(), heap.size()) << where;
  ASSERT_EQ(queue.now(), wanted.time) << where;
}

// Grows, holds and shrinks in random phases, and at last runs empty.
void RunBeside(const World& world, std::uint64_t seed, int steps, std::size_t most) {
  Draws draws(seed);
  Queue queue;
  Heap heap;
  std::int64_t now = 0;
  std::int64_t push_of_ten = 8;
  for (int step = 0; step < steps; ++step) {
    const std::string where =
        world.name + ", seed " + std::to_string(seed) + ", step " + std::to_string(step);
    if (step % 1000 == 0) push_of_ten = 2 + Uniform(draws, 7);
    const bool push = heap.size() < most && Uniform(draws, 9) < push_of_ten;
    if (push || heap.size() == 0) {
      const std::int64_t time = now + world.delay(draws);
      const auto event_class = static_cast<EventClass>(Uniform(draws, 5));
      const auto payload = static_cast<std::uint64_t>(step);
      queue.Push(time, event_class, payload);
      heap.Push(time, event_class, payload);
    } else {
      ASSERT_NO_FATAL_FAILURE(ExpectSamePop(queue, heap, where));
      now = queue.now();
    }
  }
  while (heap.size() > 0) ASSERT_NO_FATAL_FAILURE(ExpectSamePop(queue, heap, "at the end"));
  EXPECT_TRUE(queue.empty());
}

TEST_P(OfManyWorlds, PopsInTheOrderOfAHeap) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    ASSERT_NO_FATAL_FAILURE(RunBeside(GetParam(), seed, 20'000, 4'000));
}
TEST_P(OfManyWorlds, PopsInTheOrderOfAHeapWhenItIsLong) {
  ASSERT_NO_FATAL_FAILURE(RunBeside(GetParam(), 77, 400'000, 100'000));
}

// Bursts: thousands of events at once, then all of them handled, some of them causing others.
TEST_P(OfManyWorlds, BurstsComeOutInOrder) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Draws draws(seed);
    Queue queue;
    Heap heap;
    for (int burst = 0; burst < 20; ++burst) {
      const std::int64_t start = (burst == 0 ? 0 : queue.now()) + Uniform(draws, 5 * kSecond);
      for (std::int64_t i = Uniform(draws, 3'000); i >= 0; --i) {
        const std::int64_t time = start + GetParam().delay(draws);
        queue.Push(time, kStep, 7);
        heap.Push(time, kStep, 7);
      }
      for (std::int64_t i = Uniform(draws, 2'500); i >= 0 && heap.size() > 0; --i)
        ASSERT_NO_FATAL_FAILURE(ExpectSamePop(queue, heap, "seed " + std::to_string(seed)));
    }
  }
}

TEST(EventQueue, OneInstantGoesByClassThenByPush) {
  Queue queue;
  const EventClass classes[] = {
      EventClass::kStep,  EventClass::kRouting, EventClass::kAdmission, EventClass::kArrival,
      EventClass::kPrice, EventClass::kFault,   EventClass::kAdmission, EventClass::kFault};
  for (std::uint64_t i = 0; i < std::size(classes); ++i) queue.Push(5, classes[i], i);
  std::vector<std::uint64_t> order;
  while (!queue.empty()) order.push_back(queue.Pop().payload);
  EXPECT_THAT(order, testing::ElementsAre(5, 7, 4, 3, 2, 6, 1, 0));
}

TEST(EventQueue, AnEventSaysWhatItIs) {
  Queue queue;
  EXPECT_EQ(queue.Push(9, EventClass::kPrice, 1), 0u);
  EXPECT_EQ(queue.Push(9, EventClass::kArrival, 2), 1u);
  queue.Pop();
  const Event second = queue.Pop();
  EXPECT_EQ(second.event_class(), EventClass::kArrival);
  EXPECT_EQ(second.sequence(), 1u);
  EXPECT_EQ(sizeof(Event), 24u);
}

TEST(EventQueue, WhatIsPushedAtTheCurrentInstantIsHandledThere) {
  Queue queue;
  for (int i = 0; i < 5'000; ++i) queue.Push(10, kStep, 0);
  queue.Push(11, EventClass::kFault, 99);
  // Each pop causes a fault at the same instant, which goes before the steps that are left.
  for (int i = 0; i < 2'500; ++i) {
    ASSERT_EQ(queue.Pop().event_class(), kStep);
    queue.Push(10, EventClass::kFault, 1);
    ASSERT_EQ(queue.Pop().event_class(), EventClass::kFault);
  }
  for (int i = 0; i < 2'500; ++i) ASSERT_EQ(queue.Pop().time, 10);
  EXPECT_EQ(queue.Pop().payload, 99u);
}

TEST(EventQueue, TakesTheEndsOfTime) {
  constexpr auto kFirst = std::numeric_limits<std::int64_t>::min();
  constexpr auto kLast = std::numeric_limits<std::int64_t>::max();
  Queue queue;
  Heap heap;
  for (std::uint64_t i = 0; i < 2'000; ++i) {
    const std::int64_t times[] = {kFirst, kLast, 0, kLast - static_cast<std::int64_t>(i),
                                  kFirst + static_cast<std::int64_t>(i)};
    queue.Push(times[i % 5], kStep, i);
    heap.Push(times[i % 5], kStep, i);
  }
  while (heap.size() > 0) ASSERT_NO_FATAL_FAILURE(ExpectSamePop(queue, heap, "ends of time"));
}

TEST(EventQueueDeathTest, TimeDoesNotGoBack) {
  Queue queue;
  queue.Push(10, kStep, 0);
  queue.Pop();
  queue.Push(10, kStep, 0);
  EXPECT_DEATH(queue.Push(9, kStep, 0), "broken invariant: time >= now_");
}
TEST(EventQueueDeathTest, AnEmptyQueueHasNoNextEvent) {
  Queue queue;
  EXPECT_DEATH(queue.PeekTime(), "broken invariant");
}

// As full as before: no memory is asked for, whatever the distribution.
class SteadyWorlds : public testing::TestWithParam<World> {};
// All but the last, whose far events pile up for as long as it runs.
INSTANTIATE_TEST_SUITE_P(EventQueue, SteadyWorlds,
                         testing::ValuesIn(std::begin(kWorlds), std::end(kWorlds) - 1),
                         [](const auto& world) { return world.param.name; });
TEST_P(SteadyWorlds, HoldingAllocatesNothing) {
  Draws draws(3);
  Queue queue;
  const auto hold = [&](int times) {
    for (int i = 0; i < times; ++i) {
      const Event event = queue.Pop();
      queue.Push(event.time + GetParam().delay(draws), event.event_class(), event.payload);
    }
  };
  for (std::uint64_t i = 0; i < 10'000; ++i) queue.Push(GetParam().delay(draws), kStep, i);
  hold(600'000);
  const std::int64_t before = fixtures::Allocations();
  hold(400'000);
  EXPECT_EQ(fixtures::Allocations(), before);
}

}  // namespace
}  // namespace spillway
