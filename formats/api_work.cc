#include <type_traits>

#include "core/explain.h"
#include "formats/api_json.h"
#include "formats/units.h"
#include "formats/work_text.h"

// Work as it was submitted. Written in the words that the reader of jobs (formats/work_text.h)
// takes, so that what comes out may be sent in again.
namespace spillway {
namespace {

double Count(MilliCpus cpus) { return static_cast<double>(cpus.value()) / 1000; }

template <class Texts>
void WriteTexts(JsonWriter& w, std::string_view key, const Texts& texts) {
  if (texts.empty()) return;
  w.Key(key).BeginArray();
  for (const auto& text : texts) {
    if constexpr (std::is_enum_v<std::decay_t<decltype(text)>>) {
      w.Value(NameOf(text));
    } else {
      w.Value(text);
    }
  }
  w.EndArray();
}

void WriteMap(JsonWriter& w, std::string_view key, const std::map<std::string, std::string>& map) {
  if (map.empty()) return;
  w.Key(key).BeginObject();
  for (const auto& [name, value] : map) w.Member(name, value);
  w.EndObject();
}

void WriteText(JsonWriter& w, std::string_view key, const std::string& text) {
  if (!text.empty()) w.Member(key, text);
}

void WriteRun(JsonWriter& w, const Run& run) {
  w.Key("run").BeginObject().Key("command").BeginArray();
  for (const std::string& word : run.command) w.Value(word);
  w.EndArray();
  WriteMap(w, "env", run.env);
  WriteText(w, "cwd", run.cwd);
  w.EndObject();
}

void WriteDeviceNeed(JsonWriter& w, const DeviceNeed& need) {
  w.Key("devices").BeginObject().Member("count", need.count);
  if (need.kind) w.Member("kind", NameOf(*need.kind));
  WriteText(w, "vendor", need.vendor);
  WriteText(w, "model", need.model);
  if (need.memory != Bytes()) w.Member("memory", Format(need.memory));
  if (need.fraction != 1) w.Member("fraction", need.fraction);
  w.EndObject();
}

void WriteNeeds(JsonWriter& w, const Needs& needs) {
  w.Key("needs").BeginObject().Member("cpus", Count(needs.cpus));
  w.Member("memory", Format(needs.memory));
  WriteDeviceNeed(w, needs.devices);
  if (needs.nodes != 1) w.Member("nodes", needs.nodes);
  if (needs.arch) w.Member("arch", NameOf(*needs.arch));
  w.Member("runtime", needs.runtime.ToString());
  WriteTexts(w, "precision", needs.precision);
  WriteTexts(w, "features", needs.features);
  WriteText(w, "confidential", needs.confidential);
  WriteText(w, "model", needs.model);
  WriteTexts(w, "sites", needs.sites);
  WriteMap(w, "labels", needs.labels);
  WriteMap(w, "avoid", needs.avoid);
  w.EndObject();
}

void WriteDemand(JsonWriter& w, const Demand& demand) {
  if (std::holds_alternative<std::monostate>(demand)) return;
  w.Key("demand").BeginObject();
  if (const auto* declared = std::get_if<DeclaredSeconds>(&demand)) {
    w.Member("seconds", absl::ToDoubleSeconds(declared->seconds));
    WriteText(w, "on", declared->on);
  } else if (const auto* units = std::get_if<ClassUnits>(&demand)) {
    w.Member("class", units->work_class).Member("units", units->units);
  } else {
    const auto& tokens = std::get<TokenCounts>(demand);
    w.Member("prompt_tokens", tokens.prompt.value());
    w.Member("output_tokens", tokens.output.value());
  }
  w.EndObject();
}

void WriteSpan(JsonWriter& w, std::string_view key, const std::optional<absl::Duration>& span) {
  if (span) w.Member(key, Format(*span));
}

void WriteObjective(JsonWriter& w, const Objective& objective) {
  w.Key("objective").BeginObject();
  if (objective.deadline) w.Member("deadline", Format(*objective.deadline));
  WriteSpan(w, "start_within", objective.start_within);
  WriteSpan(w, "ttft", objective.ttft);
  WriteSpan(w, "tpot", objective.tpot);
  if (objective.max_cost) {
    w.Key("max_cost_usd");
    WriteApiMoney(w, *objective.max_cost);
  }
  w.Member("on_miss", NameOf(objective.on_miss)).EndObject();
}

}  // namespace

void WriteWorkMembers(JsonWriter& w, const Work& work) {
  WriteText(w, "name", work.name);
  if (!work.run.command.empty()) WriteRun(w, work.run);
  WriteNeeds(w, work.needs);
  WriteDemand(w, work.demand);
  WriteObjective(w, work.objective);
  w.Member("priority", work.priority).Key("retries").BeginObject();
  w.Member("own", work.retries.own).Member("infrastructure", work.retries.infrastructure);
  w.EndObject();
  WriteMap(w, "labels", work.labels);
  if (!work.alternatives.empty()) {
    // Patches of the default parts, as RFC 7396 has it: made of trees, since few jobs have any.
    w.RawMember("alternatives", WriteJson(*ToValue(work).Find("alternatives")));
  }
  WriteText(w, "pin", work.pin);  // asked for as `pool`, which here is where it runs
  WriteSpan(w, "queue_timeout", work.queue_timeout);
}

}  // namespace spillway
