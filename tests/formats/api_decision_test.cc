#include <fstream>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/api_json.h"
#include "formats/value.h"
#include "tests/formats/api_normal.h"
#include "tests/support/fleets.h"

namespace spillway {
namespace {

std::vector<PoolSpec> FourPools() {
  std::vector<PoolSpec> pools(4);
  pools[0].name = "edge-npu";
  pools[0].node = {.cpus = MilliCpus(4000), .memory = fixtures::GiB(8), .devices = 1};
  pools[1].name = "local";
  pools[2].name = "xeon-amx";
  pools[3].name = "a10";
  return pools;
}

Candidate Able(PoolId pool, Verdict verdict, Code code, Quantiles duration, Usd cost) {
  Candidate candidate{.pool = pool, .verdict = verdict, .has_estimate = true};
  candidate.codes.Add(code);
  candidate.estimate.duration = duration;
  candidate.estimate.cost = candidate.estimate.marginal_cost = cost;
  candidate.estimate.basis = Basis::kProfile;
  return candidate;
}

Decision ExampleDecision() {
  Decision d{.id = DecisionId{123}, .work = JobId{45}};
  d.at = absl::FromUnixMillis(1785230102417);
  d.tenant = "default";
  d.outcome = Outcome::kPlaced;
  d.chosen = PoolId{2};
  d.policy = "backstop";
  d.policy_version = 3;
  d.inputs_hash = 0x5f0c2b7e9d11a4c3;
  d.baseline = {.pool = PoolId{3}, .cost = Usd(6147778)};

  Candidate edge{.pool = PoolId{0}, .verdict = Verdict::kRefused};
  edge.codes.Add(Code::kDevices);
  edge.codes.Add(Code::kMemory);
  Candidate local = Able(PoolId{1}, Verdict::kRefused, Code::kTooLate,
                         {absl::Seconds(40), absl::Seconds(55)}, Usd(555556));
  local.figures = {.found = 95'000'000'000, .wanted = 60'000'000'000};
  local.estimate.wait = {absl::Seconds(80), absl::Seconds(95)};
  local.estimate.marginal_cost = Usd(69333);
  local.estimate.energy = Joules(1600'000'000);
  local.estimate.carbon = GramsCo2e(173333);
  local.estimate.basis = Basis::kObserved;
  Candidate xeon = Able(PoolId{2}, Verdict::kChosen, Code::kChosen,
                        {absl::Seconds(24), absl::Seconds(30)}, Usd(1190000));
  xeon.estimate.energy = Joules(300'000'000);
  xeon.estimate.carbon = GramsCo2e(30000);
  Candidate a10 = Able(PoolId{3}, Verdict::kOutranked, Code::kOutranked,
                       {absl::Seconds(22), absl::Seconds(27.5)}, Usd(6147778));
  a10.backstop = true;
  a10.estimate.energy = Joules(3300'000'000);
  a10.estimate.carbon = GramsCo2e(330000);
  d.candidates = {edge, local, xeon, a10};
  return d;
}

Work ExampleWork() {
  Work work;
  work.needs.memory = fixtures::GiB(12);
  work.objective.start_within = absl::Seconds(60);
  return work;
}

std::string Written(const Decision& decision, const std::vector<PoolSpec>& pools) {
  std::string text;
  JsonWriter w(text);
  WriteDecision(w, decision, ExampleWork(),
                [&](PoolId id) { return Index(id) < pools.size() ? &pools[Index(id)] : nullptr; });
  return text;
}

TEST(ApiDecision, IsTheExampleFileToTheLastFigure) {
  std::ifstream file(SPILLWAY_SOURCE_DIR "/tests/formats/testdata/decision.json");
  std::stringstream example;
  example << file.rdbuf();
  EXPECT_EQ(NormalJson(Written(ExampleDecision(), FourPools())), NormalJson(example.str()));
}

TEST(ApiDecision, SaysWhyThereIsNoBaselineAndThatNothingWasChosen) {
  Decision decision = ExampleDecision();
  decision.outcome = Outcome::kRefused;
  decision.chosen = kNoPool;
  decision.baseline = {.code = Code::kDevices};
  const auto json = ParseJson(Written(decision, FourPools()));
  ASSERT_TRUE(json.ok());
  EXPECT_TRUE(json->Find("chosen")->is_null());
  EXPECT_TRUE(json->Find("baseline")->Find("cost_usd")->is_null());
  EXPECT_EQ(json->Find("baseline")->Find("code")->string(), "devices");
}

TEST(ApiDecision, WaitingTellsWhenItIsDecidedAgainAndDryRunsHaveNoName) {
  Decision decision = ExampleDecision();
  decision.id = DecisionId{0};
  decision.work = JobId{0};
  decision.outcome = Outcome::kWaiting;
  decision.spill_at = absl::FromUnixMillis(1785230102500);
  const auto json = ParseJson(Written(decision, FourPools()));
  ASSERT_TRUE(json.ok());
  EXPECT_TRUE(json->Find("id")->is_null());
  EXPECT_TRUE(json->Find("work")->is_null());
  EXPECT_EQ(json->Find("spill_at")->string(), "2026-07-28T09:15:02.500Z");
}

TEST(ApiDecision, CarriesTheNameOfTheJobAndNoneWhereThereIsNone) {
  const Decision decision = ExampleDecision();
  Decision of_request = decision;
  of_request.request = RequestId{7};
  Work named = ExampleWork();
  named.name = "nightly-eval";
  const auto written = [](const Decision& d, const Work& work) {
    std::string text;
    JsonWriter w(text);
    WriteDecision(w, d, work, [](PoolId) -> const PoolSpec* { return nullptr; });
    return ParseJson(text).value();
  };
  EXPECT_EQ(written(decision, named).Find("name")->string(), "nightly-eval");
  EXPECT_EQ(written(decision, ExampleWork()).Find("name"), nullptr);
  EXPECT_EQ(written(of_request, named).Find("name"), nullptr);
}

TEST(ApiDecision, AnEndlessWaitIsNullAndModelledPoolsSaySo) {
  Decision decision = ExampleDecision();
  decision.candidates[1].estimate.wait = {absl::InfiniteDuration(), absl::InfiniteDuration()};
  std::vector<PoolSpec> pools = FourPools();
  pools[1].modelled = true;
  const auto json = ParseJson(Written(decision, pools));
  ASSERT_TRUE(json.ok());
  const Value& local = json->Find("candidates")->list()[1];
  EXPECT_TRUE(local.Find("estimate")->Find("wait_s")->Find("p90")->is_null());
  EXPECT_TRUE(local.Find("modelled")->boolean());
  EXPECT_EQ(json->Find("candidates")->list()[2].Find("modelled"), nullptr);
}

TEST(ApiRequest, SaysWhatAnEngineThatWasGivenUpLost) {
  Request request;
  request.attempts = {{.endpoint = {PoolId{1}, 2},
                       .fault = ForwardFault::kTimeout,
                       .held = absl::Milliseconds(400),
                       .cost = Usd(120'000)},
                      {.endpoint = {PoolId{2}, 0}}};
  const std::vector<PoolSpec> pools = FourPools();
  std::string text;
  JsonWriter w(text);
  WriteRequestOutcome(w, request, [&](PoolId id) { return &pools[static_cast<int>(id)]; });
  const auto json = ParseJson(text);
  ASSERT_TRUE(json.ok()) << text;
  EXPECT_EQ(NormalValue(*json->Find("attempts")), NormalValue(*ParseJson(R"([
      {"endpoint": "local/2", "fault": "timeout", "lost_s": 0.4, "lost_cost_usd": "0.000120000"},
      {"endpoint": "xeon-amx/0", "fault": "none", "lost_s": 0, "lost_cost_usd": "0.000000000"}])")));
}

// A chosen pool may be late as well: the answer is still "chosen", and stands first.
TEST(ApiDecision, TheAnswerStandsFirstAmongTheCodes) {
  Decision decision = ExampleDecision();
  decision.candidates[2].codes.Add(Code::kTooLate);
  const auto json = ParseJson(Written(decision, FourPools()));
  ASSERT_TRUE(json.ok());
  const Value& chosen = json->Find("candidates")->list()[2];
  EXPECT_EQ(chosen.Find("code")->string(), "chosen");
  ASSERT_EQ(chosen.Find("codes")->list().size(), 2u);
  EXPECT_EQ(chosen.Find("codes")->list()[0].string(), "chosen");
  EXPECT_EQ(chosen.Find("codes")->list()[1].string(), "too_late");
}

}  // namespace
}  // namespace spillway
