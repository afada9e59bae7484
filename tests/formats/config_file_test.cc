#include "formats/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "formats/catalog_file.h"
#include "formats/file_text.h"
#include "formats/pool_text.h"
#include "tests/formats/sources.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

absl::StatusOr<LoadedConfig> Parse(std::string_view text) {
  return ParseConfig(text, "c.yaml", SmallCatalog(), SmallMachine());
}
std::string Error(std::string_view text) {
  const auto loaded = Parse(text);
  return loaded.ok() ? "accepted" : std::string(loaded.status().message());
}

// The example that users are shown, on a machine of 16 CPUs.
class Example : public testing::Test {
 protected:
  Example() {
    const auto catalog = LoadCatalog(SPILLWAY_SOURCE_DIR "/configs/catalog");
    EXPECT_TRUE(catalog.ok()) << catalog.status();
    Machine machine = SmallMachine();
    machine.cpus = MilliCpus(16'000);
    machine.memory = Bytes(64ll << 30);
    auto loaded =
        LoadConfig(SPILLWAY_SOURCE_DIR "/tests/formats/data/spillway.yaml", *catalog, machine);
    EXPECT_TRUE(loaded.ok()) << loaded.status().message();
    if (loaded.ok()) loaded_ = *std::move(loaded);
  }
  const PoolSpec& Pool(std::string_view name) {
    for (const PoolSpec& pool : loaded_.config.fleet.pools) {
      if (pool.name == name) return pool;
    }
    ADD_FAILURE() << "no pool " << name;
    return loaded_.config.fleet.pools.front();
  }
  LoadedConfig loaded_;
};

TEST_F(Example, Server) {
  EXPECT_EQ(loaded_.server.listen, "127.0.0.1:8080");
  EXPECT_EQ(loaded_.server.drain, absl::Seconds(10));
  EXPECT_EQ(loaded_.server.sqlite, "spillway.db");
  EXPECT_TRUE(loaded_.server.keys.empty());
}

TEST_F(Example, PoolOfThisMachine) {
  const PoolSpec& local = Pool("local");
  EXPECT_EQ(local.adapter.type, "process");
  EXPECT_EQ(local.adapter.reserve_cpus, MilliCpus(250));
  EXPECT_EQ(local.adapter.reserve_memory, Bytes(1ll << 30));
  EXPECT_EQ(local.node, (NodeShape{MilliCpus(8000), Bytes(16ll << 30), 0}));
  EXPECT_EQ(local.vendor, "amd");
  EXPECT_EQ(local.billing, Billing::kCommitted);
  EXPECT_EQ(local.price.node_hour, UsdPerHour(100'000'000));
  EXPECT_EQ(local.power.idle, Watts(40));
  EXPECT_EQ(local.power.busy, Watts(120));
  EXPECT_EQ(local.power.pue, 1.3);
  EXPECT_EQ(local.power.tariff, UsdPerKwh(120'000'000));
  EXPECT_EQ(local.site.name, "office");
  EXPECT_EQ(local.site.kind, SiteKind::kEdge);
  EXPECT_EQ(local.site.round_trip, absl::Milliseconds(1));
  EXPECT_EQ(local.site.carbon, GramsCo2ePerKwh(300));
}

TEST_F(Example, PoolsOfTheCatalogue) {
  ASSERT_EQ(loaded_.config.fleet.pools.size(), 4u);
  const PoolSpec& npu = Pool("edge-npu");
  EXPECT_EQ(npu.kind, DeviceKind::kNpu);
  EXPECT_EQ(npu.nodes, 2);
  EXPECT_EQ(npu.node, (NodeShape{MilliCpus(4000), Bytes(8ll << 30), 1}));
  EXPECT_EQ(npu.runtimes.at("openvino").text(), "2024.4");
  const PoolSpec& xeon = Pool("xeon-amx");
  EXPECT_EQ(xeon.vendor, "intel");
  EXPECT_EQ(xeon.billing, Billing::kMetered);
  EXPECT_FALSE(xeon.power.tariff);
  EXPECT_THAT(xeon.features, testing::IsSupersetOf({"amx", "avx512_bf16", "tdx"}));
  EXPECT_THAT(xeon.confidential, ElementsAre("tdx"));
  EXPECT_EQ(xeon.price.source, "c7i.4xlarge, us-east-1");
  const PoolSpec& a10 = Pool("a10");
  EXPECT_EQ(a10.vendor, "nvidia");
  EXPECT_EQ(a10.kind, DeviceKind::kGpu);
  EXPECT_EQ(a10.price.node_hour, UsdPerHour(1'006'000'000));
  EXPECT_EQ(a10.device_memory, Bytes(24ll << 30));
}

TEST_F(Example, PolicyPricesAndTenants) {
  const PolicySpec& policy = loaded_.config.policy;
  EXPECT_EQ(policy.name, "backstop");
  EXPECT_EQ(policy.claim.order, OrderBy::kCost);
  EXPECT_EQ(*policy.claim.backstop, (PoolSelector{.vendor = {"nvidia"}}));
  EXPECT_EQ(policy.claim.band, 0.02);
  ASSERT_EQ(policy.rules.size(), 2u);
  EXPECT_EQ(policy.rules[0].name, "confidential-on-tdx");
  EXPECT_EQ(policy.rules[0].when, (WorkSelector{.confidential = {"tdx"}}));
  EXPECT_THAT(policy.rules[0].claim, ElementsAre(PoolSelector{.features = {"tdx"}}));
  EXPECT_EQ(policy.rules[1].when,
            (WorkSelector{.kind = {WorkKind::kJob}, .labels = {{"team", {"research"}}}}));
  EXPECT_THAT(
      policy.rules[1].claim,
      ElementsAre(PoolSelector{.site = {"office"}}, PoolSelector{.kind = {DeviceKind::kCpu}},
                  PoolSelector{.kind = {DeviceKind::kNpu}},
                  PoolSelector{.kind = {DeviceKind::kGpu}, .vendor = {"amd"}},
                  PoolSelector{.vendor = {"nvidia"}}));
  EXPECT_EQ(policy.spill.rule, SpillRule::kNeed);
  EXPECT_EQ(policy.spill.job_wait, 0.75);
  EXPECT_EQ(policy.spill.request_wait, 0.9);
  EXPECT_EQ(policy.queue.aging, absl::Minutes(10));
  ASSERT_EQ(loaded_.config.prices.prices.size(), 1u);
  EXPECT_EQ(loaded_.config.prices.prices[0].pool, "a10");
  EXPECT_EQ(loaded_.config.prices.prices[0].from,
            absl::FromCivil(absl::CivilDay(2026, 8, 1), absl::UTCTimeZone()));
  EXPECT_EQ(loaded_.config.prices.prices[0].price.node_hour, UsdPerHour(1'100'000'000));
  ASSERT_EQ(loaded_.config.tenants.tenants.size(), 1u);
  EXPECT_EQ(loaded_.config.tenants.tenants[0].name, "default");
  EXPECT_EQ(loaded_.config.tenants.tenants[0].weight, 1);
}

TEST_F(Example, ReadsWhatPoolsServe) {
  EXPECT_EQ(loaded_.warnings.size(), 0u);
  const std::vector<PoolSpec>& pools = loaded_.config.fleet.pools;
  ASSERT_EQ(pools[2].serves.size(), 1u);
  EXPECT_EQ(pools[2].serves[0].model, "qwen2-7b");
  EXPECT_EQ(pools[2].serves[0].replicas, 2);
  EXPECT_EQ(pools[3].serves[0].precision, Precision::kBf16);
}

TEST(LoadConfig, FleetsThatComeWithTheProjectRead) {
  const auto catalog = LoadCatalog(SPILLWAY_SOURCE_DIR "/configs/catalog");
  ASSERT_TRUE(catalog.ok());
  for (const char* name : {"demo", "minimal"}) {
    const auto loaded =
        LoadConfig(absl::StrCat(SPILLWAY_SOURCE_DIR "/configs/fleets/", name, ".yaml"), *catalog,
                   SmallMachine());
    ASSERT_TRUE(loaded.ok()) << loaded.status().message();
    EXPECT_THAT(loaded->warnings, testing::IsEmpty()) << name;
  }
}

constexpr std::string_view kFleet = R"(kind: Fleet
pools:
  - {name: a, adapter: {type: process}}
  - name: b
    adapter: {type: modelled, speedup: 10}
    device: nvidia-a10g-24g
    node: {cpus: 1, memory: 1GiB, devices: 1}
    nodes: 3
    runtimes: {cuda: "12"}
    billing: metered
    price: {node_hour: 1 USD}
)";
std::string Fleet(std::string_view more) {
  return absl::StrCat(std::string(kFleet), "---\n", std::string(more));
}

TEST(ParseConfig, OnlyTheFleetIsNeeded) {
  const auto loaded = Parse(kFleet);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->server.listen, "127.0.0.1:8080");
  EXPECT_EQ(loaded->config.policy.name, "backstop");
  EXPECT_EQ(*loaded->config.policy.claim.backstop, (PoolSelector{.vendor = {"nvidia"}}));
  EXPECT_EQ(loaded->config.catalog.devices.size(), 3u);
}

TEST(ParseConfig, DocumentsStandInAnyOrder) {
  const auto loaded = Parse(absl::StrCat(
      "kind: Prices\nprices:\n  - {pool: b, from: 2026-02-01T00:00:00Z, node_hour: 3 USD}\n"
      "  - {pool: b, from: 2026-01-01T00:00:00Z, node_hour: 2 USD}\n"
      "  - {pool: b, from: 2026-03-01T00:00:00Z, node_hour: 4 USD, as_of: 2026-03-01, source: x}\n"
      "---\n",
      std::string(kFleet)));
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  std::vector<std::int64_t> rates;
  for (const PriceChange& change : loaded->config.prices.prices) {
    rates.push_back(change.price.node_hour->value() / kNanosPerUsd);
  }
  EXPECT_THAT(rates, ElementsAre(20, 30, 40)) << "sorted by time, and sped up like the pool";
  EXPECT_EQ(loaded->config.prices.prices[2].price.source, "x");
}

TEST(ParseConfig, ServerAndTenants) {
  const std::string hash(64, 'a');
  const auto loaded = Parse(Fleet(absl::StrCat(
      "kind: Server\nlisten: 0.0.0.0:80\ndrain: 1min\nstore: {sqlite: x.db}\n"
      "keys: [{name: web, sha256: ",
      hash,
      ", tenant: t, role: submitter}]\n---\nkind: Tenants\n"
      "tenants: [{name: t, weight: 2.5, reserved: [{pool: b, nodes: 3}]}, {name: u}]\n")));
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->server.listen, "0.0.0.0:80");
  EXPECT_EQ(loaded->server.drain, absl::Minutes(1));
  EXPECT_EQ(loaded->server.sqlite, "x.db");
  ASSERT_EQ(loaded->server.keys.size(), 1u);
  EXPECT_EQ(loaded->server.keys[0].sha256, hash);
  EXPECT_EQ(loaded->server.keys[0].role, "submitter");
  ASSERT_EQ(loaded->config.tenants.tenants.size(), 2u);
  EXPECT_EQ(loaded->config.tenants.tenants[0].weight, 2.5);
  EXPECT_EQ(loaded->config.tenants.tenants[0].reserved[0].pool, "b");
  EXPECT_EQ(loaded->config.tenants.tenants[0].reserved[0].nodes, 3);
}

TEST(ParseConfig, EverythingWrongIsToldAtOnce) {
  EXPECT_EQ(Error("kind: Server\nlisten: nowhere\n---\nkind: Fleet\npools:\n  - {name: a, adapter: "
                  "{type: process}, nodez: 1}\n  - {name: A, adapter: {type: proces}}\n---\nkind: "
                  "Policy\nchoice: least\n"),
            "c.yaml:2:9: `nowhere` is no address: write one like `127.0.0.1:8080`\n"
            "c.yaml:6:41: unknown key `nodez` (did you mean `node`?)\n"
            "c.yaml:7:12: `A` is no name: up to 63 of a-z 0-9 . _ - beginning with a letter or a "
            "digit\n"
            "c.yaml:7:31: adapter type `proces` is not supported by this version: one of process, "
            "modelled, openai\n"
            "c.yaml:10:9: unknown word `least`: one of least-cost, least-latency, least-energy, "
            "least-carbon, least-loaded, weighted, round-robin");
}

struct BadConfig {
  std::string text, error;
};
class BadConfigs : public testing::TestWithParam<BadConfig> {};
TEST_P(BadConfigs, AreRefusedWithTheirPlace) {
  EXPECT_EQ(Error(GetParam().text), "c.yaml:" + GetParam().error);
}
INSTANTIATE_TEST_SUITE_P(
    All, BadConfigs,
    testing::Values(
        BadConfig{"", " the text is empty"},
        BadConfig{"kind: Server", "1:1: there is no document of kind Fleet"},
        BadConfig{"pools: []",
                  "1:1: a document needs the key `kind`: one of Server, Fleet, Policy, Prices, "
                  "Tenants, Carbon"},
        BadConfig{"kind: Fleets\npools: []", "1:7: unknown word `Fleets` (did you mean `Fleet`?)"},
        BadConfig{"- a", "1:1: wants a map with the key `kind`, found a list"},
        BadConfig{"kind: Fleet\npools: []", "2:8: a fleet needs a pool"},
        BadConfig{"kind: Fleet\npools: [{name: a, adapter: {type: process}}]\naliases: {x: []}",
                  "3:14: alias `x` stands for no model"},
        BadConfig{"kind: Fleet", "1:1: a fleet needs the key `pools`"},
        BadConfig{std::string(kFleet) + "---\nkind: Fleet\npools: []",
                  "13:7: a document of kind Fleet stands further up already"},
        BadConfig{"kind: Fleet\npools:\n  - {name: a, adapter: {type: process}}\n  - {name: a, "
                  "adapter: {type: process}}",
                  "4:5: a pool named `a` stands further up already"},
        BadConfig{"kind: Fleet\npools: [{name: a, adapter: {type: process}}]\nnodes: 3",
                  "3:1: unknown key `nodes`: a fleet has kind, pools, aliases"},
        BadConfig{Fleet("kind: Server\nlisten: 0.0.0.0:80"),
                  "13:1: listening on `0.0.0.0:80`, which others can reach, needs `keys:`"},
        BadConfig{Fleet("kind: Server\nlisten: 127.0.0.1:99999"),
                  "14:9: `127.0.0.1:99999` is no address: write one like `127.0.0.1:8080`"},
        BadConfig{Fleet("kind: Server\nkeys: [{name: k, sha256: abc, tenant: t, role: readr}]"),
                  "14:26: wants the 64 small hexadecimal digits of the key's SHA-256\n"
                  "c.yaml:14:48: unknown word `readr` (did you mean `reader`?)"},
        BadConfig{Fleet("kind: Server\ndrain: 10"),
                  "14:8: `10` has no unit: write a duration like `10s`"},
        BadConfig{
            Fleet("kind: Prices\nprices: [{pool: bb, from: 2026-01-01T00:00:00Z, node_hour: 1 "
                  "USD}]"),
            "14:17: the fleet has no pool `bb` (did you mean `b`?)"},
        BadConfig{Fleet("kind: Prices\nprices: [{pool: b, from: 2026-01-01, node_hour: 1 USD}]"),
                  "14:26: `2026-01-01` is no RFC 3339 time with an offset: write a time like "
                  "`2026-08-01T00:00:00Z`"},
        BadConfig{Fleet("kind: Prices\nprices: [{pool: b, from: 2026-01-01T00:00:00Z}]"),
                  "14:10: a price needs the key `node_hour`"},
        BadConfig{Fleet("kind: Prices\nprices: [{pool: a, from: 2026-01-01T00:00:00Z, node_hour: 1 "
                        "USD}]"),
                  "14:10: pool `a` is unpriced: state its `billing` first"},
        BadConfig{
            Fleet("kind: Prices\nprices:\n- {pool: b, from: 2026-01-01T00:00:00Z, node_hour: 1 "
                  "USD}\n- {pool: b, from: 2026-01-01T01:00:00+01:00, node_hour: 2 USD}"),
            "16:3: this pool has another price from the same time"},
        BadConfig{Fleet("kind: Tenants\ntenants: [{name: t}, {name: t}]"),
                  "14:22: a tenant named `t` stands further up already"},
        BadConfig{Fleet("kind: Tenants\ntenants: [{name: t, weight: 0}]"),
                  "14:29: `0` is out of range: more than 0, up to 1e15"},
        BadConfig{Fleet("kind: Tenants\ntenants: [{name: t, reserved: [{pool: x, nodes: 1}]}]"),
                  "14:39: the fleet has no pool `x` (did you mean `a`?)"},
        BadConfig{Fleet("kind: Tenants\ntenants:\n- {name: t, reserved: [{pool: b, nodes: 2}]}\n- "
                        "{name: u, reserved: [{pool: b, nodes: 2}]}"),
                  "15:1: tenants reserve 4 nodes of pool `b`, which has 3"},
        BadConfig{"kind: Fleet\npools: *p", "2:8: this alias names no anchor above it"},
        BadConfig{"kind: Fleet\npools: &p [*p]",
                  "2:12: this alias stands inside the value that it names"}));

TEST(LoadConfig, FilesAreBounded) {
  const auto missing = LoadConfig("/nonexistent.yaml", SmallCatalog(), SmallMachine());
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  const auto folder = LoadConfig("/tmp", SmallCatalog(), SmallMachine());
  EXPECT_EQ(std::string(folder.status().message()), "reading /tmp: it is a folder");
  const auto endless = ReadTextFile("/dev/zero");
  EXPECT_EQ(std::string(endless.status().message()),
            "/dev/zero: the file is longer than 1048576 bytes");
}

TEST(AsWritten, TakesTheSpeedUpAwayExactly) {
  for (const double speedup : {1.0, 3.7, 20.0, 1000.0}) {
    for (const std::int64_t nanos : {0L, 1L, 7L, 1'006'000'000L, 32'772'600'001L}) {
      const Price price{.node_hour = UsdPerHour(nanos)};
      EXPECT_EQ(AsWritten(SpedUp(price, speedup), speedup).node_hour, price.node_hour)
          << nanos << " x " << speedup;
    }
  }
}

TEST(ParsePrices, ReadsOneDocumentAlone) {
  const auto loaded = Parse(kFleet);
  const auto prices =
      ParsePrices(R"({"prices":[{"pool":"b","from":"2026-01-01T00:00:00Z","node_hour":"2 USD"}]})",
                  loaded->config.fleet);
  ASSERT_TRUE(prices.ok()) << prices.status();
  EXPECT_EQ(prices->prices[0].price.node_hour, UsdPerHour(20'000'000'000));
  const auto price = ParsePrice(R"({"node_hour":"2 USD"})", loaded->config.fleet.pools[1]);
  ASSERT_TRUE(price.ok()) << price.status();
  EXPECT_EQ(price->node_hour, UsdPerHour(20'000'000'000));
  EXPECT_EQ(std::string(
                ParsePrice(R"({"node_hour":2})", loaded->config.fleet.pools[1]).status().message()),
            "/node_hour: `2` has no unit: write an amount like `2 USD`");
  EXPECT_EQ(std::string(ParsePrice("{}", loaded->config.fleet.pools[1]).status().message()),
            "line 1, column 1: a price needs the key `node_hour`");
  const auto shown = ParsePrice(
      R"({"node_hour_usd":"2.000000000","input_usd_per_mtoken":null,"as_of":null,"source":"s"})",
      loaded->config.fleet.pools[1]);
  ASSERT_TRUE(shown.ok()) << shown.status();
  EXPECT_EQ(shown->node_hour, price->node_hour);
  EXPECT_EQ(shown->source, "s");
  EXPECT_FALSE(shown->input);
  const auto tenants = ParseTenants("tenants: [{name: t}]", loaded->config.fleet);
  ASSERT_TRUE(tenants.ok()) << tenants.status();
}

}  // namespace
}  // namespace spillway
