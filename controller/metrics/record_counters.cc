#include "controller/metrics/record_counters.h"

#include <utility>

#include "core/spill.h"

namespace spillway {
namespace {

constexpr std::size_t kEndsRemembered = 8192;
constexpr std::string_view kNone = "none";

void WriteSeries(FamilyWriter& w, const std::map<std::vector<std::string>, std::uint64_t>& series,
                 const std::vector<std::string_view>& names) {
  Labels labels(names.size());
  for (const auto& [words, count] : series) {
    for (std::size_t i = 0; i < names.size(); ++i) labels[i] = {names[i], words[i]};
    w.Value(static_cast<double>(count), labels);
  }
}

double Dollars(Usd money) { return static_cast<double>(money.value()) / kNanosPerUsd; }

}  // namespace

RecordCounters::RecordCounters(Caps caps)
    : caps_(caps),
      tenants_(caps.tenants),
      pools_(caps.pools),
      rules_(caps.rules),
      costs_(tenants_) {}

std::string RecordCounters::NameOfPool(PoolId id) const {
  return Index(id) < names_.size() ? names_[Index(id)] : std::string(kNone);
}

std::string RecordCounters::PoolLabel(PoolId id) { return std::string(pools_.Of(NameOfPool(id))); }

bool RecordCounters::FirstEnd(JobId id) {
  if (!ended_.insert(Number(id)).second) return false;
  ended_order_.push_back(Number(id));
  if (ended_order_.size() > kEndsRemembered) {
    ended_.erase(ended_order_.front());
    ended_order_.pop_front();
  }
  return true;
}

void RecordCounters::Count(const record::PoolRow& row) {
  if (Index(row.pool) >= names_.size()) names_.resize(Index(row.pool) + 1, std::string(kNone));
  names_[Index(row.pool)] = row.spec->name;
}

void RecordCounters::Count(const record::LedgerRow& row) { costs_.Add(row, PoolLabel(row.pool)); }

bool RecordCounters::Count(const record::JobRow& row) {
  const Job& job = row.job;
  if (!IsTerminal(job.state) || !FirstEnd(job.id)) return false;
  const PoolId pool = job.attempts.empty() ? kNoPool : job.attempts.back().pool;
  ++jobs_[{std::string(NameOf(job.work->kind)), PoolLabel(pool),
           std::string(tenants_.Of(job.work->tenant)), std::string(NameOf(job.state))}];
  return true;
}

void RecordCounters::Count(const record::DecisionRow& row) {
  const Decision& decision = *row.decision;
  const Candidate* answer = nullptr;  // the one that the outcome rests on
  for (const Candidate& candidate : decision.candidates) {
    const bool rests = decision.outcome == Outcome::kPlaced ? candidate.pool == decision.chosen
                       : decision.outcome == Outcome::kWaiting
                           ? candidate.verdict == Verdict::kAwaited
                           : true;
    if (rests) answer = &candidate;
    if (rests) break;
  }
  const std::string rule(decision.rule.empty() ? kNone : rules_.Of(decision.rule));
  const std::string code(answer != nullptr ? NameOf(answer->code()) : kNone);
  ++decisions_[{rule, PoolLabel(decision.chosen), code}];
  if (decision.outcome == Outcome::kRefused && Number(decision.work) == 0) {
    ++jobs_[{"job", std::string(kNone), std::string(tenants_.Of(decision.tenant)), "refused"}];
  }
  CountSpill(decision);
  CountRefusals(decision);
}

void RecordCounters::CountSpill(const Decision& decision) {
  const Candidate* from = SpilledFrom(decision);
  if (from == nullptr) return;
  std::vector<std::string> pair = {PoolLabel(from->pool), PoolLabel(decision.chosen)};
  if (spills_.size() >= caps_.spills && !spills_.contains(pair)) {
    ++dropped_spills_;
    pair = {"other", "other"};
  }
  ++spills_[std::move(pair)];
}

void RecordCounters::CountRefusals(const Decision& decision) {
  for (const Candidate& candidate : decision.candidates) {
    if (candidate.verdict != Verdict::kRefused) continue;
    ++refusals_[std::uint64_t{Index(candidate.pool)} << 8 |
                static_cast<std::uint64_t>(candidate.code())];
  }
}

void RecordCounters::Write(FamilyWriter& w) const {
  w.Counter("spillway_jobs_total",
            "Jobs that ended, and submissions that no pool could ever do, since this start.");
  WriteSeries(w, jobs_, {"kind", "pool", "tenant", "outcome"});
  w.Counter("spillway_decisions_total", "Decisions, by the pool that was chosen and why.");
  WriteSeries(w, decisions_, {"rule", "pool", "code"});
  w.Counter("spillway_spillover_total",
            "Placements that a pool before in the claim order could not take in time.");
  WriteSeries(w, spills_, {"from", "to"});

  std::map<std::vector<std::string>, std::uint64_t> refusals;
  for (const auto& [key, count] : refusals_) {  // into a sorted map: the order is not seen
    const PoolId pool{static_cast<std::uint32_t>(key >> 8)};
    const std::string name = Index(pool) < caps_.pools ? NameOfPool(pool) : "other";
    refusals[{name, std::string(NameOf(static_cast<Code>(key & 0xff)))}] += count;
  }
  w.Counter("spillway_refusals_total", "Pools that decisions refused, by the first code.");
  WriteSeries(w, refusals, {"pool", "code"});

  w.Counter("spillway_cost_usd_total",
            "Allocated cost over all starts, idle time as a category of its own; the ledger has it "
            "exactly.");
  for (const auto& [key, money] : costs_.money()) {
    const auto& [pool, tenant, category] = key;
    w.Value(Dollars(money.cost), {{"pool", pool},
                                  {"tenant", tenant.empty() ? kNone : std::string_view(tenant)},
                                  {"category", NameOf(category)}});
  }
  const auto by_tenant = [&](auto amount) {
    for (const auto& [key, money] : costs_.money()) {
      const auto& [pool, tenant, category] = key;
      if (category == record::Category::kWork)
        w.Value(Dollars(amount(money)), {{"pool", pool}, {"tenant", tenant}});
    }
  };
  w.Counter("spillway_compared_cost_usd_total",
            "Allocated cost of work that has a baseline: the other side of a saving.");
  by_tenant([](const CostProjection::Money& m) { return m.compared; });
  w.Counter("spillway_baseline_cost_usd_total", "What the same work would have cost there.");
  by_tenant([](const CostProjection::Money& m) { return m.baseline; });
  w.Counter("spillway_pool_energy_joules_total", "Energy at the nodes, estimated or metered.");
  for (const auto& [pool, matter] : costs_.matter())
    w.Value(static_cast<double>(matter.energy.value()) / kMicrosPerJoule, {{"pool", pool}});
  w.Counter("spillway_pool_carbon_grams_total", "CO2 equivalent of that energy, with PUE.");
  for (const auto& [pool, matter] : costs_.matter())
    w.Value(static_cast<double>(matter.carbon.value()) / kMicrosPerGram,
            {{"pool", pool}, {"scope", "2"}});
}

void RecordCounters::AddDropped(Dropped& dropped) const {
  dropped["tenant"] += tenants_.dropped();
  dropped["pool"] += pools_.dropped();
  dropped["rule"] += rules_.dropped();
  dropped["from,to"] += dropped_spills_;
}

}  // namespace spillway
