#include "simulator/report/report.h"
#include "simulator/break_even_words.h"

#include <regex>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "simulator/report/charts.h"
#include "simulator/report/svg.h"
#include "simulator/verdict.h"
#include "tests/simulator/sample_outcome.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ExperimentOutcome Sample(double factor = 1) {
  ExperimentOutcome outcome = SampleOutcome(factor);
  outcome.verdict = VerdictSentence(outcome, SampleScenario());
  return outcome;
}
std::string Report(const ExperimentOutcome& outcome) {
  return ReportHtml(outcome, SampleScenario(), "spillway simulate a.yaml -o out");
}
// Said without the whole page in the failure.
bool Holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}
std::vector<std::string> Found(const std::string& text, const char* pattern) {
  const std::regex regex(pattern);
  std::vector<std::string> found;
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it)
    found.push_back((*it)[1]);
  return found;
}

// Elements open and close in order, and every attribute is quoted: a strict reader's view.
void ExpectWellFormed(const std::string& html) {
  std::string bare = html;
  for (const char* raw : {"style", "script"}) {
    const std::string open = absl::StrCat("<", raw, ">"), close = absl::StrCat("</", raw, ">");
    const std::size_t begin = bare.find(open), end = bare.find(close);
    ASSERT_NE(end, std::string::npos);
    bare.erase(begin + open.size(), end - begin - open.size());
  }
  std::vector<std::string> open;
  for (std::size_t at = bare.find('<'); at != std::string::npos; at = bare.find('<', at)) {
    const std::size_t end = bare.find('>', at);
    ASSERT_NE(end, std::string::npos);
    const std::string tag = bare.substr(at + 1, end - at - 1);
    at = end;
    if (tag.starts_with('!') || tag.ends_with('/') || tag.starts_with("meta")) continue;
    if (tag.starts_with('/')) {
      ASSERT_FALSE(open.empty()) << tag;
      ASSERT_EQ(tag.substr(1), open.back());
      open.pop_back();
    } else {
      open.push_back(tag.substr(0, tag.find(' ')));
    }
  }
  EXPECT_TRUE(open.empty());
}

TEST(Report, IsWellFormedAndAsksForNothing) {
  const std::string html = Report(Sample());
  ExpectWellFormed(html);
  EXPECT_FALSE(Holds(html, "http://"));
  EXPECT_FALSE(Holds(html, "https://"));
  EXPECT_FALSE(Holds(html, "url("));
  EXPECT_FALSE(Holds(html, "src="));
  EXPECT_TRUE(Holds(html, "default-src 'none'"));
}

TEST(Report, TheVerdictStandsFirst) {
  const std::string html = Report(Sample(2.2));
  const std::size_t verdict = html.find("<p class=\"verdict\">The baseline is cheaper");
  ASSERT_NE(verdict, std::string::npos);
  for (const char* later : {"<svg", "<table", "<dl", "<h2"}) EXPECT_LT(verdict, html.find(later));
}

TEST(Report, SameOutcomeSameBytes) { EXPECT_EQ(Report(Sample()), Report(Sample())); }

TEST(Report, EveryChartHasATitleAWordAndAnIdOfItsOwn) {
  const std::string html = Report(Sample());
  const auto charts = Found(html, "<svg ([^>]*)>");
  EXPECT_GE(charts.size(), 2u * (2 + 3 * 2));  // wide and narrow; two a workload, two or more a row
  EXPECT_EQ(Found(html, "</title>(<desc)").size(), charts.size());
  const auto ids = Found(html, " id=\"([^\"]*)\"");
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), ids.size());
  const std::set<std::string> known(ids.begin(), ids.end());
  for (const std::string& named : Found(html, "aria-labelledby=\"([^ \"]*)")) {
    EXPECT_TRUE(known.contains(named)) << named;
  }
}

TEST(Report, EveryCellIsInTheTable) {
  const std::string html = Report(Sample());
  const std::string cells = html.substr(html.find("id=\"cells\""));
  const std::string body = cells.substr(0, cells.find("</table>"));
  EXPECT_EQ(Found(body, "(<tr>)").size(), 1u + 9u);
  EXPECT_EQ(Found(body, "<th scope=\"col\"()").size(), 19u);
}

TEST(Report, ShowsCommandSourcesAndFiles) {
  const std::string html = Report(Sample());
  EXPECT_TRUE(Holds(html, "spillway simulate a.yaml -o out"));
  EXPECT_TRUE(Holds(html, "CC-BY-4.0, Azure/AzurePublicDataset @ b469a113"));
  EXPECT_TRUE(Holds(html, "0123456789abcdef"));
  EXPECT_TRUE(Holds(html, "a list price, us-east-1, on demand"));
  EXPECT_TRUE(Holds(html, "nvidia-a10g has 24 nodes for conversation"));
}

TEST(Report, TextOfOthersStaysText) {
  ExperimentOutcome outcome = Sample();
  outcome.says = "<script>alert(1)</script> & \"more\"";
  outcome.cells[0].flags = {"</table><img>"};
  const std::string html = Report(outcome);
  EXPECT_TRUE(Holds(html, "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;more&quot;"));
  EXPECT_FALSE(Holds(html, "<img>"));
  ExpectWellFormed(html);
}

TEST(Report, WithoutCommittedPoolsThereIsOneBook) {
  ExperimentOutcome outcome = Sample();
  for (CellOutcome& cell : outcome.cells) cell.cost_paid_for = cell.cost;
  for (RowOutcome& row : outcome.rows) row.cost_paid_for = row.cost;
  outcome.verdict = VerdictSentence(outcome, SampleScenario());
  const std::string html = Report(outcome);
  EXPECT_FALSE(Holds(html, "Hollow:"));
  EXPECT_FALSE(Holds(html, "with committed pools paid for"));
}

TEST(Report, AnExperimentWithoutRequestsHasNoCurveOfThem) {
  ExperimentOutcome outcome = Sample();
  for (CellOutcome& cell : outcome.cells) {
    cell.ttft_cdf.clear();
    cell.ttft = {};
  }
  const std::string html = Report(outcome);
  ExpectWellFormed(html);
  EXPECT_FALSE(Holds(html, "<h3>Time to first token</h3>"));
}

// None counted is not none happened: nothing is claimed.
TEST(Report, ShowsCoverageHindsightAndWhatWasVaried) {
  const std::string page = Report(Sample());
  for (const char* words :
       {"What each pool could have done, and did: mixed under backstop",
        "In hindsight: mixed under backstop", "Of 600 placements on the last resort over 3 seeds",
        "prompts: mixed under backstop", "slices: up to which load slice is cheaper than a10g",
        "2.50 min, 0.00954", "dearer at all", "0.4/s"})
    EXPECT_THAT(page, HasSubstr(words));
  ExperimentOutcome plain = Sample();
  plain.sweeps.clear();
  plain.break_even.clear();
  for (CellOutcome& cell : plain.cells) {
    cell.regret.reset();
    for (PoolOutcome& pool : cell.pools) pool.coverage = {};
  }
  const std::string without = Report(plain);
  for (const char* words : {"In hindsight", "up to which load", "What each pool could have done"})
    EXPECT_THAT(without, testing::Not(HasSubstr(words)));
}

TEST(Report, OfSeveralWorkloadsEachHasItsVerdict) {
  ExperimentOutcome outcome = Sample();
  outcome.verdict = "Of 2 workloads ...";
  outcome.verdicts = {{"one", "The first is this."}, {"two", "The second is that."}};
  const std::string html = Report(outcome);
  EXPECT_TRUE(Holds(html, "<dt>two</dt><dd>The second is that.</dd>"));
  EXPECT_FALSE(Holds(Report(Sample()), "<dl class=\"verdicts\">"));
}

TEST(Report, SaysWhatTheNodesOfASizedFleetCostAndWhoSaysSo) {
  const std::string html = Report(Sample());
  EXPECT_TRUE(Holds(html, "g5.xlarge, on demand (a list)"));
  EXPECT_TRUE(Holds(html, "what is committed and stands there anyway (xeon, inferentia2)"));
}

// In the chart of costs no row goes without its number, however close they lie.
TEST(Charts, EveryRowIsNamed) {
  const std::string html = Report(Sample());
  const auto names = Found(html, "class=\"name\"[^>]*>([0-9][^<]*)<");
  for (const char* number : {"1", "2", "3"}) {
    EXPECT_TRUE(std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return name.starts_with(number) || Holds(name, absl::StrCat(", ", number));
    })) << number;
  }
}

TEST(BreakEvenWords, TellWhatIsDearFromWhatIsLate) {
  const BreakEvenOutcome even = Sample().break_even.front();
  BreakEvenRow row = even.rows.front();
  EXPECT_EQ(UpToWords(row, row.prices[0]), "0.4/s");
  EXPECT_EQ(UpToWords(row, row.prices[1]), "dearer at all");
  row.nodes.front().first = std::nullopt;
  EXPECT_EQ(UpToWords(row, row.prices[1]), "not in time");
  row.prices[0].throughout = true;
  EXPECT_EQ(UpToWords(row, row.prices[0]), "0.4/s, all tried");
  EXPECT_EQ(LoadsOf(even), (std::vector<std::string>{"0.4/s", "0.8/s"}));
}

TEST(Report, WithoutSpillsThereIsNoSectionOfThem) {
  ExperimentOutcome outcome = Sample();
  for (CellOutcome& cell : outcome.cells) cell.spills.clear();
  EXPECT_FALSE(Holds(Report(outcome), "What spilled over"));
  EXPECT_TRUE(Holds(Report(Sample()), "What spilled over"));
}

TEST(Report, AnEmptyOutcomeIsStillAPage) { ExpectWellFormed(Report({})); }

TEST(Charts, APoolHasOneColourEverywhere) {
  const ExperimentOutcome outcome = Sample();
  const ScenarioSpec scenario = SampleScenario();
  const ReportData data(outcome, scenario);
  const ReportWorkload& load = data.workloads().front();
  EXPECT_EQ(data.ColourOf("xeon"), "p0");
  EXPECT_EQ(data.ColourOf("a10g"), "p2");
  const ChartSpot spot{950, "x"};
  for (const std::string& chart :
       {Waterfall(data, load, load.rows[0], spot), UtilizationStrips(data, load.rows[0], spot),
        SpillBars(data, load.rows[0], spot)})
    EXPECT_THAT(chart, HasSubstr("class=\"bar p0"));
}

// Each bar of the waterfall begins where the one before it ended; the last is the row's bill.
TEST(Charts, TheWaterfallEndsAtTheBill) {
  const ExperimentOutcome outcome = Sample();
  const ScenarioSpec scenario = SampleScenario();
  const ReportData data(outcome, scenario);
  const ReportWorkload& load = data.workloads().front();
  const std::string chart = Waterfall(data, load, load.rows[0], {950, "x"});
  EXPECT_THAT(
      Found(chart, "<title>([^<]*)</title></rect>"),
      ElementsAre("baseline: nvidia-a10g under nvidia-only: 16.74&#160;USD",
                  "a10g: −14.73&#160;USD", "xeon: +8.57&#160;USD", "inferentia2: +2.02&#160;USD",
                  "rented: mixed under backstop: 12.60&#160;USD", "xeon, paid for: −8.57&#160;USD",
                  "inferentia2, paid for: −2.02&#160;USD",
                  "with committed pools paid for: 2.01&#160;USD"));
}

TEST(Charts, StayWithinTheirWidth) {
  const ExperimentOutcome outcome = Sample();
  const ScenarioSpec scenario = SampleScenario();
  const ReportData data(outcome, scenario);
  const ReportWorkload& load = data.workloads().front();
  for (const int width : {343, 950}) {
    const ChartSpot spot{width, "x"};
    for (const std::string& chart :
         {CostAgainstSlo(data, load, spot), Waterfall(data, load, load.rows[0], spot),
          UtilizationStrips(data, load.rows[0], spot), FirstTokenCdf(data, load, spot)}) {
      for (const std::string& x : Found(chart, " (?:x|x1|x2|cx)=\"([-0-9.]*)\"")) {
        EXPECT_GE(std::stod(x), 0) << chart.substr(0, 200);
        EXPECT_LE(std::stod(x), width) << chart.substr(0, 200);
      }
    }
  }
}

TEST(Svg, TicksAreRoundNumbers) {
  EXPECT_THAT(NiceTicks(0, 19, 4), ElementsAre(0, 5, 10, 15));
  EXPECT_EQ(Coordinate(-0.01), "0");
  EXPECT_EQ(Coordinate(12.25), "12.2");
  EXPECT_EQ(Fitted("inferentia2", 50), "infere…");
}

}  // namespace
}  // namespace spillway
