#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/pool.h"
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

// How much of a cell's work a pool could have taken by itself, whatever the load, beside what it
// did. Fractions; none where the cell had no such work.
struct PoolCoverage {
  std::optional<double> models;   // of the models that were asked for, that it serves
  std::optional<double> prompts;  // of the requests: held, and in time on an idle engine
  std::optional<double> classes;  // of the classes of jobs, that it may run
  std::optional<double> jobs;     // of the jobs
  // Of the compute that was completed: requests by tokens x parameters, jobs by the time that each
  // takes on the fastest able pool.
  std::optional<double> request_compute, job_compute;
};

// Placements on a pool of last resort, asked again at the end.
struct RegretOfPool {
  std::string pool;  // that was cheaper, and would have been in time
  std::int64_t count = 0;
  Usd saved{};
};
struct RegretOutcome {
  std::int64_t placements = 0;  // on the last resort
  std::int64_t examined = 0;    // of them; an even sample where there are very many
  std::int64_t avoidable = 0;   // of the examined
  // The sum over them of what each by itself would have saved, in the book that decisions compare.
  Usd saved{};
  std::vector<RegretOfPool> pools;  // by name
};

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
  PoolCoverage coverage;
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
  std::int64_t deadlines = 0, deadlines_met = 0;  // of `judged`: jobs that have one
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
  absl::Duration makespan{};  // from the start until the last job was over; 0: no job ended
  std::vector<std::pair<double, double>> ttft_cdf;  // (seconds, fraction), rising, at most 101
  std::vector<PoolOutcome> pools;
  std::vector<SpillCount> spills;  // most first, at most 20
  std::int64_t spilled = 0;        // all of them: placements of requests and jobs
  // Of the requests: for which some pool would be in time if it were idle, by the whole objective
  // and by each of its parts alone. 1 where there are no requests.
  double feasible = 1, feasible_ttft = 1, feasible_tpot = 1;
  std::optional<RegretOutcome> regret;  // none: every pool, or none, is of the last resort
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
  // 1 - cost / baseline's, seed by seed; fractions. None: the baseline costs nothing there, and
  // this does.
  std::optional<MeanOf> saving, saving_paid_for;
  MeanOf over_bound;                // cost / lower bound
  std::optional<MeanOf> avoidable;  // of the placements on the last resort; none: there are none
  LoadLabel label = LoadLabel::kStable;  // the worst
};

// One figure of the inputs varied on its own: what would have come out with it.
struct SweepPoint {
  double factor = 1;  // 1: the row as it is
  RowOutcome row;
};
struct SweepOutcome {
  std::string name, input, of;  // "prefill" of the device, "price" of the pool
  std::string fleet, policy, workload;
  std::vector<SweepPoint> points;  // rising
};

// How many of two devices a load takes, and up to which load the first one is the cheaper.
struct BreakEvenNodes {
  double load = 1;  // times the workload's own rate
  double rate = 0;  // arrivals a second
  // Devices, on as many nodes as it takes; of CPUs slices. None: no number that was tried meets the
  // objective, or none of the nodes tried holds the model.
  std::optional<int> first, second;
};
struct BreakEvenPrice {
  std::string list;
  double first = 0, second = 0;  // USD a device and hour
  // The largest of the loads tried up to which, and at all smaller ones too, the first is cheaper;
  // none: it is the dearer one already at the smallest.
  std::optional<double> up_to;  // arrivals a second
  bool throughout = false;      // at every load that was tried
};
// One node of a fleet from nothing to its first request.
struct BreakEvenStart {
  double seconds = 0;  // boot, and reading the model
  int devices = 1;     // that stand there meanwhile and are paid for
};
struct BreakEvenRow {
  std::string workload;
  // Where the scenario's world says how long nodes take to come up, and the model fits.
  std::optional<BreakEvenStart> first_start, second_start;
  std::vector<BreakEvenNodes> nodes;  // rising by load
  std::vector<BreakEvenPrice> prices;
};
struct BreakEvenOutcome {
  std::string name;
  std::string first, second;  // fleets
  std::vector<BreakEvenRow> rows;
};

struct SizedFleet {
  std::string fleet, workload, policy;
  int nodes = 0;
  int node_devices = 1;  // of one node
  Price price;           // of one node, and from where it is known
  bool reached = false;  // else `nodes` is the most that were tried
};

struct WorkloadVerdict {
  std::string workload, words;  // a sentence, with its full stop
};

struct ExperimentOutcome {
  std::string scenario, says;
  std::vector<CellOutcome> cells;  // in order: workload, pair, seed
  std::vector<RowOutcome> rows;    // in the same order
  std::vector<SizedFleet> sized;
  std::vector<SweepOutcome> sweeps;  // by sweep, workload, pair
  std::vector<BreakEvenOutcome> break_even;
  std::vector<std::string> notes;         // what a reader has to know: rows of traces passed over
  std::vector<WorkloadVerdict> verdicts;  // of those that have a baseline
  std::string verdict;  // one sentence: that of the only workload, or what they add up to
};

}  // namespace spillway
