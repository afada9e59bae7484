#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "simulator/bound.h"

// The linear programme behind LowerBound(), with bounds on the nodes of each pool.
namespace spillway {

// Nodes (of those with `whole`), else node-hours over `unit` hours, that a pool may use.
struct BoundRange {
  double low = 0, high = 0;
};

class BoundProgramme {
 public:
  // `problem` was checked and outlives it.
  explicit BoundProgramme(const BoundProblem& problem);
  ~BoundProgramme();

  // All that pools have.
  std::vector<BoundRange> FullRanges() const;

  struct Solution {
    double bound = 0;  // USD: proven by the dual prices; nothing within the ranges is cheaper
    double cost = 0;   // USD, of `share` and `used`
    std::vector<std::vector<double>> share;  // [work][pool]
    std::vector<double> used;                // [pool], in the unit of BoundRange
    std::vector<double> shadow;              // [pool], USD for one more unit, >= 0
  };
  // None: not feasible within the ranges. kInternal: the solver gave up.
  absl::StatusOr<std::optional<Solution>> Solve(const std::vector<BoundRange>& ranges);

  // Hours of one unit: of a whole node, else 1.
  double UnitHours(std::size_t pool) const { return unit_hours_[pool]; }
  double UnitUsd(std::size_t pool) const { return unit_usd_[pool]; }

 private:
  struct Cell {  // one bucket as a whole on one pool
    std::size_t work = 0, pool = 0;
    int column = 0;
    double usd = 0;
    std::vector<double> hours;  // by part
  };
  class Solver;  // CLP's model

  double DearestBucket() const;
  void Load(int rows);
  double ProvenBy(const std::vector<std::vector<double>>& price_of_part,
                  const std::vector<BoundRange>& ranges) const;

  const BoundProblem& problem_;
  std::vector<double> unit_hours_, unit_usd_;
  std::vector<std::size_t> parts_;  // of each pool
  std::vector<Cell> cells_;         // in order of work, then pool
  std::vector<int> row_of_pool_;    // of its first part
  std::unique_ptr<Solver> solver_;
};

}  // namespace spillway
