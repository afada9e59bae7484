#include "formats/work_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "absl/strings/str_cat.h"
#include "formats/file_text.h"
#include "formats/findings.h"
#include "formats/yaml_writer.h"

namespace spillway {
namespace {

using testing::ElementsAre;

const DefaultObjectives kDefaults;

Work Parsed(std::string_view text) {
  auto work = ParseWork(text, kDefaults);
  EXPECT_TRUE(work.ok()) << work.status().message();
  return work.ok() ? *std::move(work) : Work();
}
std::string Error(std::string_view text) {
  const auto work = ParseWork(text, kDefaults);
  return work.ok() ? "accepted" : std::string(work.status().message());
}
// A job with a command and what else is given, in JSON.
std::string Job(std::string_view more) {
  return absl::StrCat(R"({"run": {"command": ["true"]}, )", std::string(more), "}");
}

TEST(ParseWork, ReadsTheExample) {
  const auto text = ReadTextFile(SPILLWAY_SOURCE_DIR "/tests/formats/data/job.json");
  ASSERT_TRUE(text.ok()) << text.status();
  Work want;
  want.name = "thumbnails-42";
  want.run = {
      {"convert", "in.png", "-resize", "320", "out.png"}, {{"LC_ALL", "C"}}, "/srv/thumbnails"};
  want.needs.cpus = MilliCpus(2000);
  want.needs.memory = Bytes(1ll << 30);
  want.demand = ClassUnits{"image-resize", 120};
  want.objective.start_within = absl::Seconds(30);
  want.objective.max_cost = Usd(50'000'000);
  want.priority = 5;
  want.labels = {{"team", "web"}};
  Alternative habana{.on = {.kind = {DeviceKind::kNpu}, .vendor = {"habana"}},
                     .run = want.run,
                     .needs = want.needs,
                     .demand = want.demand,
                     .objective = want.objective};
  Alternative nvidia = habana;
  habana.run.command = {"resize-hpu", "in.png", "out.png"};
  habana.needs.devices.count = 1;
  habana.needs.runtime = *RuntimeNeed::Parse("synapse");
  nvidia.on = {.vendor = {"nvidia"}};
  nvidia.run.command = {"resize-cuda", "in.png", "out.png"};
  nvidia.needs.devices.count = 1;
  nvidia.needs.runtime = *RuntimeNeed::Parse("cuda>=12");
  want.alternatives = {habana, nvidia};
  EXPECT_EQ(Parsed(*text), want);
}

TEST(ParseWork, TheLeastJobHasEveryDefault) {
  Work want;
  want.run.command = {"true"};
  want.objective.start_within = absl::Seconds(60);
  EXPECT_EQ(Parsed(R"({"run":{"command":["true"]}})"), want);
  EXPECT_EQ(Parsed("run: {command: [\"true\"]}"), want) << "YAML for the command line";
}

TEST(ParseWork, ReadsEveryKey) {
  const Work work = Parsed(R"({
    "name": "n", "run": {"command": ["a", "", "x\ny"], "env": {"A_1": "", "b": "="}, "cwd": "/"},
    "needs": {"cpus": "0.25", "memory": "512MiB", "nodes": 2, "arch": "arm64", "runtime": "none",
      "devices": {"count": 2, "kind": "gpu", "vendor": "nvidia", "model": "m-1", "memory": "16GiB",
                  "fraction": 0.5},
      "precision": ["bf16", "int8"], "features": "amx", "confidential": "tdx", "model": "Qwen/Qwen2",
      "sites": ["office", "lab"], "labels": {"rack": "A"}, "avoid": {"zone": "z"}},
    "demand": {"seconds": 12.5, "on": "xeon"},
    "objective": {"deadline": "2026-08-01T00:00:00Z", "ttft": "1s", "tpot": "50ms",
                  "max_cost_usd": "0.000000001", "on_miss": "fail"},
    "priority": -100, "retries": {"own": 2, "infrastructure": 0}, "labels": {"a": "b"},
    "alternatives": [], "pool": "p-1", "queue_timeout": "1h"})");
  EXPECT_THAT(work.run.command, ElementsAre("a", "", "x\ny"));
  EXPECT_EQ(work.run.env.at("b"), "=");
  EXPECT_EQ(work.run.cwd, "/");
  EXPECT_EQ(work.needs.cpus, MilliCpus(250));
  EXPECT_EQ(work.needs.nodes, 2);
  EXPECT_EQ(work.needs.arch, Arch::kArm64);
  EXPECT_EQ(work.needs.devices, (DeviceNeed{.count = 2,
                                            .kind = DeviceKind::kGpu,
                                            .vendor = "nvidia",
                                            .model = "m-1",
                                            .memory = Bytes(16ll << 30),
                                            .fraction = 0.5}));
  EXPECT_THAT(work.needs.precision, ElementsAre(Precision::kBf16, Precision::kInt8));
  EXPECT_THAT(work.needs.features, ElementsAre("amx"));
  EXPECT_EQ(work.needs.confidential, "tdx");
  EXPECT_EQ(work.needs.model, "Qwen/Qwen2");
  EXPECT_THAT(work.needs.sites, ElementsAre("office", "lab"));
  EXPECT_EQ(work.needs.labels.at("rack"), "A");
  EXPECT_EQ(work.needs.avoid.at("zone"), "z");
  EXPECT_EQ(std::get<DeclaredSeconds>(work.demand),
            (DeclaredSeconds{absl::Milliseconds(12'500), "xeon"}));
  EXPECT_FALSE(work.objective.start_within) << "a deadline is enough";
  EXPECT_EQ(work.objective.ttft, absl::Seconds(1));
  EXPECT_EQ(work.objective.tpot, absl::Milliseconds(50));
  EXPECT_EQ(work.objective.max_cost, Usd(1));
  EXPECT_EQ(work.objective.on_miss, OnMiss::kFail);
  EXPECT_EQ(work.priority, -100);
  EXPECT_EQ(work.retries, (Retries{2, 0}));
  EXPECT_EQ(work.pin, "p-1");
  EXPECT_EQ(work.queue_timeout, absl::Hours(1));
}

TEST(ParseWork, DevicesMayBeANumberAlone) {
  EXPECT_EQ(Parsed(Job(R"("needs": {"devices": 2})")).needs.devices, DeviceNeed{.count = 2});
}

TEST(ParseWork, DemandHasThreeShapes) {
  EXPECT_EQ(std::get<TokenCounts>(
                Parsed(Job(R"("demand": {"prompt_tokens": 5, "output_tokens": 7})")).demand),
            (TokenCounts{Tokens(5), Tokens(7)}));
  EXPECT_EQ(std::get<ClassUnits>(Parsed(Job(R"("demand": {"class": "c", "units": 0.5})")).demand),
            (ClassUnits{"c", 0.5}));
  EXPECT_EQ(Parsed(Job(R"("demand": {})")).demand, Demand());
}

// ---- Alternatives are merged as they stand in the text.

TEST(ParseWork, NullTakesAwayWhatTheDefaultSaid) {
  const Work work = Parsed(Job(R"("needs": {"memory": "8GiB", "labels": {"a": "1", "b": "2"}},
    "demand": {"class": "c", "units": 1}, "objective": {"start_within": "5s"},
    "alternatives": [{"on": {"kind": "gpu"}, "needs": {"memory": null, "labels": {"a": null}},
      "demand": {"class": null, "units": null, "seconds": 3}, "objective": null},
      {"on": {}, "demand": null, "objective": {"start_within": null}}])"));
  ASSERT_EQ(work.alternatives.size(), 2u);
  const Alternative& first = work.alternatives[0];
  EXPECT_EQ(first.needs.memory, Needs().memory);
  EXPECT_THAT(first.needs.labels, ElementsAre(testing::Pair("b", "2")));
  EXPECT_EQ(std::get<DeclaredSeconds>(first.demand).seconds, absl::Seconds(3));
  EXPECT_EQ(first.objective.start_within, absl::Seconds(60)) << "the default of all jobs again";
  EXPECT_EQ(work.alternatives[1].demand, Demand());
  EXPECT_EQ(work.alternatives[1].objective.start_within, absl::Seconds(60));
  EXPECT_EQ(work.alternatives[1].needs, work.needs);
}

TEST(ParseWork, AnAlternativeWithADeadlineLosesTheUnspokenDefault) {
  const Work work = Parsed(Job(R"("alternatives":
    [{"on": {"kind": "gpu"}, "objective": {"deadline": "2026-08-01T00:00:00Z"}}])"));
  EXPECT_EQ(work.objective.start_within, absl::Seconds(60));
  EXPECT_FALSE(work.alternatives[0].objective.start_within);
}

struct BadJob {
  std::string text, error;
};
class BadJobs : public testing::TestWithParam<BadJob> {};
TEST_P(BadJobs, AreRefusedWithTheirPointer) { EXPECT_EQ(Error(GetParam().text), GetParam().error); }
INSTANTIATE_TEST_SUITE_P(
    Shapes, BadJobs,
    testing::Values(
        BadJob{"", "the text is empty"}, BadJob{"{", "line 1, column 2: the text ends too early"},
        BadJob{"{} {}", "line 1, column 4: something stands after the end of the value"},
        BadJob{R"({"run": {"command": ["x"]}, "run": 1})",
               "line 1, column 29: key `run` stands here twice"},
        BadJob{"{}", "line 1, column 1: a job needs the key `run`"},
        BadJob{"[]", "line 1, column 1: wants a map, a job, found a list"},
        BadJob{R"({"run": {}})", "/run: `run` needs the key `command`"},
        BadJob{R"({"run": {"command": []}})", "/run/command: a command needs a program"},
        BadJob{R"({"run": {"command": [""]}})", "/run/command/0: is empty: name a program"},
        BadJob{R"({"run": {"command": "ls -l"}})",
               "/run/command: wants a list, found a string `ls -l`"},
        BadJob{R"({"run": {"command": ["a", 5]}})",
               "/run/command/1: wants text: write \"5\" in quotes"},
        BadJob{R"({"run": {"command": ["a\u0000b"]}})", "/run/command/0: holds a NUL character"},
        BadJob{R"({"run": {"command": ["a"], "env": {"1A": "x"}}})",
               "/run/env/1A: is no name of a variable: letters, digits and _, not beginning with a "
               "digit"},
        BadJob{
            R"({"run": {"command": ["a"], "env": {"A=B": "x"}}})",
            "/run/env/A=B: is no name of a variable: letters, digits and _, not beginning with a "
            "digit"},
        BadJob{R"({"run": {"command": ["a"], "env": {"A": 1}}})",
               "/run/env/A: wants text: write \"1\" in quotes"},
        BadJob{R"({"run": {"command": ["a"], "cwd": "tmp"}})",
               "/run/cwd: is no absolute path: begin with /"},
        BadJob{R"({"run": {"command": ["a"], "cwd": "/a/../b"}})",
               "/run/cwd: holds `..`: name the folder itself"},
        BadJob{R"({"run": {"command": ["a"], "cwd": "/a\u0000"}})",
               "/run/cwd: holds a NUL character"},
        BadJob{R"({"run": {"command": ["a"], "shell": true}})",
               "/run/shell: unknown key `shell`: `run` has command, env, cwd"}));
INSTANTIATE_TEST_SUITE_P(
    Values, BadJobs,
    testing::Values(
        BadJob{Job(R"("name": "a\nb")"), "/name: holds a control character"},
        BadJob{Job(R"("name": "")"), "/name: is empty"},
        BadJob{Job(absl::StrCat("\"name\": \"", std::string(129, 'x'), "\"")),
               "/name: is longer than 128 bytes"},
        BadJob{Job(R"("needs": {"memory": 1024})"),
               "/needs/memory: `1024` has no unit: write a size like `1024GiB`"},
        BadJob{Job(R"("needs": {"memroy": "1GiB"})"),
               "/needs/memroy: unknown key `memroy` (did you mean `memory`?)"},
        BadJob{Job(R"("needs": {"cpus": -1})"),
               "/needs/cpus: `-1` is negative: write a number of CPUs like `0.25`"},
        BadJob{Job(R"("needs": {"cpus": 0})"),
               "/needs/cpus: is zero: ask for a part of one, like 0.1"},
        BadJob{Job(R"("needs": {"cpus": 0.0001})"),
               "/needs/cpus: `0.0001` has more than three decimals or is too large: write a number "
               "of CPUs like `0.25`"},
        BadJob{Job(R"("needs": {"cpus": 1e3})"),
               "/needs/cpus: `1e3` is not a plain number: write a number of CPUs like `0.25`"},
        BadJob{Job(R"("needs": {"cpus": 1000001})"),
               "/needs/cpus: `1000001` is out of range: up to 1000000"},
        BadJob{Job(R"("needs": {"devices": -1})"), "/needs/devices: `-1` is out of range: 0 to 64"},
        BadJob{Job(R"("needs": {"devices": {"kind": "gpu"}})"),
               "/needs/devices: `devices` needs the key `count`"},
        BadJob{Job(R"("needs": {"devices": {"count": 1, "kind": "cpu"}})"),
               "/needs/devices: a CPU is never counted in `devices`: ask for `cpus`"},
        BadJob{Job(R"("needs": {"devices": {"count": 1, "fraction": 1.5}})"),
               "/needs/devices/fraction: `1.5` is out of range: more than 0, up to 1"},
        BadJob{Job(R"("needs": {"devices": {"count": 1, "fraction": 0}})"),
               "/needs/devices/fraction: `0` is out of range: more than 0, up to 1"},
        BadJob{Job(R"("needs": {"nodes": 0})"), "/needs/nodes: `0` is out of range: 1 to 100000"},
        BadJob{Job(R"("needs": {"runtime": "cuda>="})"),
               "/needs/runtime: version `` is not numbers between dots, like 12.4"},
        BadJob{Job(R"("needs": {"precision": ["bf17"]})"),
               "/needs/precision/0: unknown word `bf17` (did you mean `bf16`?)"},
        BadJob{Job(R"("needs": null)"),
               "/needs: is empty: wants a map, `needs`, or leave the key "
               "out"},
        BadJob{Job(R"("demand": {"seconds": -1})"),
               "/demand/seconds: `-1s` is negative: write a duration like `30s`"},
        BadJob{Job(R"("demand": {"seconds": 0})"), "/demand/seconds: is zero"},
        BadJob{Job(R"("demand": {"seconds": "30s"})"),
               "/demand/seconds: wants a number of seconds, found a string `30s`"},
        BadJob{Job(R"("demand": {"class": "c"})"), "/demand: `class` and `units` belong together"},
        BadJob{Job(R"("demand": {"class": "c", "units": 0})"),
               "/demand/units: `0` is out of range: more than 0, up to 1e15"},
        BadJob{Job(R"("demand": {"class": "c", "units": 1, "seconds": 2})"),
               "/demand: `demand` is either {seconds, on}, {class, units} or {prompt_tokens, "
               "output_tokens}"},
        BadJob{Job(R"("demand": {"prompt_tokens": 1.5})"),
               "/demand/prompt_tokens: wants a whole number, found a number `1.5`"}));
INSTANTIATE_TEST_SUITE_P(
    Others, BadJobs,
    testing::Values(
        BadJob{Job(R"("objective": {"start_within": 30})"),
               "/objective/start_within: `30` has no unit: write a duration like `30s`"},
        BadJob{Job(R"("objective": {"start_within": "0s"})"), "/objective/start_within: is zero"},
        BadJob{Job(R"("objective": {"deadline": "tomorrow"})"),
               "/objective/deadline: `tomorrow` is no RFC 3339 time with an offset: write a time "
               "like `2026-08-01T00:00:00Z`"},
        BadJob{Job(R"("objective": {"max_cost_usd": 0.05})"),
               "/objective/max_cost_usd: wants text: write \"0.05\" in quotes"},
        BadJob{
            Job(R"("objective": {"max_cost_usd": "0.05 USD"})"),
            "/objective/max_cost_usd: `0.05 USD` is not a plain decimal number: write dollars as "
            "decimal text like `0.05`"},
        BadJob{Job(R"("objective": {"max_cost_usd": "-1"})"),
               "/objective/max_cost_usd: `-1` is negative: write dollars as decimal text like "
               "`0.05`"},
        BadJob{Job(R"("objective": {"on_miss": "cancel"})"),
               "/objective/on_miss: unknown word `cancel`: one of run, fail"},
        BadJob{Job(R"("priority": 101)"), "/priority: `101` is out of range: -100 to 100"},
        BadJob{Job(R"("priority": "5")"), "/priority: wants a whole number, found a string `5`"},
        BadJob{Job(R"("retries": {"own": 101})"), "/retries/own: `101` is out of range: 0 to 100"},
        BadJob{Job(R"("labels": {"Team": "x"})"),
               "/labels/Team: key `Team` is no name: up to 63 of a-z 0-9 . _ - beginning with a "
               "letter or a digit"},
        BadJob{Job(R"("tenant": "x")"),
               "/tenant: cannot be given: the tenant comes from who you are"},
        BadJob{Job(R"("state": "queued")"), "/state: cannot be given: it is part of the answer"},
        BadJob{Job(R"("cost_usd": "0")"), "/cost_usd: cannot be given: it is part of the answer"},
        BadJob{Job(R"("prority": 1)"),
               "/prority: unknown key `prority` (did you mean `priority`?)"},
        BadJob{Job(R"("pool": "A10")"),
               "/pool: `A10` is no name: up to 63 of a-z 0-9 . _ - beginning with a letter or a "
               "digit"},
        BadJob{Job(R"("alternatives": [{"needs": {}}])"),
               "/alternatives/0: an alternative needs the key `on`"},
        BadJob{Job(R"("alternatives": [{"on": {"gpu": true}}])"),
               "/alternatives/0/on/gpu: unknown key `gpu`: a selector of pools has name, kind, "
               "vendor, device, arch, billing, site, site_kind, features, confidential, runtime, "
               "tier, modelled, labels"},
        BadJob{Job(R"("alternatives": [{"on": {}, "needs": {"memory": 5}}])"),
               "/alternatives/0/needs/memory: `5` has no unit: write a size like `5GiB`"},
        BadJob{Job(R"("alternatives": [{"on": {}, "run": null}])"),
               "/alternatives/0: an alternative that takes `run` away cannot run"},
        BadJob{Job(R"("alternatives": [{"on": {}, "run": {"command": null}}])"),
               "/alternatives/0/run: `run` needs the key `command`\n"
               "/alternatives/0: an alternative that takes `run` away cannot run"},
        BadJob{
            Job(R"("alternatives": [{"on": {}, "priority": 3}])"),
            "/alternatives/0/priority: unknown key `priority`: an alternative has on, run, needs, "
            "demand, objective"}));

TEST(ParseWork, WhatIsWrongInTheDefaultIsToldOnce) {
  EXPECT_EQ(Error(Job(R"("needs": {"memory": 5}, "alternatives": [{"on": {}}, {"on": {}}])")),
            "/needs/memory: `5` has no unit: write a size like `5GiB`");
}

TEST(ParseWork, CommandsAreBounded) {
  const auto with_arguments = [](std::size_t count, std::size_t length) {
    std::string text = R"({"run": {"command": ["x")";
    for (std::size_t i = 1; i < count; ++i) {
      absl::StrAppend(&text, ",\"", std::string(length, 'a'), "\"");
    }
    return text + "]}}";
  };
  EXPECT_EQ(Error(with_arguments(4096, 1)), "accepted");
  EXPECT_EQ(Error(with_arguments(4097, 1)), "/run/command: has 4097 items, at most 4096 are taken");
  EXPECT_EQ(Error(with_arguments(2, (128 << 10) - 3)), "accepted");
  EXPECT_EQ(Error(with_arguments(2, (128 << 10) - 2)),
            "/run/command: the arguments are 131073 bytes long, at most 131072 are taken");
  std::string many = Job(R"("alternatives": [)");
  many.resize(many.size() - 1);
  for (int i = 0; i < 17; ++i) absl::StrAppend(&many, i ? "," : "", R"({"on": {}})");
  EXPECT_EQ(Error(many + "]}"), "/alternatives: has 17 items, at most 16 are taken");
}

TEST(ParseWork, YamlErrorsNameTheLine) {
  const auto work =
      ParseWork("run:\n  command: [echo, no]\nneeds: {memory: 5}\n", kDefaults, "job.yaml");
  EXPECT_EQ(std::string(work.status().message()),
            "job.yaml:2:19: `no` may mean a boolean: write \"no\" in quotes\n"
            "job.yaml:3:17: `5` has no unit: write a size like `5GiB`");
  EXPECT_THAT(
      FindingsOf(work.status()),
      ElementsAre(
          InputFinding{"/run/command/1", 2, 19, "`no` may mean a boolean: write \"no\" in quotes"},
          InputFinding{"/needs/memory", 3, 17, "`5` has no unit: write a size like `5GiB`"}));
}

// ---- Work that is written reads back as the same work.

class WorkDraw {
 public:
  explicit WorkDraw(std::uint64_t seed) : draw_(seed) {}

  Work Draw() {
    Work w;
    if (Coin()) w.name = "näme 1";
    w.run = RunOf();
    w.needs = NeedsOf();
    w.demand = DemandOf();
    w.objective = ObjectiveOf();
    w.priority = static_cast<int>(Pick(201)) - 100;
    w.retries = {static_cast<int>(Pick(101)), static_cast<int>(Pick(101))};
    w.labels = MapOf();
    for (auto n = Pick(4); n > 0; --n) {
      w.alternatives.push_back({{.name = {"no"}, .tier = {1, 2}},
                                Coin() ? w.run : RunOf(),
                                Coin() ? w.needs : NeedsOf(),
                                Coin() ? w.demand : DemandOf(),
                                Coin() ? w.objective : ObjectiveOf()});
    }
    if (Coin()) w.pin = "pool-1";
    if (Coin()) w.queue_timeout = Span();
    return w;
  }

 private:
  std::uint64_t Pick(std::uint64_t n) { return draw_() % n; }
  bool Coin() { return Pick(2) == 0; }
  absl::Duration Span() {
    return absl::Nanoseconds(1 + static_cast<std::int64_t>(draw_() >> 10 >> Pick(50)));
  }
  std::map<std::string, std::string> MapOf() {
    std::map<std::string, std::string> map;
    for (const char* key : {"a", "no", "1", "x-y"}) {
      if (Coin()) map[key] = Coin() ? "no" : "a value: x";
    }
    return map;
  }
  std::vector<std::string> Names() {
    std::vector<std::string> names;
    for (const char* name : {"amx", "1.5", "on"}) {
      if (Coin()) names.push_back(name);
    }
    return names;
  }
  Run RunOf() {
    Run run;
    run.command = {"prog", "", "a b\n\"'$(x)\\", "no", "1.50", "\xf0\x9f\x91\x8d\x7f"};
    if (Coin()) run.command.push_back("null");
    if (Coin()) run.env["PATH_1"] = Coin() ? "" : "x=y\t";
    if (Coin()) run.cwd = "/a b/..c";
    return run;
  }
  Needs NeedsOf() {
    Needs n;
    n.cpus = MilliCpus(1 + static_cast<std::int64_t>(Pick(64'000)));
    n.memory = Bytes(static_cast<std::int64_t>(draw_() >> 20 >> Pick(40)));
    n.devices.count = static_cast<int>(Pick(9));
    if (Coin()) n.devices.kind = DeviceKind::kNpu;
    if (Coin()) n.devices.vendor = "habana";
    if (Coin()) n.devices.model = "gaudi2-96g";
    if (Coin()) n.devices.memory = Bytes(1 << 30);
    if (Coin()) n.devices.fraction = static_cast<double>(1 + Pick(1000)) / 1000;
    if (Coin()) n.nodes = static_cast<int>(1 + Pick(100));
    if (Coin()) n.arch = Arch::kRiscv64;
    if (Coin()) n.runtime = *RuntimeNeed::Parse(Coin() ? "cuda>=12.4" : "openvino<2024");
    if (Coin()) n.precision = {Precision::kInt4, Precision::kFp8};
    n.features = Names();
    if (Coin()) n.confidential = "tdx";
    if (Coin()) n.model = "org/Model 1";
    n.sites = Names();
    n.labels = MapOf();
    n.avoid = MapOf();
    return n;
  }
  Demand DemandOf() {
    switch (Pick(4)) {
      case 0:
        return DeclaredSeconds{Span(), Coin() ? "xeon" : ""};
      case 1:
        return ClassUnits{"image-resize", static_cast<double>(1 + Pick(1'000'000)) / 7};
      case 2:
        return TokenCounts{Tokens(static_cast<std::int64_t>(Pick(1000))),
                           Tokens(static_cast<std::int64_t>(Pick(1000)))};
      default:
        return {};
    }
  }
  Objective ObjectiveOf() {
    Objective o;
    if (Coin()) o.deadline = absl::FromUnixNanos(static_cast<std::int64_t>(draw_() >> 2));
    if (Coin() || !o.deadline) o.start_within = Span();
    if (Coin()) o.ttft = Span();
    if (Coin()) o.tpot = Span();
    if (Coin()) o.max_cost = Usd(static_cast<std::int64_t>(draw_() >> 1 >> Pick(60)));
    if (Coin()) o.on_miss = OnMiss::kFail;
    return o;
  }

  std::mt19937_64 draw_;
};

TEST(WriteWork, ReadsBackAsTheSameWork) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const Work work = WorkDraw(seed).Draw();
    const Value tree = ToValue(work);
    for (const std::string& text : {WriteJson(tree), WriteYaml(tree)}) {
      const auto again = ParseWork(text, kDefaults);
      ASSERT_TRUE(again.ok()) << "seed " << seed << ": " << again.status().message() << "\n"
                              << text;
      ASSERT_EQ(*again, work) << "seed " << seed << "\n" << text;
    }
  }
}

TEST(WriteWork, SaysOnlyWhatAnAlternativeChanges) {
  const auto text = ReadTextFile(SPILLWAY_SOURCE_DIR "/tests/formats/data/job.json");
  const Value tree = ToValue(Parsed(*text));
  EXPECT_EQ(WriteJson(tree.Find("alternatives")->list()[1]),
            R"({"on":{"vendor":"nvidia"},"run":{"command":["resize-cuda","in.png","out.png"]},)"
            R"("needs":{"devices":{"count":1},"runtime":"cuda>=12"}})");
  EXPECT_EQ(WriteJson(*tree.Find("needs")),
            R"({"cpus":2,"memory":"1GiB","devices":{"count":0},"runtime":"none"})");
  EXPECT_EQ(WriteJson(*tree.Find("objective")),
            R"({"start_within":"30s","max_cost_usd":"0.050000000","on_miss":"run"})");
}

}  // namespace
}  // namespace spillway
