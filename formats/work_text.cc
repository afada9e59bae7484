#include "formats/work_text.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/status.h"
#include "core/text.h"
#include "formats/document.h"
#include "formats/selector_text.h"
#include "formats/units.h"

namespace spillway {
namespace {

constexpr std::size_t kMostWords = 100, kMostAlternatives = 16;
constexpr std::size_t kMostArguments = 4096, kMostCommandBytes = 128 << 10;
constexpr std::size_t kMostVariables = 1000, kMostPathBytes = 4095, kMostNameBytes = 128;
constexpr int kMostNodes = 100'000, kMostDevices = 64;
constexpr std::int64_t kMostTokens = 1'000'000'000'000;

// Text that a program gets: any bytes of UTF-8 but NUL, empty too.
bool ReadArgument(const Place& at, std::string& out) {
  const Value& value = at.value();
  if (!value.is_string()) {
    TextOf(at);  // notes what was wanted
    return false;
  }
  if (value.is_doubtful()) {
    TextOf(at);
    return false;
  }
  if (value.string().find('\0') != std::string::npos) {
    at.Fail("holds a NUL character");
    return false;
  }
  if (value.string().size() > kMostCommandBytes) {
    at.Fail(absl::StrCat("is longer than ", kMostCommandBytes, " bytes"));
    return false;
  }
  out = value.string();
  return true;
}

void ReadCommand(const Place& at, std::vector<std::string>& command) {
  Listed(ReadArgument, kMostArguments)(at, command);
  if (!at.value().is_list()) return;
  if (at.value().list().empty()) return at.Fail("a command needs a program");
  std::size_t bytes = 0;
  for (const std::string& argument : command) bytes += argument.size() + 1;
  if (bytes > kMostCommandBytes) {
    at.Fail(absl::StrCat("the arguments are ", bytes, " bytes long, at most ", kMostCommandBytes,
                         " are taken"));
  }
  const Value& program = at.value().list()[0];
  if (program.is_string() && program.string().empty()) at.Item(0).Fail("is empty: name a program");
}

bool IsVariableName(std::string_view name) {
  constexpr std::string_view kFirst = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
  constexpr std::string_view kAny =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
  return !name.empty() && name.size() <= 255 && kFirst.find(name[0]) != name.npos &&
         name.find_first_not_of(kAny) == name.npos;
}
void ReadEnv(const Place& at, std::map<std::string, std::string>& env) {
  if (!at.value().is_map()) return FailKind(at, "a map");
  const Value::Map& members = at.value().map();
  if (members.size() > kMostVariables) {
    return at.Fail(absl::StrCat("has more than ", kMostVariables, " variables"));
  }
  std::size_t bytes = 0;
  std::map<std::string, std::string> variables;
  for (const Member& member : members) {
    const Place place = at.Child(member);
    if (!IsVariableName(member.key)) {
      place.Fail("is no name of a variable: letters, digits and _, not beginning with a digit");
      continue;
    }
    ReadArgument(place, variables[member.key]);
    bytes += member.key.size() + variables[member.key].size() + 2;
  }
  if (bytes > kMostCommandBytes) {
    at.Fail(absl::StrCat("the variables are ", bytes, " bytes long, at most ", kMostCommandBytes,
                         " are taken"));
  }
  env = std::move(variables);
}

bool HasDotDot(std::string_view path) {
  for (std::size_t at = 0; at <= path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    if (path.substr(at, end - at) == "..") return true;
    at = end + 1;
  }
  return false;
}
void ReadCwd(const Place& at, std::string& cwd) {
  std::string path;
  if (!ReadArgument(at, path)) return;
  if (!path.starts_with('/')) return at.Fail("is no absolute path: begin with /");
  if (HasDotDot(path)) return at.Fail("holds `..`: name the folder itself");
  if (path.size() > kMostPathBytes) {
    return at.Fail(absl::StrCat("is longer than ", kMostPathBytes, " bytes"));
  }
  cwd = std::move(path);
}

void ReadRun(const Place& at, Run& run) {
  ObjectReader r(at, "`run`");
  r.Required("command", run.command, ReadCommand);
  r.Optional("env", run.env, ReadEnv);
  r.Optional("cwd", run.cwd, ReadCwd);
  r.Finish();
}

void ReadFraction(const Place& at, double& out) {
  if (!at.value().is_number()) return FailKind(at, "a number");
  const double fraction = at.value().real();
  if (!(fraction > 0 && fraction <= 1)) {
    return at.Fail(absl::StrCat("`", at.value().text(), "` is out of range: more than 0, up to 1"));
  }
  out = fraction;
}
// {count: 1, kind: gpu}, or 1 alone.
void ReadDevices(const Place& at, DeviceNeed& need) {
  if (at.value().is_number()) return Between(0, kMostDevices)(at, need.count);
  ObjectReader r(at, "`devices`");
  if (r.is_map() && !at.value().map().empty()) {
    r.Required("count", need.count, Between(0, kMostDevices));
  }
  r.Optional("kind", need.kind);
  r.Optional("vendor", need.vendor, ReadName);
  r.Optional("model", need.model, ReadName);
  r.Optional("memory", need.memory);
  r.Optional("fraction", need.fraction, ReadFraction);
  r.Finish();
  if (need.kind == DeviceKind::kCpu) at.Fail("a CPU is never counted in `devices`: ask for `cpus`");
}

void ReadCpus(const Place& at, MilliCpus& out) {
  Read(at, out);
  if (out <= MilliCpus(0)) at.Fail("is zero: ask for a part of one, like 0.1");
}

void ReadNeeds(const Place& at, Needs& needs) {
  ObjectReader r(at, "`needs`");
  r.Optional("cpus", needs.cpus, ReadCpus);
  r.Optional("memory", needs.memory);
  r.Optional("devices", needs.devices, ReadDevices);
  r.Optional("nodes", needs.nodes, Between(1, kMostNodes));
  r.Optional("arch", needs.arch);
  r.Optional("runtime", needs.runtime);
  r.Optional("precision", needs.precision, OneOrMore(kDefaultRead, kMostWords));
  r.Optional("features", needs.features, OneOrMore(ReadName, kMostWords));
  r.Optional("confidential", needs.confidential, ReadName);
  r.Optional("model", needs.model);
  r.Optional("sites", needs.sites, OneOrMore(ReadName, kMostWords));
  r.Optional("labels", needs.labels, ReadLabels);
  r.Optional("avoid", needs.avoid, ReadLabels);
  r.Finish();
}

// A number of seconds, exact to the nanosecond.
void ReadSeconds(const Place& at, absl::Duration& out) {
  if (!at.value().is_number()) return FailKind(at, "a number of seconds");
  const std::string text = absl::StrCat(at.value().text(), "s");
  const auto seconds = ParseDuration(text);
  if (!seconds.ok()) return at.Fail(seconds.status());
  if (*seconds == absl::ZeroDuration()) return at.Fail("is zero");
  out = *seconds;
}

// One of three shapes, told by its key.
void ReadDemand(const Place& at, Demand& demand) {
  ObjectReader r(at, "`demand`");
  DeclaredSeconds declared;
  ClassUnits units;
  std::int64_t prompt = 0, output = 0;
  const bool has_seconds = r.Has("seconds"), has_class = r.Has("class");
  const bool has_tokens = r.Has("prompt_tokens") || r.Has("output_tokens");
  r.Optional("seconds", declared.seconds, ReadSeconds);
  r.Optional("on", declared.on, ReadName);
  r.Optional("class", units.work_class, ReadName);
  r.Optional("units", units.units, ReadPositive);
  r.Optional("prompt_tokens", prompt, Between(0, kMostTokens));
  r.Optional("output_tokens", output, Between(0, kMostTokens));
  r.Finish();
  if (!r.is_map() || at.value().map().empty()) return;
  const std::string_view shapes =
      "`demand` is either {seconds, on}, {class, units} or {prompt_tokens, output_tokens}";
  if (has_seconds + has_class + has_tokens != 1) return at.Fail(std::string(shapes));
  if (r.Has("on") && !has_seconds) return at.Fail("`on` belongs to `seconds`");
  if (r.Has("units") != has_class) return at.Fail("`class` and `units` belong together");
  if (has_seconds) demand = declared;
  if (has_class) demand = units;
  if (has_tokens) demand = TokenCounts{Tokens(prompt), Tokens(output)};
}

void ReadObjective(const Place& at, Objective& objective) {
  ObjectReader r(at, "`objective`");
  const auto span = [](const Place& place, std::optional<absl::Duration>& out) {
    absl::Duration value{};
    ReadSpan(place, value);
    if (value > absl::ZeroDuration()) out = value;
  };
  r.Optional("deadline", objective.deadline);
  r.Optional("start_within", objective.start_within, span);
  r.Optional("ttft", objective.ttft, span);
  r.Optional("tpot", objective.tpot, span);
  r.Optional("max_cost_usd", objective.max_cost);
  r.Optional("on_miss", objective.on_miss);
  r.Finish();
}
void FillIn(const DefaultObjectives& defaults, Objective& objective) {
  if (objective.start_within || objective.deadline) return;
  objective.start_within = defaults.job_start_within;
}

void ReadRetries(const Place& at, Retries& retries) {
  ObjectReader r(at, "`retries`");
  r.Optional("own", retries.own, Between(0, 100));
  r.Optional("infrastructure", retries.infrastructure, Between(0, 100));
  r.Finish();
}

void ReadWorkName(const Place& at, std::string& out) {
  std::string name;
  Read(at, name);
  if (name.size() > kMostNameBytes) {
    return at.Fail(absl::StrCat("is longer than ", kMostNameBytes, " bytes"));
  }
  out = std::move(name);
}

// `out` holds the default part as it was read; a patch is merged with what stood in its text.
template <class T, class F>
void ReadPart(ObjectReader& r, std::string_view key, const Value& whole, T& out, F read) {
  const Member* patch = r.Take(key);
  if (!patch) return;
  const Value* part = whole.Find(key);
  const Value merged = MergePatch(part ? *part : Value(), patch->value);
  out = T();
  if (!merged.is_null()) read(r.at().Child(*patch).Holding(merged), out);  // null: taken away
}

void ReadAlternative(const Place& at, const Value& whole, const DefaultObjectives& defaults,
                     Alternative& out) {
  ObjectReader r(at, "an alternative");
  r.Required("on", out.on, ReadPoolSelector);
  ReadPart(r, "run", whole, out.run, ReadRun);
  ReadPart(r, "needs", whole, out.needs, ReadNeeds);
  ReadPart(r, "demand", whole, out.demand, ReadDemand);
  ReadPart(r, "objective", whole, out.objective, ReadObjective);
  r.Finish();
  FillIn(defaults, out.objective);
  if (r.is_map() && out.run.command.empty()) {
    at.Fail("an alternative that takes `run` away cannot run");
  }
}

void RefuseAnswers(ObjectReader& r) {
  r.Refuse("tenant", "cannot be given: the tenant comes from who you are");
  for (const char* key :
       {"id", "state", "created_at", "started_at", "finished_at", "attempts", "exit_code", "signal",
        "cost_usd", "marginal_cost_usd", "overhead_cost_usd", "baseline_cost_usd", "energy_joules",
        "carbon_grams", "decision", "message"}) {
    r.Refuse(key, "cannot be given: it is part of the answer");
  }
}

}  // namespace

void ReadWork(const Place& at, const DefaultObjectives& defaults, Work& work) {
  ObjectReader r(at, "a job");
  r.Optional("name", work.name, ReadWorkName);
  r.Required("run", work.run, ReadRun);
  r.Optional("needs", work.needs, ReadNeeds);
  r.Optional("demand", work.demand, ReadDemand);
  r.Optional("objective", work.objective, ReadObjective);
  r.Optional("priority", work.priority, Between(-kMaxPriority, kMaxPriority));
  r.Optional("retries", work.retries, ReadRetries);
  r.Optional("labels", work.labels, ReadLabels);
  r.Optional("pool", work.pin, ReadName);
  r.Optional("queue_timeout", work.queue_timeout);
  RefuseAnswers(r);
  FillIn(defaults, work.objective);
  // Alternatives inherit what is wrong in the default parts: that is told once.
  const Member* alternatives = r.Take("alternatives");
  r.Finish();
  if (!alternatives || !at.reading().ok()) return;
  const auto read = [&](const Place& place, Alternative& out) {
    out = {{}, work.run, work.needs, work.demand, work.objective};
    ReadAlternative(place, at.value(), defaults, out);
  };
  Listed(read, kMostAlternatives)(at.Child(*alternatives), work.alternatives);
}

absl::StatusOr<Work> ReadWork(const Value& document, const DefaultObjectives& defaults,
                              std::string_view name) {
  Reading reading{std::string(name)};
  Work work;
  ReadWork(Place(document, reading), defaults, work);
  SPILLWAY_RETURN_IF_ERROR(reading.ToStatus());
  return work;
}

absl::StatusOr<Work> ParseWork(std::string_view text, const DefaultObjectives& defaults,
                               std::string_view name) {
  SPILLWAY_ASSIGN_OR_RETURN(const Value document, ParseDocument(text, name));
  return ReadWork(document, defaults, name);
}

}  // namespace spillway
