#include <algorithm>
#include <array>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "simulator/figures.h"
#include "simulator/report/charts.h"
#include "simulator/report/svg.h"

namespace spillway {
namespace {

constexpr int kLevels = 10;
constexpr std::size_t kMostBins = 160;

// Fewer bins, each the mean of as many neighbours; the last may hold fewer.
std::vector<double> Folded(const std::vector<double>& strip, std::size_t most) {
  if (strip.size() <= most) return strip;
  const std::size_t of = (strip.size() + most - 1) / most;
  std::vector<double> folded;
  for (std::size_t i = 0; i < strip.size(); i += of) {
    const std::size_t end = std::min(i + of, strip.size());
    double sum = 0;
    for (std::size_t k = i; k < end; ++k) sum += strip[k];
    folded.push_back(sum / static_cast<double>(end - i));
  }
  return folded;
}

int LevelOf(double utilization) {
  if (utilization <= 0) return 0;
  return std::clamp(static_cast<int>(std::ceil(utilization * kLevels - 1e-9)), 1, kLevels);
}

// One path for all bins of a level; neighbours are drawn as one.
void DrawStrip(Svg& svg, const PoolOutcome& pool, const std::string& colour, double y, double width,
               double height) {
  const std::vector<double> bins = Folded(pool.strip, kMostBins);
  std::array<std::string, kLevels + 1> paths;
  for (std::size_t i = 0; i < bins.size();) {
    std::size_t end = i + 1;
    while (end < bins.size() && LevelOf(bins[end]) == LevelOf(bins[i])) ++end;
    const double from = width * static_cast<double>(i) / static_cast<double>(bins.size());
    const double to = width * static_cast<double>(end) / static_cast<double>(bins.size());
    absl::StrAppend(&paths[static_cast<std::size_t>(LevelOf(bins[i]))], "M", Coordinate(from), " ",
                    Coordinate(y), "H", Coordinate(to), "V", Coordinate(y + height), "H",
                    Coordinate(from), "Z");
    i = end;
  }
  for (int level = 1; level <= kLevels; ++level) {
    const std::string& path = paths[static_cast<std::size_t>(level)];
    if (!path.empty()) svg.Path(path, absl::StrCat(colour, " heat l", level));
  }
}

struct TimeUnit {
  double seconds;
  const char* name;
};
TimeUnit UnitOf(double span) {
  if (span > 3 * 86400.0) return {86400, "days"};
  if (span > 3 * 3600.0) return {3600, "hours"};
  if (span > 180) return {60, "minutes"};
  return {1, "seconds"};
}

}  // namespace

std::string UtilizationStrips(const ReportData& data, const ReportRow& row, const ChartSpot& spot) {
  const CellOutcome& cell = *row.cells.front();
  constexpr double kStep = 46, kStrip = 16;
  const double strips = kStep * static_cast<double>(cell.pools.size());
  const double width = spot.width;
  std::string words = "Mean utilisation: ";
  for (const PoolOutcome& pool : cell.pools)
    absl::StrAppend(&words, pool.name, " ", PercentFigure(pool.utilization, 0), "; ");
  Svg svg(spot.id, width, strips + 40,
          absl::StrCat("Utilisation over time of ", row.Name(), ", seed ", cell.seed), words);
  for (std::size_t i = 0; i < cell.pools.size(); ++i) {
    const PoolOutcome& pool = cell.pools[i];
    const double y = kStep * static_cast<double>(i);
    const std::string colour = data.ColourOf(pool.name);
    svg.Rect(0, y + 6, 9, 9, absl::StrCat("bar ", colour));
    svg.Text(
        15, y + 15,
        Fitted(absl::StrCat(pool.name, " · ", pool.nodes, pool.nodes == 1 ? " node" : " nodes"),
               width - 150),
        "strong");
    svg.Text(width, y + 15,
             absl::StrCat("mean ", PercentFigure(pool.utilization, 0),
                          pool.utilization > 0.9 ? ", above 90 %" : ""),
             pool.utilization > 0.9 ? "warn" : "", "end");
    svg.Rect(0, y + 20, width, kStrip, "empty");
    DrawStrip(svg, pool, colour, y + 20, width, kStrip);
  }
  // What is billed is the span; the strips may be cut to whole bins of it.
  std::size_t bins = 0;
  for (const PoolOutcome& pool : cell.pools) bins = std::max(bins, pool.strip.size());
  const double span = absl::ToDoubleSeconds(cell.bin) * static_cast<double>(bins);
  if (span <= 0) return svg.Done();
  const TimeUnit unit = UnitOf(span);
  const Axis x{.low = 0, .high = span / unit.seconds, .begin = 0, .end = width};
  const auto ticks = NiceTicks(0, x.high, width > 500 ? 8 : 4);
  for (const double tick : ticks) {
    const bool at_end = x.At(tick) > width - 20;
    svg.Line(x.At(tick), strips - 8, x.At(tick), strips - 4, "axis");
    svg.Text(x.At(tick), strips + 10, absl::StrCat(tick), "",
             tick == 0 ? "start"
             : at_end  ? "end"
                       : "middle");
  }
  svg.Text(width, strips + 30, absl::StrCat(unit.name, " since the start"), "", "end");
  return svg.Done();
}

}  // namespace spillway
