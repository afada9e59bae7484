#include "simulator/bound.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <queue>
#include <utility>

#include "absl/strings/str_cat.h"
#include "simulator/bound_programme.h"

namespace spillway {
namespace {

using Solution = BoundProgramme::Solution;
constexpr std::size_t kMostParts = 8;
constexpr int kMostBranches = 200;
constexpr double kWhole = 1e-6;  // nearer to a whole number counts as one

bool IsAmount(double value) { return std::isfinite(value) && value >= 0; }

absl::Status Wrong(const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat("the bound's input: ", what));
}

absl::Status CheckLoad(const BoundLoad& load, const std::string& where) {
  if (!load.able) return absl::OkStatus();
  if (load.node_hours.size() > kMostParts)
    return Wrong(
        absl::StrCat(where, " has ", load.node_hours.size(), " parts, at most ", kMostParts));
  for (const double hours : load.node_hours)
    if (!IsAmount(hours)) return Wrong(absl::StrCat(where, " takes ", hours, " node-hours"));
  if (!IsAmount(load.usd)) return Wrong(absl::StrCat(where, " costs ", load.usd, " USD"));
  return absl::OkStatus();
}

absl::Status CheckWork(const BoundProblem& problem, std::size_t r) {
  const BoundWork& work = problem.work[r];
  if (!IsAmount(work.amount))
    return Wrong(absl::StrCat("an amount of ", work.amount, " of ", work.name));
  if (problem.loads[r].size() != problem.pools.size()) {
    return Wrong(absl::StrCat(problem.loads[r].size(), " loads of ", work.name, " for ",
                              problem.pools.size(), " pools"));
  }
  bool able = false;
  for (std::size_t p = 0; p < problem.pools.size(); ++p) {
    const BoundLoad& load = problem.loads[r][p];
    if (auto status = CheckLoad(load, absl::StrCat(work.name, " on ", problem.pools[p].name));
        !status.ok())
      return status;
    able = able || load.able;
  }
  if (work.amount > 0 && !able)
    return absl::FailedPreconditionError(absl::StrCat("no pool is able to do ", work.name));
  return absl::OkStatus();
}

absl::Status Check(const BoundProblem& problem) {
  for (const BoundPool& pool : problem.pools) {
    if (pool.nodes < 0) return Wrong(absl::StrCat(pool.nodes, " nodes in ", pool.name));
    if (pool.node_hour < UsdPerHour(0))
      return Wrong(absl::StrCat("a price below zero in ", pool.name));
    if (pool.available < absl::ZeroDuration() || pool.available == absl::InfiniteDuration())
      return Wrong(absl::StrCat("how long nodes of ", pool.name, " are available"));
    if (pool.whole && pool.available == absl::ZeroDuration() && pool.nodes > 0)
      return Wrong(absl::StrCat("whole nodes of ", pool.name, " that are never available"));
  }
  if (problem.loads.size() != problem.work.size())
    return Wrong(
        absl::StrCat(problem.loads.size(), " rows of loads for ", problem.work.size(), " of work"));
  for (std::size_t r = 0; r < problem.work.size(); ++r)
    if (auto status = CheckWork(problem, r); !status.ok()) return status;
  return absl::OkStatus();
}

Usd RoundedDown(double usd) {
  return Usd(
      units_internal::Round(std::floor(std::max(0.0, usd) * static_cast<double>(kNanosPerUsd))));
}
Usd RoundedUp(double usd) {
  return Usd(
      units_internal::Round(std::ceil(std::max(0.0, usd) * static_cast<double>(kNanosPerUsd))));
}

// Best-first branch and bound over the nodes of pools that are paid for as a whole.
class WholeNodes {
 public:
  WholeNodes(const BoundProblem& problem, BoundProgramme& programme)
      : problem_(problem), programme_(programme) {}

  struct Outcome {
    double bound = 0;
    Solution best;
  };
  absl::StatusOr<Outcome> Search(Solution root) {
    Consider(root);
    double proven = root.bound;
    open_.push({proven, made_++, programme_.FullRanges(), std::move(root.used)});
    for (int branches = 0; !open_.empty() && branches < kMostBranches; ++branches) {
      const Node node = open_.top();
      proven = node.bound;
      const std::optional<std::size_t> pool = MostDivided(node.used);
      if (!pool || best_->cost - proven <= 1e-9 * best_->cost) break;
      open_.pop();
      const double used = std::floor(node.used[*pool]);
      if (auto status = Branch(node, *pool, {node.ranges[*pool].low, used}); !status.ok())
        return status;
      if (auto status = Branch(node, *pool, {used + 1, node.ranges[*pool].high}); !status.ok())
        return status;
    }
    // Whatever was left out or is still open costs as much as the best that was found, or `proven`.
    return Outcome{open_.empty() ? best_->cost : std::min(proven, best_->cost), *best_};
  }

 private:
  struct Node {
    double bound = 0;
    int number = 0;
    std::vector<BoundRange> ranges;
    std::vector<double> used;
    // The queue gives the lowest bound, and of equals the one that was made first.
    bool operator<(const Node& other) const {
      return bound != other.bound ? bound > other.bound : number > other.number;
    }
  };

  std::optional<std::size_t> MostDivided(const std::vector<double>& used) const {
    std::optional<std::size_t> most;
    double distance = kWhole;
    for (std::size_t p = 0; p < problem_.pools.size(); ++p) {
      const double off = std::abs(used[p] - std::round(used[p]));
      if (!problem_.pools[p].whole || off <= distance) continue;
      distance = off;
      most = p;
    }
    return most;
  }

  // Rounded up, a solution is feasible: more nodes of the same assignment.
  void Consider(const Solution& solution) {
    Solution whole = solution;
    for (std::size_t p = 0; p < problem_.pools.size(); ++p) {
      if (!problem_.pools[p].whole) continue;
      whole.used[p] = std::ceil(solution.used[p] - kWhole);
      whole.cost += programme_.UnitUsd(p) * (whole.used[p] - solution.used[p]);
    }
    if (!best_ || whole.cost < best_->cost) best_ = std::move(whole);
  }

  absl::Status Branch(const Node& from, std::size_t pool, BoundRange range) {
    if (range.low > range.high) return absl::OkStatus();
    std::vector<BoundRange> ranges = from.ranges;
    ranges[pool] = range;
    auto solution = programme_.Solve(ranges);
    if (!solution.ok()) return solution.status();
    if (!*solution) return absl::OkStatus();
    Consider(**solution);
    // A part of a problem costs at least as much as the whole of it.
    const double bound = std::max(from.bound, (*solution)->bound);
    if (bound < best_->cost)
      open_.push({bound, made_++, std::move(ranges), std::move((*solution)->used)});
    return absl::OkStatus();
  }

  const BoundProblem& problem_;
  BoundProgramme& programme_;
  std::priority_queue<Node> open_;
  int made_ = 0;
  std::optional<Solution> best_;
};

}  // namespace

absl::StatusOr<BoundAnswer> LowerBound(const BoundProblem& problem) {
  if (auto status = Check(problem); !status.ok()) return status;
  BoundProgramme programme(problem);
  auto root = programme.Solve(programme.FullRanges());
  if (!root.ok()) return root.status();
  if (!*root)
    return absl::FailedPreconditionError("the pools' node-hours do not suffice for the work");

  BoundAnswer answer;
  for (std::size_t p = 0; p < problem.pools.size(); ++p) {
    const double usd = (*root)->shadow[p] / programme.UnitHours(p);
    answer.shadow_price.push_back(UsdPerHour(RoundedDown(usd).value()));
  }
  WholeNodes::Outcome found{(*root)->bound, **root};
  if (std::any_of(problem.pools.begin(), problem.pools.end(),
                  [](const auto& pool) { return pool.whole; })) {
    auto searched = WholeNodes(problem, programme).Search(std::move(**root));
    if (!searched.ok()) return searched.status();
    found = *std::move(searched);
  }
  for (std::size_t p = 0; p < problem.pools.size(); ++p)
    answer.node_hours.push_back(found.best.used[p] * programme.UnitHours(p));
  answer.share = std::move(found.best.share);
  answer.lower_bound = problem.committed_bill + RoundedDown(found.bound);
  answer.cost = problem.committed_bill + RoundedUp(found.best.cost);
  return answer;
}

}  // namespace spillway
