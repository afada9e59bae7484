#include "cli/jobs_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spillway::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const absl::Time kNow = absl::FromUnixSeconds(1'785'230'130);  // 2026-07-28T09:15:30Z

Value Job(std::string_view changes = "{}") {
  const Value job =
      ParseJson(R"({"id": "job-000045", "name": "thumbs", "state": "succeeded", "pool": "xeon-amx",
    "run": {"command": ["convert", "in.png"]}, "created_at": "2026-07-28T09:15:00Z",
    "started_at": "2026-07-28T09:15:02Z", "finished_at": "2026-07-28T09:15:26Z", "exit_code": 0, "signal": null,
    "cost_usd": "0.001190000", "baseline_cost_usd": "0.006147778", "decision": "dec-000123",
    "attempts": [{"number": 1, "message": null}]})")
          .value();
  return MergePatch(job, ParseJson(changes).value());
}

Value Decision(std::string_view outcome) {
  Value decision = ParseJson(R"({"id": "dec-000123", "candidates": [
    {"pool": "edge-npu", "verdict": "refused", "code": "devices", "why": "asks for no device"},
    {"pool": "gaudi2", "verdict": "refused", "code": "devices", "why": "asks for no device"},
    {"pool": "local", "verdict": "refused", "code": "too_late", "why": "would start in 95 s"},
    {"pool": "a10", "verdict": "outranked", "code": "outranked", "why": "backstop pools claim last"}]})")
                       .value();
  decision.Set("outcome", Value::MakeString(outcome));
  return decision;
}

TEST(JobsTable, ShowsStatePoolTimesAndMoney) {
  EXPECT_THAT(
      JobsTable({Job()}, kNow, {}, false),
      AllOf(HasSubstr("job-000045"), HasSubstr("succeeded"), HasSubstr("xeon-amx"),
            HasSubstr("30 s"), HasSubstr("24 s"), HasSubstr("$0.001190"), HasSubstr("81 %")));
}

TEST(JobsTable, CostIsUnknownUntilTheJobIsOver) {
  const Value job = Job(R"({"state": "running", "finished_at": null, "cost_usd": "0.000000000"})");
  EXPECT_THAT(JobsTable({job}, kNow, {}, false), AllOf(Not(HasSubstr("$")), HasSubstr("28 s")));
}

TEST(JobsTable, ModelledPoolsSaySo) {
  EXPECT_THAT(JobsTable({Job()}, kNow, {}, false), Not(HasSubstr("*")));
  EXPECT_THAT(JobsTable({Job(R"({"modelled": true})")}, kNow, {}, false),
              AllOf(HasSubstr("xeon-amx*"), HasSubstr("* modelled: ")));
  EXPECT_THAT(JobPage(Job(R"({"modelled": true})"), kNow, {}), HasSubstr("xeon-amx (modelled)"));
}

TEST(JobsTable, WideShowsCommandAndDecision) {
  EXPECT_THAT(JobsTable({Job()}, kNow, {}, true),
              AllOf(HasSubstr("convert in.png"), HasSubstr("dec-000123")));
}

TEST(JobPage, SaysWhyAnAttemptCouldNotStart) {
  const Value job =
      Job(R"({"state": "failed", "attempts": [{"number": 1, "message": "no such command"}]})");
  EXPECT_THAT(JobPage(job, kNow, {}), AllOf(HasSubstr("failed"), HasSubstr("no such command")));
}

TEST(JobPage, HostileNamesDoNotReachTheTerminal) {
  EXPECT_THAT(JobPage(Job(R"({"name": "\u001b[2J"})"), kNow, {}), Not(HasSubstr("\x1b")));
}

TEST(DescribeEnd, IsOneSentence) {
  EXPECT_EQ(DescribeEnd(Job()),
            "succeeded on xeon-amx in 24 s for $0.001190; against NVIDIA alone it saves $0.004958 "
            "(81 %)");
  EXPECT_THAT(DescribeEnd(Job(R"({"state": "failed", "exit_code": 3})")),
              HasSubstr("(exit code 3)"));
  EXPECT_THAT(DescribeEnd(Job(R"({"state": "failed", "exit_code": null, "signal": 9})")),
              HasSubstr("(signal 9)"));
}

TEST(WhyNot, GroupsPoolsByReason) {
  EXPECT_EQ(WhyNot(Decision("refused")),
            "devices: edge-npu, gaudi2; too late: local; claims later: a10");
}

TEST(WhyTable, RefusedSubmissionsStandBesideJobsAndOutsideTheMoney) {
  const std::string text =
      WhyTable({{Job(), Decision("placed")}, {Value(), Decision("refused")}}, {});
  EXPECT_THAT(text, AllOf(HasSubstr("no pool could ever do it"), HasSubstr("refused"),
                          HasSubstr("All jobs: $0.001190."), HasSubstr("saves $0.004958 (81 %)")));
}

TEST(WhyTable, ReasonsStandBelowTheJobWhereThereIsNoRoomBesideIt) {
  const std::string narrow = WhyTable({{Job(), Decision("placed")}}, {.width = 100});
  EXPECT_THAT(
      narrow,
      HasSubstr("\n    not: devices: edge-npu, gaudi2; too late: local; claims later: a10\n"));
  EXPECT_THAT(WhyTable({{Job(), Decision("placed")}}, {.width = 160}),
              HasSubstr("WHY NOT THE OTHERS"));
}

TEST(WhyTable, ShowsHowLongAJobWaited) {
  EXPECT_THAT(WhyTable({{Job(), Decision("placed")}}, {}),
              HasSubstr("xeon-amx     2 s  $0.001190"));
}

TEST(WhyTable, JobsWithoutABaselineAreCounted) {
  const Value alone = Job(R"({"baseline_cost_usd": null, "cost_usd": "1.000000000"})");
  const std::string text = WhyTable({{Job(), Decision("placed")}, {alone, Decision("placed")}}, {});
  EXPECT_THAT(text, AllOf(HasSubstr("All jobs: $1.0012."),
                          HasSubstr("$0.001190 here, $0.006148 on NVIDIA alone"),
                          HasSubstr("1 without an NVIDIA pool")));
}

}  // namespace
}  // namespace spillway::cli
