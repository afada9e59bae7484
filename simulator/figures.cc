#include "simulator/figures.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace spillway {
namespace {

std::string Grouped(std::string digits) {
  const bool is_negative = !digits.empty() && digits.front() == '-';
  const std::size_t begin = is_negative ? 1 : 0;
  std::size_t end = digits.find('.');
  if (end == std::string::npos) end = digits.size();
  for (std::size_t at = end; at > begin + 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

// Three significant digits, as plain decimals.
std::string Significant(double value) {
  if (value == 0) return "0";
  const int magnitude = static_cast<int>(std::floor(std::log10(std::abs(value))));
  const int decimals = std::clamp(2 - magnitude, 0, 12);
  return Grouped(absl::StrFormat("%.*f", decimals, value));
}

struct Step {
  double from, unit;
  const char* name;
};
template <std::size_t n>
std::string InSteps(double value, const Step (&steps)[n]) {
  for (const Step& step : steps) {
    if (std::abs(value) >= step.from)
      return absl::StrCat(Significant(value / step.unit), " ", step.name);
  }
  return absl::StrCat(Significant(value / steps[n - 1].unit), " ", steps[n - 1].name);
}

}  // namespace

double Dollars(Usd money) { return static_cast<double>(money.value()) / kNanosPerUsd; }

std::optional<double> SavingOf(Usd cost, Usd against) {
  if (against > Usd()) return 1 - Dollars(cost) / Dollars(against);
  return cost == against ? std::make_optional(0.0) : std::nullopt;
}

std::string LabelName(LoadLabel label) {
  switch (label) {
    case LoadLabel::kStable:
      return "stable";
    case LoadLabel::kBacklogged:
      return "backlogged";
    case LoadLabel::kOverloaded:
      return "overloaded";
  }
  return "";
}

std::string DollarFigure(double dollars) {
  if (std::abs(dollars) >= 0.9995) return Grouped(absl::StrFormat("%.2f", dollars));
  return Significant(dollars);
}

std::string DollarInterval(const MeanOf& of) {
  const std::string mean = DollarFigure(of.mean);
  const std::size_t point = mean.find('.');
  const int decimals = point == std::string::npos ? 2 : static_cast<int>(mean.size() - point) - 1;
  return WithInterval(mean, Grouped(absl::StrFormat("%.*f", decimals, of.half)), of);
}

std::string PercentFigure(double fraction, int decimals) {
  double percent = fraction * 100;
  const double least = 0.5 * std::pow(10.0, -decimals);
  if (std::abs(percent) < least) percent = 0;  // never "-0.0 %"
  return absl::StrFormat("%.*f %%", decimals, percent);
}

std::string AttainmentFigure(double fraction) {
  if (fraction >= 1) return "100 %";
  const double percent = fraction * 100;
  if (percent >= 99.9) return absl::StrFormat("%.2f %%", std::min(percent, 99.99));
  return absl::StrFormat("%.1f %%", percent);
}

std::string ObjectiveFigure(double fraction) { return absl::StrCat(fraction * 100, " %"); }

std::string SecondsFigure(double seconds) {
  static constexpr Step kSteps[] = {
      {86400, 3600, "h"}, {3600, 3600, "h"}, {120, 60, "min"}, {0.9995, 1, "s"}, {0, 1e-3, "ms"}};
  return InSteps(seconds, kSteps);
}
std::string EnergyFigure(double joules) {
  static constexpr Step kSteps[] = {
      {3.6e9, 3.6e9, "MWh"}, {3.6e6, 3.6e6, "kWh"}, {3600, 3600, "Wh"}, {0, 1, "J"}};
  return InSteps(joules, kSteps);
}
std::string CarbonFigure(double grams) {
  static constexpr Step kSteps[] = {{1e6, 1e6, "t"}, {1000, 1000, "kg"}, {0, 1, "g"}};
  return InSteps(grams, kSteps);
}
std::string CountFigure(std::int64_t count) { return Grouped(absl::StrCat(count)); }

std::optional<JobTimes> JobTimesOf(const std::vector<CellOutcome>& cells, const RowOutcome& row) {
  JobTimes sum;
  int count = 0;
  std::int64_t deadlines = 0, met = 0;
  for (const CellOutcome& cell : cells) {
    const bool is_of = cell.fleet == row.fleet && cell.policy == row.policy &&
                       cell.workload == row.workload && cell.job_turnaround.count > 0;
    if (!is_of) continue;
    ++count;
    sum.wait_p50 += cell.job_wait.p50;
    sum.wait_p99 += cell.job_wait.p99;
    sum.turnaround_p50 += cell.job_turnaround.p50;
    sum.turnaround_p99 += cell.job_turnaround.p99;
    sum.makespan += absl::ToDoubleSeconds(cell.makespan);
    deadlines += cell.deadlines;
    met += cell.deadlines_met;
  }
  if (count == 0) return std::nullopt;
  for (double* time :
       {&sum.wait_p50, &sum.wait_p99, &sum.turnaround_p50, &sum.turnaround_p99, &sum.makespan})
    *time /= count;
  if (deadlines > 0) sum.deadlines_met = static_cast<double>(met) / static_cast<double>(deadlines);
  return sum;
}

std::string WithInterval(const std::string& mean, const std::string& half, const MeanOf& of) {
  return of.half > 0 ? absl::StrCat(mean, " ± ", half) : mean;
}

}  // namespace spillway
