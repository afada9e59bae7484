#include "scheduler/router_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/performance/engine_world.h"
#include "tests/support/router_world.h"

namespace spillway {
namespace {

using fixtures::Committed;
using fixtures::Costing;
using fixtures::Cpus;
using fixtures::EnginePool;
using fixtures::GiB;
using fixtures::HourlyDollars;
using fixtures::NvidiaPool;
using fixtures::RouterWorld;
using fixtures::UrlPool;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> NamesOf(const RouterView& view) {
  std::vector<std::string> names;
  for (const ViewEndpoint& e : view.endpoints()) names.push_back(e.name);
  return names;
}
std::vector<std::string> ServedBy(const RouterView& view, std::size_t place) {
  std::vector<std::string> names;
  for (const Served& s : view.endpoints()[place].serves)
    names.push_back(view.models()[static_cast<std::size_t>(s.model)].name);
  return names;
}
bool Panics(const RouterView& view, const std::string& model) {
  return view.models()[static_cast<std::size_t>(view.FindModel(model))].panic;
}

TEST(RouterView, ReplicasAndUrlsAreEndpointsInOrder) {
  PoolSpec two_models = EnginePool("mixed", 2);
  two_models.nodes = 3;
  two_models.serves.push_back({.model = "embed", .replicas = 1});
  const auto view = RouterWorld({two_models, UrlPool("far", 2), EnginePool("jobs", 0)}).View();
  EXPECT_THAT(NamesOf(*view), ElementsAre("mixed/0", "mixed/1", "mixed/2", "far/0", "far/1"));
  EXPECT_THAT(ServedBy(*view, 0), ElementsAre("chat"));
  EXPECT_THAT(ServedBy(*view, 2), ElementsAre("embed"));
  EXPECT_EQ(view->pools()[1].first_endpoint, 3u);
  EXPECT_EQ(view->pools()[2].endpoints, 0u);
  EXPECT_EQ(view->PlaceOf({PoolId{1}, 1}), 4u);
  EXPECT_EQ(view->endpoints()[4].key, (EndpointKey{PoolId{1}, 1}));
  for (const EndpointKey unknown :
       {EndpointKey{PoolId{1}, 2}, EndpointKey{PoolId{1}, -1}, EndpointKey{PoolId{2}, 0},
        EndpointKey{PoolId{9}, 0}, kNoEndpoint}) {
    EXPECT_EQ(view->PlaceOf(unknown), 5u);
  }
}

TEST(RouterView, AnEndpointThatNobodySawIsDown) {
  RouterWorld world({EnginePool("a", 3)});
  world["a"].endpoints = {{.up = true}, {.up = true, .ejected = true}};  // the third: never seen
  const auto view = world.View();
  EXPECT_TRUE(view->endpoints()[0].up);
  EXPECT_TRUE(view->endpoints()[1].ejected);
  EXPECT_FALSE(view->endpoints()[2].up);
}

TEST(RouterView, UrlsServeWhatTheySayWithinWhatIsDeclared) {
  PoolSpec renamed = UrlPool("renamed", 1, {"chat"});
  renamed.serves[0].upstream = "org/chat-8b";
  RouterWorld world({UrlPool("open", 2, {}), UrlPool("declared", 3, {"chat", "code"}), renamed});
  world["open"].endpoints[0].models = {"x", "y"};
  world["declared"].endpoints[0].models = {"code", "other"};
  world["declared"].endpoints[1].models = {"/models/some.gguf"};  // knows no names
  world["renamed"].endpoints[0].models = {"org/chat-8b"};
  const auto view = world.View();
  EXPECT_THAT(ServedBy(*view, 0), ElementsAre("x", "y"));
  EXPECT_THAT(ServedBy(*view, 1), IsEmpty()) << "it was not asked yet";
  EXPECT_THAT(ServedBy(*view, 2), ElementsAre("code"));
  EXPECT_THAT(ServedBy(*view, 3), ElementsAre("chat", "code"));
  EXPECT_THAT(ServedBy(*view, 4), ElementsAre("chat", "code"));
  EXPECT_THAT(ServedBy(*view, 5), ElementsAre("chat"));
}

TEST(RouterView, AnEngineIsPaidForWhatItHolds) {
  PoolSpec half = EnginePool("half", 4);  // two devices of four each: half a node
  half.node = {.cpus = Cpus(8), .memory = GiB(64), .devices = 4};
  half.nodes = 2;
  half.serves[0].devices = 2;
  PoolSpec gang = EnginePool("gang", 1);  // over two nodes
  gang.nodes = 2;
  gang.serves[0].nodes = 2;
  PoolSpec slice = EnginePool("slice", 2);  // 2 of 8 CPUs
  slice.node = {.cpus = Cpus(8), .memory = GiB(64), .devices = 0};
  slice.weights = {.cpus = 1};
  slice.serves[0].cpus = Cpus(2);
  PoolSpec far = UrlPool("far", 4);  // 4 addresses on 6 nodes
  far.nodes = 6;
  PoolSpec token = UrlPool("token", 1);
  token.billing = Billing::kToken;
  const auto view = RouterWorld({half, gang, slice, far, token}).View();
  const auto at = [&](std::uint32_t pool) -> const ViewEndpoint& {
    return view->endpoints()[view->PlaceOf({PoolId{pool}, 0})];
  };
  EXPECT_EQ(at(0).rate, HourlyDollars(1.80));
  EXPECT_EQ(at(1).rate, HourlyDollars(7.20));
  EXPECT_EQ(at(2).rate, HourlyDollars(0.90));
  EXPECT_EQ(at(3).rate, HourlyDollars(5.40));
  EXPECT_EQ(at(4).rate, UsdPerHour(0));
  EXPECT_DOUBLE_EQ(at(0).dynamic.value(), 50);
  EXPECT_DOUBLE_EQ(at(1).dynamic.value(), 200);
  EXPECT_DOUBLE_EQ(at(2).dynamic.value(), 25);
  EXPECT_DOUBLE_EQ(at(3).dynamic.value(), 150);
  EXPECT_EQ(ReplicaNeeds(half, half.serves[0]).cpus, Cpus(4));
  EXPECT_EQ(ReplicaNeeds(half, half.serves[0]).memory, GiB(32));
  EXPECT_EQ(ReplicaNeeds(slice, slice.serves[0]).memory, GiB(16));
}

TEST(RouterView, ThePriceInForceCountsNotThatOfTheFile) {
  RouterWorld world({EnginePool("a")});
  world["a"].price.node_hour = HourlyDollars(9);
  EXPECT_EQ(world.View()->endpoints()[0].rate, HourlyDollars(9));
}

TEST(RouterView, ConcurrencyIsWhatThePoolSaysElseTwoBatches) {
  PoolSpec said = EnginePool("said");
  said.adapter.concurrency = 5;
  PoolSpec batch = EnginePool("batch");
  batch.serves[0].max_sequences = 8;
  const auto view = RouterWorld({said, batch, EnginePool("unknown")}).View();
  EXPECT_EQ(view->endpoints()[0].concurrency, 5);
  EXPECT_EQ(view->endpoints()[1].concurrency, 16);
  EXPECT_EQ(view->endpoints()[2].concurrency, 128);
}

// The catalogue's roofline where it knows device and model, else a guess that says so.
TEST(RouterView, StepsAndLimitsComeFromTheCatalogueOrAreAssumed) {
  RouterWorld world;
  world.catalog = World();
  PoolSpec known = NvidiaPool("known", 1, "llama");
  known.device = "gpu";
  world.Add(known);
  world.Add(EnginePool("unknown", 1, "llama"));
  PoolSpec small = EnginePool("small", 1, "llama");  // 8 GB: the model does not fit
  small.device = "small";
  small.device_memory = GiB(8);
  world.Add(small);
  const auto view = world.View();
  const Served& roofline = view->endpoints()[0].serves[0];
  EXPECT_EQ(roofline.basis, Basis::kRoofline);
  EXPECT_EQ(roofline.limits, *LimitsFor(world.catalog, known, known.serves[0]));
  EXPECT_EQ(roofline.limits.context, 4096);
  EXPECT_EQ(view->models()[0].context, 4096);
  EXPECT_DOUBLE_EQ(view->models()[0].kv_bytes_per_token, 2 * 2 * 32 * 32 * 128);
  const Served& assumed = view->endpoints()[1].serves[0];
  EXPECT_EQ(assumed.basis, Basis::kAssumed);
  EXPECT_EQ(assumed.limits.LongestSequence(), 4096) << "the model's context still holds";
  const StepBatch batch{.prefill_tokens = 100, .decodes = 3};
  EXPECT_EQ(assumed.steps->Of(batch), absl::Milliseconds(90));
  EXPECT_EQ(view->endpoints()[2].serves[0].limits.kv_blocks, 1'000'000)
      << "limits of an engine that cannot be are guessed as well";
}

TEST(RouterView, WhatWasLearnedStandsBeforeTheCatalogue) {
  RouterWorld world({EnginePool("a", 1, "llama"), EnginePool("b", 1, "llama")});
  world.catalog = World();
  world.catalog.models["llama"].bytes_per_token = 3.5;
  const auto micro = [&] { return world.View()->models()[0].micro_bytes_per_token; };
  EXPECT_EQ(micro(), 3'500'000);
  world.inputs.models["llama"] = {
      .micro_bytes_per_token = 4'200'000, .output_p50 = 77, .output_p90 = 200};
  EXPECT_EQ(micro(), 4'200'000);
  EXPECT_EQ(world.View()->models()[0].output_p50, 77);
  EXPECT_EQ(world.View()->models()[0].output_p90, 200);
  world.Observe("b", 2, 3, 1.5, "llama");
  const auto view = world.View();
  EXPECT_EQ(view->endpoints()[0].serves[0].basis, Basis::kAssumed) << "on another pool";
  EXPECT_EQ(view->endpoints()[1].serves[0].basis, Basis::kObserved);
  EXPECT_EQ(view->endpoints()[1].serves[0].correction.tpot_p90, 4'500'000);
}

TEST(RouterView, ObjectivesOfAModelComeFromThePolicy) {
  RouterWorld world({EnginePool("a"), EnginePool("b", 1, "other")});
  world.policy.objectives.models["chat"] = {.ttft = absl::Seconds(1)};
  const auto view = world.View();
  EXPECT_EQ(view->models()[0].ttft, absl::Seconds(1));
  EXPECT_EQ(view->models()[0].tpot, std::nullopt);
  EXPECT_EQ(view->models()[1].ttft, std::nullopt);
}

// More than half ejected looks like bad requests, not like bad engines.
TEST(RouterView, PanicWhenMoreThanHalfOfThoseInUseAreEjected) {
  RouterWorld world({EnginePool("a", 2), EnginePool("b", 2), EnginePool("c", 1, "other")});
  const auto eject = [&](const std::string& pool, std::size_t i) {
    world[pool].endpoints[i].ejected = true;
  };
  EXPECT_FALSE(Panics(*world.View(), "chat"));
  eject("a", 0);
  eject("a", 1);
  EXPECT_FALSE(Panics(*world.View(), "chat")) << "half is not more than half";
  EXPECT_FALSE(Panics(*world.View(), "other"));
  world["b"].endpoints[0].up = false;
  EXPECT_TRUE(Panics(*world.View(), "chat")) << "what is down does not count";
  world["b"].endpoints[0].up = true;
  world["b"].state = PoolState::kCordoned;
  EXPECT_TRUE(Panics(*world.View(), "chat")) << "nor what may not be used";
  world["b"].state = PoolState::kActive;
  world["b"].removed = true;
  EXPECT_TRUE(Panics(*world.View(), "chat"));
}

TEST(RouterView, NamesAndAliases) {
  RouterWorld world({EnginePool("a", 1, "small"), EnginePool("b", 1, "large")});
  world.inputs.aliases = {
      {"any", {"small", "large"}}, {"best", {"large"}}, {"gone", {"huge"}}, {"large", {"small"}}};
  const auto view = world.View();
  EXPECT_THAT(view->Resolve("any"), ElementsAre("small", "large"));
  EXPECT_THAT(view->Resolve("best"), ElementsAre("large"));
  EXPECT_THAT(view->Resolve("small"), ElementsAre("small"));
  EXPECT_THAT(view->Resolve("large"), ElementsAre("small")) << "an alias hides a model of its name";
  EXPECT_THAT(view->Resolve("unheard"), IsEmpty());
  EXPECT_THAT(view->Names(), ElementsAre("any", "best", "large", "small"))
      << "no alias of what nobody serves";
  EXPECT_EQ(view->FindModel("huge"), -1);
}

TEST(RouterView, ARemovedPoolKeepsItsNumberAndNothingElse) {
  RouterWorld world({EnginePool("a", 1, "old"), EnginePool("b")});
  world["a"].removed = true;
  const auto view = world.View();
  EXPECT_THAT(NamesOf(*view), ElementsAre("b/0"));
  EXPECT_EQ(view->endpoints()[0].key.pool, PoolId{1});
  EXPECT_EQ(view->endpoints()[0].pool, 1u);
  EXPECT_THAT(view->Names(), ElementsAre("chat"));
}

TEST(RouterView, APolicyThatDoesNotCompileIsAnError) {
  RouterWorld world({EnginePool("a")});
  world.policy.claim.band = 7;
  EXPECT_FALSE(RouterView::Make(world.Inputs()).ok());
}

TEST(RouterView, TenantsByName) {
  RouterWorld world({EnginePool("a")});
  world.tenants.tenants.push_back({.name = "blue", .ttft = absl::Seconds(1)});
  const auto view = world.View();
  ASSERT_NE(view->FindTenant("blue"), nullptr);
  EXPECT_EQ(view->FindTenant("blue")->ttft, absl::Seconds(1));
  EXPECT_EQ(view->FindTenant("red"), nullptr);
}

}  // namespace
}  // namespace spillway
