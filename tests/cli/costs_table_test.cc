#include "cli/costs_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_split.h"

namespace spillway::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kReport = R"json({"by":"tenant","rows":[
  {"key":"blue","cost_usd":"0.250000000","marginal_cost_usd":"0.010000000","baseline_usd":"1.000000000",
   "compared_cost_usd":"0.200000000","saved_usd":"0.800000000","idle_usd":"0.000000000","overhead_usd":"0.000000000",
   "bill_usd":"0.250000000","requests":12,"jobs":3,"without_baseline":1,"prompt_tokens":100,"output_tokens":20,
   "energy_joules":7200000,"carbon_grams":600,"energy_basis":"estimated"},
  {"key":"red","cost_usd":"0.500000000","marginal_cost_usd":"0.500000000","baseline_usd":null,"compared_cost_usd":null,
   "saved_usd":null,"idle_usd":"0.000000000","overhead_usd":"0.125000000","bill_usd":"0.625000000","requests":0,
   "jobs":1,"without_baseline":1,"prompt_tokens":0,"output_tokens":0,"energy_joules":0,"carbon_grams":0,
   "energy_basis":"estimated"},
  {"key":"(idle)","cost_usd":"0.000000000","idle_usd":"2.500000000"}],
  "total":{"cost_usd":"0.750000000","marginal_cost_usd":"0.510000000","baseline_usd":"1.000000000",
   "compared_cost_usd":"0.200000000","saved_usd":"0.800000000","idle_usd":"2.500000000","overhead_usd":"0.125000000",
   "bill_usd":"3.375000000","requests":12,"jobs":4,"without_baseline":2,"prompt_tokens":100,"output_tokens":20,
   "energy_joules":7200000,"carbon_grams":600,"energy_basis":"estimated"}})json";

std::string Show(int width, bool wide = false) {
  const auto report = ParseJson(kReport);
  EXPECT_TRUE(report.ok()) << report.status();
  return CostsTable(*report, Screen{.width = width}, wide);
}
// The line that begins with this word.
std::string Line(const std::string& table, std::string_view word) {
  for (absl::string_view line : absl::StrSplit(table, '\n')) {
    if (std::string(line).starts_with(word)) return std::string(line);
  }
  return "";
}

TEST(CostsTable, WorkThenWhatNobodyIsChargedForThenTheBill) {
  const std::string table = Show(80);
  EXPECT_THAT(Line(table, "blue"), HasSubstr("$0.2500"));
  EXPECT_THAT(Line(table, "blue"), HasSubstr("$0.8000"));
  EXPECT_THAT(Line(table, "blue"), HasSubstr("80 %"));
  EXPECT_THAT(Line(table, "red"), Not(HasSubstr("%"))) << "there is nothing to compare it with";
  EXPECT_THAT(Line(table, "(overhead)"), HasSubstr("$0.1250"));
  EXPECT_THAT(Line(table, "(idle)"), HasSubstr("$2.5000"));
  EXPECT_THAT(Line(table, "all work"), AllOf(HasSubstr("$0.7500"), HasSubstr("80 %")));
  EXPECT_THAT(Line(table, "TOTAL"), AllOf(HasSubstr("$3.3750"), Not(HasSubstr("%"))))
      << "what stood idle has no other side to save against";
  EXPECT_LT(table.find("(idle)"), table.find("TOTAL"));
  EXPECT_EQ(table.find("(idle)"), table.rfind("(idle)")) << "once";
  EXPECT_THAT(table, HasSubstr("2 pieces of work had no NVIDIA pool"));
  EXPECT_THAT(table, HasSubstr("Energy is estimated"));
}

TEST(CostsTable, FitsTheScreen) {
  for (const int width : {80, 100, 120}) {
    for (absl::string_view line :
         absl::StrSplit(Line(Show(width), "TOTAL") + "\n" + Show(width), '\n')) {
      if (std::string(line).find("pieces of work") != std::string::npos) continue;
      EXPECT_LE(DisplayWidth({line.data(), line.size()}), width) << line;
    }
  }
  EXPECT_THAT(Show(80), Not(HasSubstr("CO2E")));
  EXPECT_THAT(Show(100), HasSubstr("CO2E"));
  EXPECT_THAT(Show(80, true), HasSubstr("100+20"));
}

TEST(CostsTable, CarbonHasItsUnit) {
  EXPECT_EQ(ShowCarbon(0.5), "0.50 g");
  EXPECT_EQ(ShowCarbon(600), "600 g");
  EXPECT_EQ(ShowCarbon(3400), "3.40 kg");
}

}  // namespace
}  // namespace spillway::cli
