#include <gtest/gtest.h>

#include "policies/spill_rules/at_once.h"
#include "policies/spill_rules/need.h"
#include "policies/spill_rules/patience.h"

namespace spillway {
namespace {

const absl::Time kSubmitted = absl::FromUnixSeconds(1'800'000'000);

SpillQuestion Question(WorkKind kind, absl::Duration slack) {
  return {.submitted = kSubmitted, .kind = kind, .latest_start = kSubmitted + slack};
}

TEST(SpillAtNeed, AJobSpendsThreeQuartersOfItsSlackWaiting) {
  const SpillAtNeed rule(0.75, 0.90);
  EXPECT_EQ(rule.SpillAt(Question(WorkKind::kJob, absl::Seconds(60))),
            kSubmitted + absl::Seconds(45));
  EXPECT_EQ(rule.SpillAt(Question(WorkKind::kService, absl::Seconds(60))),
            kSubmitted + absl::Seconds(45));
}
TEST(SpillAtNeed, ARequestSpendsNineTenths) {
  EXPECT_EQ(SpillAtNeed(0.75, 0.90).SpillAt(Question(WorkKind::kRequest, absl::Seconds(3))),
            kSubmitted + absl::Milliseconds(2700));
}
TEST(SpillAtNeed, WholeSlackIsTheLastInstantItself) {
  const SpillQuestion question = Question(WorkKind::kJob, absl::Nanoseconds(12'345'678'901));
  EXPECT_EQ(SpillAtNeed(1, 1).SpillAt(question), question.latest_start);
}
TEST(SpillAtNeed, ThereIsNothingToSpillToWhereNoOtherPoolIsAble) {
  SpillQuestion question = Question(WorkKind::kJob, absl::ZeroDuration());
  question.latest_start = absl::InfiniteFuture();
  EXPECT_EQ(SpillAtNeed(0.75, 0.90).SpillAt(question), absl::InfiniteFuture());
}
TEST(SpillAtNeed, IsPastWhenTheSlackIsGone) {
  EXPECT_LT(SpillAtNeed(0.75, 0.90).SpillAt(Question(WorkKind::kJob, absl::Seconds(-1))),
            kSubmitted);
  EXPECT_EQ(SpillAtNeed(0.75, 0.90).SpillAt(Question(WorkKind::kJob, absl::ZeroDuration())),
            kSubmitted);
  SpillQuestion never = Question(WorkKind::kJob, absl::ZeroDuration());
  never.latest_start = absl::InfinitePast();
  EXPECT_EQ(SpillAtNeed(0.75, 0.90).SpillAt(never), absl::InfinitePast());
}

TEST(SpillAfterPatience, IsTheSameForAllWork) {
  const SpillAfterPatience rule(absl::Seconds(2));
  for (const WorkKind kind : {WorkKind::kJob, WorkKind::kRequest}) {
    EXPECT_EQ(rule.SpillAt(Question(kind, absl::Hours(1))), kSubmitted + absl::Seconds(2));
    EXPECT_EQ(rule.SpillAt(Question(kind, absl::Seconds(1))), kSubmitted + absl::Seconds(2));
  }
}
TEST(SpillAfterPatience, MayBeEndless) {
  EXPECT_EQ(SpillAfterPatience(absl::InfiniteDuration())
                .SpillAt(Question(WorkKind::kJob, absl::Seconds(1))),
            absl::InfiniteFuture());
}

TEST(SpillAtOnce, IsAlwaysPast) {
  EXPECT_EQ(SpillAtOnce().SpillAt(Question(WorkKind::kJob, absl::Hours(1))), absl::InfinitePast());
}

}  // namespace
}  // namespace spillway
