#include "simulator/results_file.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_split.h"
#include "core/explain.h"
#include "formats/value.h"
#include "simulator/verdict.h"
#include "tests/simulator/sample_outcome.h"

namespace spillway {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Lt;
using testing::SizeIs;
using testing::UnorderedElementsAre;

constexpr char kCommand[] = "spillway simulate configs/scenarios/backstop.yaml -o out --seeds 3";

ExperimentOutcome Sample() {
  ExperimentOutcome outcome = SampleOutcome();
  outcome.verdict = VerdictSentence(outcome, SampleScenario());
  return outcome;
}
Value Json() {
  const auto json = ParseJson(ResultsJson(Sample(), SampleScenario()));
  EXPECT_TRUE(json.ok()) << json.status();
  return json.ok() ? *json : Value();
}
std::vector<std::string> KeysOf(const Value& map) {
  std::vector<std::string> keys;
  for (const Member& member : map.map()) keys.push_back(member.key);
  return keys;
}

class Folder : public testing::Test {
 protected:
  Folder()
      : path_(testing::TempDir() + "/results_" +
              testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(path_);
  }
  ~Folder() override { std::filesystem::remove_all(path_); }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_))
      names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }
  std::string Text(const std::string& name) const {
    std::ifstream file(path_ + "/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string path_;
};

// Programs read these keys: a change here breaks them.
TEST(ResultsJson, HasExactlyTheseKeys) {
  const Value json = Json();
  EXPECT_THAT(KeysOf(json),
              ElementsAre("scenario", "says", "verdict", "verdicts", "notes", "start", "objective",
                          "warm_up_s", "drain_s", "accounting", "baseline", "sized", "rows",
                          "cells", "sweeps", "break_even"));
  const Value& cell = json.Find("cells")->list().front();
  EXPECT_THAT(
      KeysOf(cell),
      ElementsAre("fleet", "policy", "workload", "seed", "cost_usd", "cost_paid_for_usd",
                  "lower_bound_usd", "lower_bound_slo_usd", "slo_attainment", "submitted",
                  "completed", "refused", "failed", "unfinished", "judged", "met", "deadlines",
                  "deadlines_met", "nvidia_share", "nvidia_cost_share", "energy_joules",
                  "carbon_grams", "ttft_s", "tpot_s", "e2e_s", "job_wait_s", "job_turnaround_s",
                  "makespan_s", "regret", "utilization", "label", "span_s", "bin_s", "flags",
                  "spilled", "spills", "ttft_cdf", "pools", "events", "decisions"));
  EXPECT_THAT(KeysOf(*cell.Find("ttft_s")), ElementsAre("p50", "p90", "p99", "mean", "count"));
  EXPECT_THAT(KeysOf(*cell.Find("utilization")), ElementsAre("xeon", "inferentia2", "a10g"));
}

TEST(ResultsJson, TellsWhatPoolsCouldHaveDoneAndWhatIsRegretted) {
  const Value json = Json();
  const Value& cell = json.Find("cells")->list().front();
  const Value& regret = *cell.Find("regret");
  EXPECT_EQ(regret.Find("placements")->AsInt64(), 200);
  EXPECT_EQ(regret.Find("avoidable")->AsInt64(), 30);
  EXPECT_EQ(regret.Find("saved_usd")->string(), "0.120000000");
  EXPECT_EQ(regret.Find("pools")->list().at(0).Find("pool")->string(), "xeon");
  const Value& coverage = *cell.Find("pools")->list().front().Find("coverage");
  EXPECT_DOUBLE_EQ(coverage.Find("prompts")->real(), 0.875);
  EXPECT_TRUE(coverage.Find("jobs")->is_null());
  EXPECT_DOUBLE_EQ(json.Find("rows")->list()[0].Find("avoidable")->Find("mean")->real(), 0.15);
  EXPECT_TRUE(json.Find("rows")->list()[2].Find("avoidable")->is_null());
}

TEST(ResultsJson, TellsWhatWasVaried) {
  const Value json = Json();
  const Value& sweep = json.Find("sweeps")->list().at(0);
  EXPECT_EQ(sweep.Find("input")->string(), "prefill");
  ASSERT_EQ(sweep.Find("points")->list().size(), 3u);
  EXPECT_DOUBLE_EQ(sweep.Find("points")->list()[0].Find("factor")->real(), 0.5);
  const Value& row = json.Find("break_even")->list().at(0).Find("rows")->list().at(0);
  EXPECT_DOUBLE_EQ(row.Find("first_start")->Find("seconds")->real(), 150);
  EXPECT_TRUE(row.Find("second_start")->is_null());
  EXPECT_TRUE(row.Find("devices")->list().at(1).Find("first")->is_null());
  EXPECT_DOUBLE_EQ(row.Find("prices")->list().at(0).Find("cheaper_up_to")->real(), 0.4);
  EXPECT_TRUE(row.Find("prices")->list().at(1).Find("cheaper_up_to")->is_null());
}

TEST(ResultsSummary, TellsCoverageHindsightAndWhatWasVaried) {
  const std::string text = ResultsSummary(Sample(), SampleScenario(), kCommand);
  for (const char* words :
       {"| pool | models it serves | prompts in time there | compute of requests done |",
        "| xeon | 100.0 % | 87.5 % | 40.0 % |",
        "mixed under backstop: Of 600 placements on the last resort over 3 seeds, 90 (15.0 %) "
        "would "
        "have been in time on a cheaper pool (xeon 90)",
        "## prompts: prefill of xeon-spr-24vcpu, mixed under backstop, conversation",
        "## slices: up to which load slice is cheaper than a10g",
        "| short | spot | 0.229 | 1.01 | 0.4/s |", "| short | list | 1.07 | 1.01 | dearer at all |",
        "| short | slice | 2 | - |"})
    EXPECT_THAT(text, HasSubstr(words));
}

TEST(ResultsJson, TellsMoneyAsDecimalTextAndUnknownAsNull) {
  const Value json = Json();
  EXPECT_EQ(json.Find("cells")->list().size(), 9u);
  for (const Value& cell : json.Find("cells")->list()) {
    const auto label = cell.Find("label")->string();
    EXPECT_TRUE(label == "stable" || label == "backlogged" || label == "overloaded") << label;
    EXPECT_TRUE(cell.Find("lower_bound_slo_usd")->is_null());
    EXPECT_LE(cell.Find("slo_attainment")->real(), 1.0);
  }
  const Value& first = json.Find("cells")->list().front();
  EXPECT_EQ(first.Find("cost_usd")->string(), "12.602000000");
  EXPECT_EQ(first.Find("cost_paid_for_usd")->string(), "2.012000000");
  EXPECT_EQ(first.Find("label")->string(), "backlogged");
  EXPECT_DOUBLE_EQ(first.Find("slo_attainment")->real(), 0.994);
}

TEST(ResultsJson, BillsOfPoolsAddUpToTheCost) {
  const ExperimentOutcome outcome = Sample();
  const Value json = Json();
  for (std::size_t i = 0; i < outcome.cells.size(); ++i) {
    Usd sum;
    for (const PoolOutcome& pool : outcome.cells[i].pools) sum += pool.bill();
    EXPECT_EQ(json.Find("cells")->list()[i].Find("cost_usd")->string(), Decimal(sum));
  }
}

TEST(ResultsCsv, HasOneLineACellOfAsManyFields) {
  const std::string csv = ResultsCsv(Sample());
  std::vector<std::string> lines = absl::StrSplit(csv, '\n', absl::SkipEmpty());
  ASSERT_THAT(lines, SizeIs(10));
  const auto fields = [](const std::string& line) {
    return std::count(line.begin(), line.end(), ',');
  };
  for (const std::string& line : lines) EXPECT_EQ(fields(line), fields(lines[0])) << line;
  EXPECT_THAT(lines[1], HasSubstr("mixed,backstop,conversation,1,12.602000000,2.012000000,"));
}

TEST(ResultsCsv, QuotesWhatHoldsACommaOrAQuote) {
  ExperimentOutcome outcome = Sample();
  outcome.cells.resize(1);
  outcome.cells[0].flags = {"pool \"a\", full"};
  EXPECT_THAT(ResultsCsv(outcome), HasSubstr(",\"pool \"\"a\"\", full\"\n"));
}

TEST(ResultTable, FitsTheTerminalAndRepeatsWhoseRowItIs) {
  for (const int width : {60, 80, 120, 200}) {
    const std::string table = ResultTable(Sample(), width);
    const std::vector<std::string> lines = absl::StrSplit(table, '\n');
    for (const std::string& line : lines) {
      if (line.find("fewest") != line.npos) continue;  // words, which the terminal wraps
      const auto columns = std::count_if(line.begin(), line.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
      });
      EXPECT_LE(columns, width) << line;
      EXPECT_FALSE(line.ends_with(' ')) << line;
    }
    for (const char* words : {"rented USD", "paid-for USD", "in time", "saving", "over bound",
                              "TTFT p99", "TPOT p50", "NVIDIA", "energy", "CO2e", "24.7 % ± 3.4 %"})
      EXPECT_THAT(table, HasSubstr(words));
  }
}

TEST(ResultTable, AnOverloadedRowClaimsNoSaving) {
  ExperimentOutcome outcome = Sample();
  outcome.rows[0].label = outcome.rows[1].label = LoadLabel::kOverloaded;
  EXPECT_THAT(ResultTable(outcome, 120), testing::Not(HasSubstr("24.7 %")));
}

TEST(ResultTable, WorkWithoutTokensHasNoTimePerToken) {
  ExperimentOutcome outcome = Sample();
  EXPECT_THAT(ResultTable(outcome, 0), HasSubstr("TPOT p99"));
  for (RowOutcome& row : outcome.rows) row.tpot_p50 = row.tpot_p90 = row.tpot_p99 = {};
  EXPECT_THAT(ResultTable(outcome, 0), Not(HasSubstr("TPOT")));
  EXPECT_THAT(ResultTable(outcome, 0), HasSubstr("TTFT p99"));
}

TEST(ResultTable, JobsHaveTheirOwnTimes) {
  ExperimentOutcome outcome = Sample();
  for (RowOutcome& row : outcome.rows) row.ttft_p99 = {};
  for (CellOutcome& cell : outcome.cells)
    cell.job_turnaround = {.p50 = 90, .p90 = 100, .p99 = 110, .mean = 91, .count = 7};
  const std::string table = ResultTable(outcome, 0);
  EXPECT_THAT(table, AllOf(HasSubstr("turnaround p99"), HasSubstr("110 s")));
  EXPECT_THAT(table, testing::Not(HasSubstr("TTFT")));
}

TEST(ResultTable, WithoutAWidthEveryRowIsOneLine) {
  const std::string table = ResultTable(Sample(), 0);
  const std::vector<std::string> lines = absl::StrSplit(table, '\n', absl::SkipEmpty());
  EXPECT_EQ(lines.size(), 1u + 1u + 3u + 1u);  // workload, heading, rows, what was sized
}

TEST(ResultsSummary, BeginsWithTheVerdictAndEndsWithTheCommand) {
  const std::string summary = ResultsSummary(Sample(), SampleScenario(), kCommand);
  EXPECT_THAT(summary, testing::StartsWith("# backstop\n\n**mixed under backstop meets"));
  EXPECT_THAT(summary, testing::EndsWith(std::string("```sh\n") + kCommand + "\n```\n"));
  EXPECT_THAT(summary, HasSubstr("| mixed | backstop | 12.60 |"));
  EXPECT_THAT(summary, HasSubstr("pool inferentia2: utilization 0.93"));
}

TEST_F(Folder, HoldsFiveFilesAndNothingElse) {
  ASSERT_TRUE(WriteResults(Sample(), SampleScenario(), kCommand, path_ + "/deep/er").ok());
  path_ += "/deep/er";
  EXPECT_THAT(Names(), ElementsAre("report.html", "results.csv", "results.json",
                                   "scenario.lock.yaml", "summary.md"));
  EXPECT_EQ(Text("results.json"), ResultsJson(Sample(), SampleScenario()));
  EXPECT_THAT(Text("scenario.lock.yaml"), HasSubstr("xxh64: \"0123456789abcdef\""));
  EXPECT_THAT(Text("scenario.lock.yaml"), HasSubstr("nodes: 24"));
}

TEST_F(Folder, TheSameBytesTwice) {
  ASSERT_TRUE(WriteResults(Sample(), SampleScenario(), kCommand, path_).ok());
  std::vector<std::string> before;
  for (const std::string& name : Names()) before.push_back(Text(name));
  ASSERT_TRUE(WriteResults(Sample(), SampleScenario(), kCommand, path_).ok());
  std::vector<std::string> after;
  for (const std::string& name : Names()) after.push_back(Text(name));
  EXPECT_EQ(before, after);
}

// A folder stands where the report should: nothing is replaced, nothing half-written stays.
TEST_F(Folder, AFailureLeavesWhatWasThere) {
  std::filesystem::create_directories(path_ + "/report.html");
  std::ofstream(path_ + "/results.json") << "older";
  const absl::Status status = WriteResults(Sample(), SampleScenario(), kCommand, path_);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Names(), ElementsAre("report.html", "results.json"));
  EXPECT_EQ(Text("results.json"), "older");
}

// Two runs into one folder: it holds the files of one of them.
TEST_F(Folder, FilesOfTwoRunsNeverStandTogether) {
  ScenarioSpec other = SampleScenario();
  other.seeds = 7;
  const auto write = [&](const ScenarioSpec& scenario, const char* command) {
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(WriteResults(Sample(), scenario, command, path_).ok());
  };
  std::thread beside([&] { write(other, "seven seeds"); });
  write(SampleScenario(), "three seeds");
  beside.join();
  const bool seven = Text("summary.md").find("seven seeds") != std::string::npos;
  EXPECT_THAT(Text("scenario.lock.yaml"), HasSubstr(seven ? "seeds: 7" : "seeds: 3"));
  EXPECT_THAT(Text("report.html"), HasSubstr(seven ? "seven seeds" : "three seeds"));
  EXPECT_EQ(Names().size(), 5u);
}

TEST_F(Folder, IsTriedBeforeALongRun) {
  const auto made = PrepareFolder(path_ + "/deep");
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_TRUE(*made);
  EXPECT_FALSE(*PrepareFolder(path_ + "/deep"));
  std::ofstream(path_ + "/file") << "x";
  EXPECT_FALSE(PrepareFolder(path_ + "/file").ok());
  EXPECT_FALSE(PrepareFolder(path_ + "/file/below").ok());
}

TEST(ResultsSummary, SaysWhatWasPassedOver) {
  ExperimentOutcome outcome = Sample();
  outcome.notes = {"workload w: 3 bad rows of t.csv were passed over"};
  EXPECT_THAT(ResultsSummary(outcome, SampleScenario(), kCommand),
              HasSubstr("- workload w: 3 bad"));
  EXPECT_THAT(ResultsJson(outcome, SampleScenario()), HasSubstr("3 bad rows of t.csv"));
}

TEST_F(Folder, AFileIsNoFolder) {
  std::ofstream(path_) << "x";
  EXPECT_EQ(WriteResults(Sample(), SampleScenario(), kCommand, path_).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(Folder, ALockThatCannotBeMadeWritesNothing) {
  ScenarioSpec scenario = SampleScenario();
  scenario.text = "name: [";
  EXPECT_FALSE(WriteResults(Sample(), scenario, kCommand, path_).ok());
  EXPECT_FALSE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace spillway
