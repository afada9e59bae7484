#include "cli/job_document.h"

#include <fstream>
#include <iostream>
#include <iterator>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/status.h"
#include "formats/units.h"

namespace spillway::cli {
namespace {

constexpr std::size_t kLargestDocument = 1 << 20;

// How the text of an option becomes JSON, and where it goes.
enum class As { kText, kNumber, kInteger, kList };
struct Mapping {
  std::string_view option;
  std::vector<std::string_view> path;
  As as;
};
const std::vector<Mapping>& Mappings() {
  static const auto& table = *new std::vector<Mapping>{
      {"--name", {"name"}, As::kText},
      {"--cpus", {"needs", "cpus"}, As::kNumber},
      {"--memory", {"needs", "memory"}, As::kText},
      {"--devices", {"needs", "devices", "count"}, As::kInteger},
      {"--device-kind", {"needs", "devices", "kind"}, As::kText},
      {"--device-memory", {"needs", "devices", "memory"}, As::kText},
      {"--vendor", {"needs", "devices", "vendor"}, As::kText},
      {"--runtime", {"needs", "runtime"}, As::kText},
      {"--arch", {"needs", "arch"}, As::kText},
      {"--feature", {"needs", "features"}, As::kList},
      {"--site", {"needs", "sites"}, As::kList},
      {"--pool", {"pool"}, As::kText},
      {"--class", {"demand", "class"}, As::kText},
      {"--units", {"demand", "units"}, As::kNumber},
      {"--seconds", {"demand", "seconds"}, As::kNumber},
      {"--start-within", {"objective", "start_within"}, As::kText},
      {"--max-cost", {"objective", "max_cost_usd"}, As::kText},
      {"--on-miss", {"objective", "on_miss"}, As::kText},
      {"--priority", {"priority"}, As::kInteger},
      {"--retries", {"retries", "own"}, As::kInteger},
      {"--cwd", {"run", "cwd"}, As::kText},
  };
  return table;
}

absl::Status WrongValue(std::string_view option, std::string_view found, std::string_view wanted) {
  return absl::InvalidArgumentError(
      absl::StrCat(ToAbsl(option), ": `", ToAbsl(found), "` is not ", ToAbsl(wanted)));
}

absl::StatusOr<Value> Converted(const Invocation& args, const Mapping& mapping) {
  const std::string text(args.Get(mapping.option));
  std::int64_t integer = 0;
  double number = 0;
  switch (mapping.as) {
    case As::kText:
      return Value::MakeString(text);
    case As::kInteger:
      if (!absl::SimpleAtoi(text, &integer))
        return WrongValue(mapping.option, text, "a whole number");
      return Value::MakeInteger(integer);
    case As::kNumber:
      if (absl::SimpleAtoi(text, &integer)) return Value::MakeInteger(integer);
      if (!absl::SimpleAtod(text, &number)) return WrongValue(mapping.option, text, "a number");
      return Value::MakeReal(number);
    case As::kList:
      break;
  }
  Value list = Value::MakeList();
  for (const std::string& item : args.All(mapping.option)) list.Append(Value::MakeString(item));
  return list;
}

// The map at `key`, made if it is missing or something else.
Value& MapIn(Value& parent, std::string_view key) {
  Value* found = parent.Find(key);
  return found && found->is_map() ? *found : parent.Set(key, Value::MakeMap());
}

void SetAt(Value& job, const std::vector<std::string_view>& path, Value value) {
  Value* at = &job;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) at = &MapIn(*at, path[i]);
  at->Set(path.back(), std::move(value));
}

absl::Status ApplyPairs(const Invocation& args, std::string_view option,
                        const std::vector<std::string_view>& path, Value& job) {
  for (const std::string& pair : args.All(option)) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) return WrongValue(option, pair, "KEY=VALUE");
    Value* at = &job;
    for (const std::string_view key : path) at = &MapIn(*at, key);
    at->Set(pair.substr(0, equals), Value::MakeString(pair.substr(equals + 1)));
  }
  return absl::OkStatus();
}

std::string Slurp(std::istream& in) {
  std::string text(kLargestDocument + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

}  // namespace

absl::StatusOr<std::string> Instant(std::string_view text, absl::Time now, int direction) {
  if (const auto span = ParseDuration(text); span.ok())
    return Format(absl::FromUnixMillis(absl::ToUnixMillis(now + direction * *span)));
  const auto time = ParseTime(text);
  if (!time.ok())
    return absl::InvalidArgumentError(absl::StrCat(
        "`", ToAbsl(text), "` is neither a time like 2026-08-01T12:00:00Z nor a span like 10m"));
  return Format(*time);
}

absl::StatusOr<std::string> ReadDocument(const std::string& file) {
  std::string text;
  if (file == "-") {
    text = Slurp(std::cin);
  } else {
    std::ifstream in(file, std::ios::binary);
    if (!in) return absl::NotFoundError(absl::StrCat("cannot read ", file));
    text = Slurp(in);
    if (in.bad()) return absl::InvalidArgumentError(absl::StrCat("cannot read ", file));
  }
  if (text.size() > kLargestDocument)
    return absl::InvalidArgumentError(absl::StrCat(file, ": larger than 1 MiB"));
  return text;
}

absl::Status ApplyJobOptions(const Invocation& args, absl::Time now, Value& job) {
  for (const Mapping& mapping : Mappings()) {
    if (!args.Has(mapping.option)) continue;
    SPILLWAY_ASSIGN_OR_RETURN(Value value, Converted(args, mapping));
    SetAt(job, mapping.path, std::move(value));
  }
  if (args.Has("--deadline")) {
    const auto deadline = Instant(args.Get("--deadline"), now, +1);
    if (!deadline.ok()) return Annotate(deadline.status(), "--deadline");
    SetAt(job, {"objective", "deadline"}, Value::MakeString(*deadline));
  }
  SPILLWAY_RETURN_IF_ERROR(ApplyPairs(args, "--label", {"labels"}, job));
  return ApplyPairs(args, "--env", {"run", "env"}, job);
}

absl::StatusOr<Value> JobDocument(const Invocation& args, const std::string& file, absl::Time now) {
  Value job = Value::MakeMap();
  if (!file.empty()) {
    SPILLWAY_ASSIGN_OR_RETURN(const std::string text, ReadDocument(file));
    const auto parsed = ParseJson(text);
    if (!parsed.ok()) return Annotate(parsed.status(), file);
    if (!parsed->is_map())
      return absl::InvalidArgumentError(
          absl::StrCat(file, ": is ", ToAbsl(parsed->KindName()), ", wanted a JSON object"));
    job = *parsed;
  }
  SPILLWAY_RETURN_IF_ERROR(ApplyJobOptions(args, now, job));
  if (!args.command_line.empty()) {
    Value words = Value::MakeList();
    for (const std::string& word : args.command_line) words.Append(Value::MakeString(word));
    SetAt(job, {"run", "command"}, std::move(words));
  }
  if (job.map().empty())
    return absl::InvalidArgumentError("no job: give a file, or a command behind `--`");
  return job;
}

}  // namespace spillway::cli
