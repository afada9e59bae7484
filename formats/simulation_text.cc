#include "formats/simulation_text.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/status.h"
#include "core/text.h"
#include "formats/api_json.h"
#include "formats/document.h"
#include "formats/reader.h"
#include "formats/units.h"

namespace spillway {
namespace {

constexpr int kMostSeeds = 1000;
constexpr char kOwnPast[] = "own-past";

// Text of any length up to the bound, several lines of it.
void ReadLongText(const Place& at, std::string& out) {
  if (!at.value().is_string()) return FailKind(at, "text");
  const std::string& text = at.value().string();
  if (text.empty()) return at.Fail("is empty");
  if (text.size() > kMostScenarioText)
    return at.Fail(absl::StrCat("has ", text.size(), " bytes, at most ", kMostScenarioText));
  out = text;
}
void ReadYamlText(const Place& at, std::string& out) {
  std::string text;
  ReadLongText(at, text);
  if (text.empty()) return;
  const auto documents = ParseYamlDocuments(text, "");
  if (!documents.ok()) return at.Fail(documents.status());
  out = std::move(text);
}
template <class F>
auto OrNull(F read) {
  return [read](const Place& at, auto& out) {
    if (at.value().is_null()) return;
    typename std::remove_reference_t<decltype(out)>::value_type value{};
    const std::size_t before = at.reading().error().size();
    read(at, value);
    if (at.reading().error().size() == before) out = std::move(value);
  };
}

// The ledger's rows are of whole hours: so are the bounds of a bill.
void ReadHour(const Place& at, absl::Time& out) {
  absl::Time time;
  const std::size_t before = at.reading().error().size();
  Read(at, time);
  if (at.reading().error().size() != before) return;
  if (absl::Floor(time - absl::UnixEpoch(), absl::Hours(1)) != time - absl::UnixEpoch())
    return at.Fail("is no whole hour, like 2026-08-01T13:00:00Z");
  out = time;
}

void ReadOwnPast(const Place& at, OwnPast& out) {
  ObjectReader r(at, "`replay`");
  r.Optional("since", out.since, OrNull(ReadHour));
  r.Optional("until", out.until, OrNull(ReadHour));
  r.Optional("policy_yaml", out.policy_yaml, OrNull(ReadYamlText));
  r.Optional("fleet_yaml", out.fleet_yaml, OrNull(ReadYamlText));
  r.Optional("prices_yaml", out.prices_yaml, OrNull(ReadYamlText));
  r.Finish();
  if (out.since && out.until && *out.since >= *out.until)
    at.Fail("`since` is not before `until`: nothing lies between them");
}

void ReadOrder(const Place& at, SimulationOrder& out) {
  ObjectReader r(at, "a simulation");
  std::string name;
  std::string yaml;
  OwnPast past;
  const bool shipped = r.Has("scenario"), own = r.Has("scenario_yaml"), replay = r.Has("replay");
  r.Optional("scenario", name, ReadName);
  r.Optional("scenario_yaml", yaml, ReadYamlText);
  r.Optional("replay", past, ReadOwnPast);
  r.Optional("seeds", out.seeds, OrNull(Between(1, kMostSeeds)));
  r.Finish();
  if (!r.is_map()) return;
  if (int{shipped} + int{own} + int{replay} != 1)
    return at.Fail("wants exactly one of `scenario`, `scenario_yaml` and `replay`");
  if (shipped) out.what = ShippedScenario{std::move(name), ""};
  if (own) out.what = ScenarioText{std::move(yaml)};
  if (replay) {
    out.what = std::move(past);
    if (out.seeds) at.Fail("a replay draws nothing: leave `seeds` out");
  }
}

// What the scenario calls itself; whether it may is for its reader to say.
std::string NameIn(const std::string& yaml) {
  const auto document = ParseYaml(yaml, "");
  const Value* name = document.ok() && document->is_map() ? document->Find("name") : nullptr;
  return name != nullptr && name->is_string() && IsName(name->string()) ? name->string()
                                                                        : "scenario";
}

void WriteText(JsonWriter& w, std::string_view key, const std::string& text) {
  text.empty() ? w.NullMember(key) : w.Member(key, text);
}

void ReadProgress(const Place& at, SimulationProgress& out) {
  constexpr std::int64_t kMost = std::int64_t{1} << 53;
  ObjectReader r(at, "`progress`");
  r.Required("done", out.done, Between(0, kMost));
  r.Required("total", out.total, Between(0, kMost));
  std::optional<std::string> what;  // not there in what earlier versions wrote
  r.Optional("what", what, OrNull(kDefaultRead));
  out.what = what.value_or("");
  r.Finish();
}

// `results` and `report` are told by path; only whether there is one is read.
void ReadSimulation(const Place& at, Simulation& out) {
  ObjectReader r(at, "a simulation");
  std::string id, kind;
  std::optional<std::string> error, verdict, results, report;
  r.Required("id", id);
  r.Required("kind", kind);
  r.Required("name", out.name, ReadName);
  r.Required("state", out.state);
  r.Required("progress", out.progress, ReadProgress);
  r.Required("created_at", out.created_at);
  r.Optional("started_at", out.started_at, OrNull(kDefaultRead));
  r.Optional("finished_at", out.finished_at, OrNull(kDefaultRead));
  r.Required("command", out.command, ReadLongText);
  r.Optional("error", error, OrNull(ReadLongText));
  r.Optional("verdict", verdict, OrNull(ReadLongText));
  r.Optional("results", results, OrNull(ReadLongText));
  r.Optional("report", report, OrNull(ReadLongText));
  r.Finish();
  const auto number = ParseSimulationId(id);
  if (!number) return at.Fail(absl::StrCat("`", id, "` is no id of a simulation"));
  out.number = *number;
  out.is_replay = kind == "replay";
  out.error = error.value_or("");
  out.verdict = verdict.value_or("");
  out.has_report = report.has_value();
}

}  // namespace

absl::StatusOr<SimulationOrder> ParseSimulationOrder(std::string_view text) {
  SPILLWAY_ASSIGN_OR_RETURN(const Value document, ParseDocument(text, ""));
  Reading reading;
  SimulationOrder order;
  ReadOrder(Place(document, reading), order);
  SPILLWAY_RETURN_IF_ERROR(reading.ToStatus());
  return order;
}

std::string NameOf(const SimulationOrder& order) {
  if (const auto* shipped = std::get_if<ShippedScenario>(&order.what)) return shipped->name;
  if (const auto* own = std::get_if<ScenarioText>(&order.what)) return NameIn(own->yaml);
  return kOwnPast;
}

void WriteSimulation(JsonWriter& w, const Simulation& s) {
  const std::string path = absl::StrCat("/api/v1/simulations/", s.Id());
  const bool has_results = s.state == SimulationState::kSucceeded;
  w.BeginObject().Member("id", s.Id()).Member("kind", s.is_replay ? "replay" : "scenario");
  w.Member("name", s.name).Member("state", NameOf(s.state)).Key("progress").BeginObject();
  w.Member("done", s.progress.done).Member("total", s.progress.total);
  WriteText(w, "what", s.progress.what);
  w.EndObject();
  w.Key("created_at");
  WriteApiTime(w, s.created_at);
  w.Key("started_at");
  WriteApiTime(w, s.started_at);
  w.Key("finished_at");
  WriteApiTime(w, s.finished_at);
  w.Member("command", s.command);
  WriteText(w, "error", s.error);
  WriteText(w, "verdict", s.verdict);
  WriteText(w, "results", has_results ? path + "/results" : "");
  WriteText(w, "report", has_results && s.has_report ? path + "/report" : "");
  w.EndObject();
}

absl::StatusOr<Simulation> ParseSimulation(std::string_view text, std::string_view name) {
  SPILLWAY_ASSIGN_OR_RETURN(const Value document, ParseDocument(text, name));
  Reading reading{std::string(name)};
  Simulation simulation;
  ReadSimulation(Place(document, reading), simulation);
  SPILLWAY_RETURN_IF_ERROR(reading.ToStatus());
  return simulation;
}

}  // namespace spillway
