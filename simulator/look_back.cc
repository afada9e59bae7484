#include "simulator/look_back.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "simulator/figures.h"

namespace spillway {
namespace {

constexpr CoverageColumn kColumns[] = {
    {"models it serves", &PoolCoverage::models},
    {"prompts in time there", &PoolCoverage::prompts},
    {"classes it runs", &PoolCoverage::classes},
    {"jobs it could run", &PoolCoverage::jobs},
    {"compute of requests done", &PoolCoverage::request_compute},
    {"compute of jobs done", &PoolCoverage::job_compute},
};

}  // namespace

std::vector<const CellOutcome*> CellsOf(const std::vector<CellOutcome>& cells,
                                        const RowOutcome& row) {
  std::vector<const CellOutcome*> of;
  for (const CellOutcome& cell : cells) {
    if (cell.fleet == row.fleet && cell.policy == row.policy && cell.workload == row.workload)
      of.push_back(&cell);
  }
  return of;
}

std::vector<std::pair<std::string, PoolCoverage>> CoverageOf(
    const std::vector<const CellOutcome*>& cells) {
  std::vector<std::pair<std::string, PoolCoverage>> out;
  if (cells.empty()) return out;
  for (std::size_t p = 0; p < cells.front()->pools.size(); ++p) {
    PoolCoverage mean;
    for (const CoverageColumn& column : kColumns) {
      double sum = 0;
      int count = 0;
      for (const CellOutcome* cell : cells) {
        if (p >= cell->pools.size()) continue;
        const auto& figure = cell->pools[p].coverage.*column.figure;
        if (!figure) continue;
        sum += *figure;
        ++count;
      }
      if (count > 0) mean.*column.figure = sum / count;
    }
    out.emplace_back(cells.front()->pools[p].name, mean);
  }
  return out;
}

std::vector<CoverageColumn> CoverageColumns(
    const std::vector<std::pair<std::string, PoolCoverage>>& pools) {
  std::vector<CoverageColumn> columns;
  for (const CoverageColumn& column : kColumns) {
    if (std::any_of(pools.begin(), pools.end(),
                    [&](const auto& pool) { return (pool.second.*column.figure).has_value(); }))
      columns.push_back(column);
  }
  return columns;
}

std::string RegretWords(const std::vector<const CellOutcome*>& cells) {
  RegretOutcome sum;
  std::map<std::string, std::int64_t> pools;
  int seeds = 0;
  for (const CellOutcome* cell : cells) {
    if (!cell->regret) continue;
    ++seeds;
    sum.placements += cell->regret->placements;
    sum.examined += cell->regret->examined;
    sum.avoidable += cell->regret->avoidable;
    sum.saved += cell->regret->saved;
    for (const RegretOfPool& pool : cell->regret->pools) pools[pool.pool] += pool.count;
  }
  if (sum.placements == 0) return "";
  const std::string all = absl::StrCat(
      "Of ", CountFigure(sum.placements), " placements on the last resort",
      seeds > 1 ? absl::StrCat(" over ", seeds, " seeds") : "",
      sum.examined < sum.placements
          ? absl::StrCat(", of which ", CountFigure(sum.examined), " were looked at again")
          : "");
  if (sum.avoidable == 0) return absl::StrCat(all, ", none could have been in time for less.");
  std::vector<std::pair<std::string, std::int64_t>> most(pools.begin(), pools.end());
  std::stable_sort(most.begin(), most.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return absl::StrCat(
      all, ", ", CountFigure(sum.avoidable), " (",
      PercentFigure(static_cast<double>(sum.avoidable) / static_cast<double>(sum.examined)),
      ") would have been in time on a cheaper pool (",
      absl::StrJoin(most, ", ",
                    [](std::string* out, const auto& pool) {
                      absl::StrAppend(out, pool.first, " ", CountFigure(pool.second));
                    }),
      "): ", DollarFigure(Dollars(sum.saved)),
      " USD in the book that decisions compare, each by itself.");
}

}  // namespace spillway
