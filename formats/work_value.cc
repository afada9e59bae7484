// Work as a tree that reads back as the same work.
#include <type_traits>

#include "core/explain.h"
#include "formats/decimal_text.h"
#include "formats/selector_text.h"
#include "formats/units.h"
#include "formats/work_text.h"

namespace spillway {
namespace {

Value Text(std::string_view text) { return Value::MakeString(text); }

template <class T>
void SetWords(Value& map, std::string_view key, const std::vector<T>& words) {
  if (words.empty()) return;
  Value& list = map.Set(key, Value::MakeList());
  for (const T& word : words) {
    if constexpr (std::is_enum_v<T>) {
      list.Append(Text(NameOf(word)));
    } else {
      list.Append(Text(word));
    }
  }
}
void SetMap(Value& map, std::string_view key, const std::map<std::string, std::string>& entries) {
  if (entries.empty()) return;
  Value& set = map.Set(key, Value::MakeMap());
  for (const auto& [name, value] : entries) set.Set(name, Text(value));
}
void SetText(Value& map, std::string_view key, const std::string& text) {
  if (!text.empty()) map.Set(key, Text(text));
}

// "2" or "0.25" as a number: exact, without a way over doubles.
Value Number(std::int64_t amount, int places) {
  const std::string text = FixedText(amount, places, 0);
  const bool is_whole = text.find('.') == std::string::npos;
  if (is_whole) return Value::MakeInteger(std::stoll(text));
  return Value::MakeReal(std::stod(text), text);
}

Value RunValue(const Run& run) {
  Value map = Value::MakeMap();
  Value& command = map.Set("command", Value::MakeList());
  for (const std::string& argument : run.command) command.Append(Text(argument));
  SetMap(map, "env", run.env);
  SetText(map, "cwd", run.cwd);
  return map;
}

Value DevicesValue(const DeviceNeed& need) {
  Value map = Value::MakeMap();
  map.Set("count", Value::MakeInteger(need.count));
  if (need.kind) map.Set("kind", Text(NameOf(*need.kind)));
  SetText(map, "vendor", need.vendor);
  SetText(map, "model", need.model);
  if (need.memory != Bytes(0)) map.Set("memory", Text(Format(need.memory)));
  if (need.fraction != 1) map.Set("fraction", Value::MakeReal(need.fraction));
  return map;
}

Value NeedsValue(const Needs& needs) {
  Value map = Value::MakeMap();
  map.Set("cpus", Number(needs.cpus.value(), 3));
  map.Set("memory", Text(Format(needs.memory)));
  map.Set("devices", DevicesValue(needs.devices));
  if (needs.nodes != 1) map.Set("nodes", Value::MakeInteger(needs.nodes));
  if (needs.arch) map.Set("arch", Text(NameOf(*needs.arch)));
  map.Set("runtime", Text(needs.runtime.ToString()));
  SetWords(map, "precision", needs.precision);
  SetWords(map, "features", needs.features);
  SetText(map, "confidential", needs.confidential);
  SetText(map, "model", needs.model);
  SetWords(map, "sites", needs.sites);
  SetMap(map, "labels", needs.labels);
  SetMap(map, "avoid", needs.avoid);
  return map;
}

Value DemandValue(const Demand& demand) {
  Value map = Value::MakeMap();
  if (const auto* declared = std::get_if<DeclaredSeconds>(&demand)) {
    map.Set("seconds", Number(ToNanos(declared->seconds), 9));
    SetText(map, "on", declared->on);
  } else if (const auto* units = std::get_if<ClassUnits>(&demand)) {
    map.Set("class", Text(units->work_class));
    map.Set("units", Value::MakeReal(units->units));
  } else if (const auto* tokens = std::get_if<TokenCounts>(&demand)) {
    map.Set("prompt_tokens", Value::MakeInteger(tokens->prompt.value()));
    map.Set("output_tokens", Value::MakeInteger(tokens->output.value()));
  }
  return map;
}

void SetSpan(Value& map, std::string_view key, const std::optional<absl::Duration>& span) {
  if (span) map.Set(key, Text(Format(*span)));
}
Value ObjectiveValue(const Objective& objective) {
  Value map = Value::MakeMap();
  if (objective.deadline) map.Set("deadline", Text(Format(*objective.deadline)));
  SetSpan(map, "start_within", objective.start_within);
  SetSpan(map, "ttft", objective.ttft);
  SetSpan(map, "tpot", objective.tpot);
  if (objective.max_cost) map.Set("max_cost_usd", Text(Decimal(*objective.max_cost)));
  map.Set("on_miss", Text(NameOf(objective.on_miss)));
  return map;
}

// Run, needs, demand and objective: of the default, or of an alternative.
template <class Parts>
Value PartsValue(const Parts& parts) {
  Value map = Value::MakeMap();
  map.Set("run", RunValue(parts.run));
  map.Set("needs", NeedsValue(parts.needs));
  map.Set("demand", DemandValue(parts.demand));
  map.Set("objective", ObjectiveValue(parts.objective));
  return map;
}

Value AlternativesValue(const std::vector<Alternative>& alternatives, const Value& defaults) {
  Value list = Value::MakeList();
  for (const Alternative& alternative : alternatives) {
    Value& map = list.Append(Value::MakeMap());
    map.Set("on", ToValue(alternative.on));
    const Value patch = DiffPatch(defaults, PartsValue(alternative));
    for (const Member& part : patch.map()) map.Set(part.key, part.value);
  }
  return list;
}

}  // namespace

Value ToValue(const Work& work) {
  Value map = Value::MakeMap();
  SetText(map, "name", work.name);
  const Value parts = PartsValue(work);
  for (const Member& part : parts.map()) {
    const bool says_something = !part.value.map().empty();
    if (says_something) map.Set(part.key, part.value);
  }
  map.Set("priority", Value::MakeInteger(work.priority));
  Value& retries = map.Set("retries", Value::MakeMap());
  retries.Set("own", Value::MakeInteger(work.retries.own));
  retries.Set("infrastructure", Value::MakeInteger(work.retries.infrastructure));
  SetMap(map, "labels", work.labels);
  if (!work.alternatives.empty()) {
    map.Set("alternatives", AlternativesValue(work.alternatives, parts));
  }
  SetText(map, "pool", work.pin);
  SetSpan(map, "queue_timeout", work.queue_timeout);
  return map;
}

}  // namespace spillway
