#include "policies/reach.h"

#include <gtest/gtest.h>

#include "tests/policies/findings.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

PolicySpec PolicyOf(std::vector<WorkSelector> whens) {
  PolicySpec policy;
  for (WorkSelector& when : whens) {
    policy.rules.push_back({.name = std::string(1, static_cast<char>('a' + policy.rules.size())),
                            .when = std::move(when),
                            .claim = {PoolSelector()}});
  }
  return policy;
}
std::vector<Finding> DeadRulesOf(std::vector<WorkSelector> whens) {
  std::vector<Finding> findings;
  FindDeadRules(PolicyOf(std::move(whens)), findings);
  return findings;
}

const WorkSelector kAll;
const WorkSelector kJobs{.kind = {WorkKind::kJob}};
const WorkSelector kTdx{.confidential = {"tdx"}};
const WorkSelector kResearch{.labels = {{"team", {"research"}}}};

TEST(FindDeadRules, ARuleBehindOneThatTakesEverythingIsDead) {
  EXPECT_THAT(DeadRulesOf({kAll, kJobs}),
              ElementsAre(ErrorAt("rules[1]",
                                  "rules[1] `b` can never be reached: rules[0] `a` takes all of "
                                  "its work; put this rule before it or narrow it")));
}

TEST(FindDeadRules, ANarrowRuleBeforeAWideOneIsFine) {
  EXPECT_THAT(DeadRulesOf({kTdx, kResearch, kJobs, kAll}), IsEmpty());
}

TEST(FindDeadRules, RulesOnDifferentKeysOverlapButDoNotCover) {
  EXPECT_THAT(DeadRulesOf({kTdx, kResearch}), IsEmpty());
  EXPECT_THAT(DeadRulesOf({kResearch, kTdx}), IsEmpty());
}

TEST(FindDeadRules, TwoRulesMayCoverAThirdTogether) {
  const WorkSelector requests{.kind = {WorkKind::kRequest}};
  const WorkSelector services{.kind = {WorkKind::kService}};
  EXPECT_THAT(DeadRulesOf({kJobs, requests, kTdx}), IsEmpty());
  EXPECT_THAT(DeadRulesOf({kJobs, requests, services, kTdx}),
              ElementsAre(ErrorAt("rules[3]",
                                  "rules[0] `a` and rules[1] `b` and rules[2] `c` together take "
                                  "all of its work")));
}

TEST(FindDeadRules, ListsAreCoveredByLongerOnes) {
  const WorkSelector acme{.tenant = {"acme"}}, both{.tenant = {"acme", "umbrella"}};
  EXPECT_THAT(DeadRulesOf({both, acme}), ElementsAre(ErrorAt("rules[1]", "never be reached")));
  EXPECT_THAT(DeadRulesOf({acme, both}), IsEmpty());
  EXPECT_THAT(DeadRulesOf({acme, {.tenant = {"umbrella"}}, both}),
              ElementsAre(ErrorAt("rules[2]", "together")));
}

TEST(FindDeadRules, EachKeyCounts) {
  const std::vector<WorkSelector> one_key{
      {.kind = {WorkKind::kJob}},    {.name = {"x"}},       {.tenant = {"x"}},
      {.confidential = {"x"}},       {.work_class = {"x"}}, {.model = {"x"}},
      {.labels = {{"team", {"x"}}}}, {.min_priority = 1}};
  for (std::size_t i = 0; i < one_key.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_THAT(DeadRulesOf({one_key[i], one_key[i]}), ElementsAre(ErrorAt("rules[1]", "")));
    EXPECT_THAT(DeadRulesOf({one_key[i], kAll}), IsEmpty());
    EXPECT_THAT(DeadRulesOf({kAll, one_key[i]}), ElementsAre(ErrorAt("rules[1]", "")));
  }
}

TEST(FindDeadRules, PrioritiesAreCoveredFromBelow) {
  EXPECT_THAT(DeadRulesOf({{.min_priority = 5}, {.min_priority = 10}}),
              ElementsAre(ErrorAt("rules[1]", "")));
  EXPECT_THAT(DeadRulesOf({{.min_priority = 10}, {.min_priority = 5}}), IsEmpty());
  EXPECT_THAT(DeadRulesOf({{.min_priority = -100}, kJobs}), ElementsAre(ErrorAt("rules[1]", "")));
}

TEST(FindDeadRules, ALabelOfAnyValueCoversOneOfASingleValueButNotItsAbsence) {
  const WorkSelector any{.labels = {{"team", {}}}};
  EXPECT_THAT(DeadRulesOf({any, kResearch}), ElementsAre(ErrorAt("rules[1]", "")));
  EXPECT_THAT(DeadRulesOf({kResearch, any}), IsEmpty());
  EXPECT_THAT(DeadRulesOf({any, kAll}), IsEmpty());
}

TEST(FindDeadRules, NarrowerOnTwoKeysIsDeadBehindEither) {
  WorkSelector narrow = kResearch;
  narrow.confidential = {"tdx"};
  EXPECT_THAT(DeadRulesOf({kTdx, narrow}), ElementsAre(ErrorAt("rules[1]", "`a`")));
  EXPECT_THAT(DeadRulesOf({kResearch, narrow}), ElementsAre(ErrorAt("rules[1]", "`a`")));
  EXPECT_THAT(DeadRulesOf({narrow, kTdx}), IsEmpty());
}

TEST(FindDeadRules, StaysBoundedOnVeryManyCombinations) {
  WorkSelector wide;
  for (int i = 0; i < 200; ++i) {
    wide.name.push_back("name" + std::to_string(i));
    wide.tenant.push_back("tenant" + std::to_string(i));
    wide.model.push_back("model" + std::to_string(i));
  }
  EXPECT_THAT(DeadRulesOf({wide, wide}), IsEmpty());  // dead, but 8,000,000 shapes are not tried
}

TEST(FindDeadRules, FindsTheOneDeadRuleAmongAThousand) {
  std::vector<WorkSelector> whens;
  for (int i = 0; i < 1000; ++i) {
    whens.push_back({.name = {"name" + std::to_string(i % 100)},
                     .tenant = {"tenant" + std::to_string(i / 100)},
                     .labels = {{"team", {"a", "b"}}}});
  }
  whens.push_back(whens.front());
  EXPECT_THAT(DeadRulesOf(whens), ElementsAre(ErrorAt("rules[1000]", "takes all of its work")));
}

}  // namespace
}  // namespace spillway
