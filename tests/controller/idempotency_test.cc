#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/controller/host_rig.h"

namespace spillway {
namespace {

std::size_t Submissions(const MemoryStore& store) {
  std::size_t count = 0;
  for (const Event& event : store.log())
    count += std::holds_alternative<event::Submitted>(event.body) ? 1 : 0;
  return count;
}

TEST(Idempotency, TheSameRequestIsGivenTheSameAnswerAndRunsOnce) {
  HostRig rig;
  rig.Start();
  const SubmitAnswer first = rig.SubmitKeyed(HostRig::LocalJob(), "k", 1).Get();
  EXPECT_EQ(first.admission, Admission::kAccepted);
  EXPECT_EQ(first.stored->body, ToString(first.job->id));
  const SubmitAnswer second = rig.SubmitKeyed(HostRig::LocalJob(), "k", 1).Get();
  EXPECT_EQ(second.admission, Admission::kReplayed);
  EXPECT_EQ(second.stored->body, first.stored->body);
  EXPECT_EQ(Submissions(rig.store()), 1u);
}

TEST(Idempotency, ARefusalIsReplayedToo) {
  HostRig rig;
  rig.Start();
  EXPECT_EQ(rig.SubmitKeyed(HostRig::ImpossibleJob(), "k", 1).Get().stored->status, 422);
  EXPECT_EQ(rig.SubmitKeyed(HostRig::ImpossibleJob(), "k", 1).Get().stored->status, 422);
  EXPECT_EQ(Submissions(rig.store()), 1u);
}

TEST(Idempotency, AKeyStandsForOneBody) {
  HostRig rig;
  rig.Start();
  rig.SubmitKeyed(HostRig::LocalJob(), "k", 1).Get();
  EXPECT_EQ(rig.SubmitKeyed(HostRig::LocalJob(), "k", 2).Get().admission, Admission::kKeyReused);
}

TEST(Idempotency, KeysOfTwoTenantsAreTwoKeys) {
  HostRig rig;
  rig.Start();
  Work other = HostRig::LocalJob();
  other.tenant = "other";
  EXPECT_EQ(rig.SubmitKeyed(HostRig::LocalJob(), "k", 1).Get().admission, Admission::kAccepted);
  EXPECT_EQ(rig.SubmitKeyed(other, "k", 1).Get().admission, Admission::kAccepted);
}

TEST(Idempotency, WhileTheFirstIsUnderWayOthersAreToldToComeBack) {
  HostRig rig;
  rig.Start();
  rig.store().Hold();
  auto first = rig.SubmitKeyed(HostRig::LocalJob(), "k", 1);
  ASSERT_TRUE(rig.store().WaitUntilHeld());
  // The store's lock is free at the gate, so the second one is answered at once.
  EXPECT_EQ(rig.SubmitKeyed(HostRig::LocalJob(), "k", 1).Get().admission, Admission::kKeyBusy);
  EXPECT_EQ(rig.host().stats().keys_in_flight, 1u);
  rig.store().Release();
  EXPECT_EQ(first.Get().admission, Admission::kAccepted);
  EXPECT_EQ(rig.host().stats().keys_in_flight, 0u);
}

TEST(Idempotency, AKeyIsFreeAgainIfItsRequestWasNotTaken) {
  HostRig rig({.waiting_submissions = 0});
  rig.Start();
  EXPECT_EQ(rig.SubmitKeyed(HostRig::LocalJob(), "k", 1).Get().admission, Admission::kFull);
  EXPECT_EQ(rig.host().stats().keys_in_flight, 0u);
}

TEST(Idempotency, OfManyAtOnceExactlyOneRuns) {
  HostRig rig;
  rig.EndAtOnce();
  rig.Start();
  for (int round = 0; round < 30; ++round) {
    const std::string key = "key-" + std::to_string(round);
    std::vector<std::thread> threads;
    std::atomic<int> accepted{0}, others{0};
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        const Admission admission = rig.SubmitKeyed(HostRig::LocalJob(), key, 1).Get().admission;
        if (admission == Admission::kAccepted) {
          ++accepted;
        } else if (admission == Admission::kReplayed || admission == Admission::kKeyBusy) {
          ++others;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(accepted, 1);
    EXPECT_EQ(others, 3);
  }
  EXPECT_EQ(Submissions(rig.store()), 30u);
}

}  // namespace
}  // namespace spillway
