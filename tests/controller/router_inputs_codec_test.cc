// What is recorded of the router's inputs and of a request is enough to route it again.
#include <gtest/gtest.h>

#include <random>

#include "formats/codec.h"
#include "tests/performance/engine_world.h"
#include "tests/support/router_world.h"

namespace spillway {
namespace {

using fixtures::RouterWorld;
using fixtures::Routing;

RouterWorld Mixed() {
  PoolSpec known = fixtures::NvidiaPool("known", 2, "llama");
  known.device = "gpu";
  PoolSpec cpu = fixtures::EnginePool("cpu", 1, "llama");
  cpu.device = "cpu";
  cpu.kind = DeviceKind::kCpu;
  cpu.node = {.cpus = fixtures::Cpus(16), .memory = fixtures::GiB(32), .devices = 0};
  cpu.weights = {.cpus = 1};
  PoolSpec token = fixtures::UrlPool("token", 1, {"llama"});
  token.billing = Billing::kToken;
  token.price = {.input = UsdPerMtoken(300'000'000), .output = UsdPerMtoken(900'000'000)};
  RouterWorld world({known, fixtures::Committed(cpu), token, fixtures::UrlPool("open", 3, {}),
                     fixtures::EnginePool("gone", 1, "llama")});
  world.catalog = World();
  world["open"].endpoints = {{.up = true, .models = {"llama"}},
                             {.up = true, .models = {"llama", "mixture"}},
                             {.up = true, .ejected = true, .models = {"llama"}}};
  world["gone"].removed = true;
  world["token"].state = PoolState::kCordoned;
  world["known"].price.node_hour = UsdPerHour(1'234'567'891);
  world.Observe("open", 1.3, 0.7, 1.2, "llama");
  world.inputs.models["llama"] = {3'700'000, 211, 600};
  world.inputs.aliases = {{"any", {"mixture", "llama"}}};
  world.policy.rules = {{.name = "blue", .when = {.tenant = {"blue"}}, .claim = {{}}}};
  world.policy.objectives.models["llama"] = {.tpot = absl::Milliseconds(77)};
  world.tenants.tenants = {{.name = "blue", .ttft = absl::Seconds(2)}};
  return world;
}

TEST(RouterInputsCodec, ADecodedViewRoutesTheSame) {
  const RouterWorld world = Mixed();
  const auto inputs = world.Inputs();
  auto decoded = codec::Decode<RouterInputs>(codec::Encode(*inputs));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  const auto view = world.View();
  const auto again = RouterView::Make(std::make_shared<const RouterInputs>(*std::move(decoded)));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ((*again)->id(), view->id());
  std::mt19937 dice(1);
  int routed = 0;
  for (int i = 0; i < 300; ++i) {
    RequestFeatures features = fixtures::ChatRequest(i % 3 == 0 ? "any" : "llama");
    features.models = (*again)->Resolve(features.model);
    features.prompt_bytes = static_cast<std::int64_t>(dice() % 9000);
    features.tenant = dice() % 2 == 0 ? "blue" : "red";
    if (dice() % 2 == 0) features.max_cost = Usd(static_cast<std::int64_t>(dice() % 5'000'000));
    fixtures::Loads loads;
    for (const ViewEndpoint& endpoint : view->endpoints()) {
      loads[endpoint.name] = {.running = static_cast<std::int32_t>(dice() % 40),
                              .waiting = static_cast<std::int32_t>(dice() % 5),
                              .context_tokens = static_cast<std::int64_t>(dice() % 9000)};
    }
    const Routing before(view, features, loads, dice());
    // The request too is read back from what is stored.
    const auto request = codec::Decode<Request>(codec::Encode(before.request));
    ASSERT_TRUE(request.ok()) << request.status();
    EXPECT_EQ(*request, before.request);
    EXPECT_TRUE(SameRoute(**again, *request)) << i;
    EXPECT_EQ(ExplainRequest(**again, *request), ExplainRequest(*view, before.request)) << i;
    routed += !before.plan.order.empty();
  }
  EXPECT_GT(routed, 100);
}

}  // namespace
}  // namespace spillway
