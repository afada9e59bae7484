#include "cli/explain_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace spillway::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr char kDecision[] = R"json({
  "id": "dec-000123", "work": "job-000045", "outcome": "placed", "chosen": "xeon-amx",
  "policy": "backstop", "policy_version": 3, "baseline": {"pool": "a10", "cost_usd": "0.006147778"},
  "candidates": [
    {"pool": "edge-npu", "verdict": "refused", "code": "memory", "codes": ["memory"], "why": "needs 12 GiB, a node has 8 GiB"},
    {"pool": "local", "verdict": "refused", "code": "too_late", "codes": ["too_late"], "why": "would start in 95 s (p90)",
               "estimate" : {
  "wait_s" : {"p50" : 80.0, "p90" : 95.0},
             "duration_s" : {"p50" : 40.0, "p90" : 55.0},
                            "cost_usd" : "0.000555556",
                                         "marginal_cost_usd" : "0.000069333",
                                                               "energy_joules" : 1600,
                                                               "basis" : "observed"
}
},
    {"pool": "a10", "verdict": "outranked", "code": "outranked", "codes": ["outranked"], "why": "backstop pools claim last",
     "estimate": {"wait_s": {"p50": 0.0, "p90": 0.0}, "duration_s": {"p50": 22.0, "p90": 27.5}, "cost_usd": "0.006147778",
                  "marginal_cost_usd": "0.006147778", "energy_joules": 3300, "basis": "profile"}},
    {"pool": "xeon-amx", "verdict": "chosen", "code": "chosen", "codes": ["chosen"], "why": "cheapest able pool in time",
     "estimate": {"wait_s": {"p50": 0.0, "p90": 0.0}, "duration_s": {"p50": 24.0, "p90": 30.0}, "cost_usd": "0.001190000",
                  "marginal_cost_usd": "0.001190000", "energy_joules": 300, "basis": "profile"}}]
})json";

std::vector<std::string> Shown(bool wide = false) {
  return absl::StrSplit(ExplainTable(ParseJson(kDecision).value(), {}, wide), '\n');
}

TEST(ExplainTable, NamesTheJobBehindItsId) {
  Value decision = ParseJson(kDecision).value();
  decision.Set("name", Value::MakeString("nightly-eval"));
  const std::string shown = ExplainTable(decision, {}, false);
  EXPECT_THAT(shown, StartsWith("job-000045  nightly-eval  placed on xeon-amx"));
}

TEST(ExplainTable, BestPoolComesFirstRefusedOnesLast) {
  const auto lines = Shown();
  EXPECT_EQ(lines[0], "job-000045  placed on xeon-amx  dec-000123, policy backstop v3");
  EXPECT_THAT(lines[2], StartsWith("POOL"));
  EXPECT_THAT(lines[4], AllOf(StartsWith("xeon-amx"), HasSubstr("$0.001190"), HasSubstr("24 s"),
                              HasSubstr("yes")));
  EXPECT_THAT(lines[5], AllOf(StartsWith("a10"), HasSubstr("outranked"), HasSubstr("yes")));
  EXPECT_THAT(lines[6], AllOf(StartsWith("edge-npu"), HasSubstr("needs 12 GiB")));
  EXPECT_THAT(lines[7], AllOf(StartsWith("local"), HasSubstr("95 s"), HasSubstr(" no ")));
}

TEST(ExplainTable, SaysWhatNvidiaAloneWouldCost) {
  EXPECT_THAT(Shown()[9], AllOf(StartsWith("NVIDIA alone (a10): $0.006148"),
                                HasSubstr("saves $0.004958 (81 %)")));
}

TEST(ExplainTable, WideShowsBothBooksEnergyBasisAndCodes) {
  EXPECT_THAT(Shown(true)[2], AllOf(HasSubstr("MARGINAL"), HasSubstr("ENERGY"), HasSubstr("BASIS"),
                                    HasSubstr("CODES")));
  EXPECT_THAT(Shown(true)[7], AllOf(HasSubstr("$0.000069"), HasSubstr("1600 J"),
                                    HasSubstr("observed"), HasSubstr("too_late")));
}

TEST(ExplainTable, WithoutABaselineNoSavingIsClaimed) {
  Value decision = ParseJson(kDecision).value();
  decision.Find("baseline")->Set("cost_usd", Value());
  const std::string text = ExplainTable(decision, {}, false);
  EXPECT_THAT(text, AllOf(HasSubstr("no saving is claimed"), Not(HasSubstr("saves"))));
}

TEST(ExplainTable, SaysWhichAttemptOfACascadeItWas) {
  Value decision = ParseJson(kDecision).value();
  const auto shown = [&](const std::string& cascade) {
    decision.Set("request", ParseJson(R"({"end":"answered","cascade":)" + cascade + "}").value());
    return ExplainTable(decision, {}, false);
  };
  EXPECT_THAT(shown("null"), Not(HasSubstr("cascade")));
  EXPECT_THAT(shown(R"({"name":"small-first","attempt":1,"other":null,"escalated":null})"),
              HasSubstr("cascade small-first: the answer did\n"));
  EXPECT_THAT(
      shown(R"({"name":"small-first","attempt":1,"other":"req-1-000002","escalated":"schema"})"),
      HasSubstr("small-first: schema, so its answer was not used; asked again as req-1-000002\n"));
  EXPECT_THAT(shown(R"({"name":"small-first","attempt":2,"other":"req-1-000001",)"
                    R"("escalated":"schema","first_cost_usd":"0.000020000"})"),
              HasSubstr("small-first: after req-1-000001 (schema), which cost $0.00002"));
}

// The decision says where it was to go; what became of that is said too.
TEST(ExplainTable, SaysWhichEnginesFailedAndWhy) {
  Value decision = ParseJson(kDecision).value();
  const auto with = [&](const char* endpoint, const char* attempts) {
    decision.Set(
        "request",
        ParseJson(absl::StrCat(R"({"end": "answered", "answered_by": "m",)", R"("endpoint": ")",
                               endpoint, R"(", "cost_usd": "0.1", "attempts": )", attempts, "}"))
            .value());
    return ExplainTable(decision, {}, false);
  };
  const std::string shown = with("good/0", R"([{"endpoint": "xeon-amx/1", "fault": "connect"},
                         {"endpoint": "a10/0", "fault": "overloaded", "lost_s": 0.4,
                          "lost_cost_usd": "0.000120000"},
                         {"endpoint": "good/0", "fault": "none"}])");
  EXPECT_THAT(shown, HasSubstr("placed on xeon-amx, then on good "));
  EXPECT_THAT(
      shown,
      HasSubstr(
          "tried xeon-amx/1: no connection could be made\n"
          "tried a10/0: it was too busy (429 or 503); lost 400 ms of it, $0.000120 of overhead\n"
          "answered by m on good/0"));
  const std::string plain = with("xeon-amx/0", R"([{"endpoint": "xeon-amx/0", "fault": "none"}])");
  EXPECT_THAT(plain, Not(HasSubstr("tried")));
  EXPECT_THAT(plain, Not(HasSubstr("then on")));
}

TEST(CandidatesTable, ModelledPoolsSaySo) {
  Value decision = ParseJson(kDecision).value();
  EXPECT_THAT(ExplainTable(decision, {}, false), Not(HasSubstr("modelled")));
  decision.Find("candidates")->list()[3].Set("modelled", Value::MakeBool(true));
  EXPECT_THAT(ExplainTable(decision, {}, false),
              AllOf(HasSubstr("xeon-amx*"), HasSubstr("* modelled: ")));
}

TEST(CandidatesTable, PoolsThatWereNotAskedHaveNoFigures) {
  const auto candidates = ParseJson(
      R"([{"pool": "edge", "verdict": "refused", "code": "memory", "codes": ["memory"], "why": "too small"}])");
  const std::vector<std::string> lines =
      absl::StrSplit(CandidatesTable(candidates->list(), {}, false), '\n');
  EXPECT_EQ(lines[2], "edge  refused     -          -      -  -        too small");
}

}  // namespace
}  // namespace spillway::cli
