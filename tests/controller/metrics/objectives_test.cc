#include "controller/metrics/objectives.h"

#include <gtest/gtest.h>

#include "tests/support/fleets.h"

namespace spillway {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'790'000'000);

Job Ended(JobState state) {
  Work work = fixtures::SmallJob();
  work.objective = {.deadline = kStart + absl::Minutes(10), .start_within = absl::Seconds(60)};
  Job job{.id = JobId{1}, .work = std::make_shared<const Work>(work), .created_at = kStart};
  job.state = state;
  job.started_at = kStart + absl::Seconds(60);
  job.finished_at = kStart + absl::Minutes(10);
  job.attempts.push_back({.number = 1, .pool = PoolId{0}});
  return job;
}

TEST(KeptObjective, AJobMustStartAndEndInTime) {
  EXPECT_EQ(KeptObjective(Ended(JobState::kSucceeded)), true);
  Job late_start = Ended(JobState::kSucceeded);
  *late_start.started_at += absl::Nanoseconds(1);
  EXPECT_EQ(KeptObjective(late_start), false);
  Job late_end = Ended(JobState::kSucceeded);
  *late_end.finished_at += absl::Nanoseconds(1);
  EXPECT_EQ(KeptObjective(late_end), false);
}

TEST(KeptObjective, OnlyWhatIsOurFaultCounts) {
  EXPECT_EQ(KeptObjective(Ended(JobState::kRunning)), std::nullopt);
  EXPECT_EQ(KeptObjective(Ended(JobState::kCancelled)), std::nullopt);
  Job failed = Ended(JobState::kFailed);
  failed.attempts.back().fault = Fault::kOwn;
  EXPECT_EQ(KeptObjective(failed), std::nullopt);
  failed.attempts.back().fault = Fault::kInfrastructure;
  EXPECT_EQ(KeptObjective(failed), false);
  failed.attempts.clear();  // no pool could be had
  EXPECT_EQ(KeptObjective(failed), false);
}

const RequestLimits kLimits{.ttft = absl::Milliseconds(200), .tpot = absl::Milliseconds(10)};

Request Answered(std::optional<absl::Duration> ttft, std::optional<absl::Duration> tpot) {
  Request request;
  request.features.arrived = kStart;
  request.ended = kStart + absl::Seconds(1);
  request.output_tokens = 80;
  request.ttft = ttft;
  request.tpot = tpot;
  return request;
}

TEST(KeptObjective, AStreamIsJudgedByItsTokens) {
  using absl::Milliseconds;
  EXPECT_EQ(KeptObjective(Answered(Milliseconds(200), Milliseconds(10)), kLimits), true);
  EXPECT_EQ(KeptObjective(Answered(Milliseconds(200), std::nullopt), kLimits), true);
  EXPECT_EQ(KeptObjective(Answered(Milliseconds(201), Milliseconds(10)), kLimits), false);
  EXPECT_EQ(KeptObjective(Answered(Milliseconds(200), Milliseconds(11)), kLimits), false);
}

TEST(KeptObjective, AnAnswerInOnePieceIsJudgedByTheWhole) {
  Request request = Answered(std::nullopt, std::nullopt);  // 1 s for 80 tokens: 200 + 800 ms
  EXPECT_EQ(KeptObjective(request, kLimits), true);
  request.ended += absl::Milliseconds(1);
  EXPECT_EQ(KeptObjective(request, kLimits), false);
}

TEST(KeptObjective, LostAnswersMissAndMistakesOfClientsDoNotCount) {
  Request request = Answered(absl::ZeroDuration(), absl::ZeroDuration());
  const auto judge = [&](RequestEnd end, int status) {
    request.end = end;
    request.status = status;
    return KeptObjective(request, kLimits);
  };
  EXPECT_EQ(judge(RequestEnd::kBrokenOff, 200), false);
  EXPECT_EQ(judge(RequestEnd::kFailed, 502), false);
  EXPECT_EQ(judge(RequestEnd::kRefused, 503), false);
  EXPECT_EQ(judge(RequestEnd::kRefused, 404), std::nullopt);
  EXPECT_EQ(judge(RequestEnd::kRefused, 429), std::nullopt);
  EXPECT_EQ(judge(RequestEnd::kAnswered, 400), std::nullopt);
  EXPECT_EQ(judge(RequestEnd::kClientGone, 499), std::nullopt);
  request.features.stream = true;
  EXPECT_EQ(judge(RequestEnd::kClientGone, 499), std::nullopt) << "its first token had come";
  request.ttft.reset();
  EXPECT_EQ(judge(RequestEnd::kClientGone, 499), false) << "it was due, and whoever waited left";
}

}  // namespace
}  // namespace spillway
