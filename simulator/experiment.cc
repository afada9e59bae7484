#include "simulator/experiment.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/explain.h"
#include "core/status.h"
#include "simulator/break_even.h"
#include "simulator/cell.h"
#include "simulator/figures.h"
#include "simulator/fleet_size.h"
#include "simulator/look_back.h"
#include "simulator/parallel.h"
#include "simulator/student.h"
#include "simulator/sweep.h"
#include "simulator/verdict.h"
#include "simulator/workloads/workload.h"

namespace spillway {
namespace {

struct CellPlan {
  std::size_t workload = 0;
  std::string fleet, policy;
  int seed = 0;
  std::shared_ptr<const Config> config;
  int sweep = -1;     // of the scenario's; -1: a cell of its own
  double factor = 1;  // of the sweep
};

class Experiment {
 public:
  Experiment(const ScenarioSpec& scenario, const Catalog& catalog, const ExperimentOptions& options)
      : scenario_(scenario), catalog_(catalog), options_(options) {}

  absl::StatusOr<ExperimentOutcome> Run();

 private:
  absl::Status Load();
  absl::Status Plan();
  absl::StatusOr<FleetSpec> FleetFor(const ScenarioFleet& fleet, const ScenarioPolicy& policy,
                                     std::size_t workload);
  void PlanSweeps();
  absl::Status RunCells();
  absl::Status CheckFeasible() const;
  std::vector<SweepOutcome> SweepsOf(const std::vector<CellOutcome>& cells) const;
  absl::StatusOr<CellOutcome> RunOne(const CellPlan& plan) const;
  void Told(int more);

  const ScenarioFleet& Fleet(const std::string& name) const {
    return *std::find_if(scenario_.fleets.begin(), scenario_.fleets.end(),
                         [&](const auto& fleet) { return fleet.name == name; });
  }
  const ScenarioPolicy& Policy(const std::string& name) const {
    return *std::find_if(scenario_.policies.begin(), scenario_.policies.end(),
                         [&](const auto& policy) { return policy.name == name; });
  }

  const ScenarioSpec& scenario_;
  const Catalog& catalog_;
  const ExperimentOptions& options_;
  std::vector<Workload> workloads_;
  std::map<std::pair<std::string, std::size_t>, FleetSpec> sized_;  // by fleet and workload
  std::vector<CellPlan> plans_;
  ExperimentOutcome out_;
  std::vector<CellOutcome> swept_;  // in the order of their plans
  std::mutex told_mutex_;
  int done_ = 0, sizings_ = 0;
};

absl::Status Experiment::Load() {
  for (const WorkloadSpec& spec : scenario_.workloads) {
    auto workload = Workload::Load(spec);
    if (!workload.ok()) return Annotate(workload.status(), "workload " + spec.name);
    for (const PartReport& report : workload->reports()) {
      if (report.trace.bad == 0) continue;
      out_.notes.push_back(absl::StrCat(
          "workload ", spec.name, ": ", CountFigure(report.trace.bad), " bad rows of ", report.file,
          " were passed over, ", CountFigure(report.trace.rows), " read",
          report.trace.bad_rows.empty() ? "" : "; the first: " + report.trace.bad_rows.front()));
    }
    workloads_.push_back(*std::move(workload));
  }
  for (const ScenarioPolicy& policy : scenario_.policies) {
    if (policy.spec.cascades.empty()) continue;
    out_.notes.push_back(absl::StrCat("policy ", policy.name,
                                      ": its cascades are not simulated, since made-up answers "
                                      "cannot be judged: every request is "
                                      "answered by the model that it names"));
  }
  if (scenario_.drain > kLongestRun)
    return absl::InvalidArgumentError("`drain` is longer than ten years");
  return absl::OkStatus();
}

absl::StatusOr<FleetSpec> Experiment::FleetFor(const ScenarioFleet& fleet,
                                               const ScenarioPolicy& policy, std::size_t workload) {
  if (!fleet.size) return TakeAsModelled(fleet.spec);
  const auto key = std::pair(fleet.name, workload);
  if (const auto known = sized_.find(key); known != sized_.end()) return known->second;
  if (options_.on_sizing) options_.on_sizing(fleet.name, workloads_[workload].name());
  SPILLWAY_ASSIGN_OR_RETURN(
      auto sized, SizeFleet(fleet, policy, scenario_.workloads[workload], workloads_[workload],
                            scenario_, catalog_, options_.cancelled));
  out_.sized.push_back(std::move(sized.second));
  return sized_.emplace(key, std::move(sized.first)).first->second;
}

absl::Status Experiment::Plan() {
  for (std::size_t w = 0; w < workloads_.size(); ++w) {
    for (const auto& [fleet_name, policy_name] : scenario_.pairs) {
      const ScenarioFleet& fleet = Fleet(fleet_name);
      const ScenarioPolicy& policy = Policy(policy_name);
      auto config = std::make_shared<Config>();
      SPILLWAY_ASSIGN_OR_RETURN(config->fleet, FleetFor(fleet, policy, w));
      config->policy = policy.spec;
      config->tenants = fleet.tenants;
      config->catalog = catalog_;
      for (const PriceChange& price : scenario_.world.prices.prices) {
        for (const PoolSpec& pool : config->fleet.pools) {
          if (pool.name == price.pool) config->prices.prices.push_back(price);
        }
      }
      for (int seed = 0; seed < scenario_.seeds; ++seed)
        plans_.push_back({w, fleet_name, policy_name, seed, config});
    }
  }
  return absl::OkStatus();
}

// Beside the cells that stand already: the same with one figure varied.
void Experiment::PlanSweeps() {
  const std::vector<CellPlan> plain = plans_;
  for (std::size_t s = 0; s < scenario_.sweeps.size(); ++s) {
    const SweepSpec& sweep = scenario_.sweeps[s];
    for (const CellPlan& plan : plain) {
      const std::pair pair(plan.fleet, plan.policy);
      if (std::find(sweep.pairs.begin(), sweep.pairs.end(), pair) == sweep.pairs.end()) continue;
      if (plan.seed > 0) continue;
      for (const double factor : sweep.factors) {
        CellPlan varied = plan;
        varied.sweep = static_cast<int>(s);
        varied.factor = factor;
        varied.config =
            std::make_shared<const Config>(VariedBy(*plan.config, sweep.input, sweep.of, factor));
        for (varied.seed = 0; varied.seed < scenario_.seeds; ++varied.seed)
          plans_.push_back(varied);
      }
    }
  }
}

absl::StatusOr<CellOutcome> Experiment::RunOne(const CellPlan& plan) const {
  const auto seed = static_cast<std::uint64_t>(plan.seed);
  const auto arrivals = workloads_[plan.workload].Open(scenario_.start, seed);
  auto outcome = RunCell({.config = plan.config,
                          .scenario = &scenario_,
                          .seed = seed,
                          .arrivals = arrivals.get(),
                          .cancelled = options_.cancelled});
  const std::string& workload = workloads_[plan.workload].name();
  if (!outcome.ok()) {
    return Annotate(outcome.status(),
                    absl::StrCat(plan.fleet, " under ", plan.policy, ", workload ", workload));
  }
  outcome->fleet = plan.fleet;
  outcome->policy = plan.policy;
  outcome->workload = workload;
  outcome->seed = plan.seed;
  return outcome;
}

void Experiment::Told(int more) {
  if (!options_.on_progress) return;
  const std::lock_guard lock(told_mutex_);
  done_ += more;
  options_.on_progress(done_, static_cast<int>(plans_.size()) + sizings_);
}

absl::Status Experiment::RunCells() {
  std::vector<absl::StatusOr<CellOutcome>> outcomes(plans_.size(), absl::CancelledError("not run"));
  Told(0);
  ForEachIndex(plans_.size(), options_.jobs, [&](std::size_t i) {
    outcomes[i] = RunOne(plans_[i]);
    Told(1);
    return outcomes[i].ok();
  });
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    auto& outcome = outcomes[i];
    // Cells that were not begun because another one failed say nothing of their own.
    if (!outcome.ok() && outcome.status().message() == "not run") continue;
    if (!outcome.ok()) return outcome.status();
    (plans_[i].sweep < 0 ? out_.cells : swept_).push_back(*std::move(outcome));
  }
  return absl::OkStatus();
}

// --- Over the seeds ------------------------------------------------------------------------------

template <class Value>
MeanOf Over(const std::vector<const CellOutcome*>& cells, Value value) {
  std::vector<double> values;
  values.reserve(cells.size());
  for (const CellOutcome* cell : cells) values.push_back(value(*cell));
  return MeanWithInterval(values);
}

double Ratio(Usd part, Usd whole) {
  return whole.value() == 0
             ? 0
             : static_cast<double>(part.value()) / static_cast<double>(whole.value());
}

std::optional<MeanOf> Saving(const std::vector<const CellOutcome*>& cells,
                             const std::vector<const CellOutcome*>& baseline,
                             Usd CellOutcome::*cost) {
  std::vector<double> values;
  for (std::size_t i = 0; i < std::min(cells.size(), baseline.size()); ++i) {
    const auto saving = SavingOf(cells[i]->*cost, baseline[i]->*cost);
    if (!saving) return std::nullopt;
    values.push_back(*saving);
  }
  return MeanWithInterval(values);
}

// Of the placements on the last resort, by the seeds that have some.
std::optional<MeanOf> Avoidable(const std::vector<const CellOutcome*>& cells) {
  std::vector<double> values;
  for (const CellOutcome* cell : cells) {
    if (!cell->regret || cell->regret->examined == 0) continue;
    values.push_back(static_cast<double>(cell->regret->avoidable) /
                     static_cast<double>(cell->regret->examined));
  }
  if (values.empty()) return std::nullopt;
  return MeanWithInterval(values);
}

// All but the savings, of cells that differ in nothing but their seed.
void FillRow(const std::vector<const CellOutcome*>& of, RowOutcome& row) {
  row.seeds = static_cast<int>(of.size());
  row.cost = Over(of, [](const auto& c) { return Dollars(c.cost); });
  row.cost_paid_for = Over(of, [](const auto& c) { return Dollars(c.cost_paid_for); });
  row.attainment = Over(of, [](const auto& c) { return c.slo_attainment(); });
  row.ttft_p50 = Over(of, [](const auto& c) { return c.ttft.p50; });
  row.ttft_p90 = Over(of, [](const auto& c) { return c.ttft.p90; });
  row.ttft_p99 = Over(of, [](const auto& c) { return c.ttft.p99; });
  row.tpot_p50 = Over(of, [](const auto& c) { return c.tpot.p50; });
  row.tpot_p90 = Over(of, [](const auto& c) { return c.tpot.p90; });
  row.tpot_p99 = Over(of, [](const auto& c) { return c.tpot.p99; });
  row.nvidia_share = Over(of, [](const auto& c) { return c.nvidia_share; });
  row.energy = Over(of, [](const auto& c) { return static_cast<double>(c.energy.value()) * 1e-6; });
  row.carbon = Over(of, [](const auto& c) { return static_cast<double>(c.carbon.value()) * 1e-6; });
  for (const CellOutcome* cell : of) row.label = std::max(row.label, cell->label);
  if (of.front()->lower_bound)
    row.over_bound = Over(of, [](const auto& c) { return Ratio(c.cost, *c.lower_bound); });
  row.avoidable = Avoidable(of);
}

void FillSavings(const std::vector<const CellOutcome*>& of,
                 const std::vector<const CellOutcome*>& baseline, RowOutcome& row) {
  row.saving = Saving(of, baseline, &CellOutcome::cost);
  // What the baseline rents is not paid for: the same bill on its side, less what it owns.
  row.saving_paid_for = Saving(of, baseline, &CellOutcome::cost_paid_for);
}

std::vector<RowOutcome> RowsOf(const std::vector<CellOutcome>& cells,
                               const std::pair<std::string, std::string>& baseline) {
  std::vector<RowOutcome> rows;
  std::vector<std::vector<const CellOutcome*>> groups;
  for (const CellOutcome& cell : cells) {
    if (rows.empty() || rows.back().fleet != cell.fleet || rows.back().policy != cell.policy ||
        rows.back().workload != cell.workload) {
      rows.push_back({.fleet = cell.fleet, .policy = cell.policy, .workload = cell.workload});
      groups.emplace_back();
    }
    groups.back().push_back(&cell);
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    RowOutcome& row = rows[i];
    FillRow(groups[i], row);
    row.is_baseline = std::pair(row.fleet, row.policy) == baseline;
    for (std::size_t b = 0; b < rows.size(); ++b) {
      if (rows[b].workload == row.workload && std::pair(rows[b].fleet, rows[b].policy) == baseline)
        FillSavings(groups[i], groups[b], row);
    }
  }
  return rows;
}

// An objective that no fleet could keep even if it were idle says nothing about any of them.
absl::Status Experiment::CheckFeasible() const {
  for (const CellOutcome& cell : out_.cells) {
    if (cell.judged > 0) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("workload ", cell.workload, ", seed ", cell.seed, ": ",
                     cell.submitted == 0 ? "nothing comes"
                                         : "all of it comes during the warm-up, and none after",
                     ", so there is nothing to judge"));
  }
  const ScenarioObjective& objective = scenario_.objective;
  for (const Workload& workload : workloads_) {
    const CellOutcome* best = nullptr;
    for (const CellOutcome& cell : out_.cells) {
      if (cell.workload != workload.name()) continue;
      if (best == nullptr || cell.feasible > best->feasible) best = &cell;
    }
    if (best == nullptr || best->feasible >= objective.attainment) continue;
    const auto part = [&](const char* key, std::optional<absl::Duration> limit, double share) {
      return absl::StrCat("`", key, limit ? ": " + Describe(*limit) : " of the policy", "` by ",
                          PercentFigure(share));
    };
    return absl::InvalidArgumentError(absl::StrCat(
        "objective: no fleet can meet it for workload ", workload.name(), ": even on idle engines ",
        PercentFigure(best->feasible), " of the requests are in time, ",
        ObjectiveFigure(objective.attainment), " wanted; what binds is ",
        best->feasible_ttft <= best->feasible_tpot ? "the time to the first token"
                                                   : "the time between tokens",
        " (", part("ttft", objective.ttft, best->feasible_ttft), ", ",
        part("tpot", objective.tpot, best->feasible_tpot), " can be kept; ", best->fleet, " under ",
        best->policy, " comes nearest)"));
  }
  return absl::OkStatus();
}

std::vector<SweepOutcome> Experiment::SweepsOf(const std::vector<CellOutcome>& swept) const {
  std::vector<SweepOutcome> out;
  std::size_t at = 0;
  // The baseline varied in the same way, if it is; else, and for itself, as it is.
  const auto baseline_of = [&](const CellPlan& plan) {
    std::vector<const CellOutcome*> cells;
    const bool itself = std::pair(plan.fleet, plan.policy) == scenario_.baseline;
    std::size_t place = 0;
    for (const CellPlan& other : plans_) {
      if (other.sweep < 0 || itself) continue;
      const bool same = other.sweep == plan.sweep && other.factor == plan.factor &&
                        other.workload == plan.workload &&
                        std::pair(other.fleet, other.policy) == scenario_.baseline;
      if (same) cells.push_back(&swept[place]);
      ++place;
    }
    if (!cells.empty()) return cells;
    for (const RowOutcome& row : out_.rows) {
      if (row.is_baseline && row.workload == workloads_[plan.workload].name())
        cells = CellsOf(out_.cells, row);
    }
    return cells;
  };
  for (std::size_t i = 0; i < plans_.size(); i += static_cast<std::size_t>(scenario_.seeds)) {
    const CellPlan& plan = plans_[i];
    if (plan.sweep < 0) continue;
    const SweepSpec& spec = scenario_.sweeps[static_cast<std::size_t>(plan.sweep)];
    const std::string& workload = workloads_[plan.workload].name();
    std::vector<const CellOutcome*> of;
    of.reserve(static_cast<std::size_t>(scenario_.seeds));
    for (int seed = 0; seed < scenario_.seeds; ++seed) of.push_back(&swept[at++]);
    SweepPoint point{.factor = plan.factor,
                     .row = {.fleet = plan.fleet, .policy = plan.policy, .workload = workload}};
    FillRow(of, point.row);
    if (const auto baseline = baseline_of(plan); !baseline.empty())
      FillSavings(of, baseline, point.row);
    SweepOutcome sweep{.name = spec.name,
                       .input = std::string(NameOf(spec.input)),
                       .of = spec.of,
                       .fleet = plan.fleet,
                       .policy = plan.policy,
                       .workload = workload};
    const auto same = [&](const SweepOutcome& other) {
      return other.name == sweep.name && other.fleet == sweep.fleet &&
             other.policy == sweep.policy && other.workload == workload;
    };
    auto known = std::find_if(out.begin(), out.end(), same);
    if (known == out.end()) {
      for (const RowOutcome& row : out_.rows) {
        if (row.fleet == plan.fleet && row.policy == plan.policy && row.workload == workload)
          sweep.points.push_back({.factor = 1, .row = row});
      }
      known = out.insert(out.end(), std::move(sweep));
    }
    known->points.push_back(std::move(point));
  }
  for (SweepOutcome& sweep : out) {
    std::stable_sort(sweep.points.begin(), sweep.points.end(),
                     [](const auto& a, const auto& b) { return a.factor < b.factor; });
  }
  return out;
}

absl::StatusOr<ExperimentOutcome> Experiment::Run() {
  out_.scenario = scenario_.name;
  out_.says = scenario_.says;
  SPILLWAY_RETURN_IF_ERROR(Load());
  SPILLWAY_RETURN_IF_ERROR(Plan());
  PlanSweeps();
  for (const BreakEvenSpec& even : scenario_.break_even) sizings_ += SizingsOf(even);
  SPILLWAY_RETURN_IF_ERROR(RunCells());
  SPILLWAY_RETURN_IF_ERROR(CheckFeasible());
  out_.rows = RowsOf(out_.cells, scenario_.baseline);
  out_.sweeps = SweepsOf(swept_);
  for (const BreakEvenSpec& even : scenario_.break_even) {
    SPILLWAY_ASSIGN_OR_RETURN(auto found, FindBreakEven(even, scenario_, catalog_,
                                                        {.jobs = options_.jobs,
                                                         .on_sized = [this] { Told(1); },
                                                         .cancelled = options_.cancelled}));
    out_.break_even.push_back(std::move(found));
  }
  out_.verdicts = VerdictsOf(out_, scenario_);
  out_.verdict = VerdictSentence(out_, scenario_);
  return std::move(out_);
}

}  // namespace

absl::StatusOr<ExperimentOutcome> RunExperiment(const ScenarioSpec& scenario,
                                                const Catalog& catalog,
                                                const ExperimentOptions& options) {
  return Experiment(scenario, catalog, options).Run();
}

}  // namespace spillway
