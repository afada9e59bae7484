#include "simulator/experiment.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/status.h"
#include "simulator/cell.h"
#include "simulator/fleet_size.h"
#include "simulator/student.h"
#include "simulator/verdict.h"
#include "simulator/workloads/workload.h"

namespace spillway {
namespace {

struct CellPlan {
  std::size_t workload = 0;
  std::string fleet, policy;
  int seed = 0;
  std::shared_ptr<const Config> config;
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
  absl::Status RunCells();
  absl::StatusOr<CellOutcome> RunOne(const CellPlan& plan) const;
  void Told(int done);

  const PoolSpec* FirstPool() const {
    for (const ScenarioFleet& fleet : scenario_.fleets) {
      for (const PoolSpec& pool : fleet.spec.pools) {
        if (pool.site.kind == SiteKind::kCloud) return &pool;
      }
    }
    return nullptr;
  }
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
  std::mutex told_mutex_;
};

absl::Status Experiment::Load() {
  for (const WorkloadSpec& spec : scenario_.workloads) {
    auto workload = Workload::Load(spec);
    if (!workload.ok()) return Annotate(workload.status(), "workload " + spec.name);
    workloads_.push_back(*std::move(workload));
  }
  return absl::OkStatus();
}

absl::StatusOr<FleetSpec> Experiment::FleetFor(const ScenarioFleet& fleet,
                                               const ScenarioPolicy& policy, std::size_t workload) {
  if (!fleet.size) return TakeAsModelled(fleet.spec);
  const auto key = std::pair(fleet.name, workload);
  if (const auto known = sized_.find(key); known != sized_.end()) return known->second;
  SPILLWAY_ASSIGN_OR_RETURN(
      auto sized, SizeFleet(fleet, policy, scenario_.workloads[workload], workloads_[workload],
                            scenario_, catalog_, options_.cancelled));
  out_.sized.push_back(std::move(sized.second));
  // It stands where the other fleets of the scenario stand.
  if (const PoolSpec* beside = FirstPool()) {
    for (PoolSpec& pool : sized.first.pools) {
      pool.site = beside->site;
      pool.power.pue = beside->power.pue;
    }
  }
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

void Experiment::Told(int done) {
  if (!options_.on_progress) return;
  const std::lock_guard lock(told_mutex_);
  options_.on_progress(done, static_cast<int>(plans_.size()));
}

absl::Status Experiment::RunCells() {
  std::vector<absl::StatusOr<CellOutcome>> outcomes(plans_.size(), absl::CancelledError("not run"));
  std::atomic<std::size_t> next{0};
  std::atomic<int> done{0};
  std::atomic<bool> failed{false};
  const auto work = [&] {
    for (std::size_t i = next++; i < plans_.size() && !failed; i = next++) {
      outcomes[i] = RunOne(plans_[i]);
      if (!outcomes[i].ok()) failed = true;
      Told(++done);
    }
  };
  Told(0);
  std::vector<std::thread> threads;
  for (int i = 1; i < options_.jobs; ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  for (auto& outcome : outcomes) {
    // Cells that were not begun because another one failed say nothing of their own.
    if (!outcome.ok() && outcome.status().message() == "not run") continue;
    if (!outcome.ok()) return outcome.status();
    out_.cells.push_back(*std::move(outcome));
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
double Dollars(Usd usd) { return static_cast<double>(usd.value()) * 1e-9; }

MeanOf Saving(const std::vector<const CellOutcome*>& cells,
              const std::vector<const CellOutcome*>& baseline, Usd CellOutcome::*cost,
              Usd CellOutcome::*against) {
  std::vector<double> values;
  for (std::size_t i = 0; i < std::min(cells.size(), baseline.size()); ++i)
    values.push_back(1 - Ratio(cells[i]->*cost, baseline[i]->*against));
  return MeanWithInterval(values);
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
    const auto& of = groups[i];
    row.seeds = static_cast<int>(of.size());
    row.is_baseline = std::pair(row.fleet, row.policy) == baseline;
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
    row.energy =
        Over(of, [](const auto& c) { return static_cast<double>(c.energy.value()) * 1e-6; });
    row.carbon =
        Over(of, [](const auto& c) { return static_cast<double>(c.carbon.value()) * 1e-6; });
    for (const CellOutcome* cell : of) row.label = std::max(row.label, cell->label);
    if (of.front()->lower_bound) {
      row.over_bound = Over(of, [](const auto& c) { return Ratio(c.cost, *c.lower_bound); });
    }
    for (std::size_t b = 0; b < rows.size(); ++b) {
      if (rows[b].workload != row.workload || std::pair(rows[b].fleet, rows[b].policy) != baseline)
        continue;
      row.saving = Saving(of, groups[b], &CellOutcome::cost, &CellOutcome::cost);
      // What the baseline rents is not paid for: the same bill on its side, less what it owns.
      row.saving_paid_for =
          Saving(of, groups[b], &CellOutcome::cost_paid_for, &CellOutcome::cost_paid_for);
    }
  }
  return rows;
}

absl::StatusOr<ExperimentOutcome> Experiment::Run() {
  out_.scenario = scenario_.name;
  out_.says = scenario_.says;
  SPILLWAY_RETURN_IF_ERROR(Load());
  SPILLWAY_RETURN_IF_ERROR(Plan());
  SPILLWAY_RETURN_IF_ERROR(RunCells());
  out_.rows = RowsOf(out_.cells, scenario_.baseline);
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
