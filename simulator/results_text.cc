#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "core/explain.h"
#include "core/text.h"
#include "formats/json_writer.h"
#include "formats/units.h"
#include "simulator/break_even_words.h"
#include "simulator/figures.h"
#include "simulator/look_back.h"
#include "simulator/results_file.h"

namespace spillway {
namespace {

// ---- CSV

std::string CsvText(std::string_view text) {
  if (text.find_first_of(",\"\n\r") == text.npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out.push_back('"');
    out.push_back(c == '\n' || c == '\r' ? ' ' : c);
  }
  return out + "\"";
}
// The shortest text that reads back as the same number.
std::string Number(double value) {
  std::string out;
  JsonWriter(out).Value(value);
  return out == "null" ? "" : out;
}
std::string OrEmpty(std::optional<Usd> money) { return money ? Decimal(*money) : ""; }

void AddLatency(std::vector<std::string>& fields, const LatencySummary& s) {
  for (const double value : {s.p50, s.p90, s.p99}) fields.push_back(s.count ? Number(value) : "");
}

void AddJobs(std::vector<std::string>& fields, const CellOutcome& cell) {
  const bool jobs = cell.job_turnaround.count > 0;
  for (const double value : {cell.job_wait.p50, cell.job_wait.p99})
    fields.push_back(jobs ? Number(value) : "");
  fields.push_back(jobs ? Number(absl::ToDoubleSeconds(cell.makespan)) : "");
  fields.push_back(jobs ? absl::StrCat(cell.deadlines) : "");
  fields.push_back(jobs ? absl::StrCat(cell.deadlines_met) : "");
}
void AddRegret(std::vector<std::string>& fields, const CellOutcome& cell) {
  if (!cell.regret) {
    fields.resize(fields.size() + 4);
    return;
  }
  for (const std::int64_t count :
       {cell.regret->placements, cell.regret->examined, cell.regret->avoidable})
    fields.push_back(absl::StrCat(count));
  fields.push_back(Decimal(cell.regret->saved));
}

std::vector<std::string> CsvFields(const CellOutcome& cell) {
  std::vector<std::string> fields = {cell.fleet,
                                     cell.policy,
                                     cell.workload,
                                     absl::StrCat(cell.seed),
                                     Decimal(cell.cost),
                                     Decimal(cell.cost_paid_for),
                                     OrEmpty(cell.lower_bound),
                                     OrEmpty(cell.lower_bound_slo),
                                     Number(cell.slo_attainment()),
                                     absl::StrCat(cell.submitted),
                                     absl::StrCat(cell.completed),
                                     absl::StrCat(cell.refused),
                                     absl::StrCat(cell.failed),
                                     absl::StrCat(cell.unfinished),
                                     Number(cell.nvidia_share),
                                     Number(cell.nvidia_cost_share),
                                     Number(static_cast<double>(cell.energy.value()) / 1e6),
                                     Number(static_cast<double>(cell.carbon.value()) / 1e6)};
  AddLatency(fields, cell.ttft);
  AddLatency(fields, cell.tpot);
  AddLatency(fields, cell.job_turnaround);
  double busiest = 0;
  for (const PoolOutcome& pool : cell.pools) busiest = std::max(busiest, pool.utilization);
  fields.push_back(Number(busiest));
  fields.push_back(LabelName(cell.label));
  AddJobs(fields, cell);
  AddRegret(fields, cell);
  fields.push_back(absl::StrCat(cell.spilled));
  fields.push_back(CsvText(absl::StrJoin(cell.flags, "; ")));
  return fields;
}
constexpr char kCsvHeading[] =
    "fleet,policy,workload,seed,cost_usd,cost_paid_for_usd,lower_bound_usd,lower_bound_slo_usd,"
    "slo_attainment,submitted,completed,refused,failed,unfinished,nvidia_share,nvidia_cost_share,"
    "energy_joules,carbon_grams,ttft_p50_s,ttft_p90_s,ttft_p99_s,tpot_p50_s,tpot_p90_s,tpot_p99_s,"
    "job_turnaround_p50_s,job_turnaround_p90_s,job_turnaround_p99_s,busiest_pool_utilization,label,"
    "job_wait_p50_s,job_wait_p99_s,makespan_s,deadlines,deadlines_met,last_resort_placements,"
    "last_resort_examined,avoidable,avoidable_usd,spilled,flags\n";

// ---- Rows as words

struct Figure {
  std::string title, text;
};
std::string Interval(const MeanOf& of, std::string (*show)(double)) {
  return WithInterval(show(of.mean), show(of.half), of);
}
std::string Percent(double fraction) { return PercentFigure(fraction); }

// Which columns the rows of a workload need.
struct Shown {
  const std::vector<CellOutcome>* cells = nullptr;
  bool requests = false, jobs = false, deadlines = false, regret = false;
  bool tokens = false;  // rankings and images have none
};
Shown ShownOf(const ExperimentOutcome& outcome, const std::vector<const RowOutcome*>& rows) {
  Shown shown{.cells = &outcome.cells};
  for (const RowOutcome* row : rows) {
    shown.requests |= row->ttft_p99.mean > 0;
    shown.tokens |= row->tpot_p99.mean > 0;
    const auto times = JobTimesOf(outcome.cells, *row);
    shown.jobs |= times.has_value();
    shown.deadlines |= times && times->deadlines_met;
    shown.regret |= row->avoidable.has_value();
  }
  return shown;
}

// What a row says, in the order of importance; costs never without attainment next to them.
std::vector<Figure> FiguresOf(const RowOutcome& row, const Shown& shown) {
  const auto saving = [&](const std::optional<MeanOf>& of) {
    if (row.is_baseline) return std::string("baseline");
    return row.label == LoadLabel::kOverloaded || !of ? std::string("-") : Interval(*of, Percent);
  };
  std::vector<Figure> figures = {
      {"rented USD", DollarInterval(row.cost)},
      {"paid-for USD", DollarInterval(row.cost_paid_for)},
      {"in time", AttainmentFigure(row.attainment.mean)},
      {"load", LabelName(row.label)},
      {"saving", saving(row.saving)},
      {"saving, paid-for", saving(row.saving_paid_for)},
      {"over bound",
       row.over_bound.mean > 0 ? absl::StrCat(DollarFigure(row.over_bound.mean), "x") : "-"},
  };
  const auto time = [&](const char* title, double seconds, bool is_known) {
    figures.push_back({title, is_known ? SecondsFigure(seconds) : "-"});
  };
  if (shown.requests) {
    const bool is_known = row.ttft_p99.mean > 0;
    time("TTFT p50", row.ttft_p50.mean, is_known);
    time("TTFT p90", row.ttft_p90.mean, is_known);
    time("TTFT p99", row.ttft_p99.mean, is_known);
  }
  if (shown.tokens) {
    const bool is_known = row.tpot_p99.mean > 0;
    time("TPOT p50", row.tpot_p50.mean, is_known);
    time("TPOT p90", row.tpot_p90.mean, is_known);
    time("TPOT p99", row.tpot_p99.mean, is_known);
  }
  if (shown.jobs) {
    const auto times = JobTimesOf(*shown.cells, row);
    time("wait p50", times ? times->wait_p50 : 0, times.has_value());
    time("wait p99", times ? times->wait_p99 : 0, times.has_value());
    time("turnaround p50", times ? times->turnaround_p50 : 0, times.has_value());
    time("turnaround p99", times ? times->turnaround_p99 : 0, times.has_value());
    time("makespan", times ? times->makespan : 0, times.has_value());
    if (shown.deadlines) {
      const bool known = times && times->deadlines_met;
      figures.push_back({"deadlines met", known ? AttainmentFigure(*times->deadlines_met) : "-"});
    }
  }
  figures.push_back({"NVIDIA", PercentFigure(row.nvidia_share.mean)});
  if (shown.regret)
    figures.push_back({"avoidable", row.avoidable ? PercentFigure(row.avoidable->mean) : "-"});
  figures.push_back({"energy", EnergyFigure(row.energy.mean)});
  figures.push_back({"CO2e", CarbonFigure(row.carbon.mean)});
  return figures;
}

std::vector<std::string> WorkloadsOf(const ExperimentOutcome& outcome) {
  std::vector<std::string> names;
  for (const RowOutcome& row : outcome.rows) {
    if (std::find(names.begin(), names.end(), row.workload) == names.end())
      names.push_back(row.workload);
  }
  return names;
}

// ---- The terminal's table

// Columns that a UTF-8 text takes, of characters one column wide.
std::size_t Width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

class Columns {
 public:
  void Add(std::string title, std::vector<std::string> cells) {
    std::size_t width = Width(title);
    for (const std::string& cell : cells) width = std::max(width, Width(cell));
    columns_.push_back({std::move(title), std::move(cells), width});
  }
  // Tables of at most `most` columns each, the first two (whose row it is) repeated in all.
  std::string Render(std::size_t most) const {
    const std::size_t front = columns_[0].width + 2 + columns_[1].width;
    std::string out;
    for (std::size_t begin = 2; begin < columns_.size();) {
      std::size_t width = front, end = begin;
      while (end < columns_.size() && (end == begin || width + 2 + columns_[end].width <= most))
        width += 2 + columns_[end++].width;
      if (begin > 2) out += "\n";
      AppendLines(out, begin, end);
      begin = end;
    }
    return out;
  }

 private:
  struct Column {
    std::string title;
    std::vector<std::string> cells;
    std::size_t width;
  };
  void AppendLines(std::string& out, std::size_t begin, std::size_t end) const {
    for (std::size_t line = 0; line <= columns_[0].cells.size(); ++line) {
      std::string text;
      const auto put = [&](const Column& column, bool left) {
        const std::string& cell = line == 0 ? column.title : column.cells[line - 1];
        const std::string blanks(column.width - Width(cell), ' ');
        if (!text.empty()) text += "  ";
        text += left ? cell + blanks : blanks + cell;
      };
      put(columns_[0], true);
      put(columns_[1], true);
      for (std::size_t i = begin; i < end; ++i) put(columns_[i], false);
      text.erase(text.find_last_not_of(' ') + 1);
      out += text + "\n";
    }
  }
  std::vector<Column> columns_;
};

std::string TableOf(const std::vector<const RowOutcome*>& rows, const Shown& shown,
                    std::size_t width) {
  Columns columns;
  std::vector<std::string> fleets, policies;
  std::vector<std::vector<Figure>> figures;
  for (const RowOutcome* row : rows) {
    fleets.push_back(row->fleet);
    policies.push_back(row->policy);
    figures.push_back(FiguresOf(*row, shown));
  }
  columns.Add("fleet", fleets);
  columns.Add("policy", policies);
  for (std::size_t i = 0; i < figures.front().size(); ++i) {
    std::vector<std::string> cells;
    cells.reserve(figures.size());
    for (const auto& row : figures) cells.push_back(row[i].text);
    columns.Add(figures.front()[i].title, cells);
  }
  return columns.Render(width);
}

std::string SizedWords(const SizedFleet& sized) {
  return absl::StrCat(sized.fleet, " for ", sized.workload, ": ", sized.nodes,
                      sized.nodes == 1 ? " node" : " nodes",
                      sized.reached ? ", the fewest that meet the objective"
                                    : ", the most that were tried: the objective is not met");
}

// ---- Markdown

std::string CoverageMarkdown(const std::vector<std::pair<std::string, PoolCoverage>>& pools) {
  std::string head = "| pool |", rule = "|---|", body;
  const auto columns = CoverageColumns(pools);
  for (const CoverageColumn& column : columns) {
    absl::StrAppend(&head, " ", column.title, " |");
    rule += "---:|";
  }
  for (const auto& [name, coverage] : pools) {
    absl::StrAppend(&body, "| ", name, " |");
    for (const CoverageColumn& column : columns) {
      const auto& figure = coverage.*column.figure;
      absl::StrAppend(&body, " ", figure ? PercentFigure(*figure) : "-", " |");
    }
    body += "\n";
  }
  return absl::StrCat(head, "\n", rule, "\n", body);
}

std::string MarkdownTable(const std::vector<const RowOutcome*>& rows, const Shown& shown) {
  std::string head = "| fleet | policy |", rule = "|---|---|", body;
  for (const Figure& figure : FiguresOf(*rows.front(), shown)) {
    absl::StrAppend(&head, " ", figure.title, " |");
    rule += "---:|";
  }
  for (const RowOutcome* row : rows) {
    absl::StrAppend(&body, "| ", row->fleet, " | ", row->policy, " |");
    for (const Figure& figure : FiguresOf(*row, shown))
      absl::StrAppend(&body, " ", figure.text, " |");
    body += "\n";
  }
  return absl::StrCat(head, "\n", rule, "\n", body);
}

// What each pool could have done and did, once for each fleet: under its first policy; then what
// need not have gone to the last resort.
std::string LookBack(const ExperimentOutcome& outcome, const std::vector<const RowOutcome*>& rows) {
  std::string tables, regrets;
  std::set<std::string> fleets;
  for (const RowOutcome* row : rows) {
    const auto cells = CellsOf(outcome.cells, *row);
    if (const std::string words = RegretWords(cells); !words.empty())
      absl::StrAppend(&regrets, "- ", row->fleet, " under ", row->policy, ": ", words, "\n");
    const auto pools = CoverageOf(cells);
    if (pools.size() < 2 || !fleets.insert(row->fleet).second) continue;
    absl::StrAppend(&tables, "Each pool of ", row->fleet, " by itself and idle, under ",
                    row->policy, ":\n\n", CoverageMarkdown(pools), "\n");
  }
  return absl::StrCat(tables, regrets, regrets.empty() ? "" : "\n");
}

std::string SweepsMarkdown(const ExperimentOutcome& outcome) {
  std::string out;
  for (const SweepOutcome& sweep : outcome.sweeps) {
    absl::StrAppend(&out, "## ", sweep.name, ": ", sweep.input, " of ", sweep.of, ", ", sweep.fleet,
                    " under ", sweep.policy, ", ", sweep.workload,
                    "\n\n| factor | rented USD | paid-for USD | in time | NVIDIA |\n"
                    "|---:|---:|---:|---:|---:|\n");
    for (const SweepPoint& point : sweep.points) {
      absl::StrAppend(&out, "| ", absl::StrFormat("%g", point.factor), " | ",
                      DollarInterval(point.row.cost), " | ",
                      DollarInterval(point.row.cost_paid_for), " | ",
                      AttainmentFigure(point.row.attainment.mean), " | ",
                      PercentFigure(point.row.nvidia_share.mean), " |\n");
    }
    out += "\n";
  }
  return out;
}

std::string BreakEvenMarkdown(const ExperimentOutcome& outcome) {
  std::string out;
  for (const BreakEvenOutcome& even : outcome.break_even) {
    absl::StrAppend(&out, "## ", even.name, ": up to which load ", even.first, " is cheaper than ",
                    even.second, "\n\n| work | price list | ", even.first, ", USD/h | ",
                    even.second, ", USD/h | cheaper up to |\n|---|---|---:|---:|---:|\n");
    for (const BreakEvenRow& row : even.rows) {
      for (const BreakEvenPrice& price : row.prices) {
        absl::StrAppend(&out, "| ", row.workload, " | ", price.list, " | ",
                        DollarFigure(price.first), " | ", DollarFigure(price.second), " | ",
                        UpToWords(row, price), " |\n");
      }
    }
    std::string head = "\n| devices | on |", rule = "|---|---|";
    for (const std::string& load : LoadsOf(even)) {
      absl::StrAppend(&head, " ", load, " |");
      rule += "---:|";
    }
    absl::StrAppend(&out, head, "\n", rule, "\n");
    for (const BreakEvenRow& row : even.rows) {
      for (const bool first : {true, false}) {
        absl::StrAppend(&out, "| ", row.workload, " | ", first ? even.first : even.second, " |");
        for (const BreakEvenNodes& at : row.nodes) {
          const std::optional<int> nodes = first ? at.first : at.second;
          absl::StrAppend(&out, " ", nodes ? absl::StrCat(*nodes) : "-", " |");
        }
        out += "\n";
      }
    }
    out += "\n";
  }
  return out;
}

std::vector<const RowOutcome*> RowsIn(const ExperimentOutcome& outcome,
                                      const std::string& workload) {
  std::vector<const RowOutcome*> rows;
  for (const RowOutcome& row : outcome.rows) {
    if (row.workload == workload) rows.push_back(&row);
  }
  return rows;
}

// Each once: many seeds say the same.
std::set<std::string> FlagsOf(const ExperimentOutcome& outcome) {
  std::set<std::string> flags;
  for (const CellOutcome& cell : outcome.cells) {
    for (const std::string& flag : cell.flags)
      flags.insert(absl::StrCat(cell.fleet, " under ", cell.policy, ", ", cell.workload, ", seed ",
                                cell.seed, ": ", flag));
  }
  return flags;
}

}  // namespace

std::string ResultsCsv(const ExperimentOutcome& outcome) {
  std::string out = kCsvHeading;
  for (const CellOutcome& cell : outcome.cells)
    absl::StrAppend(&out, absl::StrJoin(CsvFields(cell), ","), "\n");
  return out;
}

std::string ResultTable(const ExperimentOutcome& outcome, int width) {
  const auto most = width > 0 ? static_cast<std::size_t>(std::max(width, 40))
                              : std::numeric_limits<std::size_t>::max();
  std::string out;
  for (const std::string& workload : WorkloadsOf(outcome)) {
    const auto rows = RowsIn(outcome, workload);
    if (!out.empty()) out += "\n";
    absl::StrAppend(&out, "workload ", workload, "\n", TableOf(rows, ShownOf(outcome, rows), most));
  }
  for (const SizedFleet& sized : outcome.sized) absl::StrAppend(&out, SizedWords(sized), "\n");
  return out;
}

std::string ResultsSummary(const ExperimentOutcome& outcome, const ScenarioSpec& scenario,
                           const std::string& command_line) {
  std::string out = absl::StrCat("# ", outcome.scenario, "\n\n");
  if (!outcome.verdict.empty()) absl::StrAppend(&out, "**", outcome.verdict, "**\n\n");
  if (!outcome.says.empty()) absl::StrAppend(&out, outcome.says, "\n\n");
  if (outcome.verdicts.size() > 1) {
    for (const WorkloadVerdict& verdict : outcome.verdicts)
      absl::StrAppend(&out, "- ", verdict.workload, ": ", verdict.words, "\n");
    out += "\n";
  }
  for (const std::string& workload : WorkloadsOf(outcome)) {
    const auto rows = RowsIn(outcome, workload);
    absl::StrAppend(&out, "## ", workload, "\n\n", MarkdownTable(rows, ShownOf(outcome, rows)),
                    "\n", LookBack(outcome, rows));
  }
  absl::StrAppend(&out, SweepsMarkdown(outcome), BreakEvenMarkdown(outcome));
  absl::StrAppend(
      &out, "Means over ", scenario.seeds, " seed", scenario.seeds == 1 ? "" : "s",
      scenario.seeds > 1 ? ", ± half the width of the 95 % confidence interval" : "",
      ". In time: of all work submitted after warm-up, what met its objective (",
      ObjectiveFigure(scenario.objective.attainment),
      " wanted). Rented: every node billed, idle ones too; paid-for: without the bill of "
      "committed pools.\n");
  for (const SizedFleet& sized : outcome.sized) absl::StrAppend(&out, "\n- ", SizedWords(sized));
  if (!outcome.sized.empty()) out += "\n";
  for (const std::string& note : outcome.notes) absl::StrAppend(&out, "\n- ", note);
  if (!outcome.notes.empty()) out += "\n";
  const auto flags = FlagsOf(outcome);
  std::size_t told = 0;
  for (const std::string& flag : flags) {
    if (told++ == 20) {
      absl::StrAppend(&out, "\n- and ", flags.size() - 20, " more, in results.json");
      break;
    }
    absl::StrAppend(&out, "\n- ", flag);
  }
  if (!flags.empty()) out += "\n";
  absl::StrAppend(&out, "\n```sh\n", command_line, "\n```\n");
  return out;
}

}  // namespace spillway
