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
    w.Member("fault", NameOf(attempt.fault)).EndObject();
  }
  w.EndArray();
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
  w.EndObject();
}

}  // namespace spillway
