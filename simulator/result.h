#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/units.h"

// What came of an experiment, as results.json, results.csv and the report tell it. Nothing here
// depends on how fast the machine was that simulated it.
namespace spillway {

struct LatencySummary {  // seconds
  double p50 = 0, p90 = 0, p99 = 0, mean = 0;
  std::int64_t count = 0;
};

// How a cell coped with its load. Backlogged: it kept up, but some pool was more than 0.9 utilised.
// Overloaded: work piled up faster than it was done, so its percentiles say little.
enum class LoadLabel : std::uint8_t { kStable, kBacklogged, kOverloaded };

struct PoolOutcome {
  std::string name, device, vendor, kind, billing;
  int nodes = 0, endpoints = 0;
  // Time mean of the fuller one of batch and KV cache over its engines; on pools without engines of
  // held devices (CPUs where there are none). 1: it could take no more.
  double utilization = 0;
  std::vector<double> strip;            // the same over time, in equal bins of `CellOutcome::bin`
  std::int64_t requests = 0, jobs = 0;  // completed there
  std::int64_t prompt_tokens = 0, output_tokens = 0;
  Usd work_cost{}, idle_cost{}, overhead_cost{};  // allocated; they sum to the bill
  Usd bill() const { return work_cost + idle_cost + overhead_cost; }
  Usd baseline_cost{}, compared_cost{};  // of work with a baseline: what NVIDIA would have cost
  Joules energy{};                       // at the meter, PUE counted
  GramsCo2e carbon{};
};

struct SpillCount {
  std::string from, code;  // the first pool in claim order, and why it was not chosen
  std::int64_t count = 0;
};

// One run: a fleet under a policy with a workload and a seed.
struct CellOutcome {
  std::string fleet, policy, workload;
  int seed = 0;
  absl::Duration
      span{};            // that is billed: until the last work is over, at least the workload's own
  absl::Duration bin{};  // of the strips

  std::int64_t submitted = 0, completed = 0, refused = 0, failed = 0, unfinished = 0;
  std::int64_t judged = 0, met = 0;  // after warm-up: pieces of work, and those in time
  double slo_attainment() const {
    return judged == 0 ? 1 : static_cast<double>(met) / static_cast<double>(judged);
  }

  Usd cost{};           // the whole bill, every node rented, idle included
  Usd cost_paid_for{};  // the same with the bill of `committed` pools taken as paid already
  std::optional<Usd> lower_bound, lower_bound_slo;
  double nvidia_share = 0;       // of completed work, by count
  double nvidia_cost_share = 0;  // of the bill
  Joules energy{};
  GramsCo2e carbon{};
  LatencySummary ttft, tpot, e2e;  // of requests that were answered
  LatencySummary job_wait, job_turnaround;
  std::vector<std::pair<double, double>> ttft_cdf;  // (seconds, fraction), rising, at most 101
  std::vector<PoolOutcome> pools;
  std::vector<SpillCount> spills;  // most first, at most 20
  LoadLabel label = LoadLabel::kStable;
  std::vector<std::string> flags;  // "pool xeon: utilization 0.94", in words
  std::uint64_t events = 0, decisions = 0;
};

// Over the seeds of one (fleet, policy, workload): mean and half the width of the 95 % confidence
// interval (Student); 0 where there is one seed only.
struct MeanOf {
  double mean = 0, half = 0;
};
struct RowOutcome {
  std::string fleet, policy, workload;
  bool is_baseline = false;
  int seeds = 0;
  MeanOf cost, cost_paid_for, attainment, ttft_p50, ttft_p90, ttft_p99, tpot_p50, tpot_p90,
      tpot_p99;
  MeanOf nvidia_share, energy, carbon;
  MeanOf saving, saving_paid_for;        // 1 - cost / baseline's, seed by seed; fractions
  MeanOf over_bound;                     // cost / lower bound
  LoadLabel label = LoadLabel::kStable;  // the worst
};

struct SizedFleet {
  std::string fleet, workload, policy;
  int nodes = 0;
  bool reached = false;  // else `nodes` is the most that were tried
};

struct ExperimentOutcome {
  std::string scenario, says;
  std::vector<CellOutcome> cells;  // in order: workload, pair, seed
  std::vector<RowOutcome> rows;    // in the same order
  std::vector<SizedFleet> sized;
  std::string verdict;  // one sentence
};

}  // namespace spillway
