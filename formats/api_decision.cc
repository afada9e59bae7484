#include "absl/strings/str_cat.h"
#include "core/explain.h"
#include "formats/api_json.h"

namespace spillway {
namespace {

// Null where no end can be told.
void WriteSeconds(JsonWriter& w, const std::optional<absl::Duration>& span) {
  if (span && *span != absl::InfiniteDuration()) {
    w.Value(absl::ToDoubleSeconds(*span));
  } else {
    w.Null();
  }
}

void WriteQuantiles(JsonWriter& w, const Quantiles& spans) {
  w.BeginObject().Key("p50");
  WriteSeconds(w, spans.p50);
  w.Key("p90");
  WriteSeconds(w, spans.p90);
  w.EndObject();
}

void WriteEstimate(JsonWriter& w, const Estimate& estimate) {
  w.BeginObject().Key("wait_s");
  WriteQuantiles(w, estimate.wait);
  w.Key("duration_s");
  WriteQuantiles(w, estimate.duration);
  w.Key("ttft_s");
  WriteSeconds(w, estimate.ttft);
  w.Key("tpot_s");
  WriteSeconds(w, estimate.tpot);
  w.Key("cost_usd");
  WriteApiMoney(w, estimate.cost);
  w.Key("marginal_cost_usd");
  WriteApiMoney(w, estimate.marginal_cost);
  w.Key("energy_joules");
  WriteApiMicros(w, estimate.energy.value());
  w.Key("carbon_grams");
  WriteApiMicros(w, estimate.carbon.value());
  w.Member("basis", NameOf(estimate.basis)).EndObject();
}

void WriteCandidate(JsonWriter& w, const Candidate& candidate, const Work& work,
                    const PoolSpec& pool) {
  w.BeginObject().Member("pool", pool.name);
  w.Member("verdict", NameOf(candidate.verdict));
  w.Member("code", NameOf(candidate.code())).Key("codes").BeginArray();
  w.Value(NameOf(candidate.code()));
  candidate.codes.ForEach([&](Code code) {
    if (code != candidate.code()) w.Value(NameOf(code));
  });
  w.EndArray().Member("why", Explain(candidate, work, pool));
  if (candidate.has_estimate) {
    w.Key("estimate");
    WriteEstimate(w, candidate.estimate);
  }
  if (candidate.alternative >= 0) w.Member("alternative", candidate.alternative);
  if (pool.modelled) w.Member("modelled", true);
  w.EndObject();
}

void WriteBaseline(JsonWriter& w, const Baseline& baseline, PoolLookup pool_of) {
  w.BeginObject();
  const PoolSpec* pool = pool_of(baseline.pool);
  if (pool != nullptr) {
    w.Member("pool", pool->name);
  } else {
    w.NullMember("pool");
  }
  w.Key("cost_usd");
  if (baseline.cost) {
    WriteApiMoney(w, *baseline.cost);
  } else {
    w.Null().Member("code", NameOf(baseline.code));
  }
  w.EndObject();
}

}  // namespace

void WriteCandidates(JsonWriter& w, const Decision& decision, const Work& work,
                     PoolLookup pool_of) {
  w.BeginArray();
  for (const Candidate& candidate : decision.candidates) {
    if (const PoolSpec* pool = pool_of(candidate.pool)) WriteCandidate(w, candidate, work, *pool);
  }
  w.EndArray();
}

void WriteDecision(JsonWriter& w, const Decision& decision, const Work& work, PoolLookup pool_of) {
  w.BeginObject();
  WriteDecisionMembers(w, decision, work, pool_of);
  w.EndObject();
}

void WriteDecisionMembers(JsonWriter& w, const Decision& decision, const Work& work,
                          PoolLookup pool_of) {
  if (Number(decision.request) != 0) {
    w.Member("id", ToString(decision.request));
  } else if (Number(decision.id) != 0) {
    w.Member("id", ToString(decision.id));
  } else {
    w.NullMember("id");  // a dry run
  }
  if (Number(decision.work) != 0) {
    w.Member("work", ToString(decision.work));
  } else {
    w.NullMember("work");
  }
  // At most 128 bytes: longer ones do not come in.
  if (Number(decision.request) == 0 && !work.name.empty()) w.Member("name", work.name);
  w.Key("at");
  WriteApiTime(w, decision.at);
  w.Member("tenant", decision.tenant).Member("outcome", NameOf(decision.outcome));
  const PoolSpec* chosen = pool_of(decision.chosen);
  if (chosen != nullptr) {
    w.Member("chosen", chosen->name);
  } else {
    w.NullMember("chosen");
  }
  w.Member("policy", decision.policy).Member("policy_version", decision.policy_version);
  if (!decision.rule.empty()) w.Member("rule", decision.rule);
  w.Member("inputs_hash", absl::StrCat(absl::Hex(decision.inputs_hash, absl::kZeroPad16)));
  if (decision.outcome == Outcome::kWaiting && decision.spill_at != absl::InfiniteFuture()) {
    w.Key("spill_at");
    WriteApiTime(w, decision.spill_at);
  }
  w.Key("baseline");
  WriteBaseline(w, decision.baseline, pool_of);
  w.Key("candidates");
  WriteCandidates(w, decision, work, pool_of);
}

}  // namespace spillway
