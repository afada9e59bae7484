#include "policies/cascade.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/policies/findings.h"
#include "tests/support/fleets.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kMillionths = 1'000'000;

AnswerFacts Facts(FinishReason finish = FinishReason::kStop) {
  return {.readable = true, .finish = {finish}, .mean_logprob = {}, .schema_met = {}};
}

TEST(JudgeAnswer, EachRuleIsEnough) {
  const EscalateWhen when{.finish_reason = {FinishReason::kLength, FinishReason::kContentFilter},
                          .mean_logprob_below = -1.2,
                          .schema_unmet = true};
  AnswerFacts good = Facts();
  good.mean_logprob = -kMillionths;
  good.schema_met = true;
  EXPECT_EQ(JudgeAnswer(when, good), Escalation::kNone);

  AnswerFacts cut = good;
  cut.finish.push_back(FinishReason::kLength);
  EXPECT_EQ(JudgeAnswer(when, cut), Escalation::kFinishReason);
  AnswerFacts unsure = good;
  unsure.mean_logprob = -2 * kMillionths;
  EXPECT_EQ(JudgeAnswer(when, unsure), Escalation::kLogprob);
  AnswerFacts other = good;
  other.schema_met = false;
  EXPECT_EQ(JudgeAnswer(when, other), Escalation::kSchema);
}

TEST(JudgeAnswer, ARuleThatIsNotGivenAsksNothing) {
  AnswerFacts bad = Facts(FinishReason::kLength);
  bad.mean_logprob = -50 * kMillionths;
  bad.schema_met = false;
  EXPECT_EQ(JudgeAnswer({.finish_reason = {FinishReason::kContentFilter}}, bad), Escalation::kNone);
}

TEST(JudgeAnswer, WhatCannotBeCheckedIsNotGood) {
  EXPECT_EQ(JudgeAnswer({.mean_logprob_below = -1}, Facts()), Escalation::kNoLogprobs);
  EXPECT_EQ(JudgeAnswer({.finish_reason = {FinishReason::kLength}}, AnswerFacts()),
            Escalation::kUnreadable);
  // But nobody asked for JSON here.
  EXPECT_EQ(JudgeAnswer({.schema_unmet = true}, Facts()), Escalation::kNone);
}

TEST(JudgeAnswer, ExactlyTheThresholdIsGood) {
  AnswerFacts facts = Facts();
  facts.mean_logprob = -1'200'000;
  EXPECT_EQ(JudgeAnswer({.mean_logprob_below = -1.2}, facts), Escalation::kNone);
  facts.mean_logprob = -1'200'001;
  EXPECT_EQ(JudgeAnswer({.mean_logprob_below = -1.2}, facts), Escalation::kLogprob);
}

CascadeSpec Cascade(std::string name, RequestSelector when) {
  return {.name = std::move(name),
          .when = std::move(when),
          .first = "small",
          .escalate_when = {.finish_reason = {FinishReason::kLength}}};
}
PolicySpec With(std::vector<CascadeSpec> cascades) {
  PolicySpec policy = fixtures::BackstopPolicy();
  policy.cascades = std::move(cascades);
  return policy;
}
FleetSpec Fleet() {
  FleetSpec fleet = fixtures::DemoFleet();
  fleet.aliases["small"] = {"qwen2-0.5b"};
  return fleet;
}
std::vector<Finding> FindingsOf(const PolicySpec& policy, const FleetSpec& fleet = Fleet()) {
  std::vector<Finding> findings;
  CheckCascades(policy, fleet, findings);
  return findings;
}

TEST(CascadeFor, TheFirstThatMatchesCounts) {
  const PolicySpec policy = With({Cascade("one", {.model = {"a", "b"}, .tenant = {"t"}}),
                                  Cascade("two", {.model = {"b"}}), Cascade("three", {})});
  EXPECT_EQ(CascadeFor(policy, "b", "t")->name, "one");
  EXPECT_EQ(CascadeFor(policy, "b", "u")->name, "two");
  EXPECT_EQ(CascadeFor(policy, "c", "t")->name, "three");
  EXPECT_EQ(CascadeFor(With({Cascade("one", {.model = {"a"}})}), "b", "t"), nullptr);
  EXPECT_EQ(CascadeFor(With({}), "b", "t"), nullptr);
  EXPECT_EQ(FindCascade(policy, "two"), &policy.cascades[1]);
  EXPECT_EQ(FindCascade(policy, "four"), nullptr);
}

TEST(CheckCascades, HasNothingToSayAboutGoodOnes) {
  EXPECT_THAT(FindingsOf(With({Cascade("one", {.model = {"a"}}), Cascade("two", {})})), IsEmpty());
}

TEST(CheckCascades, NamesWhatCannotBeMeant) {
  PolicySpec policy = With({Cascade("one", {.model = {"a"}}), Cascade("one", {.model = {"small"}}),
                            Cascade("three", {.model = {"b"}})});
  policy.cascades[2].escalate_when = {};
  EXPECT_THAT(FindingsOf(policy), ElementsAre(ErrorAt("cascades[1].name", "earlier cascade"),
                                              ErrorAt("cascades[1].first", "name a smaller one"),
                                              ErrorAt("cascades[2].escalate_when", "no rule")));
  policy.cascades[2].escalate_when.mean_logprob_below = 0.5;
  EXPECT_THAT(FindingsOf(policy).back(),
              ErrorAt("cascades[2].escalate_when.mean_logprob_below", "out of range"));
}

TEST(CheckCascades, ACascadeThatAnEarlierOneCoversIsDead) {
  EXPECT_THAT(FindingsOf(With({Cascade("all", {.tenant = {"t", "u"}}),
                               Cascade("some", {.model = {"a"}, .tenant = {"u"}})})),
              ElementsAre(ErrorAt("cascades[1].when", "`all` takes all its requests")));
  EXPECT_THAT(FindingsOf(With({Cascade("all", {.tenant = {"t", "u"}}), Cascade("more", {})})),
              IsEmpty());
}

TEST(CheckCascades, AFirstModelThatNobodyServesIsAWarningSinceFleetsDiffer) {
  EXPECT_THAT(FindingsOf(With({Cascade("one", {})}), fixtures::DemoFleet()),
              ElementsAre(WarningAt("cascades[0].first", "nothing in this fleet serves `small`")));
  FleetSpec open = fixtures::DemoFleet();
  open.pools[0].serves.clear();
  open.pools[0].adapter.urls = {"http://10.0.0.7:8000/v1"};
  EXPECT_THAT(FindingsOf(With({Cascade("one", {})}), open), IsEmpty()) << "it may serve anything";
}

TEST(CheckPolicy, LooksAtCascades) {
  EXPECT_THAT(CheckPolicy(With({Cascade("one", {.model = {"small"}})}), Fleet(), {}),
              testing::Contains(ErrorAt("cascades[0].first", "name a smaller one")));
}

}  // namespace
}  // namespace spillway
