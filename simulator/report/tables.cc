#include "simulator/report/tables.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "core/explain.h"
#include "core/text.h"
#include "formats/units.h"
#include "simulator/figures.h"
#include "simulator/look_back.h"
#include "simulator/report/html_table.h"
#include "simulator/report/svg.h"

namespace spillway {
namespace {

std::string Interval(const MeanOf& of, std::string (*show)(double)) {
  return WithInterval(show(of.mean), show(of.half), of);
}
std::string Percent(double fraction) { return PercentFigure(fraction); }

void Saving(HtmlTable& table, const RowOutcome& row, const std::optional<MeanOf>& saving) {
  if (row.is_baseline) {
    table.Figure(0, "baseline");
  } else if (row.label == LoadLabel::kOverloaded || !saving) {
    table.Missing();
  } else {
    table.Figure(saving->mean, Interval(*saving, Percent));
  }
}

void CostFigures(HtmlTable& table, const RowOutcome& row, bool two_books, double objective) {
  table.Figure(row.cost.mean, DollarInterval(row.cost));
  if (two_books) table.Figure(row.cost_paid_for.mean, DollarInterval(row.cost_paid_for));
  table.Figure(row.attainment.mean, AttainmentFigure(row.attainment.mean),
               row.attainment.mean < objective);
  Saving(table, row, row.saving);
  if (two_books) Saving(table, row, row.saving_paid_for);
  if (row.over_bound.mean > 0) {
    table.Figure(row.over_bound.mean, absl::StrFormat("%.2f×", row.over_bound.mean));
  } else {
    table.Missing();
  }
  table.Text(LabelName(row.label), row.label == LoadLabel::kOverloaded ? "l warn" : "l");
}

void Times(HtmlTable& table, const std::vector<double>& seconds, bool is_known) {
  for (const double time : seconds) {
    if (is_known) {
      table.Figure(time, SecondsFigure(time));
    } else {
      table.Missing();
    }
  }
}

void BeginRow(HtmlTable& table, const ReportRow& row) {
  table.Begin(
      absl::StrCat("data-row=\"", row.number, "\"", row.row->is_baseline ? " class=\"base\"" : ""));
  table.Text(absl::StrCat(row.number)).Name(row.row->fleet).Text(row.row->policy);
}

void Percentiles(HtmlTable& table, const LatencySummary& s) {
  for (const double value : {s.p50, s.p90, s.p99}) {
    if (s.count > 0) {
      table.Figure(value, SecondsFigure(value));
    } else {
      table.Missing();
    }
  }
}

void Share(HtmlTable& table, std::optional<double> fraction, std::string (*show)(double)) {
  if (fraction) {
    table.Figure(*fraction, show(*fraction));
  } else {
    table.Missing();
  }
}

void OptionalMoney(HtmlTable& table, std::optional<Usd> money) {
  if (money) {
    table.Figure(Dollars(*money), DollarFigure(Dollars(*money)));
  } else {
    table.Missing();
  }
}

std::string PriceWords(const PoolSpec& pool) {
  if (pool.price.node_hour) return Format(*pool.price.node_hour) + " a node and hour";
  if (pool.price.input && pool.price.output)
    return absl::StrCat(Format(*pool.price.input), " in, ", Format(*pool.price.output), " out");
  return "none";
}

}  // namespace

std::string CostTable(const ReportData& data, const ReportWorkload& load) {
  const bool two = data.has_two_books();
  HtmlTable table("Cost and work in time, means over the seeds", "");
  table.Head("#", true).Head("fleet", true).Head("policy", true);
  table.Head(two ? "rented, USD" : "cost, USD");
  if (two) table.Head("paid-for, USD");
  table.Head("in time").Head("saving");
  if (two) table.Head("saving, paid-for");
  table.Head("over bound").Head("load", true).Body();
  for (const ReportRow& row : load.rows) {
    BeginRow(table, row);
    CostFigures(table, *row.row, two, data.scenario().objective.attainment);
    table.End();
  }
  return table.Done();
}

std::string LatencyTable(const ReportData& data, const ReportWorkload& load) {
  const std::vector<CellOutcome>& cells = data.outcome().cells;
  bool requests = false, jobs = false, deadlines = false, regret = false;
  for (const ReportRow& row : load.rows) {
    requests |= row.row->ttft_p99.mean > 0;
    const auto times = JobTimesOf(cells, *row.row);
    jobs |= times.has_value();
    deadlines |= times && times->deadlines_met;
    regret |= row.row->avoidable.has_value();
  }
  HtmlTable table("Latency, energy and NVIDIA's share, means over the seeds", "");
  table.Head("#", true).Head("fleet", true).Head("policy", true);
  if (requests) table.Head("TTFT p50").Head("p90").Head("p99");
  if (requests) table.Head("TPOT p50").Head("p90").Head("p99");
  if (jobs) table.Head("wait p50").Head("p99").Head("turnaround p50").Head("p99").Head("makespan");
  if (deadlines) table.Head("deadlines met");
  if (regret) table.Head("avoidable");
  table.Head("NVIDIA").Head("energy").Head("CO2e").Body();
  for (const ReportRow& entry : load.rows) {
    const RowOutcome& row = *entry.row;
    BeginRow(table, entry);
    const bool answered = row.ttft_p99.mean > 0;
    if (requests) {
      Times(table, {row.ttft_p50.mean, row.ttft_p90.mean, row.ttft_p99.mean}, answered);
      Times(table, {row.tpot_p50.mean, row.tpot_p90.mean, row.tpot_p99.mean},
            row.tpot_p99.mean > 0);  // rankings and images have no tokens
    }
    const auto ran = JobTimesOf(cells, row);
    const JobTimes t = ran.value_or(JobTimes{});
    if (jobs)
      Times(table, {t.wait_p50, t.wait_p99, t.turnaround_p50, t.turnaround_p99, t.makespan},
            ran.has_value());
    if (deadlines) Share(table, t.deadlines_met, AttainmentFigure);
    if (regret)
      Share(table, row.avoidable ? std::make_optional(row.avoidable->mean) : std::nullopt, Percent);
    table.Figure(row.nvidia_share.mean, PercentFigure(row.nvidia_share.mean));
    table.Figure(row.energy.mean, EnergyFigure(row.energy.mean));
    table.Figure(row.carbon.mean, CarbonFigure(row.carbon.mean)).End();
  }
  return table.Done();
}

std::string CoverageTable(const ReportRow& row) {
  const auto pools = CoverageOf(row.cells);
  const auto columns = CoverageColumns(pools);
  if (pools.size() < 2 || columns.empty()) return "";
  HtmlTable table("What each pool could have done, and did", "");
  table.Head("pool", true);
  for (const CoverageColumn& column : columns) table.Head(column.title);
  table.Body();
  for (const auto& [name, coverage] : pools) {
    table.Begin();
    table.Name(name);
    for (const CoverageColumn& column : columns) Share(table, coverage.*column.figure, Percent);
    table.End();
  }
  return table.Done();
}

std::string CellTable(const ReportData& data) {
  const auto& cells = data.outcome().cells;
  const bool requests = std::any_of(cells.begin(), cells.end(),
                                    [](const CellOutcome& cell) { return cell.e2e.count > 0; });
  const bool jobs = std::any_of(cells.begin(), cells.end(), [](const CellOutcome& cell) {
    return cell.job_turnaround.count > 0;
  });
  HtmlTable table("Every cell", "class=\"sort\" id=\"cells\"");
  table.Head("fleet", true).Head("policy", true).Head("workload", true).Head("seed");
  table.Head("rented, USD").Head("paid-for, USD").Head("in time").Head("bound, USD");
  table.Head("submitted").Head("completed").Head("unfinished").Head("refused").Head("failed");
  if (requests)
    table.Head("TTFT p50").Head("p90").Head("p99").Head("TPOT p50").Head("p90").Head("p99");
  if (jobs)
    table.Head("wait p50").Head("p90").Head("p99").Head("makespan").Head("deadlines").Head("met");
  table.Head("NVIDIA").Head("of the bill").Head("energy").Head("CO2e").Head("load", true);
  table.Head("flags", true).Body();
  const double objective = data.scenario().objective.attainment;
  for (const CellOutcome& cell : data.outcome().cells) {
    table.Begin();
    table.Name(cell.fleet).Text(cell.policy).Text(cell.workload);
    table.Figure(cell.seed, absl::StrCat(cell.seed));
    OptionalMoney(table, cell.cost);
    OptionalMoney(table, cell.cost_paid_for);
    const double met = cell.slo_attainment();
    table.Figure(met, AttainmentFigure(met), met < objective);
    OptionalMoney(table, cell.lower_bound);
    for (const std::int64_t count :
         {cell.submitted, cell.completed, cell.unfinished, cell.refused, cell.failed})
      table.Figure(static_cast<double>(count), CountFigure(count));
    if (requests) {
      Percentiles(table, cell.ttft);
      Percentiles(table, cell.tpot);
    }
    if (jobs) {
      Percentiles(table, cell.job_wait);
      Times(table, {absl::ToDoubleSeconds(cell.makespan)}, cell.job_turnaround.count > 0);
      for (const std::int64_t count : {cell.deadlines, cell.deadlines_met})
        table.Figure(static_cast<double>(count), CountFigure(count));
    }
    table.Figure(cell.nvidia_share, PercentFigure(cell.nvidia_share));
    table.Figure(cell.nvidia_cost_share, PercentFigure(cell.nvidia_cost_share));
    const double joules = static_cast<double>(cell.energy.value()) / 1e6;
    const double grams = static_cast<double>(cell.carbon.value()) / 1e6;
    table.Figure(joules, EnergyFigure(joules)).Figure(grams, CarbonFigure(grams));
    table.Text(LabelName(cell.label), cell.label == LoadLabel::kOverloaded ? "l warn" : "l");
    table.Text(absl::StrJoin(cell.flags, "; ")).End();
  }
  return table.Done();
}

std::string FleetTable(const ScenarioSpec& scenario, const ExperimentOutcome& outcome) {
  HtmlTable table("What the fleets are made of", "");
  table.Head("fleet", true).Head("pool", true).Head("device", true).Head("nodes");
  table.Head("billing", true).Head("price", true).Head("as of", true).Head("source", true).Body();
  for (const ScenarioFleet& fleet : scenario.fleets) {
    for (const PoolSpec& pool : fleet.spec.pools) {
      table.Begin();
      table.Name(fleet.name).Text(pool.name).Text(pool.device);
      table.Figure(pool.nodes, CountFigure(pool.nodes)).Text(NameOf(pool.billing));
      table.Text(PriceWords(pool)).Text(pool.price.as_of).Text(pool.price.source, "l wrap").End();
    }
    if (!fleet.size) continue;
    std::vector<std::string> nodes;
    const SizedFleet* any = nullptr;
    for (const SizedFleet& sized : outcome.sized) {
      if (sized.fleet != fleet.name) continue;
      any = &sized;
      nodes.push_back(absl::StrCat(sized.nodes, sized.reached ? "" : " (objective not met)"));
    }
    if (!any) continue;  // of a break-even alone: its table has its prices
    table.Begin();
    table.Name(fleet.name).Text("sized by simulation");
    table.Text(any->node_devices > 1 ? absl::StrCat(any->node_devices, " × ", fleet.size->device)
                                     : fleet.size->device);
    table.Text(absl::StrJoin(nodes, ", "), "");
    table.Text("metered");
    table.Text(any->price.node_hour ? Format(*any->price.node_hour) + " a node and hour" : "");
    table.Text(any->price.as_of).Text(any->price.source, "l wrap").End();
  }
  return table.Done();
}

std::string InputTable(const ScenarioSpec& scenario) {
  HtmlTable table("Files that the scenario stands on", "");
  table.Head("file", true).Head("what", true).Head("bytes").Head("xxh64", true).Body();
  for (const ScenarioInput& input : scenario.inputs) {
    table.Begin();
    table.Name(input.file).Text(input.what);
    table.Figure(static_cast<double>(input.bytes), CountFigure(input.bytes));
    table.Text(input.xxh64, "l mono").End();
  }
  return table.Done();
}

}  // namespace spillway
