#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "simulator/figures.h"
#include "simulator/report/charts.h"
#include "simulator/report/svg.h"

namespace spillway {
namespace {

struct Bar {
  std::string label, colour;
  double from = 0, to = 0;  // dollars; a total begins at 0
  bool is_total = false;
};

double UsdOf(const std::vector<PoolBill>& bills, const std::string& pool) {
  const auto found = std::find_if(bills.begin(), bills.end(),
                                  [&](const PoolBill& bill) { return bill.name == pool; });
  return found == bills.end() ? 0 : found->usd;
}

// What falls away comes first, then what is added, each in the order of the fleets.
std::vector<Bar> StepsOf(const ReportData& data, const ReportWorkload& load, const ReportRow& row) {
  const std::vector<PoolBill> after = BillsOf(row);
  const std::vector<PoolBill> before =
      load.baseline ? BillsOf(*load.baseline) : std::vector<PoolBill>{};
  std::vector<PoolBill> changes;
  changes.reserve(before.size() + after.size());
  for (const PoolBill& bill : before)
    changes.push_back({bill.name, bill.is_committed, UsdOf(after, bill.name) - bill.usd});
  for (const PoolBill& bill : after) {
    const bool is_new = std::none_of(before.begin(), before.end(), [&](const PoolBill& other) {
      return other.name == bill.name;
    });
    if (is_new) changes.push_back(bill);
  }
  std::stable_partition(changes.begin(), changes.end(),
                        [](const PoolBill& change) { return change.usd < 0; });

  std::vector<Bar> bars;
  double at = load.baseline ? load.baseline->row->cost.mean : 0;
  if (load.baseline) bars.push_back({"baseline: " + load.baseline->Name(), "total", 0, at, true});
  for (const PoolBill& change : changes) {
    if (change.usd == 0) continue;
    bars.push_back({change.name, data.ColourOf(change.name), at, at + change.usd, false});
    at += change.usd;
  }
  bars.push_back({"rented: " + row.Name(), "total", 0, row.row->cost.mean, true});
  if (!data.has_two_books() || row.row->cost.mean == row.row->cost_paid_for.mean) return bars;
  at = row.row->cost.mean;
  for (const PoolBill& bill : after) {
    if (!bill.is_committed || bill.usd == 0) continue;
    bars.push_back({bill.name + ", paid for", data.ColourOf(bill.name), at, at - bill.usd, false});
    at -= bill.usd;
  }
  bars.push_back({"with committed pools paid for", "total", 0, row.row->cost_paid_for.mean, true});
  return bars;
}

std::string Amount(const Bar& bar) {
  if (bar.is_total) return DollarFigure(bar.to);
  const double change = bar.to - bar.from;
  return absl::StrCat(change < 0 ? "−" : "+", DollarFigure(std::abs(change)));
}

}  // namespace

std::string Waterfall(const ReportData& data, const ReportWorkload& load, const ReportRow& row,
                      const ChartSpot& spot) {
  const std::vector<Bar> bars = StepsOf(data, load, row);
  const bool is_narrow = spot.width < 500;
  const double step = is_narrow ? 38 : 28, thick = 14, top = 8;
  const double label = is_narrow ? 0 : 290, figures = 74;
  double most = 0;
  std::string words = "USD: ";
  for (const Bar& bar : bars) {
    most = std::max({most, bar.from, bar.to});
    absl::StrAppend(&words, bar.label, " ", Amount(bar), "; ");
  }
  const Axis x{.low = 0, .high = most > 0 ? most : 1, .begin = label, .end = spot.width - figures};
  const double height = top + step * static_cast<double>(bars.size()) + 4;
  Svg svg(spot.id, spot.width, height, "From the baseline's bill to that of " + row.Name(), words);
  svg.Line(label, top - 4, label, height - 4, "axis");
  double last = -1;
  for (std::size_t i = 0; i < bars.size(); ++i) {
    const Bar& bar = bars[i];
    const double y = top + step * static_cast<double>(i);
    const double bar_y = is_narrow ? y + 17 : y + 3;
    if (is_narrow) {
      svg.Text(4, y + 12, Fitted(bar.label, spot.width - 8), bar.is_total ? "strong" : "");
    } else {
      svg.Text(label - 10, bar_y + 11, Fitted(bar.label, label - 12), bar.is_total ? "strong" : "",
               "end");
    }
    if (last >= 0 && !is_narrow)
      svg.Line(x.At(last), bar_y - (step - thick), x.At(last), bar_y, "leader");
    const double from = x.At(std::min(bar.from, bar.to)), to = x.At(std::max(bar.from, bar.to));
    const bool falls = bar.to < bar.from;
    svg.Rect(from, bar_y, std::max(to - from, 1.0), thick,
             absl::StrCat("bar ", bar.colour, falls ? " falls" : ""),
             absl::StrCat(bar.label, ": ", Amount(bar), " USD"));
    svg.Text(std::max(to, from) + 8, bar_y + 11, Amount(bar), bar.is_total ? "strong" : "");
    last = bar.to;
  }
  return svg.Done();
}

}  // namespace spillway
