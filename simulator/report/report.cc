#include "simulator/report/report.h"

#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/explain.h"
#include "formats/units.h"
#include "simulator/figures.h"
#include "simulator/look_back.h"
#include "simulator/report/charts.h"
#include "simulator/report/report_data.h"
#include "simulator/report/style.h"
#include "simulator/report/svg.h"
#include "simulator/report/tables.h"
#include "simulator/verdict.h"

namespace spillway {
namespace {

// Rows beyond these have their figures in the tables, but no charts of their own.
constexpr std::size_t kMostDetails = 24;
constexpr int kWide = 950, kNarrow = 343;

class Page {
 public:
  Page(const ReportData& data, const std::string& command) : data_(data), command_(command) {}

  std::string Write() {
    Head();
    Opening();
    for (const ReportWorkload& load : data_.workloads()) Workload(load);
    BreakEven();
    Cells();
    Assumptions();
    Add("<h2>The command</h2><p class=\"note\">Run again with the same files, it gives the same "
        "bytes.</p><pre class=\"mono\" tabindex=\"0\">",
        Escaped(command_), "</pre></main><script>", ReportScript(), "</script></body></html>\n");
    return std::move(out_);
  }

 private:
  template <class... Parts>
  void Add(const Parts&... parts) {
    ((out_ += parts), ...);
  }

  void Head() {
    Add("<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
        "<meta name=\"color-scheme\" content=\"light dark\">"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
        "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">"
        "<title>",
        Escaped(data_.outcome().scenario), " – Spillway simulation</title><style>", ReportStyle(),
        "</style></head><body><main>");
  }

  void Opening() {
    const ExperimentOutcome& outcome = data_.outcome();
    Add("<h1>Spillway simulation: ", Escaped(outcome.scenario), "</h1>");
    if (!outcome.verdict.empty()) Add("<p class=\"verdict\">", Escaped(outcome.verdict), "</p>");
    if (!outcome.says.empty()) Add("<p class=\"says\">", Escaped(outcome.says), "</p>");
    if (outcome.verdicts.size() > 1) {
      Add("<dl class=\"verdicts\">");
      for (const WorkloadVerdict& verdict : outcome.verdicts)
        Add("<dt>", Escaped(verdict.workload), "</dt><dd>", Escaped(verdict.words), "</dd>");
      Add("</dl>");
    }
    // Figures of one workload only: of several, the first would stand for all.
    if (data_.workloads().size() != 1) return;
    const ReportWorkload& load = data_.workloads().front();
    if (load.best) Figures(load, *load.best);
  }

  void Figure(std::string_view name, std::string_view big, std::string_view beside,
              bool is_warning = false) {
    Add("<div><dt>", name, "</dt><dd class=\"big", is_warning ? " warn" : "", "\">", Escaped(big),
        "</dd><dd class=\"beside\">", Escaped(beside), "</dd></div>");
  }
  // Where another row is the better buy once what is committed is paid for.
  std::string PaidForElsewhere(const ReportWorkload& load, const RowOutcome& row) const {
    const RowOutcome* other =
        BestRow(data_.outcome(), data_.scenario(), load.name, Accounting::kPaidFor);
    if (!other || other->cost_paid_for.mean >= row.cost_paid_for.mean) return "";
    return absl::StrCat("; ", other->fleet, " under ", other->policy, " ",
                        DollarFigure(other->cost_paid_for.mean), " USD");
  }
  void Figures(const ReportWorkload& load, const ReportRow& best) {
    const RowOutcome& row = *best.row;
    const auto against = [&](const std::string& figure) {
      return load.baseline ? "baseline " + figure : std::string();
    };
    const RowOutcome& base = load.baseline ? *load.baseline->row : row;
    const bool two = data_.has_two_books();
    Add("<dl class=\"figures\">");
    Figure(two ? "Cost, every node rented" : "Cost of the run",
           DollarFigure(row.cost.mean) + " USD", against(DollarFigure(base.cost.mean) + " USD"));
    Figure("Work in time", AttainmentFigure(row.attainment.mean),
           absl::StrCat(ObjectiveFigure(data_.scenario().objective.attainment), " wanted; ",
                        against(AttainmentFigure(base.attainment.mean))),
           row.attainment.mean < data_.scenario().objective.attainment);
    if (two)
      Figure("Cost, committed pools paid for", DollarFigure(row.cost_paid_for.mean) + " USD",
             against(DollarFigure(base.cost_paid_for.mean) + " USD") + PaidForElsewhere(load, row));
    const auto jobs = JobTimesOf(data_.outcome().cells, row);
    const auto base_jobs = JobTimesOf(data_.outcome().cells, base);
    if (row.ttft_p99.mean > 0) {
      Figure("Time to first token, p99", SecondsFigure(row.ttft_p99.mean),
             against(SecondsFigure(base.ttft_p99.mean)));
    } else if (jobs) {
      Figure("Turnaround of jobs, p99", SecondsFigure(jobs->turnaround_p99),
             base_jobs ? against(SecondsFigure(base_jobs->turnaround_p99)) : "");
    }
    Figure("Work on NVIDIA", PercentFigure(row.nvidia_share.mean),
           against(PercentFigure(base.nvidia_share.mean)));
    Figure("Energy", EnergyFigure(row.energy.mean), against(EnergyFigure(base.energy.mean)));
    if (!two)
      Figure("CO2e", CarbonFigure(row.carbon.mean), against(CarbonFigure(base.carbon.mean)));
    Add("</dl><p class=\"note\">", Escaped(best.Name()), " against ",
        Escaped(load.baseline ? load.baseline->Name() : "no baseline"), ", mean of ",
        absl::StrCat(row.seeds), row.seeds == 1 ? " seed.</p>" : " seeds.</p>");
  }

  // A chart for wide pages and one for telephones; the style shows one of them.
  void Chart(std::string_view caption, const std::function<std::string(const ChartSpot&)>& draw) {
    const std::string wide = draw({kWide, absl::StrCat("c", ++charts_)});
    if (wide.empty()) return;
    const std::string narrow = draw({kNarrow, absl::StrCat("c", ++charts_)});
    Add("<figure><div class=\"wide\">", wide, "</div><div class=\"narrow\">", narrow, "</div>");
    if (!caption.empty()) Add("<figcaption>", caption, "</figcaption>");
    Add("</figure>");
  }

  void Workload(const ReportWorkload& load) {
    Add("<section data-load=\"", Escaped(load.name), "\"><h2>Workload ", Escaped(load.name),
        "</h2><p class=\"note\">Cost is the whole bill of the run, idle nodes included. In time: "
        "of all work that was submitted after warm-up, what met its objective; work that was "
        "refused, lost or not finished did not.",
        PaidForNote(load), "</p>", CostTable(data_, load));
    Add("<p class=\"note\">NVIDIA: its share of the pieces of work. ",
        load.has_regret
            ? "Avoidable: of what went to the last resort, what a cheaper pool could have done in "
              "time, seen in hindsight."
            : "",
        "</p>", LatencyTable(data_, load));
    Add("<h3>Cost against work in time</h3>");
    Chart(data_.has_two_books()
              ? "Filled: every node rented. Hollow: pools marked committed are paid for already. "
                "Diamond: the baseline. Lines across points are 95 % confidence intervals. "
                "Better is up and to the left. What is overloaded lies on the lower edge."
              : "Diamond: the baseline. Lines across points are 95 % confidence intervals. Better "
                "is up and to the left. What is overloaded lies on the lower edge.",
          [&](const ChartSpot& spot) { return CostAgainstSlo(data_, load, spot); });
    const std::string cdf = FirstTokenCdf(data_, load, {kWide, "probe"});
    if (!cdf.empty()) {
      Add("<h3>Time to first token</h3>");
      Chart(
          "Requests that were answered, first seed. Numbers are those of the table; the baseline "
          "is dashed. Further left is faster.",
          [&](const ChartSpot& spot) { return FirstTokenCdf(data_, load, spot); });
    }
    Chooser(load);
    std::size_t shown = 0;
    for (const ReportRow& row : load.rows) {
      if (shown++ == kMostDetails) {
        Add("<p class=\"note\">", absl::StrCat(load.rows.size() - kMostDetails),
            " more rows have their pools in results.json.</p>");
        break;
      }
      Detail(load, row);
    }
    for (const SweepOutcome& sweep : data_.outcome().sweeps) {
      if (sweep.workload == load.name) Sweep(sweep);
    }
    Add("</section>");
  }

  // Which pools are not billed in the second book.
  std::string PaidForNote(const ReportWorkload& load) const {
    if (!data_.has_two_books()) return "";
    std::vector<std::string> names;
    for (const ReportRow& row : load.rows) {
      for (const PoolBill& bill : BillsOf(row)) {
        if (bill.is_committed && std::find(names.begin(), names.end(), bill.name) == names.end())
          names.push_back(bill.name);
      }
    }
    return absl::StrCat(
        " Rented: every node is billed. Paid-for: without the bill of what is "
        "committed and stands there anyway (",
        Escaped(absl::StrJoin(names, ", ")), ").");
  }

  void Sweep(const SweepOutcome& sweep) {
    Add("<h3>", Escaped(sweep.name), ": ", Escaped(sweep.fleet), " under ", Escaped(sweep.policy),
        "</h3><p class=\"note\">The ", Escaped(sweep.input), " of ", Escaped(sweep.of),
        " times a factor, all else as it is; at 1 it is the row of the tables.</p>");
    Chart(data_.has_two_books()
              ? "Cost: filled, every node rented; hollow, pools marked committed paid for. Below: "
                "work in time."
              : "Above: cost. Below: work in time.",
          [&](const ChartSpot& spot) { return SweepChart(data_, sweep, spot); });
    Add(SweepTable(data_, sweep));
  }

  void BreakEven() {
    for (const BreakEvenOutcome& even : data_.outcome().break_even) {
      Add("<h2>", Escaped(even.name), ": up to which load ", Escaped(even.first),
          " is cheaper than ", Escaped(even.second),
          "</h2><p class=\"note\">Devices (of CPUs slices) are the fewest that meet the objective "
          "at "
          "each load, found by simulation; a price list multiplies them. Cheaper up to: the "
          "largest "
          "load tried at which, and at all smaller ones, those of ",
          Escaped(even.first), " cost less than those of ", Escaped(even.second),
          ". Not in time: no number of them that was tried meets the objective, at any price.</p>");
      Add(BreakEvenTable(even));
      PriceSources(even);
      Add("<h3>Devices that each load takes</h3>", BreakEvenNodesTable(even));
    }
  }

  void PriceSources(const BreakEvenOutcome& even) {
    for (const BreakEvenSpec& spec : data_.scenario().break_even) {
      if (spec.name != even.name) continue;
      Add("<ul class=\"note\">");
      for (const PriceListSpec& list : spec.prices) {
        if (!list.source.empty())
          Add("<li>", Escaped(list.name), ": ", Escaped(list.source), "</li>");
      }
      Add("</ul>");
    }
  }

  void Chooser(const ReportWorkload& load) {
    Add("<label class=\"script\">Look into<select data-load=\"", Escaped(load.name), "\">");
    const ReportRow* first = load.best ? load.best : load.baseline;
    for (const ReportRow& row : load.rows) {
      if (row.number > static_cast<int>(kMostDetails) + load.rows.front().number - 1) break;
      Add("<option value=\"", absl::StrCat(row.number), "\"", &row == first ? " selected" : "", ">",
          absl::StrCat(row.number), "  ", Escaped(row.Name()), "</option>");
    }
    Add("</select></label>");
  }

  void Detail(const ReportWorkload& load, const ReportRow& row) {
    Add("<section class=\"detail\" data-row=\"", absl::StrCat(row.number), "\"><h3>",
        row.row->is_baseline ? "The bill by pool: " : "From the baseline's bill, pool by pool: ",
        Escaped(row.Name()), "</h3>");
    Chart(
        "USD for the whole run, idle and overhead included, mean over the seeds. Pale bars take "
        "away, full ones add.",
        [&](const ChartSpot& spot) { return Waterfall(data_, load, row, spot); });
    Add("<h3>Utilisation of each pool over time: ", Escaped(row.Name()), "</h3>");
    Chart(absl::StrCat("Seed ", row.cells.front()->seed,
                       ". The darker, the fuller: of batch and KV cache the fuller one, on pools "
                       "without engines the devices or CPUs held."),
          [&](const ChartSpot& spot) { return UtilizationStrips(data_, row, spot); });
    if (const std::string coverage = CoverageTable(row); !coverage.empty()) {
      Add("<h3>What each pool could have done, and did: ", Escaped(row.Name()),
          "</h3><p class=\"note\">Could: by itself and idle, of all work submitted; a prompt "
          "counts "
          "where an idle engine is in time for it. Did: its part of the compute that was "
          "completed, requests by tokens × parameters, jobs by their time on the fastest able "
          "pool.</p>",
          coverage);
    }
    if (const std::string words = RegretWords(row.cells); !words.empty()) {
      Add("<h3>In hindsight: ", Escaped(row.Name()), "</h3><p>", Escaped(words),
          "</p><p class=\"note\">One piece of work is moved at a time, with its true length, "
          "beside "
          "all that really came to the cheaper pool, before and after. The sum is no bill that one "
          "fleet could have had.</p>");
    }
    const std::string spills = SpillBars(data_, row, {kWide, "probe"});
    if (!spills.empty()) {
      Add("<h3>What spilled over: ", Escaped(row.Name()), "</h3>");
      Chart(
          "Work that the first pool in its claim order did not take, and why; in brackets the "
          "share of all work submitted. Mean over the seeds.",
          [&](const ChartSpot& spot) { return SpillBars(data_, row, spot); });
    }
    Add("</section>");
  }

  void Cells() {
    Add("<h2>Every cell</h2><p class=\"note\">One run each: a fleet under a policy with a workload "
        "and a seed. The bound is what the same work would have cost at least, clairvoyant and in "
        "fractions of nodes.<span class=\"script\"> A heading sorts by its column.</span></p>");
    Add(CellTable(data_));
  }

  void Fact(std::string_view name, const std::string& text) {
    if (!text.empty()) Add("<dt>", name, "</dt><dd>", Escaped(text), "</dd>");
  }
  void Assumptions() {
    const ScenarioSpec& scenario = data_.scenario();
    Add("<h2>Assumptions and data</h2><dl class=\"facts\">");
    Fact("Starts", absl::StrCat(Format(scenario.start), ", warm-up of ", Describe(scenario.warm_up),
                                " left out of latencies and attainment, up to ",
                                Describe(scenario.drain), " to finish after the last arrival"));
    Fact("Objective", Objective());
    Fact("Failures", Failures());
    Fact("Spot", Spot());
    Fact("Grid", Grid());
    Fact("Prices", scenario.world.prices.prices.empty()
                       ? std::string("as the fleets state them, constant")
                       : absl::StrCat(scenario.world.prices.prices.size(), " dated changes"));
    Fact("Sizing", Sizing());
    Fact("Notes", absl::StrJoin(data_.outcome().notes, "; "));
    Add("</dl>");
    if (!scenario.sources.empty()) {
      Add("<h3>Sources</h3><ul>");
      for (const std::string& source : scenario.sources) Add("<li>", Escaped(source), "</li>");
      Add("</ul>");
    }
    Add("<h3>Fleets and prices</h3>", FleetTable(scenario, data_.outcome()));
    if (!scenario.inputs.empty()) Add("<h3>Files</h3>", InputTable(scenario));
  }
  std::string Objective() const {
    const ScenarioObjective& o = data_.scenario().objective;
    return absl::StrCat(ObjectiveFigure(o.attainment), " of all work in time: requests",
                        o.ttft ? " with the first token within " + Describe(*o.ttft) : "",
                        o.ttft && o.tpot ? " and" : "",
                        o.tpot ? " at most " + Describe(*o.tpot) + " for each further token" : "",
                        !o.ttft && !o.tpot ? " by the policy's objectives" : "",
                        ", jobs by their own objectives");
  }
  std::string Failures() const {
    const WorldSpec& world = data_.scenario().world;
    const auto words = [](const FailureSpec& f) {
      if (f.mtbf == absl::InfiniteDuration()) return std::string("none");
      return absl::StrCat("each node fails every ", Describe(f.mtbf), " and is repaired in ",
                          Describe(f.repair), ", exponential");
    };
    std::string out = words(world.failures);
    for (const auto& [pool, failures] : world.pool_failures)
      absl::StrAppend(&out, "; ", pool, ": ", words(failures));
    return out;
  }
  std::string Spot() const {
    std::vector<std::string> words;
    for (const SpotSpec& spot : data_.scenario().world.spot) {
      words.push_back(absl::StrCat(
          absl::StrJoin(spot.pools, ", "), ", with ", Describe(spot.notice), " notice, ",
          spot.mtbr ? absl::StrCat("each node taken back every ", Describe(*spot.mtbr),
                                   " on average and had again after ", Describe(spot.away),
                                   ", exponential")
                    : "as recorded in the trace"));
    }
    return absl::StrJoin(words, "; ");
  }
  std::string Grid() const {
    const auto& carbon = data_.scenario().world.carbon;
    if (!carbon) return "carbon intensity as the sites state it, constant";
    return absl::StrCat("hourly carbon intensity", carbon->zone.empty() ? "" : " of ", carbon->zone,
                        carbon->sites.empty() ? "" : " at ", absl::StrJoin(carbon->sites, ", "));
  }
  std::string Sizing() const {
    std::vector<std::string> words;
    for (const SizedFleet& sized : data_.outcome().sized) {
      words.push_back(absl::StrCat(sized.fleet, " has ", sized.nodes,
                                   sized.nodes == 1 ? " node for " : " nodes for ", sized.workload,
                                   sized.reached ? ", the fewest that meet the objective"
                                                 : ", the most tried: the objective is not met"));
    }
    return absl::StrJoin(words, "; ");
  }

  const ReportData& data_;
  const std::string& command_;
  std::string out_;
  int charts_ = 0;
};

}  // namespace

std::string ReportHtml(const ExperimentOutcome& outcome, const ScenarioSpec& scenario,
                       const std::string& command_line) {
  const ReportData data(outcome, scenario);
  return Page(data, command_line).Write();
}

}  // namespace spillway
