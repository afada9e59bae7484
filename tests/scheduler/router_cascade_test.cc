// What became of a cascade's first answer is judged again like the route.
#include <gtest/gtest.h>

#include "scheduler/router.h"
#include "tests/support/router_world.h"

namespace spillway {
namespace {

using fixtures::ChatRequest;
using fixtures::EnginePool;
using fixtures::RouterWorld;
using fixtures::Routing;

Routing Judged(Escalation why, AnswerFacts facts, int attempt = 1) {
  RouterWorld world({EnginePool("a")});
  world.policy.cascades = {{.name = "small-first",
                            .when = {},
                            .first = "chat",
                            .escalate_when = {.finish_reason = {FinishReason::kLength}}}};
  Routing routing(world.View(), ChatRequest());
  routing.request.cascade =
      CascadeStep{.name = "small-first", .attempt = attempt, .why = why, .facts = std::move(facts)};
  return routing;
}
AnswerFacts EndedBy(FinishReason reason) {
  return {.readable = true, .finish = {reason}, .mean_logprob = {}, .schema_met = {}};
}
bool Same(const Routing& routing) { return SameRoute(*routing.view, routing.request); }

TEST(SameRoute, HoldsTheJudgementAgainstItsFacts) {
  EXPECT_TRUE(Same(Judged(Escalation::kNone, EndedBy(FinishReason::kStop))));
  EXPECT_TRUE(Same(Judged(Escalation::kFinishReason, EndedBy(FinishReason::kLength))));
  EXPECT_TRUE(Same(Judged(Escalation::kUnreadable, {})));
  EXPECT_FALSE(Same(Judged(Escalation::kNone, EndedBy(FinishReason::kLength))));
  EXPECT_FALSE(Same(Judged(Escalation::kFinishReason, EndedBy(FinishReason::kStop))));
  EXPECT_FALSE(Same(Judged(Escalation::kSchema, EndedBy(FinishReason::kLength))));
}

TEST(SameRoute, WithoutAnAnswerThereWasNothingToJudge) {
  EXPECT_TRUE(Same(Judged(Escalation::kFailed, {})));
  EXPECT_TRUE(Same(Judged(Escalation::kNotRouted, {})));
  EXPECT_TRUE(Same(Judged(Escalation::kFinishReason, {}, 2))) << "that is the first one's";
}

TEST(SameRoute, ACascadeThatThePolicyDoesNotHaveJudgedNothing) {
  Routing routing = Judged(Escalation::kNone, EndedBy(FinishReason::kStop));
  routing.request.cascade->name = "another";
  EXPECT_FALSE(Same(routing));
}

}  // namespace
}  // namespace spillway
