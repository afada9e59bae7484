#include "formats/workload_file.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "core/text.h"
#include "formats/work_text.h"
#include "formats/workload_lengths.h"

namespace spillway {
namespace {

constexpr std::size_t kMostWorkloads = 100, kMostParts = 1000, kMostModels = 1000;

void ReadModelName(const Place& at, std::string& out) {
  std::string name;
  Read(at, name);
  if (name.size() > 128) return at.Fail("is longer than 128 bytes");
  out = std::move(name);
}

// `model: NAME`, or `models: {NAME: 80%, ...}`, which add up to 100 %.
void ReadModels(ObjectReader& r, std::vector<std::pair<std::string, double>>& out) {
  std::string one;
  if (r.Optional("model", one, ReadModelName)) out.emplace_back(one, 1.0);
  const Member* member = r.Take("models");
  if (!member) return;
  const Place at = r.at().Child(*member);
  if (r.Has("model")) return at.Fail("either `model` or `models`");
  if (!at.value().is_map() || at.value().map().empty() || at.value().map().size() > kMostModels) {
    return at.Fail("wants a map of models to their shares, like {small: 80%, large: 20%}");
  }
  double sum = 0;
  for (const Member& model : at.value().map()) {
    double share = 0;
    ReadPercent(at.Child(model), share);
    out.emplace_back(model.key, share);
    sum += share;
  }
  if (std::abs(sum - 1) > 1e-9) {
    at.Fail(absl::StrCat("the shares add up to ", sum * 100, " %: wants 100 %"));
  }
}

void ReadRequestObjective(const Place& at, RequestSpec& out) {
  ObjectReader r(at, "`objective`");
  const auto span = [](const Place& place, std::optional<absl::Duration>& value) {
    absl::Duration read{};
    ReadSpan(place, read);
    if (read > absl::ZeroDuration()) value = read;
  };
  r.Optional("ttft", out.ttft, span);
  r.Optional("tpot", out.tpot, span);
  r.Finish();
}

// The job document (formats/work_text.h), in which `run` may be left out: nothing runs here.
void ReadJobDocument(const Place& at, bool has_deadline, Work& out) {
  static const Value& simulated = *new Value(ParseJson(R"({"command": ["simulated"]})").value());
  Value document = at.value();
  if (document.is_map() && !document.Find("run")) document.Set("run", simulated);
  const Place place = at.Holding(document);
  ReadWork(place, DefaultObjectives(), out);
  const auto says = [](const Value* face, std::string_view key) {
    const Value* objective = face && face->is_map() ? face->Find("objective") : nullptr;
    return objective && objective->is_map() && objective->Find(key);
  };
  const Value* alternatives = document.is_map() ? document.Find("alternatives") : nullptr;
  const auto alternative = [&](std::size_t i) -> const Value* {
    const bool is_there =
        alternatives && alternatives->is_list() && i < alternatives->list().size();
    return is_there ? &alternatives->list()[i] : nullptr;
  };
  bool has_instant = says(&document, "deadline");
  // The default objective is for jobs that have none.
  const bool has_start = says(&document, "start_within");
  if (has_deadline && !has_start) out.objective.start_within = std::nullopt;
  for (std::size_t i = 0; i < out.alternatives.size(); ++i) {
    has_instant |= says(alternative(i), "deadline");
    if (has_deadline && !has_start && !says(alternative(i), "start_within"))
      out.alternatives[i].objective.start_within = std::nullopt;
  }
  if (has_instant)
    at.Fail("a `deadline` in its `objective` is one instant: write `deadline: 4h` beside `job`");
}

// An optional value read by the reader of its type.
template <class F>
auto Maybe(F read) {
  return [read](const Place& at, auto& out) {
    typename std::remove_reference_t<decltype(out)>::value_type value{};
    const std::size_t before = at.reading().error().size();
    read(at, value);
    if (at.reading().error().size() == before) out = std::move(value);
  };
}

class PartText {
 public:
  PartText(const Place& at, const std::string& folder, std::size_t number)
      : at_(at), folder_(folder), number_(number) {}

  void Read(PartSpec& part) {
    ObjectReader r(at_, "a part of a workload");
    ReadArrivals(r, folder_, part.arrivals);
    part.name = absl::StrCat("part-", number_ + 1);
    r.Optional("name", part.name, ReadName);
    r.Optional("after", part.after);
    has_length_ = r.Has("for");
    r.Optional("for", part.lasts, Maybe(ReadSpan));
    r.Optional("tenant", part.tenant, ReadName);
    ReadRequestKeys(r, part.request);
    ReadJobKeys(r, part.job);
    part.makes_jobs = r.Has("job") && !std::holds_alternative<TraceSpec>(part.arrivals);
    r.Finish();
    if (r.is_map()) Check(r, part);
  }

 private:
  auto Length(bool is_span = false) const {
    return Maybe([this, is_span](const Place& at, LengthSpec& spec) {
      ReadLength(at, folder_, is_span, spec);
    });
  }

  void ReadRequestKeys(ObjectReader& r, RequestSpec& request) const {
    ReadModels(r, request.models);
    r.Optional("prompt_tokens", request.prompt_tokens, Length());
    r.Optional("output_tokens", request.output_tokens, Length());
    r.Optional("items", request.items, Length());
    r.Optional("max_tokens", request.max_tokens, Maybe(Between(1, 10'000'000)));
    r.Optional("shared_prefix", request.shared_prefix, Between(0, 10'000'000));
    r.Optional("objective", request, ReadRequestObjective);
  }
  void ReadJobKeys(ObjectReader& r, JobSpec& job) const {
    const bool has_deadline = r.Has("deadline");
    r.Optional("job", job.work,
               [&](const Place& at, Work& work) { ReadJobDocument(at, has_deadline, work); });
    r.Optional("units", job.units, Length());
    r.Optional("duration", job.duration, Length(true));
    r.Optional("deadline", job.deadline, Maybe(ReadSpan));
    r.Optional("declared", job.declared);
  }

  // What does not go together.
  void Check(const ObjectReader& r, const PartSpec& part) const {
    const auto* trace = std::get_if<TraceSpec>(&part.arrivals);
    if (!trace && !has_length_) at_.Fail("wants the key `for`: a generator has no end of its own");
    const bool has_model = r.Has("model") || r.Has("models");
    const bool is_own = trace && (trace->format == TraceFormat::kSpillwayCsv ||
                                  trace->format == TraceFormat::kSpillwayJsonl);
    const bool are_jobs = part.makes_jobs || (trace && IsJobTrace(trace->format));
    if (are_jobs) {
      RefuseAll(r,
                {"model", "models", "prompt_tokens", "output_tokens", "items", "max_tokens",
                 "shared_prefix", "objective"},
                "is for requests, and this part makes jobs");
      if (part.makes_jobs) CheckJob(r, part.job);
      if (std::holds_alternative<SessionsSpec>(part.arrivals)) {
        at_.Fail("`sessions` are of requests, not of jobs");
      }
    } else if (!is_own) {
      RefuseAll(r, {"units", "duration", "deadline", "declared"},
                "is for jobs: wants the key `job`");
      if (trace && r.Has("job")) at_.Fail("`job` does not go with a trace of requests");
      const bool names_models = trace && trace->format == TraceFormat::kBurstGpt;
      if (!has_model && !names_models) at_.Fail("wants the key `model`, `models` or `job`");
    }
    if (trace) {
      RefuseAll(r, {"units", "duration"}, "is for generators: the trace tells how much work it is");
      if (trace->format == TraceFormat::kServeGen) {
        RefuseAll(r, {"prompt_tokens", "output_tokens", "items"},
                  "does not go with `servegen`: each client has its own lengths");
      }
    } else if (!are_jobs && !r.Has("prompt_tokens") && !r.Has("items")) {
      at_.Fail("wants the key `prompt_tokens` (and `output_tokens`), or `items`");
    }
  }
  void CheckJob(const ObjectReader& r, const JobSpec& job) const {
    const bool has_class = std::holds_alternative<ClassUnits>(job.work.demand);
    const bool has_seconds = std::holds_alternative<DeclaredSeconds>(job.work.demand);
    if (r.Has("units") && !has_class) {
      at_.Fail("`units` wants a class in the job's demand: demand: {class: NAME, units: 1}");
    }
    if (r.Has("duration") && has_class) at_.Fail("`duration` does not go with a class");
    if (!has_class && !has_seconds && !r.Has("duration")) {
      at_.Fail("nothing tells how long the job takes: wants a `demand` in `job`, or `duration`");
    }
  }
  void RefuseAll(const ObjectReader& r, std::initializer_list<std::string_view> keys,
                 std::string_view why) const {
    for (const Member& member : at_.value().map()) {
      if (!r.Has(member.key)) continue;
      if (std::find(keys.begin(), keys.end(), member.key) == keys.end()) continue;
      at_.Child(member).Fail(absl::StrCat("`", member.key, "` ", ToAbsl(why)));
    }
  }

  const Place& at_;
  const std::string& folder_;
  std::size_t number_;
  bool has_length_ = false;
};

void ReadWorkload(const Place& at, const std::string& folder, WorkloadSpec& out) {
  if (!IsList(at, kMostParts)) return;
  if (at.value().list().empty()) return at.Fail("has no parts");
  std::set<std::string> names;
  out.parts.resize(at.value().list().size());
  for (std::size_t i = 0; i < out.parts.size(); ++i) {
    const Place place = at.Item(i);
    PartText(place, folder, i).Read(out.parts[i]);
    if (!names.insert(out.parts[i].name).second) {
      place.Fail(absl::StrCat("the name `", out.parts[i].name, "` stands here twice"));
    }
  }
}

void Add(const std::string& file, std::vector<std::string>& files) {
  if (file.empty() || std::find(files.begin(), files.end(), file) != files.end()) return;
  files.push_back(file);
}

}  // namespace

void ReadWorkloads(const Place& at, const std::string& folder, std::vector<WorkloadSpec>& out) {
  if (!IsMapOfNames(at, kMostWorkloads)) return;
  if (at.value().map().empty()) return at.Fail("names no workload");
  for (const Member& member : at.value().map()) {
    WorkloadSpec& workload = out.emplace_back();
    workload.name = member.key;
    ReadWorkload(at.Child(member), folder, workload);
  }
}

std::vector<std::string> FilesOf(const WorkloadSpec& workload) {
  std::vector<std::string> files;
  for (const PartSpec& part : workload.parts) {
    if (const auto* trace = std::get_if<TraceSpec>(&part.arrivals)) {
      Add(trace->file, files);
      Add(trace->lengths, files);
    }
    for (const auto* length : {&part.request.prompt_tokens, &part.request.output_tokens,
                               &part.request.items, &part.job.units, &part.job.duration}) {
      if (*length) Add((*length)->file, files);
    }
  }
  return files;
}

}  // namespace spillway
