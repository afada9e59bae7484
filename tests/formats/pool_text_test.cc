#include "formats/pool_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/formats/sources.h"

namespace spillway {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

absl::StatusOr<PoolSpec> Parse(std::string_view text) {
  static const Catalog kCatalog = SmallCatalog();
  static const Machine kMachine = SmallMachine();
  return ParsePool(text, {kCatalog, kMachine}, "pool.yaml");
}
PoolSpec Pool(std::string_view text) {
  auto pool = Parse(text);
  EXPECT_TRUE(pool.ok()) << pool.status().message();
  return pool.ok() ? *std::move(pool) : PoolSpec();
}
std::string Error(std::string_view text) {
  const auto pool = Parse(text);
  return pool.ok() ? "accepted" : std::string(pool.status().message());
}
std::vector<std::string> Warnings(std::string_view text) {
  const Catalog catalog = SmallCatalog();
  const Machine machine = SmallMachine();
  const auto document = ParseYaml(text, "pool.yaml");
  Reading reading("pool.yaml");
  PoolSpec pool;
  ReadPool(Place(*document, reading), {catalog, machine}, pool);
  EXPECT_TRUE(reading.ok()) << reading.ToStatus().message();
  std::vector<std::string> warnings;
  for (const InputFinding& finding : reading.warnings().findings()) {
    warnings.push_back(Describe(finding, "pool.yaml"));
  }
  return warnings;
}

constexpr std::string_view kGpu = R"(
name: a10
adapter: {type: modelled}
device: nvidia-a10g-24g
node: {cpus: 4, memory: 16GiB, devices: 2}
runtimes: {cuda: "12.4"}
)";
constexpr std::string_view kLocal = "name: local\nadapter: {type: process}\n";
std::string With(std::string_view base, std::string_view more) {
  return absl::StrCat(std::string(base), std::string(more));
}

TEST(ParsePool, AnAcceleratorTakesWhatTheCatalogueKnows) {
  const PoolSpec pool = Pool(kGpu);
  EXPECT_EQ(pool.kind, DeviceKind::kGpu);
  EXPECT_EQ(pool.vendor, "nvidia");
  EXPECT_EQ(pool.arch, Arch::kX86_64);
  EXPECT_EQ(pool.device_memory, Bytes(24ll << 30));
  EXPECT_THAT(pool.precisions, ElementsAre(Precision::kFp32, Precision::kFp16));
  EXPECT_THAT(pool.features, ElementsAre("mig"));
  EXPECT_EQ(pool.peak_ops, 140e12) << "two devices at their 16-bit peak";
  EXPECT_EQ(pool.power.idle, Watts(40));
  EXPECT_EQ(pool.power.busy, Watts(300));
  EXPECT_EQ(pool.power.pue, 1);
  EXPECT_EQ(pool.weights.devices, 1);
  EXPECT_EQ(pool.weights.cpus, 0);
  EXPECT_TRUE(pool.modelled);
  EXPECT_EQ(pool.nodes, 1);
  EXPECT_EQ(pool.billing, Billing::kUnpriced);
  EXPECT_EQ(pool.placement, PlacedBy::kOurs);
  EXPECT_FALSE(pool.models);
  EXPECT_EQ(pool.runtimes.at("cuda").text(), "12.4");
}

TEST(ParsePool, ACpuSliceIsScaledToTheNode) {
  const PoolSpec pool = Pool(
      "name: x\nadapter: {type: modelled}\ndevice: xeon-16vcpu\nnode: {cpus: 4, memory: 8GiB}\n"
      "runtimes: {none: \"1\"}");
  EXPECT_EQ(pool.kind, DeviceKind::kCpu);
  EXPECT_EQ(pool.peak_ops, 10e12) << "a quarter of the slice, int8 being its best";
  EXPECT_EQ(pool.power.idle, Watts(4));
  EXPECT_EQ(pool.power.busy, Watts(16));
  EXPECT_EQ(pool.device_memory, Bytes(0));
  EXPECT_EQ(pool.weights.cpus, 1);
  const PoolSpec whole = Pool("name: x\nadapter: {type: modelled}\ndevice: xeon-16vcpu\n");
  EXPECT_EQ(whole.node, (NodeShape{MilliCpus(16'000), Bytes(32ll << 30), 0}));
}

TEST(ParsePool, ACpuWithoutNarrowPrecisionsCountsItsBestPeak) {
  const PoolSpec pool = Pool("name: x\nadapter: {type: modelled}\ndevice: arm-4cpu\n");
  EXPECT_EQ(pool.peak_ops, 1e11);
  EXPECT_EQ(pool.arch, Arch::kArm64);
}

TEST(ParsePool, WhatStandsInTheFileWins) {
  const PoolSpec pool = Pool(With(kGpu, R"(
vendor: other
arch: arm64
device_memory: 12GiB
precisions: [int8]
features: [tdx, mig]
confidential: sev
power: {busy: 500 W, pue: 1.3, tariff: 0.12 USD/kWh}
weights: {cpus: 0.25, memory: 0.25, devices: 0.5}
models: [m]
classes: [c]
tenants: [t]
labels: {rack: A 1}
tier: 3
placement: theirs
nodes: 5
billing: metered
price: {node_hour: 1.5 USD, as_of: 2026-07-20, source: here}
site: {name: s, kind: device, round_trip: 5ms, bandwidth: 1 Gbit/s, egress: 0.09 USD/GiB,
       carbon: 300 gCO2e/kWh}
)"));
  EXPECT_EQ(pool.vendor, "other");
  EXPECT_EQ(pool.arch, Arch::kArm64);
  EXPECT_EQ(pool.device_memory, Bytes(12ll << 30));
  EXPECT_THAT(pool.precisions, ElementsAre(Precision::kInt8));
  EXPECT_THAT(pool.features, ElementsAre("mig", "tdx")) << "added to the catalogue's";
  EXPECT_THAT(pool.confidential, ElementsAre("sev", "tdx")) << "implied by the feature";
  EXPECT_EQ(pool.power.idle, Watts(40)) << "the catalogue's, two devices";
  EXPECT_EQ(pool.power.busy, Watts(500));
  EXPECT_EQ(pool.power.pue, 1.3);
  EXPECT_EQ(pool.power.tariff, UsdPerKwh(120'000'000));
  EXPECT_EQ(pool.weights.devices, 0.5);
  EXPECT_THAT(*pool.models, ElementsAre("m"));
  EXPECT_THAT(*pool.classes, ElementsAre("c"));
  EXPECT_THAT(pool.tenants, ElementsAre("t"));
  EXPECT_EQ(pool.labels.at("rack"), "A 1");
  EXPECT_EQ(pool.tier, 3);
  EXPECT_EQ(pool.placement, PlacedBy::kTheirs);
  EXPECT_EQ(pool.nodes, 5);
  EXPECT_EQ(pool.price.node_hour, UsdPerHour(1'500'000'000));
  EXPECT_EQ(pool.price.as_of, "2026-07-20");
  EXPECT_EQ(pool.price.source, "here");
  EXPECT_EQ(pool.site.name, "s");
  EXPECT_EQ(pool.site.kind, SiteKind::kDevice);
  EXPECT_EQ(pool.site.round_trip, absl::Milliseconds(5));
  EXPECT_EQ(pool.site.bandwidth, BytesPerSecond(125e6));
  EXPECT_EQ(pool.site.egress, UsdPerGib(90'000'000));
  EXPECT_EQ(pool.site.carbon, GramsCo2ePerKwh(300));
}

TEST(ParsePool, SpeedUpMakesItAsDearAndAsThirsty) {
  const std::string more =
      "billing: metered\nprice: {node_hour: 1.006 USD}\npower: {idle: 25 W, busy: 150 W, tariff: "
      "0.12 USD/kWh}\n";
  std::string fast = With(kGpu, more);
  fast.replace(fast.find("{type: modelled}"), 16, "{type: modelled, speedup: 20, max_commands: 3}");
  const PoolSpec one = Pool(With(kGpu, more)), twenty = Pool(fast);
  EXPECT_EQ(twenty.speed, 20);
  EXPECT_EQ(one.speed, 1);
  EXPECT_EQ(twenty.adapter.max_commands, 3);
  EXPECT_EQ(twenty.price.node_hour, UsdPerHour(20'120'000'000));
  EXPECT_EQ(twenty.power.idle, Watts(500));
  EXPECT_EQ(twenty.power.busy, Watts(3000));
  EXPECT_EQ(twenty.power.tariff, one.power.tariff);
  EXPECT_EQ(twenty.peak_ops, one.peak_ops) << "the order stays that of the device";
}

TEST(ParsePool, AProcessPoolIsThisMachineLessItsReserve) {
  const PoolSpec pool =
      Pool("name: local\nadapter: {type: process, reserve: {cpus: 0.25, memory: 1GiB}}\n");
  EXPECT_EQ(pool.kind, DeviceKind::kCpu);
  EXPECT_EQ(pool.vendor, "amd");
  EXPECT_EQ(pool.node, (NodeShape{MilliCpus(7750), Bytes(15ll << 30), 0}));
  EXPECT_THAT(pool.features, ElementsAre("avx2", "avx512_bf16"));
  EXPECT_THAT(pool.precisions,
              ElementsAre(Precision::kFp64, Precision::kFp32, Precision::kBf16, Precision::kInt8));
  EXPECT_THAT(pool.limits, ElementsAre("cpus by quota"));
  EXPECT_EQ(pool.runtimes.at("none").text(), "1");
  EXPECT_EQ(pool.adapter.reserve_cpus, MilliCpus(250));
  EXPECT_FALSE(pool.modelled);
}

TEST(ParsePool, AProcessPoolWithADeviceKeepsItsRealSize) {
  const PoolSpec pool = Pool(With(kLocal, "device: xeon-16vcpu"));
  EXPECT_EQ(pool.node, (NodeShape{MilliCpus(8000), Bytes(16ll << 30), 0}));
  EXPECT_EQ(pool.peak_ops, 20e12);
  EXPECT_EQ(pool.vendor, "intel");
  EXPECT_THAT(pool.features, ElementsAre("avx2", "amx", "avx512_bf16"));
}

TEST(ParsePool, MoreThanTheMachineHasIsAWarning) {
  EXPECT_THAT(Warnings(With(kLocal, "node: {cpus: 9, memory: 1GiB}")),
              ElementsAre("pool.yaml:1:1: pool `local` says more than this machine has left: 8 "
                          "CPUs, 16 GiB"));
  EXPECT_THAT(Warnings(kLocal), IsEmpty());
}

TEST(ParsePool, WithoutRuntimesNothingRunsThere) {
  EXPECT_THAT(Warnings("name: x\nadapter: {type: modelled}\ndevice: xeon-16vcpu"),
              ElementsAre("pool.yaml:1:1: pool `x` names no `runtimes`: no work can run there; for "
                          "plain programs say `runtimes: {none: \"1\"}`"));
}

TEST(ParsePool, ReadsWhatItServes) {
  const auto pool = Parse(With(kGpu, "serves: [{model: qwen2-7b, precision: fp16, replicas: 1}]"));
  ASSERT_TRUE(pool.ok()) << pool.status();
  ASSERT_EQ(pool->serves.size(), 1u);
  EXPECT_EQ(pool->serves[0].model, "qwen2-7b");
  EXPECT_EQ(pool->serves[0].precision, Precision::kFp16);
  EXPECT_EQ(pool->serves[0].replicas, 1);
  EXPECT_EQ(Error(With(kGpu, "serves: [{model: m, replicas: 0}]")),
            "pool.yaml:7:31: `0` is out of range: 1 to 100000");
  EXPECT_EQ(Error(With(kGpu, "serves: [{model: m}, {model: m}]")),
            "pool.yaml:7:22: the model `m` stands further up already");
  EXPECT_THAT(Error(With(kGpu, "serves: [{model: m, devices: 9}]")),
              HasSubstr("holds 9 devices, and a node has"));
  EXPECT_THAT(Error(With(kGpu, "serves: [{model: m, replicas: 99}]")),
              HasSubstr("hold more than the"));
}

// The small catalogue of this test has the class `embedding` with a rate for the device.
TEST(ParsePool, ServersOfBatchesAreOfAClass) {
  const auto pool =
      Parse(With(kGpu, "serves: [{class: embedding, max_items: 8, max_delay: 0s, instances: 2}]"));
  ASSERT_TRUE(pool.ok()) << pool.status();
  const ServeSpec& serve = pool->serves.at(0);
  EXPECT_EQ(serve.work_class, "embedding");
  EXPECT_EQ(serve.model, "embedding") << "clients call it by its class";
  EXPECT_EQ(serve.max_items, 8);
  EXPECT_EQ(serve.max_delay, absl::ZeroDuration());
  EXPECT_EQ(serve.instances, 2);
  const auto named = Parse(With(kGpu, "serves: [{class: embedding, model: texts}]"));
  ASSERT_TRUE(named.ok()) << named.status();
  EXPECT_EQ(named->serves.at(0).model, "texts");
  EXPECT_EQ(named->serves.at(0).max_items, std::nullopt);
  EXPECT_THAT(Error(With(kGpu, "serves: [{class: embeding}]")),
              HasSubstr("`embeding` is no class of the catalogue (did you mean `embedding`?)"));
  EXPECT_THAT(Error(With(kGpu, "serves: [{class: embedding, kv_blocks: 9}]")),
              HasSubstr("belongs to an engine of tokens"));
  EXPECT_THAT(Error(With(kGpu, "serves: [{model: m, max_items: 9}]")),
              HasSubstr("belongs to a server of batches: say its `class`"));
}

TEST(ParsePool, ReadsHowLongEnginesAreWaitedFor) {
  const std::string before =
      "name: x\nadapter: {type: openai, url: \"http://e:8000/v1\", timeouts: ";
  const auto pool = Parse(before + "{connect: 2s, first_byte: 20s, whole: 5min, idle: 500ms}}\n");
  ASSERT_TRUE(pool.ok()) << pool.status();
  const EngineTimeouts wanted{.connect = absl::Seconds(2),
                              .first_byte = absl::Seconds(20),
                              .whole = absl::Minutes(5),
                              .idle = absl::Milliseconds(500)};
  EXPECT_EQ(pool->adapter.timeouts, wanted);
  EXPECT_EQ(Parse(before + "{}}\n")->adapter.timeouts, EngineTimeouts());
  EXPECT_THAT(Error(before + "{idle: 1ms}}\n"), HasSubstr("is out of range: 10ms to 1h"));
  EXPECT_THAT(Error(before + "{first: 1s}}\n"), HasSubstr("unknown key `first`"));
  EXPECT_THAT(Error("name: x\nadapter: {type: process, timeouts: {}}\n"), HasSubstr("timeouts"));
}

TEST(ParsePool, EnginesOfOthersHaveUrlsAndNoNodesOfOurs) {
  const std::string hosted =
      "name: x\nadapter: {type: openai, url: \"https://llm.example.com/v1\", engine: vllm}\n";
  const auto pool =
      Parse(hosted + "billing: token\nprice: {input: 0.2 USD/Mtoken, output: 0.6 USD/Mtoken}");
  ASSERT_TRUE(pool.ok()) << pool.status();
  EXPECT_EQ(pool->placement, PlacedBy::kTheirs);
  EXPECT_THAT(pool->adapter.urls, ElementsAre("https://llm.example.com/v1"));
  EXPECT_EQ(pool->adapter.engine, "vllm");
  EXPECT_THAT(Error(hosted + "billing: token\nprice: {node_hour: 1 USD}"),
              HasSubstr("billing `token` needs `price: {input: ..., output: ...}`"));
  EXPECT_THAT(Error("name: x\nadapter: {type: openai}"),
              HasSubstr("needs the key `url` or `urls`"));
  EXPECT_THAT(Error("name: x\nadapter: {type: openai, url: \"ftp://x\"}"),
              AllOf(HasSubstr("is no base URL"), Not(HasSubstr("needs the key"))));
  EXPECT_THAT(Error("name: x\nadapter: {type: openai, url: \"http://me:secret@x\"}"),
              HasSubstr("without a name, a password"));
  EXPECT_THAT(Error("name: x\nadapter: {type: openai, url: \"http://x\", engine: vlm}"),
              HasSubstr("did you mean `vllm`?"));
  EXPECT_THAT(Error("name: x\nadapter: {type: openai, url: \"http://x\", key_file: k, key_env: K}"),
              HasSubstr("both `key_file` and `key_env`"));
}

// They run somewhere else: what this machine is says nothing of them.
TEST(ParsePool, EnginesOfOthersInheritNothingOfThisMachine) {
  const std::string_view large =
      "name: x\nadapter: {type: openai, url: \"http://10.0.0.7:8000/v1\"}\n"
      "device: xeon-16vcpu\nnode: {cpus: 4000, memory: 9000GiB}\n";
  EXPECT_THAT(Warnings(large), testing::IsEmpty());
  const auto pool = Parse(large);
  ASSERT_TRUE(pool.ok()) << pool.status();
  EXPECT_TRUE(pool->runtimes.empty()) << "no jobs";
  EXPECT_TRUE(pool->limits.empty());
  EXPECT_EQ(pool->node.cpus, MilliCpus(4'000'000));
  const auto bare = Parse("name: x\nadapter: {type: openai, url: \"http://10.0.0.7:8000/v1\"}\n");
  ASSERT_TRUE(bare.ok()) << bare.status();
  EXPECT_EQ(bare->node, NodeShape());
  EXPECT_TRUE(bare->features.empty());
  EXPECT_TRUE(bare->runtimes.empty());
  EXPECT_EQ(bare->vendor, "");
}

TEST(ParsePool, UrlsOfEnginesCanBeConnectedTo) {
  const auto error = [](const std::string& urls) {
    return Error(absl::StrCat("name: x\nadapter: {type: openai, urls: ", urls, "}"));
  };
  EXPECT_THAT(error("[]"), HasSubstr("names no engine"));
  for (const char* url : {"http://h:99999/v1", "http://h:0", "http://h:/v1", "http://:80",
                          "http://", "http://h:80a", "http:///v1"}) {
    EXPECT_THAT(error(absl::StrCat("[\"", url, "\"]")), HasSubstr("names no host and port")) << url;
  }
  EXPECT_THAT(error("[\"http://h/v1\", \"http://g/v1\", \"http://h/v1\"]"),
              HasSubstr("the URL `http://h/v1` stands further up already"));
  EXPECT_EQ(Error("name: x\nbilling: unpriced\nadapter: {type: openai, urls: "
                  "[\"http://h\", \"https://h:1/v1\", \"http://[::1]:65535\", \"http://[::1]/\"]}"),
            "accepted");
}

TEST(ParsePool, TakesJson) {
  const auto pool = Parse(
      R"({"name":"j","adapter":{"type":"modelled"},"device":"xeon-16vcpu","runtimes":{"none":"1"}})");
  ASSERT_TRUE(pool.ok()) << pool.status();
  EXPECT_EQ(pool->name, "j");
}

struct BadPool {
  std::string_view base, more, error;
};
class BadPools : public testing::TestWithParam<BadPool> {};
TEST_P(BadPools, AreRefusedWithTheirPlace) {
  EXPECT_EQ(Error(With(GetParam().base, GetParam().more)),
            absl::StrCat("pool.yaml:", std::string(GetParam().error)));
}
INSTANTIATE_TEST_SUITE_P(
    All, BadPools,
    testing::Values(
        BadPool{"", "name: x", "1:1: a pool needs the key `adapter`"},
        BadPool{"", "adapter: {type: process}", "1:1: a pool needs the key `name`"},
        BadPool{"", "name: x\nadapter: {type: slurm}",
                "2:17: adapter type `slurm` is not supported by this version: one of process, "
                "modelled, openai"},
        BadPool{"", "name: x\nadapter: {type: modelled}",
                "1:1: a modelled pool needs the key `device`"},
        BadPool{"", "name: x\nadapter: {type: modelled}\ndevice: nvidia-a10-24g",
                "3:9: the catalogue has no device `nvidia-a10-24g` (did you mean "
                "`nvidia-a10g-24g`?)"},
        BadPool{"", "name: x\nadapter: {type: modelled}\ndevice: zzz",
                "3:9: the catalogue has no device `zzz`"},
        BadPool{"", "name: x\nadapter: {type: modelled}\ndevice: a10g",
                "3:9: the catalogue has no device `a10g` (did you mean `nvidia-a10g-24g`?)"},
        BadPool{kGpu, "serves: [{model: m}, {model: qwen2-8b}]",
                "7:30: the catalogue has no model `qwen2-8b` (did you mean `qwen2-7b`?)"},
        // What is wrong with its device does not hide what is wrong with its models.
        BadPool{"", "name: x\nadapter: {type: modelled}\ndevice: a10\nserves:\n- model: chat\n",
                "3:9: the catalogue has no device `a10` (did you mean `nvidia-a10g-24g`?)\n"
                "pool.yaml:5:10: the catalogue has no model `chat` (did you mean `chat-7b`?)"},
        BadPool{kGpu, "kind: npu", "2:1: `kind: npu`, but device `nvidia-a10g-24g` is a gpu"},
        BadPool{"",
                "name: x\nadapter: {type: modelled}\ndevice: nvidia-a10g-24g\nnode: {cpus: 4, "
                "memory: 1GiB}",
                "1:1: a pool of kind `gpu` needs `node: {devices: ...}`, at least 1"},
        BadPool{"",
                "name: x\nadapter: {type: modelled}\ndevice: nvidia-a10g-24g\nnode: {devices: "
                "1, memory: 1GiB}",
                "1:1: a node has no CPUs: say `node: {cpus: ...}`"},
        BadPool{"",
                "name: x\nadapter: {type: modelled}\ndevice: nvidia-a10g-24g\nnode: {devices: "
                "1, cpus: 1}",
                "1:1: a node has no memory: say `node: {memory: ...}`"},
        BadPool{kLocal, "node: {devices: 1}",
                "1:1: a CPU is never counted in `node.devices`: leave it out"},
        BadPool{kLocal, "nodes: 2", "1:1: a process pool is this machine: `nodes` is 1"},
        BadPool{kGpu, "nodes: 0", "7:8: `0` is out of range: 1 to 100000"},
        BadPool{kGpu, "nodes: -1", "7:8: `-1` is out of range: 1 to 100000"},
        BadPool{"", "name: x\nadapter: {type: process, speedup: 2}",
                "2:35: only modelled pools have a speed-up: real commands run as they run"},
        BadPool{"", "name: x\nadapter: {type: modelled, speedup: 0}\ndevice: xeon-16vcpu",
                "2:36: `0` is out of range: more than 0, up to 1e15"},
        BadPool{kGpu, "billing: metered", "2:1: billing `metered` needs `price: {node_hour: ...}`"},
        BadPool{kGpu, "billing: committed",
                "2:1: billing `committed` needs `price: {node_hour: ...}`"},
        BadPool{kGpu, "price: {node_hour: 1 USD}",
                "2:1: a pool with a price needs the key `billing`: metered (bought while used) or "
                "committed (paid for in any case)"},
        BadPool{kGpu, "billing: token\nprice: {input: 0.2 USD/Mtoken}",
                "2:1: billing `token` is for engines of others: `adapter: {type: openai, url: "
                "...}`"},
        BadPool{kGpu, "billing: unpriced\nprice: {node_hour: 1 USD}",
                "2:1: an unpriced pool has no `price`"},
        BadPool{kGpu, "price: {node_hour: 0.45}",
                "7:20: `0.45` has no unit: write an amount like `0.45 USD`"},
        BadPool{kGpu, "price: {node_hour: -0.45 USD}",
                "7:20: `-0.45 USD` is negative: write an amount like `0.45 USD`"},
        BadPool{kGpu, "price: {as_of: yesterday}",
                "7:16: `yesterday` is no day: write one like `2026-07-20`"},
        BadPool{kGpu, "power: {idle: 40}", "7:15: `40` has no unit: write a power like `40 W`"},
        BadPool{kGpu, "power: {idle: 900 W}", "2:1: `power.busy` is less than `power.idle`"},
        BadPool{kGpu, "power: {pue: 0.9}", "7:8: `pue` is out of range: 1 to 10"},
        BadPool{kGpu, "weights: {cpus: 0.5, devices: 0.6}", "7:10: the weights must add up to 1"},
        BadPool{kLocal, "weights: {devices: 1}",
                "1:1: `weights` give devices a share, but a node has none"},
        BadPool{kGpu, "site: {kind: cloud}", "7:7: `site` needs the key `name`"},
        BadPool{kGpu, "site: {name: s, round_trip: 5}",
                "7:29: `5` has no unit: write a duration like `5s`"},
        BadPool{kGpu, "precisions: [fp12]", "7:14: unknown word `fp12` (did you mean `fp32`?)"},
        BadPool{"", "name: x\nadapter: {type: process}\nruntimes: {cuda: 12.4}",
                "3:18: wants text: write \"12.4\" in quotes"},
        BadPool{"", "name: x\nadapter: {type: process}\nruntimes: {cuda: new}",
                "3:18: version `new` is not numbers between dots, like 12.4"},
        BadPool{kGpu, "node_count: 3",
                "7:1: unknown key `node_count`: a pool has name, adapter, "
                "device, kind, vendor, node, nodes, arch, runtimes, "
                "precisions, features, confidential, device_memory, models, "
                "classes, tenants, billing, price, weights, power, site, "
                "labels, tier, placement, serves"},
        BadPool{kGpu, "tennants: [a]", "7:1: unknown key `tennants` (did you mean `tenants`?)"}));

}  // namespace
}  // namespace spillway
