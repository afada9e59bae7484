#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "simulator/break_even_words.h"
#include "simulator/figures.h"
#include "simulator/report/html_table.h"
#include "simulator/report/tables.h"

namespace spillway {
namespace {

void Saving(HtmlTable& table, const std::optional<MeanOf>& saving) {
  if (saving) {
    table.Figure(saving->mean, PercentFigure(saving->mean));
  } else {
    table.Missing();
  }
}

// "2.3 min, 0.041 USD": of one node, until its first request.
void Start(HtmlTable& table, const std::optional<BreakEvenStart>& start, double device_hour) {
  if (!start) {
    table.Missing();
    return;
  }
  const double usd = start->seconds / 3600 * start->devices * device_hour;
  table.Figure(usd, absl::StrCat(SecondsFigure(start->seconds), ", ", DollarFigure(usd), " USD"));
}

}  // namespace

std::string SweepTable(const ReportData& data, const SweepOutcome& sweep) {
  const bool two = data.has_two_books();
  HtmlTable table(absl::StrCat("Figures by ", sweep.input, " of ", sweep.of), "");
  table.Head("factor").Head(two ? "rented, USD" : "cost, USD");
  if (two) table.Head("paid-for, USD");
  table.Head("in time").Head("saving");
  if (two) table.Head("saving, paid-for");
  table.Head("TTFT p50").Head("p99").Head("TPOT p99").Head("NVIDIA").Body();
  for (const SweepPoint& point : sweep.points) {
    const RowOutcome& row = point.row;
    table.Begin(point.factor == 1 ? "class=\"base\"" : "");
    table.Figure(point.factor, absl::StrFormat("%g", point.factor));
    table.Figure(row.cost.mean, DollarInterval(row.cost));
    if (two) table.Figure(row.cost_paid_for.mean, DollarInterval(row.cost_paid_for));
    table.Figure(row.attainment.mean, AttainmentFigure(row.attainment.mean),
                 row.attainment.mean < data.scenario().objective.attainment);
    Saving(table, row.saving);
    if (two) Saving(table, row.saving_paid_for);
    for (const MeanOf& time : {row.ttft_p50, row.ttft_p99, row.tpot_p99})
      table.Figure(time.mean, SecondsFigure(time.mean));
    table.Figure(row.nvidia_share.mean, PercentFigure(row.nvidia_share.mean)).End();
  }
  return table.Done();
}

std::string BreakEvenTable(const BreakEvenOutcome& even) {
  HtmlTable table(absl::StrCat("Up to which load ", even.first, " is cheaper"), "");
  table.Head("work", true);
  table.Head("price list", true).Head(absl::StrCat(even.first, ", USD/h"));
  table.Head(absl::StrCat(even.second, ", USD/h")).Head("cheaper up to");
  const bool starts = std::any_of(even.rows.begin(), even.rows.end(), [](const BreakEvenRow& row) {
    return row.first_start || row.second_start;
  });
  if (starts) {
    table.Head(absl::StrCat("start of ", even.first));
    table.Head(absl::StrCat("start of ", even.second));
  }
  table.Body();
  for (const BreakEvenRow& row : even.rows) {
    for (const BreakEvenPrice& price : row.prices) {
      table.Begin();
      table.Name(row.workload).Text(price.list);
      table.Figure(price.first, DollarFigure(price.first));
      table.Figure(price.second, DollarFigure(price.second));
      if (price.up_to) {
        table.Figure(*price.up_to, UpToWords(row, price));
      } else {
        table.Figure(0, UpToWords(row, price));
      }
      if (starts) {
        Start(table, row.first_start, price.first);
        Start(table, row.second_start, price.second);
      }
      table.End();
    }
  }
  return table.Done();
}

std::string BreakEvenNodesTable(const BreakEvenOutcome& even) {
  HtmlTable table("Devices that each load takes", "");
  table.Head("work", true).Head("on", true);
  for (const std::string& load : LoadsOf(even)) table.Head(load);
  table.Body();
  for (const BreakEvenRow& row : even.rows) {
    for (const bool first : {true, false}) {
      table.Begin();
      table.Name(row.workload).Text(first ? even.first : even.second);
      for (const BreakEvenNodes& at : row.nodes) {
        const std::optional<int> nodes = first ? at.first : at.second;
        if (nodes) {
          table.Figure(*nodes, CountFigure(*nodes));
        } else {
          table.Missing();
        }
      }
      table.End();
    }
  }
  return table.Done();
}

}  // namespace spillway
