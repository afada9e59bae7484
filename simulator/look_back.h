#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "simulator/result.h"

// What the cells of one row say in hindsight, over its seeds, as tables and sentences tell it.
namespace spillway {

std::vector<const CellOutcome*> CellsOf(const std::vector<CellOutcome>& cells,
                                        const RowOutcome& row);

// By pool, in the order of the fleet: means over the seeds that have the figure.
std::vector<std::pair<std::string, PoolCoverage>> CoverageOf(
    const std::vector<const CellOutcome*>& cells);

// "Of 1,204 placements on NVIDIA or another last resort, 1,204 were looked at again: 31 (2.6 %)
// could have been answered in time by a cheaper pool (xeon 28, inferentia2 3) ..." Empty where no
// cell has placements to regret.
std::string RegretWords(const std::vector<const CellOutcome*>& cells);

// Columns of a coverage table that have a figure somewhere: title and member.
struct CoverageColumn {
  const char* title;
  std::optional<double> PoolCoverage::*figure;
};
std::vector<CoverageColumn> CoverageColumns(
    const std::vector<std::pair<std::string, PoolCoverage>>& pools);

}  // namespace spillway
