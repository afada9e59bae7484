// Budgets hold whatever the answer turns out to be, and engines are not believed blindly.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "scheduler/router.h"
#include "tests/support/router_world.h"

namespace spillway {
namespace {

using absl::Seconds;
using fixtures::ChatRequest;
using fixtures::Dollars;
using fixtures::EnginePool;
using fixtures::RouterWorld;
using fixtures::Routing;
using fixtures::UrlPool;

// A dollar a million tokens read, ten a million written.
constexpr std::int64_t kDearest = 900'000'000;  // times; more is no price any more
PoolSpec Api(const std::string& name, std::int64_t times = 1) {
  PoolSpec pool = UrlPool(name, 1);
  pool.billing = Billing::kToken;
  pool.price = {.input = UsdPerMtoken(times * 1'000'000'000),
                .output = UsdPerMtoken(times * 10'000'000'000)};
  return pool;
}
RouterWorld OneApi() {
  RouterWorld world({Api("api")});
  world.inputs.models["chat"] = {
      .micro_bytes_per_token = 4 * kMillion, .output_p50 = 10, .output_p90 = 300};
  return world;
}
RequestFeatures Asking(std::optional<std::int64_t> max_tokens, int choices = 1) {
  RequestFeatures features = ChatRequest();  // 1,000 tokens of prompt
  features.max_tokens = max_tokens;
  features.choices = choices;
  return features;
}

TEST(Budget, HoldsForTheLongestAnswerThatMaxTokensAllows) {
  RequestFeatures features = Asking(4000, 2);
  const Usd most = Usd(1000 * 1000 + 2 * 4000 * 10'000);
  features.max_cost = most;
  EXPECT_EQ(Routing(OneApi().View(), features).First(), "api/0") << "to the very nano-dollar";
  features.max_cost = most - Usd(1);
  const Routing dear(OneApi().View(), features);
  EXPECT_EQ(dear.plan.code, Code::kTooDear) << "though answers are mostly of 10 tokens";
  EXPECT_EQ(dear.On("api").figures, (Figures{most.value(), most.value() - 1}));
  EXPECT_LT(dear.On("api").estimate.cost, Usd(2'000'000)) << "what people are shown is typical";
}

TEST(Budget, WithoutMaxTokensHoldsForAllThatTheEngineHolds) {
  RouterWorld world = OneApi();
  RequestFeatures features = Asking(std::nullopt);
  features.max_cost = Dollars(50);
  EXPECT_EQ(Routing(world.View(), features).plan.code, Code::kTooDear)
      << "nobody knows how long its answer may be";
  Model known;
  known.name = "chat";
  known.context = 3000;
  world.catalog.models["chat"] = known;
  features.max_cost = Usd(1000 * 1000 + 2000 * 10'000);
  EXPECT_EQ(Routing(world.View(), features).First(), "api/0");
  features.max_cost = *features.max_cost - Usd(1);
  EXPECT_EQ(Routing(world.View(), features).plan.code, Code::kTooDear);
}

TEST(Budget, OfTimeIsComparedAtP90) {
  RouterWorld world({EnginePool("a")});
  world.inputs.models["chat"] = {.output_p50 = 10, .output_p90 = 20};
  RequestFeatures features = Asking(101);  // 0.5 s and 100 x 40 ms, at p90 twice that
  features.max_cost = Dollars(0.009);
  EXPECT_EQ(Routing(world.View(), features).First(), "a/0");
  features.max_cost = Dollars(0.009) - Usd(1);
  EXPECT_EQ(Routing(world.View(), features).plan.code, Code::kTooDear);
}

TEST(Budget, NothingIsTooLongToBeCounted) {
  RouterWorld world({Api("dear", kDearest)});
  RequestFeatures features = Asking(std::int64_t{1} << 53, 128);
  features.max_cost = Dollars(1000);
  const Routing routing(world.View(), features);
  EXPECT_EQ(routing.plan.code, Code::kTooDear);
  EXPECT_EQ(routing.On("dear").figures.found, std::numeric_limits<std::int64_t>::max());
}

TEST(MostCost, CountsEveryChoiceInFullOnTheDearestThatMayBeTried) {
  RouterWorld world({Api("cheap"), Api("dear", 3)});
  const auto most = [&](const RequestFeatures& features) {
    const Routing routing(world.View(), features);
    EXPECT_EQ(routing.plan.order.size(), 2U);
    return MostCostOf(*routing.view, routing.shape, routing.request);
  };
  EXPECT_EQ(most(Asking(4000)), Usd(3 * (1000 * 1000 + 4000 * 10'000)));
  EXPECT_EQ(most(Asking(4000, 3)), Usd(3 * (1000 * 1000 + 3 * 4000 * 10'000)));
  RequestFeatures embed = Asking(std::nullopt);
  embed.kind = ModelKind::kEmbedding;
  EXPECT_EQ(most(embed), Usd(3 * 1000 * 1000));
  world.inputs.models["chat"] = {
      .micro_bytes_per_token = 4 * kMillion, .output_p50 = 10, .output_p90 = 300};
  EXPECT_EQ(most(Asking(std::nullopt)), Usd(3 * (1000 * 1000 + 300 * 10'000)))
      << "without max_tokens the p90 of its answers";
}

// A hundred prompts of ten tokens each, all in one body.
RequestFeatures Hundred(std::int64_t max_tokens) {
  RequestFeatures features = Asking(max_tokens);
  features.prompts = 100;
  features.longest_prompt_bytes = 40;
  return features;
}

TEST(MostCost, CountsTheAnswerToEachPrompt) {
  const Routing routing(OneApi().View(), Hundred(50));
  EXPECT_EQ(MostCostOf(*routing.view, routing.shape, routing.request),
            Usd(1000 * 1000 + 100 * 50 * 10'000));
  RequestFeatures twice = Hundred(50);
  twice.choices = 2;
  const Routing both(OneApi().View(), twice);
  EXPECT_EQ(MostCostOf(*both.view, both.shape, both.request), Usd(1000 * 1000 + 200 * 50 * 10'000));
}

TEST(Budget, HoldsForTheAnswersToAllPrompts) {
  RequestFeatures features = Hundred(50);
  features.max_cost = Usd(1000 * 1000 + 100 * 50 * 10'000);
  EXPECT_EQ(Routing(OneApi().View(), features).First(), "api/0");
  features.max_cost = *features.max_cost - Usd(1);
  EXPECT_EQ(Routing(OneApi().View(), features).plan.code, Code::kTooDear);
}

TEST(MostCost, IsZeroWhereNobodyIsTried) {
  Routing routing(OneApi().View(), Asking(4000));
  routing.request.order.clear();
  EXPECT_EQ(MostCostOf(*routing.view, routing.shape, routing.request), Usd(0));
}

// ---- What engines say

Request Settled(const RouterWorld& world, const RequestFeatures& features,
                std::optional<std::int64_t> prompt, std::optional<std::int64_t> output,
                std::optional<std::int64_t> cached = {}) {
  Routing routing(world.View(), features);
  routing.request.attempts = {{{PoolId{0}, 0}, ForwardFault::kNone}};
  routing.request.prompt_tokens = prompt;
  routing.request.output_tokens = output;
  routing.request.cached_tokens = cached;
  routing.request.tpot = Seconds(1);
  SettleRequest(*routing.view, routing.shape, routing.request);
  return routing.request;
}

TEST(Usage, IsBookedAsSaidWhereItCanBe) {
  const Request request = Settled(OneApi(), Asking(100, 2), 4000, 2 * 100 + 4, 4000);
  EXPECT_EQ(request.prompt_tokens, 4000) << "a token a byte";
  EXPECT_EQ(request.output_tokens, 204) << "ends of turns are counted by some";
  EXPECT_EQ(request.cached_tokens, 4000);
  EXPECT_EQ(request.tpot, Seconds(1));
  EXPECT_EQ(request.cost, Usd(4000 * 1000 + 204 * 10'000));
}

TEST(Usage, OfSeveralPromptsIsOfAllTheirAnswers) {
  const Request request = Settled(OneApi(), Hundred(50), 1000, 100 * 50);
  EXPECT_EQ(request.output_tokens, 5000);
  EXPECT_EQ(request.cost, Usd(1000 * 1000 + 5000 * 10'000));
  EXPECT_EQ(Settled(OneApi(), Hundred(50), 1000, 100 * (50 + 16) + 1).output_tokens, std::nullopt);
}

TEST(Usage, BeyondMaxTokensIsNotBelieved) {
  const Request request = Settled(OneApi(), Asking(100, 2), 1000, 300);
  EXPECT_EQ(request.output_tokens, std::nullopt);
  EXPECT_EQ(request.tpot, std::nullopt) << "it was made of that";
  EXPECT_EQ(request.cost, Usd(1000 * 1000 + 2 * 10 * 10'000)) << "the estimate";
}

TEST(Usage, AnAnswerOfUnknownLengthIsComparedWithNothing) {
  RouterWorld world = OneApi();
  world.Add(fixtures::NvidiaPool("n"));
  EXPECT_EQ(Settled(world, Asking(100), 1000, 100).baseline_pool, PoolId{1});
  const Request request = Settled(world, Asking(100), 1000, 300);
  EXPECT_EQ(request.baseline_cost, std::nullopt);
  EXPECT_EQ(request.baseline_pool, kNoPool);
  EXPECT_EQ(request.baseline_code, Code::kUnpriced);
}

TEST(Usage, BeyondThePromptIsNotBelieved) {
  const Request request = Settled(OneApi(), Asking(100), 50'000, 100, 40'000);
  EXPECT_EQ(request.prompt_tokens, std::nullopt);
  EXPECT_EQ(request.cached_tokens, std::nullopt);
  EXPECT_EQ(request.output_tokens, 100);
  EXPECT_EQ(request.cost, Usd(1000 * 1000 + 100 * 10'000));
  EXPECT_EQ(Settled(OneApi(), Asking(100), 1000, 100, 1001).cached_tokens, std::nullopt)
      << "more than it read";
}

TEST(Usage, BeyondTheContextIsNotBelieved) {
  RouterWorld world = OneApi();
  EXPECT_EQ(Settled(world, Asking(std::nullopt), 1000, 9'000'000).output_tokens, 9'000'000)
      << "nothing is known of it";
  Model known;
  known.name = "chat";
  known.context = 3000;
  world.catalog.models["chat"] = known;
  EXPECT_EQ(Settled(world, Asking(std::nullopt), 1000, 3000).output_tokens, 3000);
  EXPECT_EQ(Settled(world, Asking(std::nullopt), 1000, 4000).output_tokens, std::nullopt);
}

// Money would wrap around, and a negative bill fill the budget up again.
TEST(Usage, NeverMakesABillNegative) {
  for (const std::int64_t count :
       {std::int64_t{-1}, std::int64_t{1'000'000'000'000'000'000},
        std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
    const Request request = Settled(OneApi(), Asking(std::nullopt), count, count, count);
    EXPECT_EQ(request.cost, Usd(1000 * 1000 + 10 * 10'000)) << count;
    EXPECT_EQ(request.prompt_tokens, std::nullopt);
    EXPECT_EQ(request.output_tokens, std::nullopt);
  }
  const Request dear =
      Settled(RouterWorld({Api("dear", kDearest)}), Asking(2'000'000), 30'000, 1'900'000);
  EXPECT_EQ(dear.cost, Usd(std::numeric_limits<std::int64_t>::max())) << "saturated";
}

}  // namespace
}  // namespace spillway
