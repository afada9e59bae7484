#include "formats/workload_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/status.h"
#include "formats/file_text.h"
#include "formats/traces/columns.h"
#include "tests/formats/traces/trace_files.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The text of `workloads:`, or of one part of one workload.
absl::StatusOr<std::vector<WorkloadSpec>> Parse(const std::string& text,
                                                std::set<std::string>* keys = nullptr) {
  SPILLWAY_ASSIGN_OR_RETURN(const Value document, ParseYaml(text, "s.yaml"));
  Reading reading("s.yaml");
  if (keys) reading.KeepKnownKeys();
  std::vector<WorkloadSpec> workloads;
  const Place root(document, reading);
  ReadWorkloads(root.Child(document.map()[0]), "configs/scenarios/", workloads);
  if (keys) keys->insert(reading.known_keys().begin(), reading.known_keys().end());
  SPILLWAY_RETURN_IF_ERROR(reading.ToStatus());
  return workloads;
}
absl::StatusOr<PartSpec> ParsePart(const std::string& part) {
  SPILLWAY_ASSIGN_OR_RETURN(const auto workloads,
                            Parse(absl::StrCat("workloads: {w: [", part, "]}")));
  return workloads[0].parts[0];
}
template <class Spec>
Spec ArrivalsOf(const std::string& part) {
  const auto read = ParsePart(part);
  EXPECT_TRUE(read.ok()) << part << ": " << read.status();
  const Spec* spec = read.ok() ? std::get_if<Spec>(&read->arrivals) : nullptr;
  EXPECT_NE(spec, nullptr) << part;
  return spec ? *spec : Spec();
}

TEST(Workloads, ReadATraceWithAllItsKeys) {
  const auto trace = ArrivalsOf<TraceSpec>(
      "{trace: ../traces/a.csv, format: azure-llm, model: m, rate: 2.5, share: 40%, from: 5min, "
      "bootstrap: 90s, skip_bad_rows: 7}");
  EXPECT_EQ(trace.file, "configs/traces/a.csv");
  EXPECT_EQ(trace.format, TraceFormat::kAzureLlm);
  EXPECT_EQ(trace.rate, 2.5);
  EXPECT_EQ(trace.share, 0.4);
  EXPECT_EQ(trace.from, absl::Minutes(5));
  EXPECT_EQ(trace.block, absl::Seconds(90));
  EXPECT_EQ(trace.skip_bad_rows, 7);
  EXPECT_EQ(ArrivalsOf<TraceSpec>("{trace: /x/a, format: mooncake, model: m}").file, "/x/a");
  EXPECT_EQ(ArrivalsOf<TraceSpec>("{trace: a, format: mooncake, model: m}").block,
            absl::Minutes(5));
  EXPECT_EQ(ArrivalsOf<TraceSpec>("{trace: a, format: mooncake, model: m, bootstrap: none}").block,
            std::nullopt);
}

TEST(Workloads, ReadEveryGenerator) {
  const std::string rest = ", for: 1h, model: m, prompt_tokens: 5}";
  EXPECT_EQ(ArrivalsOf<PoissonSpec>("{poisson: 90/min" + rest).rate, 1.5);
  EXPECT_EQ(ArrivalsOf<PoissonSpec>("{poisson: 3/h" + rest).rate, 3 / 3600.0);
  EXPECT_EQ(ArrivalsOf<GammaSpec>("{gamma: {rate: 2/s, cv: 3}" + rest), (GammaSpec{2, 3}));
  EXPECT_EQ(ArrivalsOf<OnOffSpec>("{on-off: {on: 5s, off: 1min, rate: 2/s}" + rest),
            (OnOffSpec{absl::Seconds(5), absl::Minutes(1), 2, 0}));
  EXPECT_EQ(ArrivalsOf<DiurnalSpec>("{diurnal: {mean: 2/s, peak: 3/s, peak_at: 14h}" + rest),
            (DiurnalSpec{2, 3, absl::Hours(24), absl::Hours(14)}));
  EXPECT_EQ(ArrivalsOf<DiurnalSpec>(
                "{diurnal: {mean: 2/s, peak: 3/s, surge: {rate: 90/s, at: 5min, rise: 26s, half: "
                "45s}}" +
                rest)
                .surge,
            (SurgeSpec{90, absl::Minutes(5), absl::Seconds(26), absl::Seconds(45)}));
  EXPECT_EQ(ArrivalsOf<SessionsSpec>("{sessions: {users: 9, think: 5s, turns: 4}" + rest),
            (SessionsSpec{9, absl::Seconds(5), 4, 32'768}));
}

TEST(Workloads, ReadWhatArrives) {
  const auto part = ParsePart(
      "{name: chat, poisson: 1/s, after: 3min, for: 1h, tenant: web, models: {a: 75%, b: 25%}, "
      "prompt_tokens: {lognormal: {p50: 10, p99: 50, most: 40}}, "
      "output_tokens: {quantiles: {p100: 9, p0: 1}}, items: {column: {file: x.csv, name: n}}, "
      "max_tokens: 64, shared_prefix: 32, objective: {ttft: 1s, tpot: 50ms}}");
  ASSERT_TRUE(part.ok()) << part.status();
  EXPECT_EQ(part->name, "chat");
  EXPECT_EQ(part->after, absl::Minutes(3));
  EXPECT_EQ(part->lasts, absl::Hours(1));
  EXPECT_EQ(part->tenant, "web");
  EXPECT_THAT(part->request.models, ElementsAre(std::pair("a", 0.75), std::pair("b", 0.25)));
  EXPECT_EQ(part->request.prompt_tokens,
            (LengthSpec{.shape = LengthShape::kLognormal, .p50 = 10, .p99 = 50, .most = 40}));
  EXPECT_THAT(part->request.output_tokens->quantiles,
              ElementsAre(std::pair(0.0, 1.0), std::pair(1.0, 9.0)));
  EXPECT_EQ(part->request.items->file, "configs/scenarios/x.csv");
  EXPECT_EQ(part->request.max_tokens, 64);
  EXPECT_EQ(part->request.shared_prefix, 32);
  EXPECT_EQ(part->request.ttft, absl::Seconds(1));
  EXPECT_EQ(part->request.tpot, absl::Milliseconds(50));
  EXPECT_FALSE(part->makes_jobs);
}

TEST(Workloads, ReadJobs) {
  const auto part = ParsePart(
      "{poisson: 1/h, for: 1d, job: {name: n, needs: {devices: 2}, demand: {class: c, units: 1}}, "
      "units: {lognormal: {p50: 10, p99: 50}}, deadline: 4h, declared: false}");
  ASSERT_TRUE(part.ok()) << part.status();
  EXPECT_TRUE(part->makes_jobs);
  EXPECT_EQ(part->name, "part-1");
  EXPECT_EQ(part->job.work.needs.devices.count, 2);
  EXPECT_EQ(part->job.deadline, absl::Hours(4));
  EXPECT_EQ(part->job.declared, false);
  // A deadline takes the place of the default objective.
  EXPECT_EQ(part->job.work.objective.start_within, std::nullopt);
  // In alternatives, too, unless one asks for a start of its own.
  const auto faces = ParsePart(
      "{poisson: 1/h, for: 1d, deadline: 4h, job: {demand: {class: c, units: 1}, alternatives: "
      "[{on: {kind: cpu}}, {on: {kind: gpu}, objective: {start_within: 5min}}]}}");
  ASSERT_TRUE(faces.ok()) << faces.status();
  ASSERT_EQ(faces->job.work.alternatives.size(), 2u);
  EXPECT_EQ(faces->job.work.alternatives[0].objective.start_within, std::nullopt);
  EXPECT_EQ(faces->job.work.alternatives[1].objective.start_within, absl::Minutes(5));
  const auto spans = ParsePart(
      "{poisson: 1/h, for: 1d, job: {}, duration: {quantiles: {p0: 1min, "
      "p100: 2h}}}");
  ASSERT_TRUE(spans.ok()) << spans.status();
  EXPECT_THAT(spans->job.duration->quantiles,
              ElementsAre(std::pair(0.0, 60.0), std::pair(1.0, 7200.0)));
  EXPECT_EQ(spans->job.work.objective.start_within, absl::Seconds(60));
}

struct BadPart {
  std::string name, part, says;
  friend void PrintTo(const BadPart& row, std::ostream* out) { *out << row.name; }
};
class BadParts : public testing::TestWithParam<BadPart> {};
TEST_P(BadParts, AreRefusedWithTheirPlace) {
  const auto part = ParsePart(GetParam().part);
  ASSERT_FALSE(part.ok());
  EXPECT_EQ(part.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(part.status().message()), HasSubstr(GetParam().says));
  EXPECT_THAT(std::string(part.status().message()), testing::StartsWith("s.yaml:1:"));
}
const std::vector<BadPart>& AllBadParts() {
  static const auto& all = *new std::vector<BadPart>{
      {"UnknownKey", "{poisson: 1/s, for: 1h, modle: m}",
       "unknown key `modle` (did you mean `model`?)"},
      {"NoWayToArrive", "{model: m}", "wants one of `trace`, `poisson`"},
      {"TwoWays", "{poisson: 1/s, gamma: {rate: 1/s, cv: 1}, for: 1h, model: m, prompt_tokens: 1}",
       "found 2"},
      {"NoEnd", "{poisson: 1/s, model: m, prompt_tokens: 1}", "wants the key `for`"},
      {"NoModel", "{poisson: 1/s, for: 1h, prompt_tokens: 1}",
       "wants the key `model`, `models` or `job`"},
      {"NoLengths", "{poisson: 1/s, for: 1h, model: m}", "wants the key `prompt_tokens`"},
      {"NoRate", "{poisson: 5, for: 1h, model: m, prompt_tokens: 1}", "`5` is no rate"},
      {"RateOfNothing", "{poisson: 0/s, for: 1h, model: m, prompt_tokens: 1}", "`0/s` is no rate"},
      {"RateTooHigh", "{poisson: 1000001/s, for: 1h, model: m, prompt_tokens: 1}", "is no rate"},
      {"UnknownFormat", "{trace: a, format: moncake, model: m}",
       "unknown word `moncake` (did you mean `mooncake`?)"},
      {"NoFormat", "{trace: a, model: m}", "needs the key `format`"},
      {"TraceKeyWithoutTrace", "{poisson: 1/s, for: 1h, model: m, prompt_tokens: 1, share: 5%}",
       "belongs to a `trace`"},
      {"ServeGenAlone", "{trace: a, format: servegen, model: m}", "needs the key `lengths`"},
      {"LengthsOfOthers", "{trace: a, format: mooncake, lengths: b, model: m}",
       "`lengths` belongs to the format `servegen`"},
      {"ClustersOfOthers", "{trace: a, format: openb, clusters: [b]}",
       "`clusters` belongs to the format `gavel`"},
      {"SharesBelowOne", "{trace: a, format: mooncake, models: {a: 50%, b: 49%}}",
       "the shares add up to 99 %"},
      {"ModelAndModels", "{trace: a, format: mooncake, model: a, models: {b: 100%}}",
       "either `model` or `models`"},
      {"QuantilesFall",
       "{trace: a, format: mooncake, model: a, prompt_tokens: {quantiles: {p1: 5, p50: 4}}}",
       "wants values that do not fall"},
      {"NoQuantile",
       "{trace: a, format: mooncake, model: a, prompt_tokens: {quantiles: {p1: 5, q2: 6}}}",
       "`q2` is no quantile"},
      {"LognormalUpsideDown",
       "{trace: a, format: mooncake, model: a, prompt_tokens: {lognormal: {p50: 5, p99: 4}}}",
       "wants 0 < `p50` <= `p99`"},
      {"LengthOfTwoShapes",
       "{trace: a, format: mooncake, model: a, prompt_tokens: {lognormal: {p50: 5, p99: 6}, "
       "quantiles: "
       "{p0: 1, p9: 2}}}",
       "wants a number, or one of"},
      {"ModelOfAJob", "{poisson: 1/h, for: 1h, model: m, job: {demand: {seconds: 5s}}}",
       "`model` is for requests"},
      {"JobOfRequests", "{trace: a, format: mooncake, model: m, job: {}}",
       "`job` does not go with a trace of requests"},
      {"DeadlineOfRequests", "{trace: a, format: mooncake, model: m, deadline: 1h}",
       "`deadline` is for jobs"},
      {"JobWithoutLength", "{poisson: 1/h, for: 1h, job: {}}",
       "nothing tells how long the job takes"},
      {"UnitsWithoutClass", "{poisson: 1/h, for: 1h, units: 5, job: {demand: {seconds: 5s}}}",
       "`units` wants a class"},
      {"JobsInSessions", "{sessions: {users: 1, think: 1s}, for: 1h, job: {demand: {seconds: 5s}}}",
       "`sessions` are of requests"},
      {"DeadlineInside",
       "{poisson: 1/h, for: 1h, job: {demand: {seconds: 5s}, objective: {deadline: "
       "\"2026-01-01T00:00:00Z\"}}}",
       "write `deadline: 4h` beside `job`"},
      {"UnknownKeyOfAJob", "{poisson: 1/h, for: 1h, job: {demnd: {seconds: 5s}}}",
       "unknown key `demnd` (did you mean `demand`?)"},
      {"PeakTooHigh", "{diurnal: {mean: 1/s, peak: 3/s}, for: 1h, model: m, prompt_tokens: 1}",
       "wants `mean` <= `peak` <= 2 x `mean`"},
      {"SurgeBeforeTheStart",
       "{diurnal: {mean: 1/s, peak: 1/s, surge: {rate: 9/s, at: 5s, rise: 6s}}, for: 1h, model: m, "
       "prompt_tokens: 1}",
       "`rise` is longer than the time until `at`"},
      {"CvOutOfRange", "{gamma: {rate: 1/s, cv: 1000}, for: 1h, model: m, prompt_tokens: 1}",
       "`cv` is out of range"},
      {"TurnsOfNone",
       "{sessions: {users: 1, think: 1s, turns: 0.5}, for: 1h, model: m, prompt_tokens: 1}",
       "`turns` is out of range"},
  };
  return all;
}
INSTANTIATE_TEST_SUITE_P(All, BadParts, testing::ValuesIn(AllBadParts()),
                         [](const auto& row) { return row.param.name; });

TEST(Workloads, MustHaveParts) {
  EXPECT_THAT(std::string(Parse("workloads: {}").status().message()),
              HasSubstr("names no workload"));
  EXPECT_THAT(std::string(Parse("workloads: {a: []}").status().message()),
              HasSubstr("has no parts"));
  EXPECT_THAT(std::string(Parse("workloads: {a: [{name: x, trace: a, format: mooncake, model: m}, "
                                "{name: x, trace: b, format: mooncake, model: m}]}")
                              .status()
                              .message()),
              HasSubstr("the name `x` stands here twice"));
}

TEST(Workloads, NameTheirFilesOnce) {
  const auto workloads = Parse(
      "workloads: {w: [{trace: r, format: servegen, lengths: l, model: m}, {trace: r, format: "
      "mooncake, model: m, prompt_tokens: {column: {file: c, name: n}}}]}");
  ASSERT_TRUE(workloads.ok()) << workloads.status();
  EXPECT_THAT(FilesOf((*workloads)[0]),
              ElementsAre("configs/scenarios/r", "configs/scenarios/l", "configs/scenarios/c"));
}

// ---- docs/workloads.md

std::string Page() {
  const auto text = ReadTextFile(SPILLWAY_SOURCE_DIR "/docs/workloads.md");
  EXPECT_TRUE(text.ok()) << text.status();
  return text.value_or("");
}
std::vector<std::string> Fenced(const std::string& language) {
  const std::string page = Page(), fence = "```" + language + "\n";
  std::vector<std::string> blocks;
  for (auto begin = page.find(fence); begin != page.npos; begin = page.find(fence, begin)) {
    begin += fence.size();
    blocks.push_back(page.substr(begin, page.find("```", begin) - begin));
  }
  return blocks;
}

TEST(DocumentedWorkloads, AreRead) {
  const auto blocks = Fenced("yaml");
  ASSERT_EQ(blocks.size(), 2u);
  std::size_t parts = 0;
  for (const std::string& block : blocks) {
    const auto workloads = Parse(block);
    ASSERT_TRUE(workloads.ok()) << workloads.status();
    for (const WorkloadSpec& workload : *workloads) parts += workload.parts.size();
  }
  EXPECT_EQ(parts, 11u);
}

TEST(DocumentedWorkloads, TracesOfOnesOwnAreRead) {
  for (const auto& [language, format] : {std::pair("csv", TraceFormat::kSpillwayCsv),
                                         std::pair("jsonl", TraceFormat::kSpillwayJsonl)}) {
    const auto blocks = Fenced(language);
    ASSERT_EQ(blocks.size(), 1u);
    testing_support::TraceText trace(format, blocks[0]);
    const auto rows = trace.Read();
    ASSERT_TRUE(rows.ok()) << rows.status();
    EXPECT_GE(rows->size(), 2u);
  }
}

TEST(DocumentedWorkloads, NameEveryKeyColumnAndFormat) {
  const std::string page = Page();
  std::set<std::string> keys;
  for (const std::string& block : Fenced("yaml")) {
    ASSERT_TRUE(Parse(block, &keys).ok());
  }
  EXPECT_GT(keys.size(), 40u);
  for (const std::string& key : keys) {
    if (absl::StrContains(key, ".job.")) continue;  // docs/jobs.md has those
    const std::string name = key.substr(key.rfind('.') + 1);
    const bool is_there =
        absl::StrContains(page, "`" + name) || absl::StrContains(page, name + ",") ||
        absl::StrContains(page, name + "}") || absl::StrContains(page, name + ":");
    EXPECT_TRUE(is_there) << key;
  }
  for (const auto& [format, name] : kTraceFormatNames) {
    EXPECT_TRUE(absl::StrContains(page, absl::StrCat("`", std::string(name), "`"))) << name;
  }
  for (const TraceColumn& column : SpillwayTable().columns) {
    EXPECT_TRUE(absl::StrContains(page, absl::StrCat("`", std::string(column.name), "`")))
        << column.name;
  }
}

}  // namespace
}  // namespace spillway
