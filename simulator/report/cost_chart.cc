#include <algorithm>
#include <array>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "simulator/figures.h"
#include "simulator/report/charts.h"
#include "simulator/report/svg.h"

namespace spillway {
namespace {

struct Box {
  double x, y, width, height;
  bool Meets(const Box& other) const {
    return x < other.x + other.width && other.x < x + width && y < other.y + other.height &&
           other.y < y + height;
  }
};

// What is overloaded says little: it lies on the lower edge, where it would press all else
// together.
double LowestShown(const ReportWorkload& load, double objective) {
  double low = objective;
  for (const ReportRow& row : load.rows) {
    if (row.row->label != LoadLabel::kOverloaded)
      low = std::min(low, row.row->attainment.mean - row.row->attainment.half);
  }
  const double steps = low >= 0.9 ? 100 : 10;  // whole percent near the top, else tens
  return std::max(0.0, std::floor(low * steps - 0.5) / steps);
}

class CostChart {
 public:
  CostChart(const ReportData& data, const ReportWorkload& load, const ChartSpot& spot)
      : data_(data),
        load_(load),
        width_(spot.width),
        svg_(spot.id, spot.width, kHeight, "Cost against work in time, " + load.name, Words()) {
    double most = 0;
    for (const ReportRow& row : load.rows)
      most = std::max(most, row.row->cost.mean + row.row->cost.half);
    x_ = {.low = 0, .high = most > 0 ? most * 1.12 : 1, .begin = 52, .end = width_ - 14};
    const double objective = data.scenario().objective.attainment;
    y_ = {.low = LowestShown(load, objective), .high = 1, .begin = kHeight - 46, .end = 26};
  }

  std::string Draw() {
    Axes();
    for (const ReportRow& row : load_.rows) {
      taken_.push_back(Around(X(row.row->cost), Y(row)));
      if (data_.has_two_books()) taken_.push_back(Around(X(row.row->cost_paid_for), Y(row)));
    }
    for (const ReportRow& row : load_.rows) Whiskers(row);
    for (const ReportRow& row : load_.rows) Point(row);
    Labels();
    return svg_.Done();
  }

 private:
  static constexpr double kHeight = 300, kRadius = 5;

  std::string Words() const {
    std::string words;
    for (const ReportRow& row : load_.rows)
      absl::StrAppend(&words, row.number, ": ", Tip(row), ". ");
    return words;
  }
  std::string Tip(const ReportRow& row) const {
    std::string tip =
        absl::StrCat(row.Name(), ": ", DollarFigure(row.row->cost.mean), " USD rented, ",
                     AttainmentFigure(row.row->attainment.mean), " in time");
    if (data_.has_two_books())
      absl::StrAppend(&tip, ", ", DollarFigure(row.row->cost_paid_for.mean),
                      " USD with committed pools paid for");
    return tip;
  }
  double X(const MeanOf& cost) const { return x_.At(cost.mean); }
  double Y(const ReportRow& row) const { return y_.At(row.row->attainment.mean); }
  static Box Around(double x, double y) {
    return {x - kRadius - 1, y - kRadius - 1, 2 * kRadius + 2, 2 * kRadius + 2};
  }

  void Axes() {
    const double bottom = y_.begin, left = x_.begin;
    for (const double tick : NiceTicks(y_.low, y_.high, 5)) {
      svg_.Line(left, y_.At(tick), x_.end, y_.At(tick), "grid");
      const int decimals = y_.high - y_.low < 0.025 ? 1 : 0;
      svg_.Text(left - 8, y_.At(tick) + 4, PercentFigure(tick, decimals), "", "end");
    }
    for (const double tick : NiceTicks(x_.low, x_.high, width_ > 500 ? 6 : 4)) {
      svg_.Line(x_.At(tick), bottom, x_.At(tick), bottom + 4, "axis");
      svg_.Text(x_.At(tick), bottom + 18, absl::StrCat(tick), "", "middle");
    }
    svg_.Line(left, bottom, x_.end, bottom, "axis");
    svg_.Text(x_.end, bottom + 38, "cost of the run, USD", "", "end");
    svg_.Text(left - 44, 12, "work in time", "");
    const double objective = data_.scenario().objective.attainment;
    svg_.Line(left, y_.At(objective), x_.end, y_.At(objective), "goal");
    svg_.Text(left + 6, y_.At(objective) - 5,
              absl::StrCat("objective ", ObjectiveFigure(objective)), "goal-text");
    taken_.push_back({left, y_.At(objective) - 17, 120, 15});
  }

  void Point(const ReportRow& row) {
    const double x = X(row.row->cost), y = Y(row);
    svg_.Open("dot", absl::StrCat("data-row=\"", row.number, "\""));
    if (data_.has_two_books() && row.row->cost_paid_for.mean != row.row->cost.mean) {
      const double paid = X(row.row->cost_paid_for);
      svg_.Line(paid + kRadius, y, x - kRadius, y, "tie");
      svg_.Circle(paid, y, kRadius - 1, "hollow", Tip(row));
    }
    if (row.row->is_baseline) {
      constexpr double kDiamond = kRadius + 1.5;
      svg_.Path(absl::StrCat("M", Coordinate(x), " ", Coordinate(y - kDiamond), "L",
                             Coordinate(x + kDiamond), " ", Coordinate(y), "L", Coordinate(x), " ",
                             Coordinate(y + kDiamond), "L", Coordinate(x - kDiamond), " ",
                             Coordinate(y), "Z"),
                "full", Tip(row));
    } else {
      svg_.Circle(x, y, kRadius, "full", Tip(row));
    }
    svg_.Close();
  }
  // Confidence intervals. Labels may cross them: letters have a rim of the page's colour.
  void Whiskers(const ReportRow& row) {
    const double x = X(row.row->cost), y = Y(row);
    const MeanOf &cost = row.row->cost, &met = row.row->attainment;
    if (cost.half > 0) {
      const double from = x_.At(cost.mean - cost.half), to = x_.At(cost.mean + cost.half);
      svg_.Line(from, y, to, y, "whisker");
    }
    if (met.half > 0) {
      const double top = y_.At(met.mean + met.half), bottom = y_.At(met.mean - met.half);
      svg_.Line(x, top, x, bottom, "whisker");
    }
  }

  // Points on one spot share a label: "1, 2, 3  mixed under backstop, at-once, least-cost". The
  // verdict's row and the baseline are named first, then the others; where no name fits its number
  // may.
  struct Named {
    double x, y;
    std::vector<const ReportRow*> rows;
  };
  void Labels() {
    std::vector<const ReportRow*> order;
    for (const ReportRow* row : {load_.best, load_.baseline}) {
      if (row) order.push_back(row);
    }
    for (const ReportRow& row : load_.rows) {
      if (&row != load_.best && &row != load_.baseline) order.push_back(&row);
    }
    std::vector<Named> named;
    for (const ReportRow* row : order) {
      const double x = X(row->row->cost), y = Y(*row);
      const auto near = std::find_if(named.begin(), named.end(), [&](const Named& other) {
        return std::abs(other.x - x) < kRadius && std::abs(other.y - y) < kRadius &&
               other.rows.front()->row->fleet == row->row->fleet;
      });
      if (near == named.end()) {
        named.push_back({x, y, {row}});
      } else {
        near->rows.push_back(row);
      }
    }
    for (const Named& spot : named) Label(spot);
  }
  void Label(const Named& spot) {
    std::vector<std::string> numbers, policies;
    for (const ReportRow* row : spot.rows) {
      numbers.push_back(absl::StrCat(row->number));
      policies.push_back(row->row->policy);
    }
    const std::string number = absl::StrJoin(numbers, ", ");
    const std::string name = absl::StrCat(number, "  ", spot.rows.front()->row->fleet, " under ",
                                          absl::StrJoin(policies, ", "));
    svg_.Open("dot", absl::StrCat("data-row=\"", numbers.front(), "\""));
    if (width_ <= 500 || !Placed(spot, Fitted(name, 420))) Placed(spot, number);
    svg_.Close();
  }
  // At the first place beside the point that is free.
  bool Placed(const Named& spot, const std::string& text) {
    const double wide = TextWidth(text) + 4;
    for (int step = 0; step < 24; ++step) {
      // 0, up, down, further up, further down
      const int rows = (step + 1) / 2;
      const double dy = 4 + (step % 2 == 0 ? 14.0 : -14.0) * rows;
      for (const double dx : {10.0, -10.0}) {
        const double begin = dx < 0 ? spot.x + dx - wide : spot.x + dx;
        const Box box{begin, spot.y + dy - 11, wide, 14};
        const bool inside = box.x >= x_.begin && box.x + box.width <= width_ - 2 && box.y >= 14 &&
                            box.y + box.height <= y_.begin - 2;
        const bool is_free = inside && std::none_of(taken_.begin(), taken_.end(),
                                                    [&](const Box& b) { return b.Meets(box); });
        if (!is_free) continue;
        taken_.push_back(box);
        if (std::abs(dy - 4) > 15)
          svg_.Line(spot.x, spot.y, spot.x + dx * 0.8, spot.y + dy - 4, "leader");
        svg_.Text(spot.x + dx, spot.y + dy, text, "name", dx < 0 ? "end" : "start");
        return true;
      }
    }
    return false;
  }

  const ReportData& data_;
  const ReportWorkload& load_;
  double width_;
  Axis x_, y_;
  Svg svg_;
  std::vector<Box> taken_;
};

}  // namespace

std::string CostAgainstSlo(const ReportData& data, const ReportWorkload& load,
                           const ChartSpot& spot) {
  return CostChart(data, load, spot).Draw();
}

}  // namespace spillway
