#include "adapters/modelled/engine_hosting.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/adapters/modelled/engine_rig.h"
#include "tests/net/raw_client.h"

namespace spillway {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// One device of 1 TB/s and 24 GB, one small and one large model.
Catalog TestCatalog() {
  Catalog catalog;
  Device device{.name = "gpu", .kind = DeviceKind::kGpu, .vendor = "v"};
  device.memory = Bytes(24'000'000'000);
  device.bandwidth = BytesPerSecond(1e12);
  device.peak = {{Precision::kBf16, OpsPerSecond(1e14)}};
  catalog.devices["gpu"] = device;
  for (const auto& [name, size] : {std::pair{"small", 1e9}, std::pair{"large", 1e12}}) {
    Model model{.name = name, .parameters = size, .active_parameters = size};
    model.layers = 24;
    model.hidden = 2048;
    model.heads = 16;
    model.kv_heads = 16;
    model.head_size = 128;
    model.ffn = 8192;
    model.vocabulary = 32'000;
    model.context = 4096;
    catalog.models[name] = model;
  }
  return catalog;
}

PoolSpec TestPool(const std::string& name, std::vector<ServeSpec> serves) {
  PoolSpec pool{.name = name, .kind = DeviceKind::kGpu, .vendor = "v", .device = "gpu"};
  pool.adapter.type = "modelled";
  pool.modelled = true;
  pool.speed = 1e6;
  pool.device_memory = Bytes(24'000'000'000);
  pool.node.devices = 1;
  pool.nodes = 4;
  pool.serves = std::move(serves);
  return pool;
}

TEST(ModelledEngines, PoolsThatAreAddedLaterAreHostedOnce) {
  const auto engines = ModelledEngines::Start(TestCatalog(), {});
  ASSERT_TRUE(engines.ok()) << engines.status();
  EXPECT_EQ((*engines)->size(), 0u);
  const PoolSpec pool = TestPool("late", {{.model = "small", .replicas = 2}});
  ASSERT_TRUE((*engines)->Host(TestCatalog(), pool).ok());
  ASSERT_TRUE((*engines)->Host(TestCatalog(), pool).ok()) << "it is told of again";
  EXPECT_EQ((*engines)->size(), 2u);
  EXPECT_EQ((*engines)->Urls("late", 0).size(), 2u);
  EXPECT_NE((*engines)->Urls("late", 0)[0], (*engines)->Urls("late", 0)[1]);
  // All of a pool or none of it.
  const PoolSpec bad = TestPool("bad", {{.model = "small"}, {.model = "large"}});
  EXPECT_FALSE((*engines)->Host(TestCatalog(), bad).ok());
  EXPECT_EQ((*engines)->size(), 2u);
  EXPECT_TRUE((*engines)->Urls("bad", 0).empty());
  EXPECT_TRUE((*engines)->Stop(absl::Seconds(1)));
}

TEST(ModelledEngines, HostOneForEachReplica) {
  FleetSpec fleet;
  fleet.pools = {TestPool("a", {{.model = "small", .replicas = 2},
                                {.model = "small", .upstream = "other", .replicas = 1}}),
                 TestPool("b", {}), TestPool("c", {{.model = "small"}})};
  fleet.pools.push_back(TestPool("real", {{.model = "small"}}));
  fleet.pools.back().modelled = false;
  const auto engines = ModelledEngines::Start(TestCatalog(), fleet);
  ASSERT_TRUE(engines.ok()) << engines.status();
  EXPECT_EQ((*engines)->size(), 4u);
  EXPECT_EQ((*engines)->Urls("a", 0).size(), 2u);
  EXPECT_EQ((*engines)->Urls("a", 1).size(), 1u);
  EXPECT_EQ((*engines)->Urls("c", 0).size(), 1u);
  for (const char* none : {"b", "real", "nobody"})
    EXPECT_TRUE((*engines)->Urls(none, 0).empty()) << none;
  EXPECT_TRUE((*engines)->Urls("a", 2).empty());

  std::set<std::string> urls;
  for (const auto& [pool, serve, model] :
       {std::tuple{"a", 0, "small"}, std::tuple{"a", 1, "other"}, std::tuple{"c", 0, "small"}}) {
    for (const std::string& url : (*engines)->Urls(pool, static_cast<std::size_t>(serve))) {
      urls.insert(url);
      const auto models = Client::ForUrl(url)->Get("/models");
      ASSERT_TRUE(models.ok()) << models.status();
      EXPECT_EQ(TextAt(models->body, {"data", "0", "id"}), model);
    }
  }
  EXPECT_EQ(urls.size(), 4u);
  EXPECT_TRUE((*engines)->Stop(absl::Seconds(60)));
}

TEST(ModelledEngines, SayWhichPoolCannotServeItsModel) {
  FleetSpec fleet;
  fleet.pools = {TestPool("a", {{.model = "small"}}), TestPool("b", {{.model = "large"}})};
  const absl::Status large = ModelledEngines::Start(TestCatalog(), fleet).status();
  EXPECT_EQ(large.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(large.message()),
              AllOf(HasSubstr("pool b, model large"), HasSubstr("does not fit")));
  fleet.pools[1].serves[0].model = "unknown";
  EXPECT_EQ(ModelledEngines::Start(TestCatalog(), fleet).status().code(),
            absl::StatusCode::kNotFound);
  fleet.pools[1].serves[0] = {.model = "small", .replicas = 1000};
  EXPECT_EQ(ModelledEngines::Start(TestCatalog(), fleet).status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST(ModelledEngines, AnswersAreAsLongAnywhere) {
  FleetSpec fleet;
  fleet.pools = {TestPool("a", {{.model = "small"}}), TestPool("c", {{.model = "small"}})};
  const auto engines = ModelledEngines::Start(TestCatalog(), fleet);
  ASSERT_TRUE(engines.ok()) << engines.status();
  std::set<std::string> texts;
  for (const char* pool : {"a", "c"}) {
    const auto got =
        Client::ForUrl((*engines)->Urls(pool, 0).front())
            ->Post("/chat/completions", R"({"messages":[{"role":"user","content":"how long?"}]})");
    ASSERT_TRUE(got.ok()) << got.status();
    texts.insert(TextAt(got->body, {"choices", "0", "message", "content"}));
  }
  EXPECT_EQ(texts.size(), 1u);
}

}  // namespace
}  // namespace spillway
