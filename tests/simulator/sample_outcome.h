#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "core/scenario.h"
#include "simulator/result.h"

namespace spillway {

// An experiment with round figures, for what is written of it: a mixed fleet of three pools under
// two policies against an NVIDIA-only one, three seeds each. No simulation stands behind it.
inline Usd SampleUsd(double dollars) {
  return Usd(static_cast<std::int64_t>(std::llround(dollars * 1e9)));
}

inline PoolOutcome SamplePool(std::string name, std::string device, std::string vendor,
                              std::string billing, int nodes, double bill, double load) {
  PoolOutcome pool;
  pool.name = std::move(name);
  pool.device = std::move(device);
  pool.vendor = std::move(vendor);
  pool.kind = pool.vendor == "intel" ? "cpu" : pool.vendor == "aws" ? "npu" : "gpu";
  pool.billing = std::move(billing);
  pool.nodes = pool.endpoints = nodes;
  pool.utilization = load;
  for (int i = 0; i < 120; ++i)
    pool.strip.push_back(std::clamp(load * (1 + 0.5 * std::sin(i / 9.0 + nodes)), 0.0, 1.0));
  pool.requests = 1000 * nodes;
  pool.work_cost = SampleUsd(bill * load);
  pool.idle_cost = SampleUsd(bill) - pool.work_cost;
  pool.energy = Joules(static_cast<std::int64_t>(bill * 1e12));
  pool.carbon = GramsCo2e(static_cast<std::int64_t>(bill * 9e7));
  return pool;
}

inline CellOutcome SampleCell(std::string fleet, std::string policy, int seed, double attainment,
                              double ttft, std::vector<PoolOutcome> pools) {
  CellOutcome cell;
  cell.fleet = std::move(fleet);
  cell.policy = std::move(policy);
  cell.workload = "conversation";
  cell.seed = seed;
  cell.span = absl::Seconds(2400);
  cell.bin = absl::Seconds(20);
  cell.submitted = cell.judged = 10'000;
  cell.met = static_cast<std::int64_t>(std::llround(attainment * 10'000));
  cell.completed = 9'990;
  cell.unfinished = 10;
  double nvidia = 0;
  for (const PoolOutcome& pool : pools) {
    cell.cost += pool.bill();
    if (pool.billing != "committed") cell.cost_paid_for += pool.bill();
    if (pool.vendor == "nvidia") nvidia += static_cast<double>(pool.bill().value());
    cell.energy += pool.energy;
    cell.carbon += pool.carbon;
  }
  cell.nvidia_cost_share = nvidia / static_cast<double>(cell.cost.value());
  cell.nvidia_share = cell.nvidia_cost_share * 0.8;
  cell.lower_bound = SampleUsd(static_cast<double>(cell.cost.value()) * 0.7e-9);
  cell.ttft = {
      .p50 = ttft, .p90 = ttft * 2.2, .p99 = ttft * 4.5, .mean = ttft * 1.2, .count = 9990};
  cell.tpot = {.p50 = 0.055, .p90 = 0.09, .p99 = 0.14, .mean = 0.06, .count = 9990};
  for (int i = 0; i <= 100; ++i) {
    const double part = i / 100.0;
    cell.ttft_cdf.emplace_back(ttft * std::exp(0.65 * (std::log((part + 0.005) / (1.005 - part)))),
                               part);
  }
  cell.pools = std::move(pools);
  for (const PoolOutcome& pool : cell.pools) {
    if (pool.utilization <= 0.9) continue;
    cell.flags.push_back("pool " + pool.name + ": utilization 0.93");
    cell.label = LoadLabel::kBacklogged;
  }
  return cell;
}

// `factor` scales the bill of the mixed fleet.
inline ExperimentOutcome SampleOutcome(double factor = 1) {
  ExperimentOutcome outcome;
  outcome.scenario = "backstop";
  outcome.says = "A mixed fleet against NVIDIA only on one recorded conversation load.";
  const auto nvidia = [](int nodes, double bill, double load) {
    return SamplePool("a10g", "nvidia-a10g-24g", "nvidia", "metered", nodes, bill, load);
  };
  const auto mixed = [&](double load) {
    return std::vector<PoolOutcome>{
        SamplePool("xeon", "xeon-spr-24vcpu", "intel", "committed", 12, 8.568 * factor, load),
        SamplePool("inferentia2", "inferentia2", "aws", "committed", 4, 2.022 * factor, 0.93),
        nvidia(3, 2.012 * factor, 0.31)};
  };
  for (int seed = 1; seed <= 3; ++seed) {
    const double wobble = 0.001 * seed;
    auto cell = SampleCell("mixed", "backstop", seed, 0.993 + wobble, 0.42, mixed(0.61));
    cell.spills = {{"inferentia2", "busy", 2410}, {"xeon", "too_late", 830}, {"xeon", "model", 95}};
    cell.regret = RegretOutcome{.placements = 200,
                                .examined = 200,
                                .avoidable = 30,
                                .saved = SampleUsd(0.12),
                                .pools = {{"xeon", 30, SampleUsd(0.12)}}};
    const double prompts[] = {0.875, 1, 0.999}, compute[] = {0.4, 0.55, 0.05};
    for (std::size_t p = 0; p < cell.pools.size(); ++p)
      cell.pools[p].coverage = {.models = 1, .prompts = prompts[p], .request_compute = compute[p]};
    outcome.cells.push_back(cell);
  }
  for (int seed = 1; seed <= 3; ++seed)
    outcome.cells.push_back(SampleCell("mixed", "least-cost", seed, 0.981, 0.51, mixed(0.58)));
  for (int seed = 1; seed <= 3; ++seed)
    outcome.cells.push_back(SampleCell("nvidia-a10g", "nvidia-only", seed, 0.998, 0.19,
                                       {nvidia(22 + seed, 15.4 + seed * 0.67, 0.55)}));
  for (std::size_t i = 0; i < outcome.cells.size(); i += 3) {
    const CellOutcome& cell = outcome.cells[i];
    RowOutcome row;
    row.fleet = cell.fleet;
    row.policy = cell.policy;
    row.workload = cell.workload;
    row.is_baseline = i == 6;
    row.seeds = 3;
    const double cost = static_cast<double>(outcome.cells[i + 1].cost.value()) * 1e-9;
    row.cost = {cost, row.is_baseline ? 0.9 : 0.0};
    row.cost_paid_for = {static_cast<double>(cell.cost_paid_for.value()) * 1e-9, row.cost.half};
    row.attainment = {outcome.cells[i + 1].slo_attainment(), 0.002};
    row.ttft_p50 = {cell.ttft.p50, 0.01};
    row.ttft_p90 = {cell.ttft.p90, 0.02};
    row.ttft_p99 = {cell.ttft.p99, 0.1};
    row.tpot_p50 = {cell.tpot.p50, 0};
    row.tpot_p90 = {cell.tpot.p90, 0};
    row.tpot_p99 = {cell.tpot.p99, 0};
    row.nvidia_share = {cell.nvidia_share, 0};
    row.energy = {static_cast<double>(cell.energy.value()) * 1e-6, 0};
    row.carbon = {static_cast<double>(cell.carbon.value()) * 1e-6, 0};
    row.over_bound = {1.43, 0};
    row.label = cell.label;
    outcome.rows.push_back(row);
  }
  for (RowOutcome& row : outcome.rows) {
    const double base = outcome.rows[2].cost.mean;
    row.saving = MeanOf{1 - row.cost.mean / base, row.is_baseline ? 0 : 0.034};
    row.saving_paid_for = MeanOf{1 - row.cost_paid_for.mean / base, row.is_baseline ? 0 : 0.012};
  }
  outcome.rows[0].avoidable = MeanOf{0.15, 0.01};
  SweepOutcome sweep{.name = "prompts",
                     .input = "prefill",
                     .of = "xeon-spr-24vcpu",
                     .fleet = "mixed",
                     .policy = "backstop",
                     .workload = "conversation"};
  for (const double by : {0.5, 1.0, 2.0}) {
    SweepPoint point{.factor = by, .row = outcome.rows[0]};
    point.row.cost.mean /= std::sqrt(by);
    point.row.attainment.mean = std::min(1.0, point.row.attainment.mean + 0.004 * (by - 1));
    sweep.points.push_back(point);
  }
  outcome.sweeps = {sweep};
  BreakEvenRow even{.workload = "short", .first_start = BreakEvenStart{150, 1}};
  even.nodes = {{.load = 0.4, .rate = 0.4, .first = 2, .second = 1},
                {.load = 0.8, .rate = 0.8, .first = std::nullopt, .second = 1}};
  even.prices = {{.list = "spot", .first = 0.229, .second = 1.006, .up_to = 0.4},
                 {.list = "list", .first = 1.071, .second = 1.006}};
  outcome.break_even = {{.name = "slices", .first = "slice", .second = "a10g", .rows = {even}}};
  outcome.sized = {{.fleet = "nvidia-a10g",
                    .workload = "conversation",
                    .policy = "nvidia-only",
                    .nodes = 24,
                    .price = {.node_hour = UsdPerHour(1'006'000'000),
                              .as_of = "2026-07-20",
                              .source = "g5.xlarge, on demand (a list)"},
                    .reached = true}};
  return outcome;
}

inline ScenarioSpec SampleScenario() {
  ScenarioSpec scenario;
  scenario.name = "backstop";
  scenario.path = "configs/scenarios/backstop.yaml";
  scenario.text = "name: backstop\nseeds: 3\n";
  scenario.seeds = 3;
  scenario.baseline = {"nvidia-a10g", "nvidia-only"};
  scenario.pairs = {{"mixed", "backstop"}, {"mixed", "least-cost"}, scenario.baseline};
  scenario.objective = {absl::Seconds(3), absl::Milliseconds(200), 0.99};
  scenario.warm_up = absl::Minutes(5);
  const auto pool = [](std::string name, std::string device, int nodes, Billing billing,
                       double usd) {
    PoolSpec spec;
    spec.name = std::move(name);
    spec.device = std::move(device);
    spec.nodes = nodes;
    spec.billing = billing;
    spec.price.node_hour = UsdPerHour(static_cast<std::int64_t>(std::llround(usd * 1e9)));
    spec.price.as_of = "2026-07-20";
    spec.price.source = "a list price, us-east-1, on demand";
    return spec;
  };
  ScenarioFleet mixed;
  mixed.name = "mixed";
  mixed.spec.pools = {pool("xeon", "xeon-spr-24vcpu", 12, Billing::kCommitted, 1.071),
                      pool("inferentia2", "inferentia2", 4, Billing::kCommitted, 0.758),
                      pool("a10g", "nvidia-a10g-24g", 3, Billing::kMetered, 1.006)};
  ScenarioFleet sized;
  sized.name = "nvidia-a10g";
  sized.size = FleetSize{.device = "nvidia-a10g-24g"};
  sized.size->node_hour = UsdPerHour(1'006'000'000);
  scenario.fleets = {mixed, sized};
  scenario.inputs = {
      {"backstop.yaml", "scenario", 1812, "2f1d3c4b5a697887"},
      {"../fleets/mixed.yaml", "fleet", 2411, "00aa11bb22cc33dd"},
      {"../traces/azure_llm_2023_conv.csv", "workload", 251'200, "0123456789abcdef"}};
  scenario.sources = {"azure_llm_2023_conv.csv: CC-BY-4.0, Azure/AzurePublicDataset @ b469a113"};
  return scenario;
}

}  // namespace spillway
