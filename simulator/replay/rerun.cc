#include "simulator/replay/rerun.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "core/status.h"
#include "formats/units.h"
#include "simulator/cell.h"
#include "simulator/figures.h"

namespace spillway {
namespace {

constexpr char kRecordedConfig[] = "recorded config";
constexpr char kChanged[] = "changed";
constexpr char kWorkload[] = "recorded";

std::map<std::string, double> SharesOf(const CellOutcome& cell) {
  std::map<std::string, double> shares;
  std::int64_t done = 0;
  for (const PoolOutcome& pool : cell.pools) done += pool.requests + pool.jobs;
  for (const PoolOutcome& pool : cell.pools) {
    if (pool.name.empty() || done == 0) continue;
    shares[pool.name] += static_cast<double>(pool.requests + pool.jobs) / static_cast<double>(done);
  }
  return shares;
}

// --- The rows ------------------------------------------------------------------------------------

std::optional<MeanOf> Saving(Usd cost, Usd against) {
  const auto saving = SavingOf(cost, against);
  return saving ? std::make_optional(MeanOf{*saving, 0}) : std::nullopt;
}

RowOutcome RowOf(const CellOutcome& cell, const CellOutcome& baseline) {
  RowOutcome row{.fleet = cell.fleet, .policy = cell.policy, .workload = cell.workload};
  row.is_baseline = &cell == &baseline;
  row.seeds = 1;
  row.cost.mean = Dollars(cell.cost);
  row.cost_paid_for.mean = Dollars(cell.cost_paid_for);
  row.attainment.mean = cell.slo_attainment();
  row.ttft_p50.mean = cell.ttft.p50;
  row.ttft_p90.mean = cell.ttft.p90;
  row.ttft_p99.mean = cell.ttft.p99;
  row.tpot_p50.mean = cell.tpot.p50;
  row.tpot_p90.mean = cell.tpot.p90;
  row.tpot_p99.mean = cell.tpot.p99;
  row.nvidia_share.mean = cell.nvidia_share;
  row.energy.mean = static_cast<double>(cell.energy.value()) * 1e-6;
  row.carbon.mean = static_cast<double>(cell.carbon.value()) * 1e-6;
  row.saving = Saving(cell.cost, baseline.cost);
  row.saving_paid_for = Saving(cell.cost_paid_for, baseline.cost_paid_for);
  row.label = cell.label;
  return row;
}

// --- Words ---------------------------------------------------------------------------------------

std::string WhatChanged(const ReplayChange& change) {
  std::vector<std::string> parts;
  if (change.policy) parts.push_back(absl::StrCat("the policy ", change.policy->name));
  if (change.fleet) parts.push_back(absl::StrCat("the fleet of ", change.fleet_file));
  if (change.prices) parts.push_back(absl::StrCat("the prices of ", change.prices_file));
  return absl::StrJoin(parts, " and ");
}

std::string BackTestWords(const BackTest& test) {
  return absl::StrFormat(
      "the bill was recorded as %.6f USD and is simulated as %.6f USD, which is %.1f %% off",
      test.cost.recorded, test.cost.simulated, 100 * test.cost.error());
}

std::string Summary(const Rerun& rerun, const ReplayChange& change, absl::Duration span) {
  const CellOutcome& base = rerun.outcome.cells.front();
  const double error = rerun.back_test.cost.error();
  if (!change.any()) {
    return absl::StrCat("The recorded ", Format(absl::Trunc(span, absl::Seconds(1))),
                        ", run again as it was: ", BackTestWords(rerun.back_test), ".");
  }
  const CellOutcome& other = rerun.outcome.cells.back();
  const std::string recorded = absl::StrCat("Under ", WhatChanged(change), " the recorded ",
                                            Format(absl::Trunc(span, absl::Seconds(1))));
  // Work that is not done costs nothing: such a bill saves nothing either.
  const std::int64_t undone = other.submitted - other.completed;
  if (undone > base.submitted - base.completed + other.submitted / 100) {
    return absl::StrCat(
        recorded, " would have left ", CountFigure(undone), " of ", CountFigure(other.submitted),
        " pieces of work undone (", CountFigure(base.submitted - base.completed),
        " under the recorded configuration), so its bill of ",
        absl::StrFormat("%.6f", Dollars(other.cost)),
        " USD is nothing to compare with. Error by the back-test: ", BackTestWords(rerun.back_test),
        ".");
  }
  std::string verdict = absl::StrCat(
      recorded,
      absl::StrFormat(" would have cost %.6f USD (± %.1f %%)", Dollars(other.cost), 100 * error));
  if (const auto saving = SavingOf(other.cost, base.cost)) {
    absl::StrAppend(&verdict, ", ", PercentFigure(std::abs(*saving)),
                    *saving >= 0 ? " less" : " more", " than under the recorded configuration");
    if (std::abs(*saving) <= error) absl::StrAppend(&verdict, ", which is no more than the error");
  } else {
    absl::StrAppend(&verdict, ", and nothing under the recorded configuration");
  }
  absl::StrAppend(&verdict,
                  absl::StrFormat(", with %.2f %% of the work in time against %.2f %%",
                                  100 * other.slo_attainment(), 100 * base.slo_attainment()));
  return absl::StrCat(verdict, ". Error by the back-test: ", BackTestWords(rerun.back_test), ".");
}

// --- The runs ------------------------------------------------------------------------------------

ScenarioSpec ScenarioFor(const RecordedPast& past) {
  ScenarioSpec scenario;
  scenario.name = "replay";
  scenario.says = "What came to a live controller, run again.";
  scenario.start = past.start;
  scenario.objective.attainment = 0.99;
  scenario.accounting = {Accounting::kRented, Accounting::kPaidFor};
  return scenario;
}

absl::StatusOr<CellOutcome> RunConfig(const RecordedPast& past, const Config& config,
                                      const ScenarioSpec& scenario, const std::string& name,
                                      const std::function<bool()>& cancelled) {
  auto modelled = std::make_shared<Config>(config);
  modelled->fleet = TakeAsModelled(std::move(modelled->fleet));
  const auto arrivals = Replayed(past.work);
  auto cell = RunCell({.config = modelled,
                       .scenario = &scenario,
                       .arrivals = arrivals.get(),
                       .cancelled = cancelled});
  if (!cell.ok()) return Annotate(cell.status(), name);
  cell->fleet = name;
  cell->policy = config.policy.name;
  cell->workload = kWorkload;
  return cell;
}

void Describe(const Config& config, const std::string& name, const std::string& file,
              ScenarioSpec& scenario) {
  scenario.fleets.push_back(
      {.name = name, .file = file, .spec = config.fleet, .tenants = config.tenants, .size = {}});
  const auto& policies = scenario.policies;
  const bool known = std::any_of(policies.begin(), policies.end(), [&](const auto& policy) {
    return policy.name == config.policy.name;
  });
  if (!known)
    scenario.policies.push_back({.name = config.policy.name, .file = "", .spec = config.policy});
  scenario.pairs.emplace_back(name, config.policy.name);
}

}  // namespace

double Measured::error() const { return known() ? std::abs(simulated / recorded - 1) : 0; }

double BackTest::worst_share_gap() const {
  double worst = 0;
  for (const PoolShare& share : shares)
    worst = std::max(worst, std::abs(share.simulated - share.recorded));
  return worst;
}

BackTest BackTestOf(const CellOutcome& recorded, const CellOutcome& simulated) {
  BackTest test;
  test.cost = {Dollars(recorded.cost), Dollars(simulated.cost)};
  test.ttft_mean = {recorded.ttft.mean, simulated.ttft.mean};
  test.ttft_p99 = {recorded.ttft.p99, simulated.ttft.p99};
  test.latency_mean = {recorded.e2e.mean, simulated.e2e.mean};
  test.latency_p99 = {recorded.e2e.p99, simulated.e2e.p99};
  test.turnaround_mean = {recorded.job_turnaround.mean, simulated.job_turnaround.mean};
  test.attainment = {recorded.slo_attainment(), simulated.slo_attainment()};
  std::map<std::string, PoolShare> shares;
  for (const auto& [pool, share] : SharesOf(recorded)) shares[pool].recorded = share;
  for (const auto& [pool, share] : SharesOf(simulated)) shares[pool].simulated = share;
  for (auto& [pool, share] : shares) {
    share.pool = pool;
    test.shares.push_back(std::move(share));
  }
  return test;
}

Config ChangedConfig(const Config& recorded, const ReplayChange& change, absl::Time start,
                     std::vector<std::string>& notes) {
  Config config = recorded;
  if (change.policy) config.policy = *change.policy;
  if (change.fleet) {
    config.fleet = change.fleet->fleet;
    config.prices = change.fleet->prices;
    config.catalog = change.fleet->catalog;
  }
  if (change.prices) config.prices = *change.prices;
  std::vector<PriceChange>& prices = config.prices.prices;
  for (const PoolSpec& pool : config.fleet.pools) {
    const auto first = std::find_if(prices.begin(), prices.end(),
                                    [&](const auto& price) { return price.pool == pool.name; });
    const bool later = first != prices.end() && first->from > start;
    if (!later || !change.prices) continue;
    notes.push_back(absl::StrCat("the first price of ", pool.name, " is dated ",
                                 Format(first->from), ", after the record begins: it is taken to ",
                                 "hold from the beginning"));
    first->from = start;
  }
  return config;
}

absl::StatusOr<Rerun> RunAgain(const RecordedPast& past, const ReplayChange& change,
                               const std::function<bool()>& cancelled) {
  Rerun rerun;
  rerun.notes = past.notes;
  rerun.scenario = ScenarioFor(past);
  rerun.scenario.workloads.push_back({.name = kWorkload, .parts = {}});
  Describe(*past.config, kRecordedConfig, "", rerun.scenario);
  SPILLWAY_ASSIGN_OR_RETURN(
      CellOutcome base, RunConfig(past, *past.config, rerun.scenario, kRecordedConfig, cancelled));
  rerun.back_test = BackTestOf(past.outcome, base);
  rerun.outcome.scenario = rerun.scenario.name;
  rerun.outcome.says = rerun.scenario.says;
  rerun.outcome.cells.push_back(std::move(base));
  if (change.any()) {
    const Config config = ChangedConfig(*past.config, change, past.start, rerun.notes);
    Describe(config, kChanged, change.fleet_file, rerun.scenario);
    SPILLWAY_ASSIGN_OR_RETURN(CellOutcome other,
                              RunConfig(past, config, rerun.scenario, kChanged, cancelled));
    rerun.outcome.cells.push_back(std::move(other));
  }
  rerun.scenario.baseline = rerun.scenario.pairs.front();
  for (const CellOutcome& cell : rerun.outcome.cells)
    rerun.outcome.rows.push_back(RowOf(cell, rerun.outcome.cells.front()));
  rerun.outcome.verdict = Summary(rerun, change, past.end - past.start);
  return rerun;
}

}  // namespace spillway
