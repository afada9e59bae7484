#include "simulator/bound_programme.h"

#include <coin/ClpSimplex.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

namespace spillway {
namespace {

constexpr double kNanos = static_cast<double>(kNanosPerUsd);

}  // namespace

// Columns: a fraction of each bucket on each able pool, then what each pool uses. Rows: each bucket
// is done, then each part of each pool has room. Costs are divided by `scale`, so that CLP's
// tolerances, which are absolute, mean the same for a cent and for a million.
class BoundProgramme::Solver {
 public:
  ClpSimplex model;
  double scale = 1;
  int first_pool_column = 0;
};

BoundProgramme::~BoundProgramme() = default;

BoundProgramme::BoundProgramme(const BoundProblem& problem)
    : problem_(problem), solver_(std::make_unique<Solver>()) {
  const std::size_t pools = problem.pools.size();
  parts_.assign(pools, 0);
  for (const BoundPool& pool : problem.pools) {
    unit_hours_.push_back(pool.whole ? absl::ToDoubleHours(pool.available) : 1);
    unit_usd_.push_back(static_cast<double>(pool.node_hour.value()) / kNanos * unit_hours_.back());
  }
  for (std::size_t r = 0; r < problem.work.size(); ++r) {
    const double amount = problem.work[r].amount;
    for (std::size_t p = 0; amount > 0 && p < pools; ++p) {
      const BoundLoad& load = problem.loads[r][p];
      if (!load.able) continue;
      Cell cell{.work = r,
                .pool = p,
                .column = static_cast<int>(cells_.size()),
                .usd = load.usd * amount,
                .hours = {}};
      for (const double hours : load.node_hours) cell.hours.push_back(hours * amount);
      parts_[p] = std::max(parts_[p], cell.hours.size());
      cells_.push_back(std::move(cell));
    }
  }

  const int works = static_cast<int>(problem.work.size());
  int rows = works;
  for (std::size_t p = 0; p < pools; ++p) {
    row_of_pool_.push_back(rows);
    rows += static_cast<int>(parts_[p]);
  }
  Load(rows);
}

// How dear a bucket can be at most, if it used nothing but what it needs.
double BoundProgramme::DearestBucket() const {
  double dearest = 0;
  for (const Cell& cell : cells_) {
    double longest = 0;
    for (const double hours : cell.hours) longest = std::max(longest, hours);
    dearest = std::max(dearest, cell.usd + longest / unit_hours_[cell.pool] * unit_usd_[cell.pool]);
  }
  return dearest;
}

void BoundProgramme::Load(int rows) {
  std::vector<CoinBigIndex> start = {0};
  std::vector<int> at;
  std::vector<double> values, costs;
  const auto entry = [&](int row, double value) {
    if (value == 0) return;
    at.push_back(row);
    values.push_back(value);
  };
  const auto end_column = [&](double usd) {
    start.push_back(static_cast<CoinBigIndex>(at.size()));
    costs.push_back(usd / solver_->scale);
  };
  if (const double dearest = DearestBucket(); dearest > 0) solver_->scale = dearest;
  for (const Cell& cell : cells_) {
    entry(static_cast<int>(cell.work), 1);
    for (std::size_t k = 0; k < cell.hours.size(); ++k)
      entry(row_of_pool_[cell.pool] + static_cast<int>(k), -cell.hours[k]);
    end_column(cell.usd);
  }
  solver_->first_pool_column = static_cast<int>(cells_.size());
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    for (std::size_t k = 0; k < parts_[p]; ++k)
      entry(row_of_pool_[p] + static_cast<int>(k), unit_hours_[p]);
    end_column(unit_usd_[p]);
  }

  const std::size_t works = problem_.work.size(), all = static_cast<std::size_t>(rows);
  std::vector<double> row_low(all, 0), row_high(all, COIN_DBL_MAX);
  for (std::size_t r = 0; r < works; ++r)
    row_low[r] = row_high[r] = problem_.work[r].amount > 0 ? 1 : 0;
  const std::vector<double> low(costs.size(), 0), high(costs.size(), COIN_DBL_MAX);
  ClpSimplex& model = solver_->model;
  model.setLogLevel(0);
  model.loadProblem(static_cast<int>(costs.size()), rows, start.data(), at.data(), values.data(),
                    low.data(), high.data(), costs.data(), row_low.data(), row_high.data());
}

std::vector<BoundRange> BoundProgramme::FullRanges() const {
  std::vector<BoundRange> ranges;
  for (const BoundPool& pool : problem_.pools) {
    const double units = pool.whole ? 1 : absl::ToDoubleHours(pool.available);
    ranges.push_back({.low = 0, .high = pool.nodes * units});
  }
  return ranges;
}

// Weak duality: with a price >= 0 on each part of each pool, every bucket pays at least the
// cheapest sum of its own costs and the parts it uses, and every pool earns at most what its range
// allows.
double BoundProgramme::ProvenBy(const std::vector<std::vector<double>>& price_of_part,
                                const std::vector<BoundRange>& ranges) const {
  std::vector<double> cheapest(problem_.work.size(), std::numeric_limits<double>::infinity());
  for (const Cell& cell : cells_) {
    double usd = cell.usd;
    for (std::size_t k = 0; k < cell.hours.size(); ++k)
      usd += price_of_part[cell.pool][k] * cell.hours[k];
    cheapest[cell.work] = std::min(cheapest[cell.work], usd);
  }
  double bound = 0;
  for (std::size_t r = 0; r < cheapest.size(); ++r)
    if (problem_.work[r].amount > 0) bound += cheapest[r];
  for (std::size_t p = 0; p < ranges.size(); ++p) {
    double reduced = unit_usd_[p];
    for (const double price : price_of_part[p]) reduced -= price * unit_hours_[p];
    bound += reduced >= 0 ? reduced * ranges[p].low : reduced * ranges[p].high;
  }
  return bound;
}

absl::StatusOr<std::optional<BoundProgramme::Solution>> BoundProgramme::Solve(
    const std::vector<BoundRange>& ranges) {
  ClpSimplex& model = solver_->model;
  const int first = solver_->first_pool_column;
  for (std::size_t p = 0; p < ranges.size(); ++p)
    model.setColumnBounds(first + static_cast<int>(p), ranges[p].low, ranges[p].high);
  try {
    model.dual();
  } catch (const CoinError& error) {
    return absl::InternalError(
        absl::StrCat("the linear programme of the bound: ", error.message()));
  }
  if (model.status() == 1) return std::nullopt;
  if (model.status() != 0) {
    return absl::InternalError(absl::StrCat(
        "the linear programme of the bound was not solved: CLP status ", model.status()));
  }

  Solution out;
  out.share.assign(problem_.work.size(), std::vector<double>(ranges.size(), 0));
  const double* const x = model.primalColumnSolution();
  for (const Cell& cell : cells_) {
    out.share[cell.work][cell.pool] = x[cell.column];
    out.cost += cell.usd * x[cell.column];
  }
  const double* const dual = model.dualRowSolution();
  std::vector<std::vector<double>> price_of_part(ranges.size());
  for (std::size_t p = 0; p < ranges.size(); ++p) {
    out.used.push_back(x[first + static_cast<int>(p)]);
    out.cost += unit_usd_[p] * out.used.back();
    double prices = 0;
    for (std::size_t k = 0; k < parts_[p]; ++k) {
      const double price = dual[row_of_pool_[p] + static_cast<int>(k)] * solver_->scale;
      price_of_part[p].push_back(std::max(0.0, price));
      prices += price_of_part[p].back();
    }
    out.shadow.push_back(std::max(0.0, prices * unit_hours_[p] - unit_usd_[p]));
  }
  out.bound = ProvenBy(price_of_part, ranges);
  return out;
}

}  // namespace spillway
