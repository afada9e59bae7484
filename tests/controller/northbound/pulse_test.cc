#include "controller/northbound/pulse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace spillway {
namespace {

Batch Jobs(int count) {
  Batch batch;
  for (int i = 0; i < count; ++i)
    batch.records.push_back(record::DecisionRow{std::make_shared<const Decision>()});
  return batch;
}
event::RequestsEnded Requests(int count) {
  event::RequestsEnded ended;
  for (int i = 0; i < count; ++i) ended.requests.push_back(std::make_shared<const Request>());
  return ended;
}
std::size_t JobsIn(const Pulse::Tales& tales) {
  std::size_t jobs = 0;
  for (const Tale& tale : tales.tales) jobs += tale.decision != nullptr ? 1 : 0;
  return jobs;
}
constexpr PulseLimits kSmall{.tales = 6, .job_tales = 3, .tales_of_a_batch = 6};

TEST(PulseOpening, ABurstOfRequestsDoesNotSweepJobsAway) {
  Pulse pulse(kSmall);
  pulse.OnCommitted(Jobs(5), {});
  for (int i = 0; i < 10; ++i) pulse.OnEnded(Requests(6));
  const Pulse::Tales opening = pulse.Opening(4);
  EXPECT_EQ(opening.tales.size(), 3u + 4u) << "the last jobs, then the last of all";
  EXPECT_EQ(JobsIn(opening), 3u);
  EXPECT_EQ(opening.missed, 0u);
  for (std::size_t i = 1; i < opening.tales.size(); ++i)
    EXPECT_LT(opening.tales[i - 1].number, opening.tales[i].number);
  EXPECT_EQ(opening.tales.back().number, opening.next);
  EXPECT_TRUE(pulse.After(opening.next, 100).tales.empty()) << "nothing is told twice";
}

TEST(PulseOpening, AJobIsToldOnce) {
  Pulse pulse(kSmall);
  pulse.OnEnded(Requests(2));
  pulse.OnCommitted(Jobs(2), {});
  const Pulse::Tales opening = pulse.Opening(10);
  EXPECT_EQ(opening.tales.size(), 4u);
  EXPECT_EQ(JobsIn(opening), 2u);
  EXPECT_EQ(JobsIn(pulse.Opening(1)), 2u) << "the other one is among those that are kept longer";
}

TEST(PulseOpening, IsEmptyBeforeAnythingWasDecided) {
  const Pulse pulse(kSmall);
  EXPECT_TRUE(pulse.Opening(10).tales.empty());
  EXPECT_EQ(pulse.Opening(10).next, 0u);
}

}  // namespace
}  // namespace spillway
