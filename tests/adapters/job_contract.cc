#include "tests/adapters/job_contract.h"

#include <algorithm>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"

namespace spillway {

using testing::ElementsAre;
using testing::IsEmpty;

void ContractSink::Post(event::Body happened) {
  const std::lock_guard lock(mutex_);
  said_.push_back(std::move(happened));
}

int ContractSink::Starts(AttemptKey key) const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(std::count_if(said_.begin(), said_.end(), [key](const auto& one) {
    const auto* started = std::get_if<event::AttemptStarted>(&one);
    return started != nullptr && started->key == key;
  }));
}

std::vector<event::AttemptEnded> ContractSink::Ends(AttemptKey key) const {
  const std::lock_guard lock(mutex_);
  std::vector<event::AttemptEnded> ends;
  for (const event::Body& one : said_) {
    if (const auto* ended = std::get_if<event::AttemptEnded>(&one); ended && ended->key == key)
      ends.push_back(*ended);
  }
  return ends;
}

bool ContractSink::StartedLate(AttemptKey key) const {
  const std::lock_guard lock(mutex_);
  bool over = false;
  for (const event::Body& one : said_) {
    const auto* started = std::get_if<event::AttemptStarted>(&one);
    if (started && started->key == key && over) return true;
    const auto* ended = std::get_if<event::AttemptEnded>(&one);
    over = over || (ended && ended->key == key);
  }
  return false;
}

void JobContract::TearDown() {
  for (auto& controller : controllers_) controller->adapter->Stop();
  for (auto& controller : controllers_) controller->adapter.reset();
}

JobContract::Controller& JobContract::Start(std::vector<AttemptKey> known) {
  auto controller = std::make_unique<Controller>();
  controller->epoch = controllers_.size() + 1;
  controller->adapter = bench_->NewAdapter(controller->sink);
  const absl::Status started = controller->adapter->Start(controller->epoch, known);
  EXPECT_TRUE(started.ok()) << started;
  controllers_.push_back(std::move(controller));
  return *controllers_.back();
}

void JobContract::Launch(Controller& by, AttemptKey key, const std::string& word) {
  by.adapter->Launch(bench_->Launch(key, by.epoch, word));
}

void JobContract::Cancel(Controller& by, AttemptKey key) {
  const command::Launch launch = bench_->Launch(key, by.epoch, "");
  by.adapter->Cancel({.key = key, .epoch = by.epoch, .pool = launch.pool});
}

bool JobContract::Until(const std::function<bool()>& holds) {
  const absl::Time end = absl::Now() + absl::Seconds(20);
  for (;;) {
    bench_->Step();
    if (holds()) return true;
    if (absl::Now() > end) return false;
    absl::SleepFor(absl::Milliseconds(1));
  }
}

void JobContract::Settle(Controller& by) {
  const AttemptKey other = NextKey();
  Launch(by, other, "other");
  EXPECT_TRUE(Began(other));
  bench_->Finish(other, 0);
  End(by, other);
}

bool JobContract::Began(AttemptKey key) {
  return Until([&] { return !bench_->Ran(key).empty(); });
}

event::AttemptEnded JobContract::End(Controller& by, AttemptKey key) {
  EXPECT_TRUE(Until([&] { return !by.sink.Ends(key).empty(); })) << "its end was not told";
  const auto ends = by.sink.Ends(key);
  EXPECT_EQ(ends.size(), 1u);
  EXPECT_FALSE(by.sink.StartedLate(key));
  return ends.empty() ? event::AttemptEnded{} : ends.front();
}

void JobContract::ExpectSameEnd(Controller& of, AttemptKey key) {
  const auto ends = of.sink.Ends(key);
  ASSERT_FALSE(ends.empty());
  for (const event::AttemptEnded& end : ends) {
    EXPECT_EQ(end.fault, ends.front().fault);
    EXPECT_EQ(end.exit_code, ends.front().exit_code);
  }
}

namespace {

TEST_P(JobContract, TellsStartAndEndOnce) {
  Controller& us = Start();
  const AttemptKey key = NextKey();
  Launch(us, key);
  ASSERT_TRUE(Until([&] { return us.sink.Starts(key) == 1; }));
  EXPECT_THAT(us.sink.Ends(key), IsEmpty());
  bench_->Finish(key, 3);
  const event::AttemptEnded end = End(us, key);
  EXPECT_EQ(end.fault, Fault::kOwn);
  EXPECT_EQ(end.exit_code, 3);
  Settle(us);
  EXPECT_EQ(us.sink.Starts(key), 1);
  EXPECT_EQ(us.sink.Ends(key).size(), 1u);
}

TEST_P(JobContract, ExitCodeZeroIsNoFault) {
  Controller& us = Start();
  const AttemptKey key = NextKey();
  Launch(us, key);
  ASSERT_TRUE(Began(key));
  bench_->Finish(key, 0);
  const event::AttemptEnded end = End(us, key);
  EXPECT_EQ(end.fault, Fault::kNone);
  EXPECT_EQ(end.exit_code, 0);
}

TEST_P(JobContract, ASeenAttemptStartsNothing) {
  Controller& us = Start();
  const AttemptKey key = NextKey();
  Launch(us, key);
  Launch(us, key, "second");
  ASSERT_TRUE(Began(key));
  Launch(us, key, "third");
  bench_->Finish(key, 0);
  End(us, key);
  Launch(us, key, "fourth");
  Settle(us);
  EXPECT_THAT(bench_->Ran(key), ElementsAre("first"));
  ExpectSameEnd(us, key);
}

TEST_P(JobContract, AnotherAttemptOfTheJobIsAnotherOne) {
  Controller& us = Start();
  const AttemptKey key = NextKey(), again{key.job, 2};
  Launch(us, key);
  ASSERT_TRUE(Began(key));
  bench_->Finish(key, 1);
  End(us, key);
  Launch(us, again, "again");
  ASSERT_TRUE(Began(again));
  bench_->Finish(again, 0);
  EXPECT_EQ(End(us, again).fault, Fault::kNone);
  EXPECT_THAT(bench_->Ran(again), ElementsAre("again"));
}

TEST_P(JobContract, TheNextControllerTakesOverWhatRuns) {
  Controller& before = Start();
  const AttemptKey key = NextKey();
  Launch(before, key);
  ASSERT_TRUE(Began(key));
  before.adapter->Stop();
  Controller& after = Start({key});
  Launch(after, key, "second");
  ASSERT_TRUE(Until([&] { return after.sink.Starts(key) == 1; })) << "it runs on: say so";
  bench_->Finish(key, 4);
  EXPECT_EQ(End(after, key).exit_code, 4);
  Settle(after);
  EXPECT_THAT(bench_->Ran(key), ElementsAre("first"));
  EXPECT_EQ(after.sink.Starts(key), 1);
}

TEST_P(JobContract, WhatEndedWithoutAControllerIsToldToTheNext) {
  Controller& before = Start();
  const AttemptKey key = NextKey();
  Launch(before, key);
  ASSERT_TRUE(Began(key));
  before.adapter->Stop();
  bench_->Finish(key, 5);
  for (int i = 0; i < 3; ++i) bench_->Step();
  Controller& after = Start({key});
  EXPECT_EQ(End(after, key).exit_code, 5);
}

TEST_P(JobContract, AKnownAttemptWithoutATraceIsLostForGood) {
  const AttemptKey key = NextKey();
  Controller& us = Start({key});
  const event::AttemptEnded end = End(us, key);
  EXPECT_EQ(end.fault, Fault::kInfrastructure);
  Launch(us, key, "late");
  Settle(us);
  EXPECT_THAT(bench_->Ran(key), IsEmpty());
  ExpectSameEnd(us, key);
}

TEST_P(JobContract, WhatRunsAndNobodyKnowsIsEnded) {
  Controller& before = Start();
  const AttemptKey key = NextKey();
  Launch(before, key);
  ASSERT_TRUE(Began(key));
  before.adapter->Stop();
  Controller& after = Start({});
  Settle(after);
  // Who asks for it later finds it over, and it has not run again.
  before.adapter->Stop();
  after.adapter->Stop();
  Controller& last = Start({key});
  EXPECT_NE(End(last, key).fault, Fault::kNone);
  EXPECT_THAT(bench_->Ran(key), ElementsAre("first"));
}

TEST_P(JobContract, AnOldEpochHasNoEffect) {
  Controller& old = Start();
  const AttemptKey runs = NextKey(), key = NextKey();
  Launch(old, runs);
  ASSERT_TRUE(Began(runs));
  Controller& us = Start({runs});
  // Through the controller that hangs, and through the new one with what an old one wrote.
  Launch(old, key, "by the old one");
  us.adapter->Launch(bench_->Launch(key, old.epoch, "of the old epoch"));
  us.adapter->Cancel({.key = runs, .epoch = old.epoch, .pool = bench_->Launch(runs, 1, "").pool});
  Settle(us);
  EXPECT_THAT(bench_->Ran(key), IsEmpty());
  EXPECT_THAT(us.sink.Ends(key), IsEmpty()) << "refused without a word";
  EXPECT_THAT(us.sink.Ends(runs), IsEmpty());
  bench_->Finish(runs, 0);
  EXPECT_EQ(End(us, runs).fault, Fault::kNone);
}

TEST_P(JobContract, CancelEndsIt) {
  Controller& us = Start();
  const AttemptKey key = NextKey();
  Launch(us, key);
  ASSERT_TRUE(Began(key));
  Cancel(us, key);
  Cancel(us, key);
  EXPECT_EQ(End(us, key).fault, Fault::kCancelled);
  Settle(us);
  EXPECT_EQ(us.sink.Ends(key).size(), 1u);
}

TEST_P(JobContract, CancelOfWhatIsNotThereSaysNothing) {
  Controller& us = Start();
  const AttemptKey over = NextKey(), never = NextKey();
  Launch(us, over);
  ASSERT_TRUE(Began(over));
  bench_->Finish(over, 0);
  EXPECT_EQ(End(us, over).fault, Fault::kNone);
  Cancel(us, over);
  Cancel(us, never);
  Settle(us);
  EXPECT_EQ(us.sink.Ends(over).size(), 1u);
  EXPECT_THAT(us.sink.Ends(never), IsEmpty());
}

TEST_P(JobContract, AfterStopNothingIsTold) {
  Controller& us = Start();
  const AttemptKey key = NextKey();
  Launch(us, key);
  ASSERT_TRUE(Began(key));
  us.adapter->Stop();
  bench_->Finish(key, 0);
  Controller& next = Start({key});
  End(next, key);
  EXPECT_THAT(us.sink.Ends(key), IsEmpty());
}

// Launches, repeats, cancels, ends and new controllers in any order: each attempt runs once at the
// most, and has one end.
TEST_P(JobContract, HoldsInAnyOrder) {
  std::mt19937_64 draw(20'260'723);
  Controller* us = &Start();
  std::vector<AttemptKey> open, all;
  for (int i = 0; i < 60; ++i) {
    const auto one = [&] { return open[draw() % open.size()]; };
    switch (open.empty() ? 0 : draw() % 6) {
      case 0:
      case 1:
        all.push_back(NextKey());
        open.push_back(all.back());
        Launch(*us, all.back());
        break;
      case 2:
        Launch(*us, one(), absl::StrCat("again ", i));
        break;
      case 3:
        Cancel(*us, one());
        break;
      case 4: {
        const AttemptKey key = one();
        if (!bench_->Ran(key).empty()) bench_->Finish(key, static_cast<int>(draw() % 3));
        break;
      }
      default:
        us->adapter->Stop();
        std::erase_if(open, [&](AttemptKey key) { return !us->sink.Ends(key).empty(); });
        us = &Start(open);
    }
    bench_->Step();
    std::erase_if(open, [&](AttemptKey key) { return !us->sink.Ends(key).empty(); });
  }
  for (const AttemptKey key : open) Cancel(*us, key);
  for (const AttemptKey key : open) End(*us, key);
  for (const AttemptKey key : all) {
    EXPECT_LE(bench_->Ran(key).size(), 1u) << ToString(key.job);
    EXPECT_TRUE(bench_->Ran(key).empty() || bench_->Ran(key)[0] == "first");
    std::size_t ends = 0;
    for (const auto& controller : controllers_) ends += controller->sink.Ends(key).size();
    EXPECT_GE(ends, 1u) << ToString(key.job);
    for (const auto& controller : controllers_) {
      EXPECT_LE(controller->sink.Ends(key).size(), 1u);
      EXPECT_LE(controller->sink.Starts(key), 1);
      EXPECT_FALSE(controller->sink.StartedLate(key));
    }
  }
}

}  // namespace
}  // namespace spillway
