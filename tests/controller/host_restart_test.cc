#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/controller/host_rig.h"

// What a controller does that takes over the state of one before it.
namespace spillway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(HostRestart, TheEpochRisesAndIsCommittedBeforeAdaptersStart) {
  HostRig rig;
  rig.Start();
  EXPECT_EQ(rig.process().epoch(), 1u);
  rig.Crash();
  rig.Start();
  EXPECT_EQ(rig.process().epoch(), 2u);
  const std::vector<Event> log = rig.store().log();
  ASSERT_TRUE(std::holds_alternative<event::Started>(log.back().body));
  EXPECT_EQ(std::get<event::Started>(log.back().body).epoch, 2u);
}

TEST(HostRestart, NothingStartsIfTheEpochCannotBeCommitted) {
  HostRig rig;
  rig.store().FailCommits();
  EXPECT_FALSE(rig.TryStart().ok());
  EXPECT_EQ(rig.process().epoch(), 0u);
}

TEST(HostRestart, AnAdapterThatCannotStartEndsTheStartAndTheOthersAreLetGo) {
  HostRig rig;
  rig.FailProcess(absl::UnavailableError("no supervisor"));
  const absl::Status status = rig.TryStart();
  EXPECT_EQ(std::string(status.message()), "start of adapter process: no supervisor");
  EXPECT_TRUE(rig.modelled().stopped());
}

TEST(HostRestart, AdaptersAreToldWhatTheRecordsBelieveToRun) {
  HostRig rig;
  rig.Start();
  const JobId running = rig.Submit(HostRig::LocalJob()).Get().job->id;
  const JobId over = rig.Submit(HostRig::LocalJob()).Get().job->id;
  ASSERT_TRUE(rig.process().WaitForLaunches(2));
  rig.process().Ended({over, 1}, 0);
  while (!IsTerminal(rig.store().FindJob(over)->state)) rig.Cancel(JobId{999}).Get();
  rig.Crash();
  rig.Start();
  EXPECT_THAT(rig.process().known(), ElementsAre(AttemptKey{running, 1}));
  EXPECT_THAT(rig.modelled().known(), IsEmpty());
  EXPECT_THAT(rig.process().launched(), IsEmpty());  // known ones are the adapter's business

  rig.process().Ended({running, 1}, 0);
  while (!IsTerminal(rig.store().FindJob(running)->state)) rig.Cancel(JobId{999}).Get();
  EXPECT_EQ(rig.store().FindJob(running)->state, JobState::kSucceeded);
}

TEST(HostRestart, AttemptsThatEndedAreNotBelievedToRun) {
  HostRig rig;
  rig.Start();
  Work work = HostRig::LocalJob();
  work.retries.own = 1;
  const JobId job = rig.Submit(work).Get().job->id;
  rig.process().Ended({job, 1}, 1);
  while (rig.store().FindJob(job)->attempts.size() < 2) {
    rig.clock().Advance(absl::Seconds(10));  // over the backoff
    rig.Cancel(JobId{999}).Get();
  }
  rig.Crash();
  rig.Start();
  EXPECT_THAT(rig.process().known(), ElementsAre(AttemptKey{job, 2}));
}

TEST(HostRestart, AdaptersMeetTheirPoolsBeforeAnythingIsLaunched) {
  HostRig rig;
  rig.Start();
  rig.Crash();
  const auto local = std::pair(PoolId{0}, std::string("local"));
  EXPECT_THAT(rig.met(), testing::Contains(local));
  EXPECT_EQ(rig.met().size(), 5u);
}

TEST(HostRestart, WhatIsLostIsTriedAgain) {
  HostRig rig;
  rig.Start();
  const JobId job = rig.Submit(HostRig::LocalJob()).Get().job->id;
  rig.Crash();
  rig.Start();
  rig.process().Lost({job, 1});
  while (rig.store().FindJob(job)->attempts.size() < 2) {
    rig.clock().Advance(absl::Seconds(10));  // over the backoff
    rig.Cancel(JobId{999}).Get();
  }
  ASSERT_TRUE(rig.process().WaitForLaunches(1));
  EXPECT_THAT(rig.process().launched(), ElementsAre(AttemptKey{job, 2}));
}

TEST(HostRestart, AttemptsOfAnAdapterThatIsGoneAreLost) {
  HostRig rig;
  rig.config()->fleet.pools[0].adapter.type = "process";
  rig.Start();
  const JobId job = rig.Submit(HostRig::LocalJob()).Get().job->id;
  rig.Crash();

  Brain brain;
  Observer nobody;
  Host host({}, rig.clock(), brain, rig.store(), rig.store(), nobody);
  ASSERT_TRUE(host.Start(rig.config(), {}).ok());
  HostRig::Later<absl::Status> barrier;
  host.Cancel(JobId{999}, barrier.Done());
  barrier.Get();
  host.Stop();
  EXPECT_EQ(rig.store().FindJob(job)->attempts[0].fault, Fault::kInfrastructure);
}

TEST(HostRestart, NumbersAndTimesGoOnWhereTheyWere) {
  HostRig rig;
  rig.Start();
  rig.Submit(HostRig::LocalJob()).Get();
  const std::size_t events = rig.store().log().size();
  rig.Crash();
  const absl::Time last = rig.store().log().back().at;
  rig.clock().Set(last - absl::Hours(2));
  rig.Start();
  const std::vector<Event> log = rig.store().log();
  ASSERT_GT(log.size(), events);
  EXPECT_EQ(Number(log[events].number), Number(log[events - 1].number) + 1);
  EXPECT_GE(log.back().at, last);
}

TEST(HostRestart, KeysAreRememberedOverARestart) {
  HostRig rig;
  rig.Start();
  const std::string first = rig.SubmitKeyed(HostRig::LocalJob(), "k", 1).Get().stored->body;
  rig.Crash();
  rig.Start();
  const SubmitAnswer again = rig.SubmitKeyed(HostRig::LocalJob(), "k", 1).Get();
  EXPECT_EQ(again.admission, Admission::kReplayed);
  EXPECT_EQ(again.stored->body, first);
}

}  // namespace
}  // namespace spillway
