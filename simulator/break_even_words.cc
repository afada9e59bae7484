#include "simulator/break_even_words.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "simulator/figures.h"

namespace spillway {
namespace {

std::string RateFigure(double per_second) { return absl::StrFormat("%.3g/s", per_second); }

}  // namespace

std::string UpToWords(const BreakEvenRow& row, const BreakEvenPrice& price) {
  if (price.up_to)
    return absl::StrCat(RateFigure(*price.up_to), price.throughout ? ", all tried" : "");
  const bool in_time = !row.nodes.empty() && row.nodes.front().first;
  return in_time ? "dearer at all" : "not in time";
}

std::vector<std::string> LoadsOf(const BreakEvenOutcome& even) {
  std::vector<std::string> loads;
  if (even.rows.empty()) return loads;
  const std::vector<BreakEvenNodes>& nodes = even.rows.front().nodes;
  const bool alike = std::all_of(even.rows.begin(), even.rows.end(), [&](const BreakEvenRow& row) {
    return std::equal(row.nodes.begin(), row.nodes.end(), nodes.begin(), nodes.end(),
                      [](const auto& a, const auto& b) { return a.rate == b.rate; });
  });
  for (const BreakEvenNodes& at : nodes)
    loads.push_back(alike ? RateFigure(at.rate) : absl::StrFormat("× %.3g", at.load));
  return loads;
}

std::vector<std::string> VariationLines(const ExperimentOutcome& outcome) {
  std::vector<std::string> lines;
  for (const SweepOutcome& sweep : outcome.sweeps) {
    std::vector<std::string> points;
    for (const SweepPoint& point : sweep.points) {
      points.push_back(absl::StrCat("x", absl::StrFormat("%g", point.factor), " ",
                                    DollarFigure(point.row.cost.mean), " USD, ",
                                    AttainmentFigure(point.row.attainment.mean)));
    }
    lines.push_back(absl::StrCat(sweep.name, ", ", sweep.fleet, " under ", sweep.policy, ", ",
                                 sweep.workload, ", ", sweep.input, " of ", sweep.of, ": ",
                                 absl::StrJoin(points, "; "), " in time"));
  }
  for (const BreakEvenOutcome& even : outcome.break_even) {
    for (const BreakEvenRow& row : even.rows) {
      std::vector<std::string> prices;
      for (const BreakEvenPrice& price : row.prices)
        prices.push_back(absl::StrCat(price.list, " ", UpToWords(row, price)));
      lines.push_back(absl::StrCat(even.name, ", ", row.workload, ": ", even.first,
                                   " cheaper than ", even.second,
                                   " up to: ", absl::StrJoin(prices, "; ")));
    }
  }
  return lines;
}

}  // namespace spillway
