#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "simulator/figures.h"
#include "simulator/report/charts.h"
#include "simulator/report/svg.h"

namespace spillway {
namespace {

constexpr double kCostHeight = 180, kGap = 62, kTimeHeight = 110, kFoot = 46, kTop = 28;

std::string Curve(const SweepOutcome& sweep, const Axis& x, const Axis& y,
                  const MeanOf RowOutcome::*figure) {
  std::string path;
  for (const SweepPoint& point : sweep.points) {
    absl::StrAppend(&path, path.empty() ? "M" : "L", Coordinate(x.At(point.factor)), " ",
                    Coordinate(y.At((point.row.*figure).mean)));
  }
  return path;
}

void Points(Svg& svg, const SweepOutcome& sweep, const Axis& x, const Axis& y,
            const MeanOf RowOutcome::*figure, std::string_view classes,
            std::string (*show)(double)) {
  for (const SweepPoint& point : sweep.points) {
    const MeanOf& of = point.row.*figure;
    if (of.half > 0) {
      svg.Line(x.At(point.factor), y.At(of.mean - of.half), x.At(point.factor),
               y.At(of.mean + of.half), "whisker");
    }
    svg.Circle(x.At(point.factor), y.At(of.mean), 4.5, classes,
               absl::StrCat("× ", absl::StrFormat("%g", point.factor), ": ", show(of.mean)));
  }
}

std::string Usd2(double dollars) { return DollarFigure(dollars) + " USD"; }

}  // namespace

std::string SweepChart(const ReportData& data, const SweepOutcome& sweep, const ChartSpot& spot) {
  if (sweep.points.size() < 2) return "";
  const bool two = data.has_two_books();
  const double objective = data.scenario().objective.attainment;
  double most = 0, least = objective;
  std::string words;
  for (const SweepPoint& point : sweep.points) {
    const RowOutcome& row = point.row;
    most = std::max({most, row.cost.mean + row.cost.half, row.cost_paid_for.mean});
    least = std::min(least, row.attainment.mean - row.attainment.half);
    absl::StrAppend(&words, "times ", absl::StrFormat("%g", point.factor), ": ",
                    Usd2(row.cost.mean), ", ", AttainmentFigure(row.attainment.mean), " in time; ");
  }
  const double height = kTop + kCostHeight + kGap + kTimeHeight + kFoot;
  const Axis x{.low = sweep.points.front().factor,
               .high = sweep.points.back().factor,
               .begin = 64,
               .end = spot.width - 20.0,
               .is_log = true};
  const Axis cost{
      .low = 0, .high = most > 0 ? most * 1.08 : 1, .begin = kTop + kCostHeight, .end = kTop};
  const double steps = least >= 0.9 ? 100 : 10;
  const Axis time{.low = std::max(0.0, std::floor(least * steps - 0.5) / steps),
                  .high = 1,
                  .begin = kTop + kCostHeight + kGap + kTimeHeight,
                  .end = kTop + kCostHeight + kGap};
  Svg svg(spot.id, spot.width, height,
          absl::StrCat("Cost and work in time by ", sweep.input, " of ", sweep.of), words);
  svg.Text(8, 12, "USD for the whole run").Text(8, time.end - 18, "work in time");
  for (const double tick : NiceTicks(cost.low, cost.high, 4)) {
    svg.Line(x.begin, cost.At(tick), x.end, cost.At(tick), tick == 0 ? "axis" : "grid");
    svg.Text(x.begin - 10, cost.At(tick) + 4, absl::StrCat(tick), "", "end");
  }
  for (const double tick : NiceTicks(time.low, time.high, 3)) {
    svg.Line(x.begin, time.At(tick), x.end, time.At(tick), tick == time.low ? "axis" : "grid");
    svg.Text(x.begin - 10, time.At(tick) + 4,
             PercentFigure(tick, time.high - time.low < 0.025 ? 1 : 0), "", "end");
  }
  svg.Line(x.begin, time.At(objective), x.end, time.At(objective), "goal");
  svg.Text(x.end, time.At(objective) + 14, "objective " + ObjectiveFigure(objective), "goal-text",
           "end");
  for (const SweepPoint& point : sweep.points) {
    svg.Line(x.At(point.factor), time.begin, x.At(point.factor), time.begin + 4, "axis");
    svg.Text(x.At(point.factor), time.begin + 18, absl::StrFormat("× %g", point.factor),
             point.factor == 1 ? "strong" : "", "middle");
  }
  svg.Text(x.end, time.begin + 38,
           Fitted(absl::StrCat(sweep.input, " of ", sweep.of, ", times (logarithmic)"),
                  spot.width - 20.0),
           "", "end");
  const RowOutcome& first = sweep.points.front().row;
  if (two) {
    svg.Text(x.begin + 12, cost.At(first.cost.mean) - 9, "rented", "name");
    svg.Text(x.begin + 12, cost.At(first.cost_paid_for.mean) - 9, "paid for", "name");
  }
  svg.Path(Curve(sweep, x, cost, &RowOutcome::cost), "line");
  Points(svg, sweep, x, cost, &RowOutcome::cost, "full", Usd2);
  if (two) {
    svg.Path(Curve(sweep, x, cost, &RowOutcome::cost_paid_for), "line");
    Points(svg, sweep, x, cost, &RowOutcome::cost_paid_for, "hollow", Usd2);
  }
  svg.Path(Curve(sweep, x, time, &RowOutcome::attainment), "line");
  Points(svg, sweep, x, time, &RowOutcome::attainment, "full", AttainmentFigure);
  return svg.Done();
}

}  // namespace spillway
