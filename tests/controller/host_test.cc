#include "controller/host.h"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/controller/host_rig.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

HostOptions Eager() { return {.snapshot_period = absl::ZeroDuration()}; }

TEST(Host, NothingIsAnsweredOrLaunchedBeforeItsCommit) {
  HostRig rig(Eager());
  rig.Start();
  rig.store().Hold();
  auto answer = rig.Submit(HostRig::LocalJob());
  ASSERT_TRUE(rig.store().WaitUntilHeld());
  // The strand is free meanwhile: what it folds now waits for the next commit.
  auto second = rig.Submit(HostRig::LocalJob());
  HostRig::Later<Decision> dry_run;
  rig.host().DryRun(std::make_shared<const Work>(HostRig::LocalJob()), dry_run.Done());
  EXPECT_EQ(dry_run.Get().outcome, Outcome::kPlaced);

  EXPECT_FALSE(answer.come());
  EXPECT_FALSE(second.come());
  EXPECT_THAT(rig.process().launched(), IsEmpty());
  EXPECT_EQ(rig.host().feed().version(), rig.host().snapshot()->version);
  const EventNumber before = rig.host().feed().version();

  rig.store().Release();
  EXPECT_EQ(answer.Get().admission, Admission::kAccepted);
  EXPECT_EQ(second.Get().admission, Admission::kAccepted);
  EXPECT_TRUE(rig.process().WaitForLaunches(2));
  EXPECT_GT(rig.host().feed().version(), before);
}

TEST(Host, WhatWaitsTogetherIsCommittedTogether) {
  HostRig rig;
  rig.Start();
  rig.store().Hold();
  std::vector<HostRig::Later<SubmitAnswer>> answers;
  answers.push_back(rig.Submit(HostRig::LocalJob()));
  ASSERT_TRUE(rig.store().WaitUntilHeld());
  for (int i = 0; i < 100; ++i) answers.push_back(rig.Submit(fixtures::SmallJob()));
  HostRig::Later<Decision> barrier;  // the strand has folded all before it answers this
  rig.host().DryRun(std::make_shared<const Work>(fixtures::SmallJob()), barrier.Done());
  barrier.Get();
  rig.store().Release();
  for (auto& answer : answers) EXPECT_EQ(answer.Get().admission, Admission::kAccepted);
  // Started; the one at the gate; at most one that was handed over in the meantime; the rest.
  EXPECT_LE(rig.store().batch_sizes().size(), 5u);
}

event::RequestsEnded Refused(std::uint64_t first, std::uint64_t last) {
  event::RequestsEnded ended;
  for (std::uint64_t i = first; i <= last; ++i) {
    auto request = std::make_shared<Request>();
    request->id = MakeRequestId(1, i);
    request->end = RequestEnd::kRefused;
    ended.requests.push_back(std::move(request));
  }
  return ended;
}

std::vector<std::uint64_t> RequestsIn(const std::vector<Event>& log) {
  std::vector<std::uint64_t> ids;
  for (const Event& event : log) {
    if (const auto* ended = std::get_if<event::RequestsEnded>(&event.body)) {
      for (const auto& request : ended->requests) ids.push_back(Number(request->id));
    }
  }
  return ids;
}

class EndedCounter final : public Observer {
 public:
  void OnEnded(const event::RequestsEnded& ended) override { count += ended.requests.size(); }
  std::atomic<std::size_t> count{0};
};

TEST(Host, RequestsInNoHurryAreCommittedWithTheNextThatIs) {
  EndedCounter observer;
  HostRig rig({.snapshot_period = absl::Hours(1), .rest = absl::Hours(1)}, &observer);
  rig.Start();
  rig.host().Book(Refused(1, 2), /*hurry=*/false);
  rig.host().Book(Refused(3, 3), /*hurry=*/false);
  HostRig::Later<Decision> barrier;
  rig.host().DryRun(std::make_shared<const Work>(HostRig::LocalJob()), barrier.Done());
  barrier.Get();
  EXPECT_EQ(observer.count, 3u);
  EXPECT_EQ(rig.host().stats().open_events, 2u) << "folded, and at rest";
  EXPECT_THAT(RequestsIn(rig.store().log()), IsEmpty());

  EXPECT_EQ(rig.Submit(HostRig::LocalJob()).Get().admission, Admission::kAccepted);
  EXPECT_EQ(RequestsIn(rig.store().log()).size(), 3u);
  EXPECT_EQ(rig.store().batch_sizes().back(), 3u) << "one transaction";

  rig.host().Book(Refused(4, 4), /*hurry=*/false);
  rig.host().Book(Refused(5, 5), /*hurry=*/true);
  while (RequestsIn(rig.store().log()).size() < 5) std::this_thread::yield();
  rig.host().Book(Refused(6, 6), /*hurry=*/false);
  rig.host().Stop();
  EXPECT_EQ(RequestsIn(rig.store().log()).back(), Number(MakeRequestId(1, 6)));
}

TEST(Host, WhatTheJournalPacksIsLetGoBeforeTheCommit) {
  HostRig rig({.rest = absl::Hours(1)});
  rig.store().PackRequests();
  rig.Start();
  event::RequestsEnded ended = Refused(1, 3);
  const std::weak_ptr<const Request> watched = ended.requests.back();
  rig.host().Book(std::move(ended), /*hurry=*/false);
  HostRig::Later<Decision> barrier;
  rig.host().DryRun(std::make_shared<const Work>(HostRig::LocalJob()), barrier.Done());
  barrier.Get();
  EXPECT_TRUE(watched.expired());
  rig.host().Post(Refused(4, 4));
  rig.host().Stop();
  EXPECT_THAT(RequestsIn(rig.store().log()),
              ElementsAre(Number(MakeRequestId(1, 1)), Number(MakeRequestId(1, 2)),
                          Number(MakeRequestId(1, 3)), Number(MakeRequestId(1, 4))));
}

TEST(Host, RestEndsByItself) {
  HostRig rig({.rest = absl::Milliseconds(1)});
  rig.Start();
  for (std::uint64_t i = 1; i <= 50; ++i) {
    rig.host().Book(Refused(i, i), /*hurry=*/false);
    while (RequestsIn(rig.store().log()).size() < i) std::this_thread::yield();
  }
}

// While a commit is under way and another batch waits for it, nothing else is handed over: the
// strand sleeps, whoever's rest is over.
TEST(Host, ARestThatIsOverWaitsForTheCommitsBefore) {
  HostRig rig({.rest = absl::Milliseconds(1)});
  rig.Start();
  rig.store().Hold();
  auto first = rig.Submit(HostRig::LocalJob());
  ASSERT_TRUE(rig.store().WaitUntilHeld());
  auto second = rig.Submit(HostRig::LocalJob());
  rig.host().Book(Refused(1, 1), /*hurry=*/false);
  HostRig::Later<Decision> barrier;
  rig.host().DryRun(std::make_shared<const Work>(HostRig::LocalJob()), barrier.Done());
  barrier.Get();
  EXPECT_FALSE(first.come());
  rig.store().Release();
  EXPECT_EQ(second.Get().admission, Admission::kAccepted);
  while (RequestsIn(rig.store().log()).empty()) std::this_thread::yield();
}

// While the disk stands still, who books waits; the dispatcher turns new requests away then.
TEST(Host, ChunksOfEndedRequestsWaitForTheDiskAndNoneIsLost) {
  constexpr std::uint64_t kChunks = 40;
  HostRig rig({.waiting_chunks = 3, .batch_events = 1});
  rig.Start();
  rig.store().Hold();
  std::atomic<std::uint64_t> booked{0};
  std::thread flusher([&] {
    for (std::uint64_t i = 1; i <= kChunks; ++i, ++booked)
      rig.host().Book(Refused(i, i), /*hurry=*/true);
  });
  ASSERT_TRUE(rig.store().WaitUntilHeld());
  while (rig.host().stats().waiting_inputs < 3) std::this_thread::yield();
  // One batch at the disk, one that waits for it, one that is full; what was taken with the last of
  // them, and what waits to be taken.
  EXPECT_LE(booked, 3u + 3u + 3u);
  EXPECT_EQ(rig.host().stats().waiting_inputs, 3u);
  rig.store().Release();
  flusher.join();
  rig.host().Stop();
  EXPECT_EQ(RequestsIn(rig.store().log()).size(), kChunks);
}

TEST(Host, AnAnswerHoldsTheJobAsCommittedAndItsDecision) {
  HostRig rig;
  rig.Start();
  SubmitAnswer answer = rig.Submit(HostRig::LocalJob()).Get();
  ASSERT_EQ(answer.admission, Admission::kAccepted);
  EXPECT_EQ(*answer.job, *rig.store().FindJob(answer.job->id));
  EXPECT_EQ(answer.job->state, JobState::kStarting);
  ASSERT_NE(answer.decision, nullptr);
  EXPECT_EQ(answer.decision->id, answer.job->decision);
}

TEST(Host, WorkThatNoPoolCouldEverDoIsRefusedWithItsReasons) {
  HostRig rig;
  rig.Start();
  const SubmitAnswer answer = rig.Submit(HostRig::ImpossibleJob()).Get();
  EXPECT_EQ(answer.admission, Admission::kImpossible);
  ASSERT_NE(answer.decision, nullptr);
  EXPECT_EQ(answer.decision->candidates.size(), 5u);
  EXPECT_EQ(answer.job, nullptr);
}

TEST(Host, EventsAreNumberedInARowAndTheirTimesNeverFall) {
  HostRig rig;
  rig.Start();
  const absl::Time start = rig.clock().Now();
  rig.Submit(HostRig::LocalJob()).Get();
  rig.clock().Set(start - absl::Hours(1));
  rig.Submit(HostRig::LocalJob()).Get();
  const std::vector<Event> log = rig.store().log();
  for (std::size_t i = 0; i < log.size(); ++i) {
    EXPECT_EQ(Number(log[i].number), i + 1);
    EXPECT_GE(log[i].at, log[i > 0 ? i - 1 : 0].at);
  }
  EXPECT_GE(log.back().at, start);
}

TEST(Host, BeyondTheBoundSubmissionsAreRefusedAndNothingElseIs) {
  HostRig rig({.waiting_submissions = 4, .batch_events = 2});
  rig.Start();
  // One batch at the gate, one handed over, one open and full: the strand takes no more.
  rig.store().Hold();
  std::vector<HostRig::Later<SubmitAnswer>> answers;
  answers.push_back(rig.Submit(HostRig::LocalJob()));
  ASSERT_TRUE(rig.store().WaitUntilHeld());
  int refused = 0;
  for (int i = 0; i < 40 && refused == 0; ++i) {
    answers.push_back(rig.Submit(HostRig::LocalJob()));
    if (answers.back().come() && answers.back().Get().admission == Admission::kFull) ++refused;
    if (refused == 0) std::this_thread::yield();
  }
  EXPECT_EQ(refused, 1);
  EXPECT_EQ(rig.host().stats().refused_submissions, 1u);
  auto cancel = rig.Cancel(JobId{999});
  rig.process().Started({JobId{999}, 1});
  rig.store().Release();
  EXPECT_TRUE(absl::IsNotFound(cancel.Get()));
  for (auto& answer : answers) answer.Get();
}

TEST(Host, ReadersSeeWhatAnOperatorChangedOnceHeIsAnswered) {
  HostRig rig({.snapshot_period = absl::Hours(1)});
  rig.Start();
  rig.Submit(HostRig::LocalJob()).Get();
  rig.Submit(HostRig::LocalJob()).Get();  // from here on no snapshot is due for an hour
  HostRig::Later<absl::Status> done;
  rig.host().SetPoolState(PoolId{0}, PoolState::kCordoned, done.Done());
  EXPECT_TRUE(done.Get().ok());
  EXPECT_EQ(rig.host().snapshot()->Find("local")->state, PoolState::kCordoned);
}

TEST(Host, APolicyIsSetOnlyOverTheVersionThatWasMeant) {
  HostRig rig;
  rig.Start();
  const std::uint64_t version = rig.host().snapshot()->policy_version;
  const auto policy = std::make_shared<const PolicySpec>(fixtures::LeastCostPolicy());
  HostRig::Later<PolicyAnswer> wrong, right;
  rig.host().SetPolicy(policy, version + 7, wrong.Done());
  EXPECT_TRUE(absl::IsAborted(wrong.Get().status));
  rig.host().SetPolicy(policy, version, right.Done());
  ASSERT_TRUE(right.Get().status.ok()) << right.Get().status;
  EXPECT_GT(right.Get().version, version);
  EXPECT_EQ(rig.host().snapshot()->policy->name, "least-cost");
}

TEST(Host, APriceIsSetOnlyOverTheOneThatWasMeant) {
  HostRig rig;
  rig.Start();
  const PoolStatus a10 = *rig.host().snapshot()->Find("a10");
  Price price = a10.price;
  price.node_hour = fixtures::HourlyDollars(2);
  HostRig::Later<absl::Status> wrong, right;
  rig.host().PricePool(a10.id, price, PriceVersion(price), wrong.Done());
  EXPECT_TRUE(absl::IsAborted(wrong.Get()));
  rig.host().PricePool(a10.id, price, PriceVersion(a10.price), right.Done());
  EXPECT_TRUE(right.Get().ok());
  EXPECT_EQ(rig.host().snapshot()->Find("a10")->price.node_hour, price.node_hour);
}

TEST(Host, PoolsOfAnAdapterThatIsNotHereAreRefused) {
  HostRig rig;
  rig.Start();
  PoolSpec pool = fixtures::LocalPool();
  pool.name = "far";
  pool.adapter.type = "slurm";
  HostRig::Later<absl::Status> done;
  rig.host().AddPool(std::make_shared<const PoolSpec>(pool), done.Done());
  EXPECT_TRUE(absl::IsInvalidArgument(done.Get()));
}

TEST(Host, TheBrainsTimerFiresWhenTheClockHasComeThere) {
  HostRig rig(Eager());
  rig.Start();
  Work late = HostRig::LocalJob();
  late.needs.cpus = fixtures::Cpus(8);
  rig.Submit(late).Get();
  rig.Submit(late).Get();  // waits: the brain wants to look at it again
  const std::size_t before = rig.store().log().size();
  for (int i = 0; i < 50 && rig.store().log().size() == before; ++i) {
    rig.clock().Advance(absl::Hours(1));
    rig.host().Tick();
    HostRig::Later<Decision> barrier;
    rig.host().DryRun(std::make_shared<const Work>(late), barrier.Done());
    barrier.Get();
    rig.Cancel(JobId{999'999}).Get();  // two batches later all is committed
  }
  bool fired = false;
  for (const Event& event : rig.store().log())
    fired = fired || std::holds_alternative<event::TimerFired>(event.body);
  EXPECT_TRUE(fired);
}

TEST(Host, CancelReachesTheAdapterAfterItsCommit) {
  HostRig rig(Eager());
  rig.Start();
  const JobId job = rig.Submit(HostRig::LocalJob()).Get().job->id;
  ASSERT_TRUE(rig.process().WaitForLaunches(1));
  EXPECT_TRUE(rig.Cancel(job).Get().ok());
  ASSERT_TRUE(rig.process().WaitForCancels(1));
  EXPECT_THAT(rig.process().cancelled(), ElementsAre(AttemptKey{job, 1}));
}

TEST(Host, StoppingAnswersEverybodyAndLetsGoOfTheAdapters) {
  HostRig rig;
  rig.Start();
  std::vector<HostRig::Later<SubmitAnswer>> answers;
  for (int i = 0; i < 50; ++i) answers.push_back(rig.Submit(HostRig::LocalJob()));
  rig.host().Stop();
  for (auto& answer : answers) EXPECT_TRUE(answer.come());
  EXPECT_TRUE(rig.process().stopped());
  EXPECT_EQ(rig.Submit(HostRig::LocalJob()).Get().admission, Admission::kFailed);
  EXPECT_TRUE(absl::IsUnavailable(rig.Cancel(JobId{1}).Get()));
  EXPECT_TRUE(rig.process().WaitForLaunches(0));
}

using HostDeathTest = testing::Test;
TEST(HostDeathTest, AFailedCommitEndsTheProcessWithNothingLetOut) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        HostRig rig;
        rig.Start();
        rig.store().FailCommits();
        auto answer = rig.Submit(HostRig::LocalJob());
        answer.Get();
        std::fprintf(stderr, "ANSWERED\n");
        std::_Exit(0);
      },
      "cannot be committed, ending: disk is gone");
}

}  // namespace
}  // namespace spillway
