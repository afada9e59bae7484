#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "simulator/figures.h"
#include "simulator/report/charts.h"
#include "simulator/report/svg.h"

namespace spillway {
namespace {

using Curve = std::vector<std::pair<double, double>>;  // seconds, fraction
constexpr double kLeastSeconds = 1e-3;

const Curve& CurveOf(const ReportRow& row) { return row.cells.front()->ttft_cdf; }

// A place on the curve where its fraction is about `wanted`.
std::pair<double, double> NearFraction(const Curve& curve, double wanted) {
  auto best = curve.front();
  for (const auto& point : curve) {
    if (std::abs(point.second - wanted) < std::abs(best.second - wanted)) best = point;
  }
  return best;
}

std::string PathOf(const Curve& curve, const Axis& x, const Axis& y) {
  std::string path;
  for (const auto& [seconds, fraction] : curve) {
    absl::StrAppend(&path, path.empty() ? "M" : "L", Coordinate(x.At(std::max(seconds, x.low))),
                    " ", Coordinate(y.At(fraction)));
  }
  return path;
}

// "10.0 ms" as "10 ms": for round figures.
std::string Short(std::string figure) {
  const std::size_t point = figure.find('.'), blank = figure.find(' ');
  if (point == std::string::npos || blank == std::string::npos) return figure;
  std::size_t end = blank;
  while (figure[end - 1] == '0') --end;
  if (end - 1 == point) --end;
  return figure.erase(end, blank - end);
}

// Powers of ten with 2 and 5 where there is room.
std::vector<double> LogTicks(const Axis& x) {
  std::vector<double> ticks;
  const double decades = std::log10(x.high / x.low);
  const bool is_roomy = (x.end - x.begin) / decades > 150;
  for (double power = 1e-4; power < 1e7; power *= 10) {
    for (const double lead : {1.0, 2.0, 5.0}) {
      const double tick = lead * power;
      if ((lead == 1 || is_roomy) && tick >= x.low * 0.999 && tick <= x.high * 1.001)
        ticks.push_back(tick);
    }
  }
  return ticks;
}

}  // namespace

std::string FirstTokenCdf(const ReportData& data, const ReportWorkload& load,
                          const ChartSpot& spot) {
  constexpr double kHeight = 320;
  double low = 1e9, high = 0;
  std::string words = "Percentiles of time to first token: ";
  std::vector<const ReportRow*> rows;
  for (const ReportRow& row : load.rows) {
    if (CurveOf(row).size() < 2) continue;
    rows.push_back(&row);
    low = std::min(low, std::max(CurveOf(row).front().first, kLeastSeconds));
    high = std::max(high, CurveOf(row).back().first);
    const LatencySummary& ttft = row.cells.front()->ttft;
    absl::StrAppend(&words, row.Name(), " p50 ", SecondsFigure(ttft.p50), ", p99 ",
                    SecondsFigure(ttft.p99), "; ");
  }
  if (rows.empty()) return "";
  const auto objective = data.scenario().objective.ttft;
  if (objective) high = std::max(high, absl::ToDoubleSeconds(*objective) * 1.2);
  high = std::max(high, low * 2);
  const Axis x{.low = low, .high = high, .begin = 52, .end = spot.width - 16.0, .is_log = true};
  const Axis y{.low = 0, .high = 1, .begin = kHeight - 46, .end = 24};
  Svg svg(spot.id, spot.width, kHeight, "Time to first token, " + load.name, words);
  for (const double tick : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    svg.Line(x.begin, y.At(tick), x.end, y.At(tick), tick == 0 ? "axis" : "grid");
    svg.Text(x.begin - 8, y.At(tick) + 4, PercentFigure(tick, 0), "", "end");
  }
  for (const double tick : LogTicks(x)) {
    svg.Line(x.At(tick), y.begin, x.At(tick), y.begin + 4, "axis");
    const bool at_end = x.At(tick) > spot.width - 34;
    svg.Text(x.At(tick), y.begin + 18, Short(SecondsFigure(tick)), "", at_end ? "end" : "middle");
  }
  svg.Text(x.end, y.begin + 38, "time to first token (logarithmic)", "", "end");
  svg.Text(8, 12, "requests answered by then");
  if (objective) {
    const double at = x.At(absl::ToDoubleSeconds(*objective));
    svg.Line(at, y.end, at, y.begin, "goal");
    svg.Text(at - 5, y.begin - 8,
             "objective " + Short(SecondsFigure(absl::ToDoubleSeconds(*objective))), "goal-text",
             "end");
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const ReportRow& row = *rows[i];
    svg.Open(row.row->is_baseline ? "curve base" : "curve",
             absl::StrCat("data-row=\"", row.number, "\""));
    svg.Path(PathOf(CurveOf(row), x, y), "line", row.Name());
    const double wanted =
        0.3 + 0.6 * (static_cast<double>(i) + 0.5) / static_cast<double>(rows.size());
    const auto [seconds, fraction] = NearFraction(CurveOf(row), wanted);
    const double at_x = x.At(std::max(seconds, x.low)), at_y = y.At(fraction);
    svg.Circle(at_x, at_y, 8, "badge", row.Name());
    svg.Text(at_x, at_y + 4, absl::StrCat(row.number), "badge-text", "middle").Close();
  }
  return svg.Done();
}

std::string SpillBars(const ReportData& data, const ReportRow& row, const ChartSpot& spot) {
  struct Entry {
    std::string from, code;
    double count = 0;
  };
  std::vector<Entry> entries;
  double submitted = 0, most = 0;
  const auto cells = static_cast<double>(row.cells.size());
  for (const CellOutcome* cell : row.cells) {
    submitted += static_cast<double>(cell->submitted) / cells;
    for (const SpillCount& spill : cell->spills) {
      auto known = std::find_if(entries.begin(), entries.end(), [&](const Entry& e) {
        return e.from == spill.from && e.code == spill.code;
      });
      if (known == entries.end())
        known = entries.insert(entries.end(), {spill.from, spill.code, 0});
      known->count += static_cast<double>(spill.count) / cells;
    }
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.count > b.count; });
  if (entries.size() > 12) entries.resize(12);
  if (entries.empty() || submitted <= 0) return "";
  for (const Entry& entry : entries) most = std::max(most, entry.count);

  const bool is_narrow = spot.width < 500;
  const double step = is_narrow ? 36 : 26, label = is_narrow ? 0 : 290, figures = 120;
  std::string words;
  const auto figure = [&](const Entry& entry) {
    return absl::StrCat(CountFigure(std::llround(entry.count)), " (",
                        PercentFigure(entry.count / submitted), ")");
  };
  for (const Entry& entry : entries)
    absl::StrAppend(&words, entry.from, " ", entry.code, " ", figure(entry), "; ");
  Svg svg(spot.id, spot.width, step * static_cast<double>(entries.size()) + 6,
          "Work that spilled over, of " + row.Name(), words);
  const Axis x{.low = 0, .high = most, .begin = label, .end = spot.width - figures};
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    const double y = step * static_cast<double>(i) + (is_narrow ? 18 : 4);
    const std::string name = absl::StrCat(entry.from, ": ", entry.code);
    if (is_narrow) {
      svg.Text(0, y - 5, Fitted(name, spot.width));
    } else {
      svg.Text(label - 10, y + 11, Fitted(name, label - 12), "", "end");
    }
    svg.Rect(label, y, std::max(x.At(entry.count) - label, 1.0), 14,
             "bar " + data.ColourOf(entry.from), name);
    svg.Text(x.At(entry.count) + 8, y + 11, figure(entry));
  }
  return svg.Done();
}

}  // namespace spillway
