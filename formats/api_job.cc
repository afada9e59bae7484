#include "formats/api_json.h"

#include <array>
#include <charconv>

#include "absl/time/civil_time.h"
#include "core/explain.h"

namespace spillway {
namespace {

char* PutDigits(char* out, std::int64_t value, int width) {
  for (int i = width - 1; i >= 0; --i, value /= 10) out[i] = static_cast<char>('0' + value % 10);
  return out + width;
}

void WriteId(JsonWriter& w, std::string_view key, DecisionId id) {
  if (Number(id) == 0) {
    w.NullMember(key);
  } else {
    w.Member(key, ToString(id));
  }
}

void WritePoolName(JsonWriter& w, std::string_view key, const PoolSpec* pool) {
  if (pool == nullptr) {
    w.NullMember(key);
  } else {
    w.Member(key, pool->name);
  }
}

void WriteOptional(JsonWriter& w, std::string_view key, const std::optional<int>& number) {
  if (number) {
    w.Member(key, *number);
  } else {
    w.NullMember(key);
  }
}

void WriteMessage(JsonWriter& w, const std::string& message) {
  if (message.empty()) {
    w.NullMember("message");
  } else {
    w.Member("message", message);
  }
}

void WriteNodes(JsonWriter& w, const std::vector<NodeShare>& nodes) {
  w.Key("nodes").BeginArray();
  for (const NodeShare& share : nodes) {
    w.BeginObject().Member("node", share.node).Key("devices").BeginArray();
    for (const int device : share.devices) w.Value(device);
    w.EndArray().EndObject();
  }
  w.EndArray();
}

void WriteAttempt(JsonWriter& w, const Attempt& attempt, const PoolSpec* pool) {
  const bool ended = attempt.state == AttemptState::kEnded;
  w.BeginObject().Member("number", attempt.number);
  WritePoolName(w, "pool", pool);
  w.Member("modelled", pool != nullptr && pool->modelled);
  w.Member("state", NameOf(attempt.state));
  if (attempt.alternative >= 0) w.Member("alternative", attempt.alternative);
  WriteNodes(w, attempt.nodes);
  WriteId(w, "decision", attempt.decision);
  w.Key("launched_at");
  WriteApiTime(w, attempt.launched_at);
  w.Key("started_at");
  WriteApiTime(w, attempt.started_at);
  w.Key("finished_at");
  WriteApiTime(w, attempt.finished_at);
  if (ended) {
    w.Member("fault", NameOf(attempt.fault));
  } else {
    w.NullMember("fault");
  }
  WriteOptional(w, "exit_code", attempt.exit_code);
  WriteOptional(w, "signal", attempt.signal);
  WriteMessage(w, attempt.message);
  w.Key("cost_usd");
  WriteApiMoney(w, attempt.cost);
  w.Key("marginal_cost_usd");
  WriteApiMoney(w, attempt.marginal_cost);
  w.Key("energy_joules");
  WriteApiMicros(w, attempt.energy.value());
  w.Member("energy_basis", attempt.metered ? "metered" : "estimated");
  w.Key("carbon_grams");
  WriteApiMicros(w, attempt.carbon.value());
  w.EndObject();
}

void WriteCosts(JsonWriter& w, const Job& job) {
  w.Key("cost_usd");
  WriteApiMoney(w, job.cost);
  w.Key("marginal_cost_usd");
  WriteApiMoney(w, job.marginal_cost);
  w.Key("overhead_cost_usd");
  WriteApiMoney(w, job.overhead_cost);
  w.Key("baseline_cost_usd");
  if (job.baseline_cost) {
    WriteApiMoney(w, *job.baseline_cost);
  } else {
    w.Null();
  }
  w.Key("energy_joules");
  WriteApiMicros(w, job.energy.value());
  w.Key("carbon_grams");
  WriteApiMicros(w, job.carbon.value());
}

}  // namespace

std::string ApiTime(absl::Time time) {
  const std::int64_t millis = absl::ToUnixMillis(time);
  const absl::CivilSecond second = absl::ToCivilSecond(time, absl::UTCTimeZone());
  const std::int64_t part = ((millis % 1000) + 1000) % 1000;
  std::array<char, 24> text;
  char* out = PutDigits(text.data(), second.year(), 4);
  *out++ = '-';
  out = PutDigits(out, second.month(), 2);
  *out++ = '-';
  out = PutDigits(out, second.day(), 2);
  *out++ = 'T';
  out = PutDigits(out, second.hour(), 2);
  *out++ = ':';
  out = PutDigits(out, second.minute(), 2);
  *out++ = ':';
  out = PutDigits(out, second.second(), 2);
  *out++ = '.';
  out = PutDigits(out, part, 3);
  *out = 'Z';
  return std::string(text.data(), text.size());
}

void WriteApiTime(JsonWriter& w, const std::optional<absl::Time>& time) {
  if (time && *time != absl::InfiniteFuture() && *time != absl::InfinitePast()) {
    w.Value(ApiTime(*time));
  } else {
    w.Null();
  }
}

void WriteApiMoney(JsonWriter& w, Usd money) {
  const bool negative = money.value() < 0;
  const std::uint64_t size = negative ? 0 - static_cast<std::uint64_t>(money.value())
                                      : static_cast<std::uint64_t>(money.value());
  std::array<char, 40> text;
  char* out = text.data();
  *out++ = '"';
  if (negative) *out++ = '-';
  out = std::to_chars(out, text.data() + text.size(), size / kNanosPerUsd).ptr;
  *out++ = '.';
  out = PutDigits(out, static_cast<std::int64_t>(size % kNanosPerUsd), 9);
  *out++ = '"';
  w.Raw({text.data(), static_cast<std::size_t>(out - text.data())});
}

void WriteApiMicros(JsonWriter& w, std::int64_t micros) {
  const bool negative = micros < 0;
  const std::uint64_t size =
      negative ? 0 - static_cast<std::uint64_t>(micros) : static_cast<std::uint64_t>(micros);
  std::array<char, 32> text;
  char* out = text.data();
  if (negative) *out++ = '-';
  out = std::to_chars(out, text.data() + text.size(), size / 1'000'000).ptr;
  if (size % 1'000'000 != 0) {
    *out++ = '.';
    out = PutDigits(out, static_cast<std::int64_t>(size % 1'000'000), 6);
    while (out[-1] == '0') --out;
  }
  w.Raw({text.data(), static_cast<std::size_t>(out - text.data())});
}

void WriteJob(JsonWriter& w, const Job& job, PoolLookup pool_of) {
  const bool over = IsTerminal(job.state);
  const Attempt* last = job.attempts.empty() ? nullptr : &job.attempts.back();
  const PoolSpec* pool =
      last != nullptr && job.state != JobState::kQueued ? pool_of(last->pool) : nullptr;
  w.BeginObject().Member("id", ToString(job.id));
  w.Member("state", NameOf(job.state));
  WritePoolName(w, "pool", pool);
  w.Member("modelled", pool != nullptr && pool->modelled);
  w.Key("created_at");
  WriteApiTime(w, job.created_at);
  w.Key("started_at");
  WriteApiTime(w, job.started_at);
  w.Key("finished_at");
  WriteApiTime(w, job.finished_at);
  w.Member("cancelling", job.cancelling && !over);
  WriteOptional(w, "exit_code", over && last ? last->exit_code : std::nullopt);
  WriteOptional(w, "signal", over && last ? last->signal : std::nullopt);
  WriteMessage(w, job.message.empty() && last ? last->message : job.message);
  WriteCosts(w, job);
  WriteId(w, "decision", job.decision);
  w.Key("attempts").BeginArray();
  for (const Attempt& attempt : job.attempts) WriteAttempt(w, attempt, pool_of(attempt.pool));
  w.EndArray();
  w.Member("tenant", job.work->tenant);
  WriteWorkMembers(w, *job.work);
  w.EndObject();
}

}  // namespace spillway
