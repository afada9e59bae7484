#include "simulator/tally.h"

#include <algorithm>

#include "core/code.h"
#include "core/names.h"
#include "core/spill.h"

namespace spillway {

Tally::Tally(ScenarioObjective objective, const DefaultObjectives& defaults,
             absl::Time measured_from, std::size_t pools)
    : objective_(objective), defaults_(defaults), measured_from_(measured_from), pools_(pools) {}

RequestObjective Tally::WantedOf(const RequestFeatures& asked, const std::string& model) const {
  RequestObjective wanted{objective_.ttft, objective_.tpot};
  if (const auto own = defaults_.models.find(model); own != defaults_.models.end()) {
    if (!wanted.ttft) wanted.ttft = own->second.ttft;
    if (!wanted.tpot) wanted.tpot = own->second.tpot;
  }
  // What the client itself asked for only tightens.
  const auto limit = [](std::optional<absl::Duration> general, absl::Duration otherwise,
                        std::optional<absl::Duration> own) {
    const absl::Duration common = general.value_or(otherwise);
    return own ? std::min(*own, common) : common;
  };
  return {.ttft = limit(wanted.ttft, defaults_.request_ttft, asked.ttft),
          .tpot = limit(wanted.tpot, defaults_.request_tpot, asked.tpot)};
}

bool Tally::InTime(const Request& request) const {
  if (request.end != RequestEnd::kAnswered || !request.ttft) return false;
  const RequestObjective wanted = WantedOf(request.features, request.answered_by);
  return *request.ttft <= *wanted.ttft && (!request.tpot || *request.tpot <= *wanted.tpot);
}

void Tally::Judge(absl::Time arrived, bool met) {
  if (nothing_more_comes_ && !met) ++late_at_the_end_;
  if (arrived < measured_from_) return;
  ++judged_;
  if (met) ++met_;
}

bool Tally::Ended(const Request& request, PoolId pool) {
  switch (request.end) {
    case RequestEnd::kAnswered:
      ++completed_;
      break;
    case RequestEnd::kRefused:
      ++refused_;
      break;
    default:
      ++failed_;
  }
  const bool in_time = InTime(request);
  Judge(request.features.arrived, in_time);
  if (request.spilled_from != kNoPool) ++spills_[{request.spilled_from, request.spilled_code}];
  if (request.end != RequestEnd::kAnswered) return in_time;
  OfPool& there = pools_[Index(pool)];
  ++there.requests;
  there.prompt_tokens += request.prompt_tokens.value_or(0);
  there.output_tokens += request.output_tokens.value_or(0);
  if (request.features.arrived < measured_from_) return in_time;
  if (request.ttft) ttft_.Add(*request.ttft);
  if (request.tpot) tpot_.Add(*request.tpot);
  e2e_.Add(request.ended - request.features.arrived);
  return in_time;
}

void Tally::Ended(const Job& job) {
  const bool done = job.state == JobState::kSucceeded;
  // A job that never ran was refused: no pool may do it.
  ++(done ? completed_ : job.attempts.empty() ? refused_ : failed_);
  const Objective& objective = job.work->objective;
  bool met = done;
  if (objective.deadline) met = met && job.finished_at && *job.finished_at <= *objective.deadline;
  if (objective.start_within) {
    met = met && job.started_at && *job.started_at - job.created_at <= *objective.start_within;
  }
  Judge(job.created_at, met);
  if (objective.deadline && job.created_at >= measured_from_) {
    ++deadlines_;
    if (met) ++deadlines_met_;
  }
  if (job.finished_at) last_job_end_ = std::max(last_job_end_, *job.finished_at);
  if (!done) return;
  if (!job.attempts.empty()) ++pools_[Index(job.attempts.back().pool)].jobs;
  if (job.created_at < measured_from_) return;
  if (job.started_at) job_wait_.Add(*job.started_at - job.created_at);
  if (job.finished_at) job_turnaround_.Add(*job.finished_at - job.created_at);
}

void Tally::Decided(const Decision& decision) {
  if (const Candidate* from = SpilledFrom(decision)) ++spills_[{from->pool, from->code()}];
}

void Tally::Unfinished(absl::Time arrived) {
  ++unfinished_;
  Judge(arrived, false);
}

void Tally::WriteLedger(const FleetSpec& fleet, const std::vector<record::LedgerRow>& ledger,
                        CellOutcome& out) {
  for (const record::LedgerRow& row : ledger) {
    const PoolSpec& spec = fleet.pools[Index(row.pool)];
    PoolOutcome& pool = out.pools[Index(row.pool)];
    const bool paid_for = spec.billing == Billing::kCommitted;
    const Joules energy = Scale(row.energy, spec.power.pue);
    switch (row.category) {
      case record::Category::kWork:
        pool.work_cost += row.cost;
        break;
      case record::Category::kIdle:
        pool.idle_cost += row.cost;
        break;
      case record::Category::kOverhead:
        pool.overhead_cost += row.cost;
        break;
    }
    pool.baseline_cost += row.baseline_cost;
    pool.compared_cost += row.compared_cost;
    pool.energy += energy;
    pool.carbon += row.carbon;
    out.cost += row.cost;
    out.cost_paid_for += paid_for ? row.marginal_cost : row.cost;
    out.energy += energy;
    out.carbon += row.carbon;
  }
  // Each piece of work is rounded by itself: of a pool that never rested they may come to some
  // nano-dollars more than its bill. The bill stands; nothing can have been idle for less than
  // nothing.
  for (PoolOutcome& pool : out.pools) {
    pool.work_cost += std::min(pool.idle_cost, Usd(0));
    pool.idle_cost = std::max(pool.idle_cost, Usd(0));
  }
}

void Tally::Write(const FleetSpec& fleet, absl::Time start,
                  const std::vector<record::LedgerRow>& ledger, CellOutcome& out) const {
  out.submitted = submitted_;
  out.completed = completed_;
  out.refused = refused_;
  out.failed = failed_;
  out.unfinished = unfinished_;
  out.judged = judged_;
  out.met = met_;
  out.deadlines = deadlines_;
  out.deadlines_met = deadlines_met_;
  if (last_job_end_ > start) out.makespan = last_job_end_ - start;
  out.ttft = ttft_.Summary();
  out.tpot = tpot_.Summary();
  out.e2e = e2e_.Summary();
  out.job_wait = job_wait_.Summary();
  out.job_turnaround = job_turnaround_.Summary();
  out.ttft_cdf = ttft_.Cdf(100);
  for (std::size_t i = 0; i < pools_.size(); ++i) {
    const PoolSpec& spec = fleet.pools[i];
    PoolOutcome& pool = out.pools[i];
    pool.name = spec.name;
    pool.device = spec.device;
    pool.vendor = spec.vendor;
    pool.kind = NameOf(spec.kind);
    pool.billing = NameOf(spec.billing);
    pool.nodes = spec.nodes;
    pool.requests = pools_[i].requests;
    pool.jobs = pools_[i].jobs;
    pool.prompt_tokens = pools_[i].prompt_tokens;
    pool.output_tokens = pools_[i].output_tokens;
  }
  WriteLedger(fleet, ledger, out);
  std::int64_t done = 0, by_nvidia = 0;
  Usd nvidia_bill{};
  for (const PoolOutcome& pool : out.pools) {
    done += pool.requests + pool.jobs;
    if (pool.vendor != "nvidia") continue;
    by_nvidia += pool.requests + pool.jobs;
    nvidia_bill += pool.bill();
  }
  const auto share = [](auto part, auto whole) {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
  };
  out.nvidia_share = share(by_nvidia, done);
  out.nvidia_cost_share = share(nvidia_bill.value(), out.cost.value());
  for (const auto& [spill, count] : spills_) {
    out.spilled += count;
    out.spills.push_back(
        {fleet.pools[Index(spill.first)].name, std::string(NameOf(spill.second)), count});
  }
  std::stable_sort(out.spills.begin(), out.spills.end(),
                   [](const SpillCount& a, const SpillCount& b) { return a.count > b.count; });
  if (out.spills.size() > 20) out.spills.resize(20);
}

}  // namespace spillway
