#include "absl/strings/str_cat.h"
#include "formats/api_json.h"

namespace spillway {
namespace {

void WriteSpan(JsonWriter& w, std::string_view key, const std::optional<absl::Duration>& span) {
  w.Key(key);
  if (span) {
    w.Value(absl::ToDoubleSeconds(*span));
  } else {
    w.Null();
  }
}

void WriteCount(JsonWriter& w, std::string_view key, const std::optional<std::int64_t>& count) {
  w.Key(key);
  if (count) {
    w.Value(*count);
  } else {
    w.Null();
  }
}

void WriteEndpoint(JsonWriter& w, EndpointKey endpoint, PoolLookup pool_of) {
  const PoolSpec* pool = pool_of(endpoint.pool);
  if (pool == nullptr) {
    w.Null();
  } else {
    w.Value(absl::StrCat(pool->name, "/", endpoint.number));
  }
}

void WriteAttempts(JsonWriter& w, const Request& request, PoolLookup pool_of) {
  w.Key("attempts").BeginArray();
  for (const ForwardAttempt& attempt : request.attempts) {
    w.BeginObject().Key("endpoint");
    WriteEndpoint(w, attempt.endpoint, pool_of);
    w.Member("fault", NameOf(attempt.fault));
    w.Member("lost_s", absl::ToDoubleSeconds(attempt.held)).Key("lost_cost_usd");
    WriteApiMoney(w, attempt.cost);
    w.EndObject();
  }
  w.EndArray();
}

// What ties the two attempts of a cascade together; null where there was none.
void WriteCascade(JsonWriter& w, const Request& request) {
  w.Key("cascade");
  if (!request.cascade) {
    w.Null();
    return;
  }
  const CascadeStep& step = *request.cascade;
  w.BeginObject().Member("name", step.name).Member("attempt", step.attempt);
  if (step.other == RequestId{}) {
    w.NullMember("other");
  } else {
    w.Member("other", ToString(step.other));
  }
  w.Key("escalated");
  if (step.why == Escalation::kNone) {
    w.Null();
  } else {
    w.Value(NameOf(step.why));
  }
  if (step.attempt == 1) {
    w.Key("finish_reason").BeginArray();
    for (const FinishReason reason : step.facts.finish) w.Value(NameOf(reason));
    w.EndArray().Key("mean_logprob");
    if (step.facts.mean_logprob) {
      WriteApiMicros(w, *step.facts.mean_logprob);
    } else {
      w.Null();
    }
    w.Key("schema_met");
    if (step.facts.schema_met) {
      w.Value(*step.facts.schema_met);
    } else {
      w.Null();
    }
  } else {
    w.Key("first_cost_usd");
    if (step.first_cost) {
      WriteApiMoney(w, *step.first_cost);
    } else {
      w.Null();
    }
  }
  w.EndObject();
}

}  // namespace

void WriteRequestOutcome(JsonWriter& w, const Request& request, PoolLookup pool_of) {
  const RequestFeatures& features = request.features;
  w.BeginObject().Member("model", features.model);
  if (request.answered_by.empty()) {
    w.NullMember("answered_by");
  } else {
    w.Member("answered_by", request.answered_by);
  }
  w.Key("endpoint");
  WriteEndpoint(w, request.endpoint(), pool_of);
  w.Member("end", NameOf(request.end)).Member("status", request.status);
  w.Member("stream", features.stream).Key("arrived_at");
  WriteApiTime(w, features.arrived);
  w.Key("ended_at");
  WriteApiTime(w, request.ended);
  w.Member("queued_s", absl::ToDoubleSeconds(request.queued));
  WriteSpan(w, "ttft_s", request.ttft);
  WriteSpan(w, "tpot_s", request.tpot);
  WriteSpan(w, "expected_ttft_s", request.expected.ttft);
  WriteSpan(w, "expected_tpot_s", request.expected.tpot);
  WriteCount(w, "prompt_tokens", request.prompt_tokens);
  WriteCount(w, "output_tokens", request.output_tokens);
  w.Key("cost_usd");
  if (request.priced) {
    WriteApiMoney(w, request.cost);
    w.Key("marginal_cost_usd");
    WriteApiMoney(w, request.marginal_cost);
  } else {
    w.Null().NullMember("marginal_cost_usd");
  }
  w.Key("baseline_cost_usd");
  if (request.baseline_cost) {
    WriteApiMoney(w, *request.baseline_cost);
  } else {
    w.Null();
  }
  w.Key("energy_joules");
  WriteApiMicros(w, request.energy.value());
  w.Key("carbon_grams");
  WriteApiMicros(w, request.carbon.value());
  WriteAttempts(w, request, pool_of);
  WriteCascade(w, request);
  w.EndObject();
}

}  // namespace spillway
