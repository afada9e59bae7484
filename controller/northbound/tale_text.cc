#include <algorithm>

#include "controller/northbound/pulse_text.h"
#include "controller/northbound/views.h"
#include "core/explain.h"
#include "core/spill.h"
#include "formats/api_json.h"

// One line of the feed of decisions.
namespace spillway {
namespace {

void WritePoolName(JsonWriter& w, PoolId pool, const Snapshot& snapshot) {
  pool == kNoPool ? w.Null() : w.Value(snapshot.NameOf(pool));
}

void WriteMoneyOrNull(JsonWriter& w, std::string_view key, const std::optional<Usd>& money) {
  w.Key(key);
  if (money) {
    WriteApiMoney(w, *money);
  } else {
    w.Null();
  }
}

const Candidate* ChosenOf(const Decision& decision) {
  for (const Candidate& candidate : decision.candidates) {
    if (candidate.verdict == Verdict::kChosen) return &candidate;
  }
  return nullptr;
}

// The pool that a reader asks about first: the one that stood before the chosen one in the claim
// order and was not taken; where the first was chosen, the next one; where none was, the awaited
// one or the first refusal.
const Candidate* OtherOf(const Decision& decision, const Candidate* chosen) {
  const Candidate* before = nullptr;
  const Candidate* after = nullptr;
  const Candidate* any = nullptr;
  for (const Candidate& candidate : decision.candidates) {
    if (&candidate == chosen) continue;
    if (any == nullptr || candidate.verdict == Verdict::kAwaited) any = &candidate;
    if (chosen == nullptr || candidate.position < 0) continue;
    if (candidate.position < chosen->position) {
      if (before == nullptr || candidate.position < before->position) before = &candidate;
    } else if (after == nullptr || candidate.position < after->position) {
      after = &candidate;
    }
  }
  if (chosen == nullptr) return any;
  return before != nullptr ? before : after;
}

void WriteWhyNot(JsonWriter& w, const Candidate* other, const Work* work,
                 const Snapshot& snapshot) {
  if (other == nullptr) {
    w.NullMember("why_not");
    return;
  }
  const PoolStatus* pool = snapshot.Find(other->pool);
  w.Key("why_not").BeginObject().Key("pool");
  WritePoolName(w, other->pool, snapshot);
  w.Member("code", NameOf(other->code())).Key("why");
  if (pool != nullptr && work != nullptr) {
    w.Value(Explain(*other, *work, *pool->spec));
  } else {
    w.Null();
  }
  w.EndObject();
}

void WriteJobTale(JsonWriter& w, const Tale& tale, const Snapshot& snapshot) {
  const Decision& decision = *tale.decision;
  w.Member("id", ToString(decision.id)).Key("at");
  WriteApiTime(w, decision.at);
  w.Member("kind", "job").Key("work");
  decision.work == JobId{} ? w.Null() : w.Value(ToString(decision.work));
  w.Member("name", tale.work != nullptr ? tale.work->name : "").NullMember("model");
  w.Member("tenant", decision.tenant).Member("outcome", NameOf(decision.outcome)).Key("pool");
  WritePoolName(w, decision.chosen, snapshot);
  const Candidate* chosen = ChosenOf(decision);
  const Candidate* other = OtherOf(decision, chosen);
  const Candidate* said = chosen != nullptr ? chosen : other;
  w.Member("code", said != nullptr ? NameOf(said->code()) : "");
  std::optional<Usd> cost;
  if (chosen != nullptr && chosen->has_estimate && chosen->estimate.priced)
    cost = chosen->estimate.cost;
  WriteMoneyOrNull(w, "cost_usd", cost);
  WriteMoneyOrNull(w, "baseline_usd", decision.baseline.cost);
  w.Member("spilled", SpilledFrom(decision) != nullptr);
  WriteWhyNot(w, other, tale.work.get(), snapshot);
}

void WriteRequestTale(JsonWriter& w, const Request& request, const Snapshot& snapshot) {
  const bool served = !request.attempts.empty() && request.end != RequestEnd::kRefused &&
                      request.end != RequestEnd::kFailed;
  w.Member("id", ToString(request.id)).Key("at");
  WriteApiTime(w, request.ended);
  w.Member("kind", "request").Member("work", ToString(request.id)).Member("name", "");
  w.Member("model", request.features.model).Member("tenant", request.features.tenant);
  w.Member("outcome", served ? "placed" : "refused").Key("pool");
  WritePoolName(w, served ? request.endpoint().pool : kNoPool, snapshot);
  w.Member("code", served                               ? NameOf(Code::kChosen)
                   : request.end == RequestEnd::kFailed ? NameOf(request.end)
                                                        : NameOf(request.code));
  std::optional<Usd> cost;
  if (served && request.priced) cost = request.cost;
  WriteMoneyOrNull(w, "cost_usd", cost);
  WriteMoneyOrNull(w, "baseline_usd", request.baseline_cost);
  const bool spilled = request.spilled_from != kNoPool;
  w.Member("spilled", spilled && served);
  if (!spilled) {
    w.NullMember("why_not");
    return;
  }
  w.Key("why_not").BeginObject().Key("pool");
  WritePoolName(w, request.spilled_from, snapshot);
  w.Member("code", NameOf(request.spilled_code)).NullMember("why").EndObject();
}

}  // namespace

std::string_view TenantOf(const Tale& tale) {
  return tale.request != nullptr ? tale.request->features.tenant : tale.decision->tenant;
}

std::string TaleBody(const Tale& tale, const Snapshot& snapshot) {
  std::string body;
  JsonWriter w(body);
  w.BeginObject();
  if (tale.request != nullptr) {
    WriteRequestTale(w, *tale.request, snapshot);
  } else {
    WriteJobTale(w, tale, snapshot);
  }
  w.EndObject();
  return body;
}

}  // namespace spillway
