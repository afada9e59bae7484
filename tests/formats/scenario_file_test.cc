#include "formats/scenario_file.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/text.h"
#include "formats/scenario_lock.h"
#include "formats/yaml_writer.h"
#include "tests/formats/sources.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using testing::StartsWith;

constexpr char kFleet[] = R"(kind: Fleet
pools:
  - name: xeon
    adapter: {type: modelled}
    device: xeon-16vcpu
    node: {cpus: 16, memory: 32GiB}
    nodes: 2
    billing: committed
    price: {node_hour: 0.68 USD}
    site: {name: lab, kind: edge}
    runtimes: {none: "1"}
    serves: [{model: chat-7b, precision: bf16}]
  - name: a10g
    adapter: {type: modelled}
    device: nvidia-a10g-24g
    kind: gpu
    node: {cpus: 4, memory: 16GiB, devices: 1}
    billing: metered
    price: {node_hour: 1.006 USD}
    runtimes: {cuda: "12"}
    serves: [{model: chat-7b, precision: fp16}]
---
kind: Tenants
tenants: [{name: research, weight: 2}]
)";

constexpr char kScenario[] = R"(name: backstop
says: Mixed against NVIDIA only.
fleets:
  mixed: fleets/mixed.yaml
  nvidia: {size: {device: nvidia-a10g-24g, objective: same, price: {node_hour: 1.006 USD}, most: 9}}
policies:
  backstop: backstop.yaml
  only: only.yaml
pairs: [[mixed, backstop], [nvidia, only]]
baseline: [nvidia, only]
workloads:
  chat:
    - {poisson: 5/s, for: 2h, model: chat-7b, prompt_tokens: 100, output_tokens: 10}
objective: {ttft: 3s, tpot: 200ms, attainment: 99%}
world: {}
warm_up: 5min
seeds: 10
)";

class Scenario : public testing::Test {
 protected:
  Scenario() : folder_(testing::TempDir() + "/" + Name()) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_ + "/fleets");
    Write("fleets/mixed.yaml", kFleet);
    Write("backstop.yaml", "kind: Policy\nname: backstop\n");
    Write("only.yaml", "kind: Policy\nname: only\n");
    catalog_.models["chat-7b"].name = "chat-7b";
  }
  ~Scenario() override { std::filesystem::remove_all(folder_); }
  static std::string Name() {
    return testing::UnitTest::GetInstance()->current_test_info()->name();
  }
  void Write(const std::string& name, std::string_view text) const {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
  }
  absl::StatusOr<ScenarioSpec> Load(const std::string& text) {
    Write("s.yaml", text);
    return LoadScenario(folder_ + "/s.yaml", catalog_, SmallMachine(), &warnings_);
  }
  // The scenario with some of its text replaced.
  absl::StatusOr<ScenarioSpec> With(std::string_view old_text, std::string_view new_text) {
    const std::string text = absl::StrReplaceAll(kScenario, {{ToAbsl(old_text), ToAbsl(new_text)}});
    EXPECT_NE(text, kScenario) << "nothing was replaced";
    return Load(text);
  }
  std::string Error(std::string_view old_text, std::string_view new_text) {
    const auto spec = With(old_text, new_text);
    return spec.ok() ? "accepted" : std::string(spec.status().message());
  }

  std::string folder_;
  Catalog catalog_ = SmallCatalog();
  std::vector<std::string> warnings_;
};

TEST_F(Scenario, IsReadWithTheFilesThatItNames) {
  const auto spec = Load(kScenario);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->name, "backstop");
  ASSERT_EQ(spec->fleets.size(), 2u);
  EXPECT_EQ(spec->fleets[0].name, "mixed");
  EXPECT_EQ(spec->fleets[0].spec.pools.size(), 2u);
  EXPECT_EQ(spec->fleets[0].tenants.tenants.at(0).name, "research");
  EXPECT_EQ(spec->policies.at(1).spec.name, "only");
  EXPECT_THAT(spec->pairs, ElementsAre(Pair("mixed", "backstop"), Pair("nvidia", "only")));
  EXPECT_THAT(spec->baseline, Pair("nvidia", "only"));
  EXPECT_EQ(spec->workloads.at(0).parts.at(0).request.models.at(0).first, "chat-7b");
  EXPECT_EQ(spec->objective.ttft, absl::Seconds(3));
  EXPECT_EQ(spec->objective.attainment, 0.99);
  EXPECT_EQ(spec->warm_up, absl::Minutes(5));
  EXPECT_EQ(spec->seeds, 10);
  EXPECT_EQ(spec->world.failures.mtbf, absl::InfiniteDuration());
}

// ---- What is varied beside the cells

TEST_F(Scenario, ASweepVariesOneFigureOfFleetsOfFiles) {
  const auto spec = With("warm_up: 5min",
                         "warm_up: 5min\nsweeps:\n"
                         "  prompts: {device: xeon-16vcpu, prefill: [0.5, 1, 2]}\n"
                         "  a10g-price: {pool: a10g, price: 0.5, pairs: [[mixed, backstop]]}");
  ASSERT_TRUE(spec.ok()) << spec.status();
  ASSERT_EQ(spec->sweeps.size(), 2u);
  const SweepSpec& prompts = spec->sweeps[0];
  EXPECT_EQ(prompts.name, "prompts");
  EXPECT_EQ(prompts.input, SweptInput::kPrefill);
  EXPECT_EQ(prompts.of, "xeon-16vcpu");
  EXPECT_THAT(prompts.factors, ElementsAre(0.5, 2)) << "1 is the scenario itself";
  EXPECT_THAT(prompts.pairs, ElementsAre(Pair("mixed", "backstop"))) << "the others hold none";
  EXPECT_EQ(spec->sweeps[1].input, SweptInput::kPrice);
  EXPECT_EQ(spec->sweeps[1].of, "a10g");
}

TEST_F(Scenario, SweepsThatMakeNoSenseAreToldSo) {
  const auto error = [&](const std::string& sweep) {
    return Error("warm_up: 5min", absl::StrCat("warm_up: 5min\nsweeps: {s: ", sweep, "}"));
  };
  EXPECT_THAT(error("{device: xeon-16vcpu}"), HasSubstr("exactly one of `prefill`, `bandwidth`"));
  EXPECT_THAT(error("{device: xeon-16vcpu, prefill: [2], bandwidth: [2]}"),
              HasSubstr("exactly one"));
  EXPECT_THAT(error("{prefill: [2]}"), HasSubstr("wants the `device` that it is of"));
  EXPECT_THAT(error("{device: xeon-16vcpu, price: [2]}"), HasSubstr("that of a `pool`"));
  EXPECT_THAT(error("{device: xeon-16vcpx, prefill: [2]}"),
              HasSubstr("the catalogue has no device `xeon-16vcpx` (did you mean `xeon-16vcpu`?)"));
  EXPECT_THAT(error("{pool: a10, price: [2]}"), HasSubstr("no fleet has a pool `a10`"));
  EXPECT_THAT(error("{pool: xeon, price: [2, 0.5]}"), HasSubstr("wants rising factors"));
  EXPECT_THAT(error("{pool: xeon, price: [200]}"), HasSubstr("from 0.01 to 100, found 200"));
  EXPECT_THAT(error("{pool: xeon, price: [2], pairs: [[nvidia, only]]}"),
              HasSubstr("fleet `nvidia` is not one of a file that holds `xeon`"));
  EXPECT_THAT(error("{pool: xeon, price: [2], pairs: [[mixed, only]]}"),
              HasSubstr("[mixed, only] is none of the `pairs`"));
}

constexpr char kEven[] = R"(warm_up: 5min
break_even:
  sizes:
    of: [small, backstop]
    against: [nvidia, only]
    loads: [0.5, 1]
    prices:
      spot: {small: 0.1 USD, nvidia: 0.4 USD, source: a list}
    workloads:
      short: [{poisson: 1/s, for: 5min, model: chat-7b, prompt_tokens: 100, output_tokens: 10}]
)";
constexpr char kSmall[] =
    "  mixed: fleets/mixed.yaml\n"
    "  small: {size: {device: xeon-16vcpu, price: {node_hour: 1 USD}}}\n";

TEST_F(Scenario, ABreakEvenComparesTwoSizedFleets) {
  Write("fleets/mixed.yaml", kFleet);
  const std::string text = absl::StrReplaceAll(
      kScenario, {{"warm_up: 5min", kEven}, {"  mixed: fleets/mixed.yaml\n", kSmall}});
  const auto spec = Load(text);
  ASSERT_TRUE(spec.ok()) << spec.status();
  ASSERT_EQ(spec->break_even.size(), 1u);
  const BreakEvenSpec& even = spec->break_even[0];
  EXPECT_EQ(even.name, "sizes");
  EXPECT_THAT(even.first, Pair("small", "backstop"));
  EXPECT_THAT(even.second, Pair("nvidia", "only"));
  EXPECT_THAT(even.loads, ElementsAre(0.5, 1));
  ASSERT_EQ(even.prices.size(), 1u);
  EXPECT_EQ(even.prices[0].first, UsdPerHour(100'000'000));
  EXPECT_EQ(even.prices[0].second, UsdPerHour(400'000'000));
  EXPECT_EQ(even.prices[0].source, "a list");
  EXPECT_EQ(even.workloads.at(0).name, "short");

  const auto error = [&](std::string_view old_text, std::string_view new_text) {
    const auto bad = Load(absl::StrReplaceAll(text, {{ToAbsl(old_text), ToAbsl(new_text)}}));
    return bad.ok() ? "accepted" : std::string(bad.status().message());
  };
  EXPECT_THAT(error("of: [small, backstop]", "of: [mixed, backstop]"),
              HasSubstr("fleet `mixed` is not sized"));
  EXPECT_THAT(error("{small: 0.1 USD, nvidia", "{nvidia"), HasSubstr("small"));
  EXPECT_THAT(error("loads: [0.5, 1]", "loads: [1, 0.5]"), HasSubstr("wants rising factors"));
  EXPECT_THAT(error("for: 5min, model: chat-7b", "for: 5min, model: chat-8b"),
              HasSubstr("the catalogue has no model `chat-8b`"));
}

TEST_F(Scenario, ASizedFleetHasAUsualNodeAndItsPrice) {
  const auto spec = Load(kScenario);
  ASSERT_TRUE(spec.ok()) << spec.status();
  const FleetSize& size = spec->fleets[1].size.value();
  EXPECT_EQ(size.most, 9);
  EXPECT_EQ(size.node_hour, UsdPerHour(1'006'000'000));
  EXPECT_EQ(size.node, (NodeShape{MilliCpus(4000), Bytes(48ll << 30), 1}));
}

TEST_F(Scenario, ASizedFleetTakesNodeAndPriceOfTheCatalogue) {
  catalog_.devices["nvidia-a10g-24g"].prices = {
      {UsdPerHour(8'000'000'000), "big (8 devices, 192 vCPU, 2 TiB), us-east-1, on demand", "",
       ""}};
  const auto spec = With(", price: {node_hour: 1.006 USD}", "");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->fleets[1].size->node, (NodeShape{MilliCpus(192'000), Bytes(2ll << 40), 8}));
  EXPECT_EQ(spec->fleets[1].size->node_hour, UsdPerHour(8'000'000'000));
  EXPECT_THAT(Error(", price: {node_hour: 1.006 USD}", ", node: {devices: 4}"),
              HasSubstr("is of a node with 8 devices: say `price: {node_hour: ...}`"));
}

TEST_F(Scenario, PairsLeftOutAreAll) {
  const auto spec = With("pairs: [[mixed, backstop], [nvidia, only]]\n", "");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_THAT(spec->pairs, ElementsAre(Pair("mixed", "backstop"), Pair("mixed", "only"),
                                       Pair("nvidia", "backstop"), Pair("nvidia", "only")));
}

TEST_F(Scenario, OnePairIsItsOwnBaseline) {
  const auto spec = With("pairs: [[mixed, backstop], [nvidia, only]]\nbaseline: [nvidia, only]\n",
                         "pairs: [[mixed, only]]\n");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_THAT(spec->baseline, Pair("mixed", "only"));
}

TEST_F(Scenario, AccountingNamesTheBooksInOrder) {
  EXPECT_THAT(Load(kScenario)->accounting, ElementsAre(Accounting::kRented, Accounting::kPaidFor));
  const auto spec = With("seeds: 10", "accounting: paid-for");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_THAT(spec->accounting, ElementsAre(Accounting::kPaidFor));
  EXPECT_THAT(Error("seeds: 10", "accounting: [rented, rented]"), HasSubstr("twice"));
}

struct Wrong {
  std::string name, from, to, says;
};
class WrongScenario : public Scenario, public testing::WithParamInterface<Wrong> {};
TEST_P(WrongScenario, IsRefusedWithWordsThatHelp) {
  const Wrong& c = GetParam();
  const auto spec = With(c.from, c.to);
  ASSERT_FALSE(spec.ok());
  EXPECT_EQ(spec.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(spec.status().message()), HasSubstr(c.says));
}
INSTANTIATE_TEST_SUITE_P(
    All, WrongScenario,
    testing::ValuesIn(std::vector<Wrong>{
        {"Key", "seeds:", "seedz:", "s.yaml:17:1: unknown key `seedz` (did you mean `seeds`?)"},
        {"Fleet", "[[mixed,", "[[mixd,",
         "s.yaml:9:10: the scenario has no fleet `mixd` (did you mean `mixed`?)"},
        {"Policy", "baseline: [nvidia, only]", "baseline: [nvidia, onyl]",
         "no policy `onyl` (did you mean `only`?)"},
        {"Baseline", "baseline: [nvidia, only]", "baseline: [mixed, only]",
         "the baseline [mixed, only] is none of the `pairs`"},
        {"NoBaseline", "baseline: [nvidia, only]\n", "", "needs the key `baseline`"},
        {"PairTwice", "[[mixed, backstop],", "[[mixed, backstop], [mixed, backstop],",
         "this pair stands further up already"},
        {"Device", "device: nvidia-a10g-24g", "device: nvidia-a10-24g",
         "the catalogue has no device `nvidia-a10-24g` (did you mean `nvidia-a10g-24g`?)"},
        {"DevicePrice", ", price: {node_hour: 1.006 USD}", "",
         "the catalogue has no price of `nvidia-a10g-24g`"},
        {"SizedObjective", "objective: same", "objective: other", "`other`"},
        {"Model", "model: chat-7b", "model: chat-7c",
         "no pool of fleet `mixed` serves `chat-7c` (did you mean `chat-7b`?)"},
        {"Pool", "world: {}", "world: {spot: {pools: [a10], mtbr: 8h}}",
         "no fleet has a pool `a10` (did you mean `a10g`?)"},
        {"SpotNeedsAProcess", "world: {}", "world: {spot: {pools: [a10g]}}",
         "need the key `trace` or `mtbr`"},
        {"NodesThatFailWithoutEnd", "world: {}", "world: {failures: {mtbf: 1ms, repair: 1h}}",
         "is less than a second"},
        {"MissingFile", "fleets/mixed.yaml", "fleets/mixt.yaml", "there is no such file"},
        {"Attainment", "99%", "0%", "more than 0%"},
        {"Seeds", "seeds: 10", "seeds: 1001", "out of range: 1 to 1000"},
        {"Kind", "name: backstop", "kind: Fleet\nname: backstop", "`Scenario` is meant"},
        {"NoFleets",
         "fleets:\n  mixed: fleets/mixed.yaml\n  nvidia: {size: {device: "
         "nvidia-a10g-24g, objective: same, price: {node_hour: 1.006 USD}, most: 9}}",
         "fleets: {}", "names no fleet"},
    }),
    [](const auto& row) { return row.param.name; });

// A lock is a scenario: of the same files, and of no others.
TEST_F(Scenario, ALockIsRunWithTheFilesThatItWasMadeOf) {
  const auto spec = Load(kScenario);
  ASSERT_TRUE(spec.ok()) << spec.status();
  const auto lock = LockScenario(*spec);
  ASSERT_TRUE(lock.ok()) << lock.status();
  const auto again = Load(WriteYaml(*lock));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->inputs.front().xxh64, spec->inputs.front().xxh64) << "the scenario's, not its";
  EXPECT_EQ(WriteYaml(*LockScenario(*again)), WriteYaml(*lock));
  Write("backstop.yaml", "kind: Policy\nname: backstop\nspill: {rule: at-once}\n");
  const auto other = Load(WriteYaml(*lock));
  EXPECT_THAT(std::string(other.status().message()),
              HasSubstr("backstop.yaml (policy) is not as it was when this was locked"));
}

TEST_F(Scenario, EverythingWrongIsToldAtOnce) {
  Write("backstop.yaml", "kind: Policy\nnmae: backstop\n");
  const std::string error = Error("seeds: 10", "seeds: many\ndrain: soon");
  EXPECT_THAT(error, HasSubstr("s.yaml:17:8: wants a whole number"));
  EXPECT_THAT(error, HasSubstr("s.yaml:18:8:"));
  EXPECT_THAT(error, HasSubstr("backstop.yaml:2:1: unknown key `nmae`"));
}

TEST_F(Scenario, AFleetWithoutAPriceHasNoBill) {
  Write("fleets/mixed.yaml",
        absl::StrReplaceAll(
            kFleet, {{"    billing: metered\n", ""}, {"    price: {node_hour: 1.006 USD}\n", ""}}));
  const auto spec = Load(kScenario);
  ASSERT_FALSE(spec.ok());
  EXPECT_THAT(std::string(spec.status().message()),
              HasSubstr("pool `a10g` of fleet `mixed` has no price"));
}

TEST_F(Scenario, PricesComeFromYamlOrCsv) {
  Write(
      "p.yaml",
      "kind: Prices\nprices: [{pool: a10g, from: \"2026-07-28T00:00:00Z\", node_hour: 0.5 USD}]\n");
  Write("p.csv", "pool,from,node_hour_usd,source\na10g,2026-07-28T00:00:00Z,0.5,\"spot, seen\"\n");
  const auto yaml = With("world: {}", "world: {prices: {file: p.yaml}}");
  const auto csv = With("world: {}", "world: {prices: {file: p.csv}}");
  ASSERT_TRUE(yaml.ok()) << yaml.status();
  ASSERT_TRUE(csv.ok()) << csv.status();
  for (const auto* spec : {&*yaml, &*csv}) {
    ASSERT_EQ(spec->world.prices.prices.size(), 1u);
    EXPECT_EQ(spec->world.prices.prices[0].pool, "a10g");
    EXPECT_EQ(spec->world.prices.prices[0].price.node_hour, UsdPerHour(500'000'000));
  }
  EXPECT_EQ(csv->world.prices.prices[0].price.source, "spot, seen");
}

TEST_F(Scenario, AWrongPriceFileIsToldWithItsLine) {
  Write("p.csv",
        "pool,from,node_hour_usd\na10g,2026-07-28T00:00:00Z,0.5\na10,2026-07-28T00:00:00Z,1\n");
  EXPECT_THAT(Error("world: {}", "world: {prices: {file: p.csv}}"),
              HasSubstr("p.csv:3:1: the fleet has no pool `a10` (did you mean `a10g`?)"));
  Write("p.csv", "pool,from\na10g,2026-07-28T00:00:00Z\n");
  EXPECT_THAT(Error("world: {}", "world: {prices: {file: p.csv}}"),
              HasSubstr("lacks the column `node_hour_usd`"));
}

TEST_F(Scenario, CarbonOfAnotherYearStandsForTheStart) {
  Write("c.csv",
        "datetime_utc,zone,gCO2eq_per_kWh_lca\n2023-07-24 00:00:00,DE-LU,300\n"
        "2023-07-24 00:00:00,SG,500\n2023-07-24 01:00:00,DE-LU,310\n");
  const auto spec = With(
      "world: {}", "world: {carbon: {zone: DE-LU, file: c.csv, from: \"2023-07-24T00:00:00Z\"}}");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_THAT(spec->world.carbon->series,
              ElementsAre(Pair(spec->start, GramsCo2ePerKwh(300)),
                          Pair(spec->start + absl::Hours(1), GramsCo2ePerKwh(310))));
  EXPECT_THAT(Error("world: {}", "world: {carbon: {zone: DE-LU, file: c.csv}}"),
              HasSubstr("say with `from:` which of its times"));
  EXPECT_THAT(Error("world: {}", "world: {carbon: {zone: DE-LX, file: c.csv}}"),
              HasSubstr("no row of zone `DE-LX` (did you mean `DE-LU`?)"));
}

TEST_F(Scenario, SpotTracesComeInTwoShapes) {
  Write("a.csv", "seconds,available\n0,3\n60,1\n");
  Write("b.csv", "time_ms,event,node\n0,add,n1\n0,add,n2\n60000,remove,n2\n");
  const auto a = With("world: {}", "world: {spot: {pools: [a10g], trace: a.csv}}");
  const auto b = With("world: {}", "world: {spot: {pools: [a10g], trace: b.csv}}");
  ASSERT_TRUE(a.ok()) << a.status();
  ASSERT_TRUE(b.ok()) << b.status();
  EXPECT_THAT(a->world.spot[0].available,
              ElementsAre(Pair(absl::ZeroDuration(), 3), Pair(absl::Minutes(1), 1)));
  EXPECT_THAT(b->world.spot[0].available,
              ElementsAre(Pair(absl::ZeroDuration(), 2), Pair(absl::Minutes(1), 1)));
  const auto both = With(
      "world: {}", "world: {spot: [{pools: [a10g], trace: a.csv}, {pools: [xeon], mtbr: 8h}]}");
  ASSERT_TRUE(both.ok()) << both.status();
  ASSERT_EQ(both->world.spot.size(), 2u);
  EXPECT_EQ(both->world.spot[1].pools, std::vector<std::string>{"xeon"});
  EXPECT_EQ(both->world.spot[1].mtbr, absl::Hours(8));
  EXPECT_THAT(
      Error("world: {}", "world: {spot: [{pools: [a10g], mtbr: 8h}, {pools: [a10g], mtbr: 9h}]}"),
      HasSubstr("names pool `a10g` twice"));
  Write("a.csv", "seconds,available\n60,3\n0,1\n");
  EXPECT_THAT(Error("world: {}", "world: {spot: {pools: [a10g], trace: a.csv}}"),
              HasSubstr("a.csv:3:1: `seconds` is `0`"));
}

// Scenarios are named from where the user stands, and files from the scenario.
TEST_F(Scenario, IsFoundFromAnyFolder) {
  std::filesystem::create_directories(folder_ + "/traces");
  Write("traces/t.csv", "arrival_s,prompt_tokens,output_tokens\n0,10,10\n1,10,10\n");
  Write("fleets/s.yaml",
        absl::StrReplaceAll(kScenario,
                            {{"fleets/mixed.yaml", "mixed.yaml"},
                             {": backstop.yaml", ": ../backstop.yaml"},
                             {": only.yaml", ": ../only.yaml"},
                             {"poisson: 5/s, for: 2h, model: chat-7b, prompt_tokens: "
                              "100, output_tokens: 10",
                              "trace: ../traces/t.csv, format: azure-llm, model: chat-7b"}}));
  const std::string relative = std::filesystem::path(folder_ + "/fleets/s.yaml")
                                   .lexically_relative(std::filesystem::current_path());
  for (const std::string& path : {relative, folder_ + "/fleets/s.yaml"}) {
    const auto spec = LoadScenario(path, catalog_, SmallMachine());
    ASSERT_TRUE(spec.ok()) << spec.status();
    std::vector<std::string> files;
    for (const ScenarioInput& input : spec->inputs) files.push_back(input.file);
    EXPECT_THAT(files, ElementsAre("s.yaml", "mixed.yaml", "../backstop.yaml", "../only.yaml",
                                   "../traces/t.csv", "catalog"));
  }
}

TEST_F(Scenario, TheLockNamesEveryFileByItsContent) {
  const auto spec = With("world: {}", "drain: 1h");
  ASSERT_TRUE(spec.ok()) << spec.status();
  std::vector<std::string> files;
  for (const ScenarioInput& input : spec->inputs) files.push_back(input.what + " " + input.file);
  EXPECT_THAT(files, ElementsAre("scenario s.yaml", "fleet fleets/mixed.yaml",
                                 "policy backstop.yaml", "policy only.yaml", "catalog catalog"));
  EXPECT_EQ(spec->inputs[1].bytes, static_cast<std::int64_t>(sizeof kFleet - 1));

  const auto lock = LockScenario(*spec);
  ASSERT_TRUE(lock.ok()) << lock.status();
  EXPECT_EQ(lock->Find("warm_up")->string(), "5min");
  EXPECT_EQ(lock->Find("start")->string(), "2026-07-27T00:00:00Z");
  EXPECT_EQ(lock->Find("drain")->string(), "1h");
  EXPECT_EQ(lock->Find("files")->list().size(), 5u);
  EXPECT_TRUE(lock->Find("resolved")->Find("policies")->Find("only")->Find("spill"));
  EXPECT_EQ(*ParseYaml(WriteYaml(*lock), "lock"), *lock);

  const std::string before = spec->inputs[1].xxh64;
  Write("fleets/mixed.yaml", std::string(kFleet) + "# another byte\n");
  EXPECT_NE(With("world: {}", "drain: 1h")->inputs[1].xxh64, before);
  catalog_.devices["arm-4cpu"].busy = Watts(9);
  EXPECT_NE(With("world: {}", "drain: 1h")->inputs[4].xxh64, spec->inputs[4].xxh64);
}

// --- A library: for scenarios of people who may not read every file of this machine

class Library : public Scenario {
 protected:
  Library() {
    for (const char* name : {"fleets", "policies", "scenarios", "traces"})
      std::filesystem::create_directories(folder_ + "/lib/" + name);
    Write("lib/fleets/mixed.yaml", kFleet);
    Write("lib/policies/backstop.yaml", "kind: Policy\nname: backstop\n");
    Write("lib/policies/only.yaml", "kind: Policy\nname: only\n");
    Write("lib/traces/t.csv", "arrival_s,prompt_tokens,output_tokens\n0,10,10\n");
    Write("secret.yaml", "kind: Policy\nname: secret\n");
    Write("lib/own.yaml", "kind: Policy\nname: own\n");
    std::filesystem::create_directories(folder_ + "/orders");
  }
  std::string Text() const {
    return absl::StrReplaceAll(kScenario, {{"fleets/mixed.yaml", "../fleets/mixed.yaml"},
                                           {"backstop.yaml", "../policies/backstop.yaml"},
                                           {" only.yaml", " ../policies/only.yaml"}});
  }
  std::string Verdict(const std::string& text) {
    Write("orders/s.yaml", text);
    const auto spec = LoadScenario(folder_ + "/orders/s.yaml", catalog_, SmallMachine(), nullptr,
                                   folder_ + "/lib");
    return spec.ok() ? "accepted" : std::string(spec.status().message());
  }
  std::string Naming(std::string_view old_text, const std::string& new_text) {
    const std::string text = absl::StrReplaceAll(Text(), {{ToAbsl(old_text), new_text}});
    EXPECT_NE(text, Text()) << "nothing was replaced";
    return Verdict(text);
  }
};

TEST_F(Library, ScenariosMayNameWhatIsInIt) {
  EXPECT_EQ(Verdict(Text()), "accepted");
  EXPECT_EQ(Naming("poisson: 5/s, for: 2h", "trace: ../traces/t.csv, format: spillway-csv"),
            "accepted");
}

TEST_F(Library, NothingElseCanBeNamedByAnyWay) {
  const std::string backstop = "../policies/backstop.yaml";
  std::filesystem::create_symlink(folder_ + "/secret.yaml", folder_ + "/lib/policies/link.yaml");
  for (const std::string& name :
       {std::string("../../secret.yaml"), folder_ + "/secret.yaml", std::string("/etc/passwd"),
        std::string("../own.yaml"), std::string("../policies/../../secret.yaml"),
        std::string("../policies/link.yaml"), std::string("../nowhere/../../secret.yaml"),
        std::string("/proc/self/environ"), std::string("../../not-there.yaml")}) {
    const std::string verdict = Naming(backstop, name);
    EXPECT_THAT(verdict, HasSubstr("may not be named here")) << name;
    // Nothing of what stands there, nor whether it is there at all.
    EXPECT_THAT(verdict, Not(HasSubstr("no such file"))) << name;
    EXPECT_THAT(verdict, Not(HasSubstr("root:"))) << name;
  }
}

TEST_F(Library, EveryKindOfFileIsHeldToIt) {
  constexpr char kOut[] = "../../secret.yaml";
  const auto refused = HasSubstr("may not be named here");
  EXPECT_THAT(Naming("../fleets/mixed.yaml", kOut), refused);
  EXPECT_THAT(Naming("poisson: 5/s, for: 2h", "trace: ../../secret.yaml, format: spillway-csv"),
              refused);
  EXPECT_THAT(
      Naming("prompt_tokens: 100", "prompt_tokens: {column: {file: ../../secret.yaml, name: a}}"),
      refused);
  EXPECT_THAT(Naming("world: {}", "world: {prices: {file: ../../secret.yaml}}"), refused);
  EXPECT_THAT(Naming("world: {}", "world: {carbon: {file: ../../secret.yaml}}"), refused);
  EXPECT_THAT(Naming("world: {}", "world: {spot: {pools: [a10], trace: ../../secret.yaml}}"),
              refused);
}

}  // namespace
}  // namespace spillway
