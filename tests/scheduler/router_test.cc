#include "scheduler/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/router_world.h"

namespace spillway {
namespace {

using absl::Milliseconds;
using absl::Seconds;
using fixtures::ChatRequest;
using fixtures::Committed;
using fixtures::Costing;
using fixtures::Dollars;
using fixtures::EnginePool;
using fixtures::Loads;
using fixtures::NvidiaPool;
using fixtures::RouterWorld;
using fixtures::Routing;
using fixtures::Running;
using fixtures::UrlPool;
using fixtures::Waiting;
using testing::ElementsAre;
using testing::IsEmpty;

// An idle engine about which nothing is known: 500 ms to the first token (p90: twice), 40 ms for
// each of 100 more.
constexpr absl::Duration kIdleTtft = Milliseconds(500), kIdleTpot = Milliseconds(40);

// ---- Estimates

TEST(Router, AnIdleEngineIsEstimatedExactly) {
  PoolSpec pool = EnginePool("a");
  pool.site.round_trip = Milliseconds(10);
  const Routing routing(RouterWorld({pool}).View(), ChatRequest());
  const RoutedPool& a = routing.On("a");
  EXPECT_EQ(a.estimate.wait.p50, absl::ZeroDuration());
  EXPECT_EQ(a.estimate.ttft, kIdleTtft + Milliseconds(10));
  EXPECT_EQ(a.ttft_p90, 2 * kIdleTtft + Milliseconds(10)) << "the way there does not spread";
  EXPECT_EQ(a.estimate.tpot, kIdleTpot);
  EXPECT_EQ(a.estimate.duration.p50, Milliseconds(4510));
  EXPECT_EQ(a.estimate.duration.p90, Milliseconds(9010));
  EXPECT_EQ(a.estimate.cost, Dollars(0.0045)) << "4.5 s at 0.001 USD; the way is not the engine's";
  EXPECT_EQ(a.estimate.marginal_cost, a.estimate.cost);
  EXPECT_EQ(a.estimate.energy, Joules(450 * kMicrosPerJoule));
  EXPECT_EQ(a.estimate.basis, Basis::kAssumed);
  EXPECT_EQ(routing.plan.prompt_tokens, 1000);
  EXPECT_EQ(routing.plan.output_tokens, 101);
}

TEST(Router, WhatWasObservedReplacesTheSpread) {
  RouterWorld world({EnginePool("a")});
  world.Observe("a", 2, 0.5, 1.5);
  const Routing routing(world.View(), ChatRequest());
  EXPECT_EQ(routing.On("a").estimate.ttft, 2 * kIdleTtft);
  EXPECT_EQ(routing.On("a").ttft_p90, 3 * kIdleTtft);
  EXPECT_EQ(routing.On("a").estimate.tpot, kIdleTpot / 2);
  EXPECT_EQ(routing.On("a").estimate.basis, Basis::kObserved);
}

// n + 1: who is in flight shares the engine's time, before the first token and after it.
TEST(Router, CostIsTheShareAmongAllInFlight) {
  const auto view = RouterWorld({EnginePool("a")}).View();
  const auto cost = [&](EndpointLoad load) {
    return Routing(view, ChatRequest(), {{"a/0", load}}).On("a").estimate.cost;
  };
  EXPECT_EQ(cost(Running(0)), Dollars(0.0045));
  EXPECT_LT(cost(Running(3)), Dollars(0.0045) * 2);
  EXPECT_GT(cost(Running(3)).value() * 4, Dollars(0.0045).value());
  const Usd beside = cost(Running(7)), behind = cost({.waiting = 7, .waiting_tokens = 0});
  EXPECT_LT(beside.value() * 3, Dollars(0.0045).value());
  EXPECT_LT(behind.value() * 3, Dollars(0.0045).value());
}

TEST(Router, CommittedPoolsCostTheirEnergy) {
  PoolSpec pool = Committed(EnginePool("a"));
  pool.power.pue = 1.5;
  pool.site.carbon = GramsCo2ePerKwh(400);
  const Routing routing(RouterWorld({pool}).View(), ChatRequest());
  const Estimate& e = routing.On("a").estimate;
  // 450 J x 1.5 = 0.0001875 kWh.
  EXPECT_EQ(e.marginal_cost, Dollars(0.36 * 0.0001875));
  EXPECT_EQ(e.cost, Dollars(0.0045));
  EXPECT_EQ(e.carbon, GramsCo2e(75'000));
}

TEST(Router, TokensArePaidByTheToken) {
  PoolSpec pool = UrlPool("api", 1);
  pool.billing = Billing::kToken;
  pool.price = {.input = UsdPerMtoken(Dollars(0.50).value()),
                .output = UsdPerMtoken(Dollars(2).value())};
  RouterWorld world({pool});
  RequestFeatures two = ChatRequest();
  two.choices = 2;
  const Routing routing(world.View(), two);
  EXPECT_EQ(routing.On("api").estimate.cost, Dollars(0.0005 + 2 * 0.000202));
  // A price that nobody knows is not zero.
  world["api"].price = {};
  EXPECT_TRUE(Routing(world.View(), two).Codes("api").Has(Code::kUnpriced));
}

TEST(Router, AnswersAreAsLongAsTheModelsAnswersWere) {
  RouterWorld world({EnginePool("a")});
  RequestFeatures features = ChatRequest();
  features.max_tokens.reset();
  EXPECT_EQ(Routing(world.View(), features).plan.output_tokens, 128);
  world.inputs.models["chat"] = {.output_p50 = 300, .output_p90 = 900};
  EXPECT_EQ(Routing(world.View(), features).plan.output_tokens, 300);
  features.max_tokens = 20;
  EXPECT_EQ(Routing(world.View(), features).plan.output_tokens, 20);
  features.max_tokens = 100'000;
  EXPECT_EQ(Routing(world.View(), features).plan.output_tokens, 300);
}

// A request that finds every place taken waits until one ends, and nobody knows how long: its p90
// is that of the shortest rest of those that run, and it is no matter of the engine's speed.
TEST(Router, AFullBatchIsWaitedForByTheLengthsOfAnswers) {
  RouterWorld world({EnginePool("a")});
  const auto on = [&](int running) {
    return Routing(world.View(), ChatRequest(), {{"a/0", Running(running)}}).On("a");
  };
  const int places = world.View()->endpoints()[0].serves[0].limits.max_sequences;
  EXPECT_LT(on(places - 1).estimate.wait.p90, Milliseconds(100));
  const RoutedPool full = on(places);
  EXPECT_GT(full.estimate.wait.p90, 2.5 * full.estimate.wait.p50);
  // All answers alike: whoever runs has a part of 200 tokens to come, so the first of n ends sooner
  // than if some were very long.
  world.inputs.models["chat"] = {.output_p50 = 100, .output_p90 = 100, .output_mean = 100};
  auto& left = world.inputs.models["chat"].output_left;
  for (int i = 1; i <= 20; ++i) left.push_back(5 * i);
  const absl::Duration alike = on(places).estimate.wait.p90;
  for (int i = 1; i <= 20; ++i) left[static_cast<std::size_t>(i - 1)] = 50 * i;
  const absl::Duration apart = on(places).estimate.wait.p90;
  EXPECT_GT(apart, 5 * alike);
  // The speed of first tokens does not stretch it, that of later ones does.
  world.Observe("a", 3, 1, 1);
  EXPECT_LT(on(places).estimate.wait.p90, apart + Seconds(1));
  world.Observe("a", 1, 3, 1);
  EXPECT_GT(on(places).estimate.wait.p90, 2 * apart);
}

TEST(Router, EmbeddingsHaveNoAnswer) {
  RequestFeatures features = ChatRequest();
  features.kind = ModelKind::kEmbedding;
  features.max_tokens.reset();
  const Routing routing(RouterWorld({EnginePool("a")}).View(), features);
  EXPECT_EQ(routing.First(), "a/0");
  EXPECT_EQ(routing.plan.output_tokens, 0);
  EXPECT_EQ(routing.On("a").estimate.duration.p50, kIdleTtft);
  EXPECT_EQ(routing.On("a").estimate.tpot, std::nullopt);
  EXPECT_EQ(routing.On("a").estimate.cost, Dollars(0.0005));
}

TEST(Router, ChoicesAreSequences) {
  PoolSpec pool = EnginePool("a");
  pool.adapter.concurrency = 8;
  const auto view = RouterWorld({pool}).View();
  RequestFeatures four = ChatRequest();
  four.choices = 4;
  const auto outcome = [&](int running) {
    return Routing(view, four, {{"a/0", Running(running)}}).plan.outcome;
  };
  EXPECT_EQ(outcome(4), Routed::kRouted);
  EXPECT_EQ(outcome(5), Routed::kFull);
  four.choices = 20;  // more than it ever takes: an idle engine queues them
  EXPECT_EQ(outcome(0), Routed::kRouted);
  EXPECT_EQ(outcome(1), Routed::kFull);
}

// ---- Able or not

TEST(Router, OnlyPoolsThatServeTheModelAreAsked) {
  RouterWorld world({EnginePool("a", 1, "other"), EnginePool("b")});
  const Routing routing(world.View(), ChatRequest());
  EXPECT_EQ(routing.First(), "b/0");
  EXPECT_TRUE(routing.Codes("a").Has(Code::kModel));
  const Routing none(world.View(), ChatRequest("unheard"));
  EXPECT_EQ(none.plan.outcome, Routed::kRefused);
  EXPECT_EQ(none.plan.code, Code::kModel);
  EXPECT_THAT(none.plan.order, IsEmpty());
}

TEST(Router, AnAliasMeansAnyOfItsModels) {
  RouterWorld world({EnginePool("a", 1, "small"), Costing(EnginePool("b", 1, "large"), 1)});
  RequestFeatures features = ChatRequest("any");
  features.models = {"small", "large", "unheard"};
  EXPECT_EQ(Routing(world.View(), features).First(), "b/0") << "the cheaper";
  world["b"].endpoints[0].up = false;
  EXPECT_EQ(Routing(world.View(), features).First(), "a/0");
  // An engine that serves both answers with the first that was asked for.
  const auto view = RouterWorld({UrlPool("c", 1, {"small", "large"})}).View();
  features.models = {"large", "small"};
  const Served* served = view->endpoints()[0].Find(MakeRequestShape(*view, features).models);
  ASSERT_NE(served, nullptr);
  EXPECT_EQ(served->model, view->FindModel("large"));
}

TEST(Router, DownEjectedCordonedDrainingRemoved) {
  RouterWorld world({Costing(EnginePool("a", 2), 1), EnginePool("b")});
  const auto codes = [&] { return Routing(world.View(), ChatRequest()).Codes("a"); };
  EXPECT_EQ(Routing(world.View(), ChatRequest()).Chosen(), "a");
  world["a"].endpoints[0].up = false;
  EXPECT_EQ(Routing(world.View(), ChatRequest()).First(), "a/1");
  world["a"].endpoints[0] = {.up = true, .ejected = true};
  EXPECT_EQ(Routing(world.View(), ChatRequest()).First(), "a/1");
  world["a"].endpoints[1].up = false;
  EXPECT_TRUE(codes().Has(Code::kDown)) << "one down, one ejected";
  EXPECT_EQ(Routing(world.View(), ChatRequest()).First(), "b/0");
  world["b"].endpoints[0].ejected = true;  // two of two: panic
  EXPECT_EQ(Routing(world.View(), ChatRequest()).First(), "a/0");
  world["a"].endpoints.assign(2, {.up = true});
  world["b"].endpoints.assign(1, {.up = true});
  world["a"].state = PoolState::kCordoned;
  EXPECT_EQ(codes().First(), Code::kCordoned);
  world["a"].state = PoolState::kDraining;
  EXPECT_EQ(codes().First(), Code::kDraining);
  world["a"].state = PoolState::kActive;
  world["a"].removed = true;
  EXPECT_EQ(codes().First(), Code::kDown);
  EXPECT_EQ(Routing(world.View(), ChatRequest()).First(), "b/0");
}

TEST(Router, APinLeavesOnePoolAndSaysSo) {
  RouterWorld world({Costing(EnginePool("a"), 1), EnginePool("b")});
  RequestFeatures pinned = ChatRequest();
  pinned.pin = "b";
  const Routing routing(world.View(), pinned);
  EXPECT_THAT(routing.Order(), ElementsAre("b/0"));
  EXPECT_EQ(routing.plan.code, Code::kPinned);
  EXPECT_TRUE(routing.On("b").codes.Has(Code::kPinned));
  EXPECT_TRUE(routing.Codes("a").Has(Code::kRule));
  world["b"].endpoints[0].up = false;
  const Routing down(world.View(), pinned);
  EXPECT_EQ(down.plan.outcome, Routed::kRefused);
  EXPECT_EQ(down.plan.code, Code::kDown);
}

TEST(Router, ARuleIsTheWholeList) {
  RouterWorld world({Costing(EnginePool("a"), 1), EnginePool("b"), EnginePool("c")});
  world.policy.rules = {{.name = "blue goes to c, then b",
                         .when = {.kind = {WorkKind::kRequest}, .tenant = {"blue"}},
                         .claim = {{.name = {"c"}}, {.name = {"b"}}}}};
  RequestFeatures blue = ChatRequest();
  blue.tenant = "blue";
  const Routing routing(world.View(), blue);
  EXPECT_THAT(routing.Order(), ElementsAre("c/0", "b/0"));
  EXPECT_TRUE(routing.Codes("a").Has(Code::kRule));
  EXPECT_EQ(routing.shape.rule, 0);
  EXPECT_EQ(Routing(world.View(), ChatRequest()).First(), "a/0");
  // A pin does not reach past a rule.
  blue.pin = "a";
  EXPECT_EQ(Routing(world.View(), blue).plan.code, Code::kRule);
}

TEST(Router, APoolMayBeForSomeTenantsOnly) {
  PoolSpec pool = Costing(EnginePool("a"), 1);
  pool.tenants = {"blue"};
  const auto view = RouterWorld({pool, EnginePool("b")}).View();
  EXPECT_TRUE(Routing(view, ChatRequest()).Codes("a").Has(Code::kTenant));
  RequestFeatures blue = ChatRequest();
  blue.tenant = "blue";
  EXPECT_EQ(Routing(view, blue).First(), "a/0");
}

TEST(Router, APromptThatIsTooLongForTheBlocks) {
  PoolSpec small = Costing(EnginePool("a"), 1);
  small.serves[0].kv_blocks = 68;  // of 16 tokens, 1,088: 1,000 and the answer do not fit
  RouterWorld world({small, EnginePool("b")});
  const Routing routing(world.View(), ChatRequest());
  EXPECT_EQ(routing.On("a").codes.First(), Code::kMemory);
  EXPECT_EQ(routing.First(), "b/0");
  RequestFeatures shorter = ChatRequest();
  shorter.max_tokens = 80;
  EXPECT_EQ(Routing(world.View(), shorter).First(), "a/0");
  world["b"].endpoints[0].up = false;
  const Routing refused(world.View(), ChatRequest());
  EXPECT_EQ(refused.plan.outcome, Routed::kRefused) << "waiting would not help";
  EXPECT_EQ(refused.plan.code, Code::kMemory);
}

TEST(Router, AnEngineTooSmallIsNotTriedEither) {
  PoolSpec pool = EnginePool("a", 2);
  pool.nodes = 3;
  pool.serves.push_back({.model = "tiny", .replicas = 1, .kv_blocks = 10});
  RequestFeatures any = ChatRequest("any");
  any.models = {"chat", "tiny"};
  EXPECT_THAT(Routing(RouterWorld({pool}).View(), any).Order(), ElementsAre("a/0", "a/1"));
}

// ---- Money

TEST(Router, TooDearAndUnpriced) {
  RouterWorld world({EnginePool("a")});
  RequestFeatures features = ChatRequest();
  features.max_cost = Dollars(0.009);  // at p90
  EXPECT_EQ(Routing(world.View(), features).First(), "a/0") << "to the very nano-dollar";
  features.max_cost = *features.max_cost - Usd(1);
  const Routing dear(world.View(), features);
  EXPECT_EQ(dear.plan.outcome, Routed::kRefused);
  EXPECT_EQ(dear.plan.code, Code::kTooDear);
  EXPECT_EQ(dear.On("a").figures, (Figures{Dollars(0.009).value(), Dollars(0.009).value() - 1}));
  PoolSpec unpriced = EnginePool("b");
  unpriced.billing = Billing::kUnpriced;
  world.Add(unpriced);
  EXPECT_TRUE(Routing(world.View(), ChatRequest()).Codes("b").Has(Code::kUnpriced));
  world.policy.allow_unpriced = true;
  EXPECT_THAT(Routing(world.View(), ChatRequest()).Order(), ElementsAre("a/0", "b/0"))
      << "after every known cost";
  EXPECT_TRUE(Routing(world.View(), features).Codes("b").Has(Code::kUnpriced))
      << "who has a budget wants to know";
}

// What people are shown, not what a decision compares: an owned engine is not free.
TEST(Router, ABudgetIsOfAllocatedCost) {
  RequestFeatures features = ChatRequest();
  features.max_cost = Dollars(0.004);
  const Routing routing(RouterWorld({Committed(EnginePool("a"))}).View(), features);
  EXPECT_LT(routing.On("a").estimate.marginal_cost, Dollars(0.001));
  EXPECT_EQ(routing.plan.code, Code::kTooDear);
}

TEST(Router, AnEngineWithinTheBudgetIsFoundInAPoolOfDearerOnes) {
  PoolSpec pool = EnginePool("a");  // a/0 holds two devices, a/1 one
  pool.node.devices = 2;
  pool.nodes = 2;
  pool.serves = {{.model = "chat", .devices = 2}, {.model = "chat-2", .devices = 1}};
  RouterWorld world({pool});
  world.Observe("a", 1.1, 1.1, 1, "chat-2");  // a little slower, half the price
  RequestFeatures any = ChatRequest("any");
  any.models = {"chat", "chat-2"};
  EXPECT_EQ(Routing(world.View(), any).First(), "a/0");
  any.max_cost = Dollars(0.003);
  const Routing within(world.View(), any);
  EXPECT_EQ(within.First(), "a/1");
  EXPECT_THAT(within.Order(), ElementsAre("a/1")) << "the dear one is no way out";
}

// ---- Time

TEST(Router, TooLateByTheFirstTokenSpills) {
  RouterWorld world({EnginePool("a"), NvidiaPool("n")});
  world.Observe("a", 4, 1, 1.6);  // 2 s, p90 3.2 s
  const Routing routing(world.View(), ChatRequest());
  EXPECT_EQ(routing.First(), "n/0");
  EXPECT_EQ(routing.On("a").codes.First(), Code::kTooLate);
  EXPECT_EQ(routing.On("a").figures, (Figures{ToNanos(Milliseconds(3200)), ToNanos(Seconds(3))}));
  EXPECT_EQ(routing.On("a").verdict, Verdict::kRefused);
  EXPECT_THAT(routing.Order(), ElementsAre("n/0", "a/0")) << "late is better than never";
}

TEST(Router, TooLateByTheTimeBetweenTokens) {
  RouterWorld world({EnginePool("a"), NvidiaPool("n")});
  world.Observe("a", 1, 4, 1.5);  // 160 ms, p90 240 ms
  const Routing routing(world.View(), ChatRequest());
  EXPECT_EQ(routing.First(), "n/0");
  EXPECT_EQ(routing.On("a").figures,
            (Figures{ToNanos(Milliseconds(240)), ToNanos(Milliseconds(200))}));
}

TEST(Router, ObjectivesTightenFromPolicyOverModelAndTenantToTheRequest) {
  RouterWorld world({EnginePool("a")});
  world.policy.objectives.request_ttft = Seconds(5);
  RequestFeatures features = ChatRequest();
  const auto limit = [&] { return Routing(world.View(), features).plan.ttft_limit; };
  EXPECT_EQ(limit(), Seconds(5));
  world.policy.objectives.models["chat"] = {.ttft = Seconds(4), .tpot = Milliseconds(90)};
  EXPECT_EQ(limit(), Seconds(4));
  EXPECT_EQ(Routing(world.View(), features).plan.tpot_limit, Milliseconds(90));
  world.tenants.tenants.push_back({.name = "default", .ttft = Seconds(6)});
  EXPECT_EQ(limit(), Seconds(6)) << "what is agreed with a tenant stands before the model's";
  features.ttft = Seconds(2);
  EXPECT_EQ(limit(), Seconds(2));
  features.ttft = Seconds(60);
  EXPECT_EQ(limit(), Seconds(6)) << "a hint only tightens";
}

// Four prompts ahead: more than a second of waiting.
TEST(Router, HowLongARequestMayWaitIsTheSpillRules) {
  RouterWorld world({EnginePool("a"), NvidiaPool("n")});
  world.Observe("a", 1, 1);
  world.policy.objectives.request_ttft = Seconds(3);
  const Loads loads{{"a/0", Waiting(4)}};
  const auto wait = Routing(world.View(), ChatRequest(), loads).On("a").estimate.wait.p90;
  ASSERT_GT(wait, Seconds(1));
  ASSERT_LT(wait, Seconds(2));
  const auto first = [&] { return Routing(world.View(), ChatRequest(), loads).First(); };
  world.policy.spill.rule = SpillRule::kNeed;
  EXPECT_EQ(first(), "a/0");
  world.policy.spill.request_wait = 0.3;  // of 3 s
  EXPECT_EQ(first(), "n/0");
  world.policy.spill.rule = SpillRule::kPatience;
  world.policy.spill.patience = wait;
  EXPECT_EQ(first(), "a/0");
  world.policy.spill.patience = wait - absl::Nanoseconds(1);
  const Routing routing(world.View(), ChatRequest(), loads);
  EXPECT_EQ(routing.First(), "n/0");
  EXPECT_EQ(routing.On("a").figures,
            (Figures{ToNanos(wait), ToNanos(world.policy.spill.patience)}));
}

// The step under way is no queue: under `at-once` a batch with a free place takes a request.
TEST(Router, AtOnceMeansAPlaceInTheBatch) {
  PoolSpec pool = EnginePool("a");
  pool.serves[0].max_sequences = 4;
  RouterWorld world({pool, NvidiaPool("n")});
  world.policy.spill.rule = SpillRule::kAtOnce;
  const auto first = [&](EndpointLoad load) {
    return Routing(world.View(), ChatRequest(), {{"a/0", load}}).First();
  };
  EXPECT_EQ(first(Running(3)), "a/0");
  EXPECT_EQ(first(Running(4)), "n/0");
  EXPECT_EQ(first({.running = 2, .waiting = 2}), "n/0");
}

TEST(Router, NobodyInTimeGoesWhereTheFirstTokenComesSoonest) {
  RouterWorld world({EnginePool("a"), EnginePool("b"), NvidiaPool("n")});
  world.Observe("a", 9, 1);
  world.Observe("b", 7, 1);
  world.Observe("n", 8, 1);
  const Routing routing(world.View(), ChatRequest());
  EXPECT_EQ(routing.plan.outcome, Routed::kRouted);
  EXPECT_EQ(routing.First(), "b/0");
  EXPECT_EQ(routing.On("b").verdict, Verdict::kChosen);
  EXPECT_TRUE(routing.On("b").codes.Has(Code::kTooLate)) << "and says that it is late";
  EXPECT_EQ(routing.On("a").codes.First(), Code::kTooLate);
}

// The pool is late only if all of its engines are: one whose answer ends a little later, but whose
// first token is in time, is the one.
TEST(Router, AnEngineInTimeStandsBeforeOneThatIsOnlySooner) {
  PoolSpec pool = EnginePool("a", 1);
  pool.nodes = 2;
  pool.serves.push_back({.model = "chat-2"});
  RouterWorld world({pool, NvidiaPool("n")});
  world.Observe("a", 7, 0.1, 1, "chat");    // 3.5 s, then 4 ms a token
  world.Observe("a", 1, 2.0, 1, "chat-2");  // 0.5 s, then 80 ms
  RequestFeatures any = ChatRequest("any");
  any.models = {"chat", "chat-2"};
  const Routing routing(world.View(), any);
  EXPECT_EQ(routing.First(), "a/1");
  EXPECT_TRUE(routing.On("a").in_time);
}

// ---- Full

TEST(Router, WhoIsFullIsLeftOut) {
  PoolSpec pool = EnginePool("a", 2);
  pool.adapter.concurrency = 4;
  RouterWorld world({pool, NvidiaPool("n")});
  const auto view = world.View();
  EXPECT_EQ(Routing(view, ChatRequest(), {{"a/0", Running(4)}}).First(), "a/1");
  const Routing spilled(view, ChatRequest(), {{"a/0", Running(4)}, {"a/1", Waiting(4, 0)}});
  EXPECT_EQ(spilled.First(), "n/0");
  EXPECT_EQ(spilled.On("a").codes.First(), Code::kQuota);
  EXPECT_THAT(spilled.Order(), ElementsAre("n/0")) << "full ones are not tried";
  world["n"].endpoints[0].up = false;
  const Routing full(world.View(), ChatRequest(), {{"a/0", Running(4)}, {"a/1", Running(3)}});
  EXPECT_EQ(full.First(), "a/1");
  const Routing wait(world.View(), ChatRequest(), {{"a/0", Running(4)}, {"a/1", Running(9)}});
  EXPECT_EQ(wait.plan.outcome, Routed::kFull);
  EXPECT_EQ(wait.plan.code, Code::kQuota);
  EXPECT_THAT(wait.plan.order, IsEmpty());
}

// ---- Claim order, choice, tries

TEST(Router, TheBackstopIsLastWhateverItCosts) {
  RouterWorld world(
      {Costing(NvidiaPool("n"), 0.01), Costing(EnginePool("a"), 50), Committed(EnginePool("own"))});
  EXPECT_THAT(Routing(world.View(), ChatRequest()).Order(), ElementsAre("own/0", "a/0", "n/0"));
  EXPECT_TRUE(Routing(world.View(), ChatRequest()).On("n").backstop);
  world.policy = fixtures::LeastCostPolicy();
  EXPECT_THAT(Routing(world.View(), ChatRequest()).Order(), ElementsAre("own/0", "n/0", "a/0"));
}

TEST(Router, OutrankedPoolsSayByWhat) {
  const Routing routing(RouterWorld({Costing(EnginePool("a"), 7.2), EnginePool("b")}).View(),
                        ChatRequest());
  EXPECT_EQ(routing.On("a").verdict, Verdict::kOutranked);
  EXPECT_EQ(routing.On("a").codes.First(), Code::kOutranked);
  EXPECT_EQ(routing.On("a").figures, (Figures{Dollars(0.009).value(), Dollars(0.0045).value()}));
}

// Within the band two pools are one tier, and the policy's choice picks.
TEST(Router, AmongTiesThePolicyChooses) {
  RouterWorld world({Costing(EnginePool("a"), 3.60), Costing(EnginePool("b"), 3.65)});
  world.Observe("a", 1.00, 1.00);
  world.Observe("b", 0.97, 1.00);
  const auto first = [&](ChoiceRule rule, std::uint64_t draw) {
    world.policy.choice = rule;
    return Routing(world.View(), ChatRequest(), {}, draw).First();
  };
  EXPECT_EQ(first(ChoiceRule::kLeastCost, 0), "a/0");
  EXPECT_EQ(first(ChoiceRule::kLeastLatency, 0), "b/0");
  EXPECT_EQ(first(ChoiceRule::kRoundRobin, 0), "a/0");
  EXPECT_EQ(first(ChoiceRule::kRoundRobin, 1), "b/0");
  world.policy.claim.band = 0;
  EXPECT_EQ(first(ChoiceRule::kLeastLatency, 0), "a/0") << "no longer tied";
}

// Latency of a request is its first token: the pool whose answer ends sooner is not the one.
TEST(Router, LeastLatencyIsTheFirstToken) {
  RouterWorld world({EnginePool("a"), EnginePool("b")});
  world.policy.claim.band = 1;
  world.policy.choice = ChoiceRule::kLeastLatency;
  world.Observe("a", 1.2, 0.9);
  world.Observe("b", 1.1, 1.0);
  EXPECT_EQ(Routing(world.View(), ChatRequest()).First(), "b/0");
}

TEST(Router, TheLeastLoadedEngineOfAPoolTakesIt) {
  const auto view = RouterWorld({EnginePool("a", 3)}).View();
  const Routing routing(view, ChatRequest(), {{"a/0", Running(5)}, {"a/1", Waiting(2)}});
  EXPECT_EQ(routing.First(), "a/2");
  EXPECT_THAT(routing.Order(), ElementsAre("a/2", "a/0", "a/1")) << "the others stand by";
}

TEST(Router, EqualEnginesTakeTurns) {
  const auto view = RouterWorld({EnginePool("a", 3)}).View();
  std::vector<std::string> turns;
  for (std::uint64_t draw = 0; draw < 6; ++draw)
    turns.push_back(Routing(view, ChatRequest(), {}, draw).First());
  EXPECT_THAT(turns, ElementsAre("a/0", "a/1", "a/2", "a/0", "a/1", "a/2"));
}

// An engine that has most of the prompt answers sooner, as long as its queue does not eat that up.
TEST(Router, AnEngineThatKnowsThePromptIsPreferred) {
  const auto view = RouterWorld({EnginePool("a", 3)}).View();
  EndpointLoad knows = Running(1);
  knows.cached_blocks = 3;  // 3 kB of 4
  const Routing routing(view, ChatRequest(), {{"a/1", knows}});
  EXPECT_EQ(routing.First(), "a/1");
  EXPECT_LT(*routing.On("a").estimate.ttft, kIdleTtft / 2);
  knows.waiting = 4;
  knows.waiting_tokens = 4000;
  EXPECT_NE(Routing(view, ChatRequest(), {{"a/1", knows}}).First(), "a/1");
  knows = {.cached_blocks = 32};  // more than the prompt has: a token is always computed
  EXPECT_GT(*Routing(view, ChatRequest(), {{"a/1", knows}}).On("a").estimate.ttft,
            absl::ZeroDuration());
}

// What is not kept helps nobody; and whether it was there, the time does not say.
TEST(Router, AKnownBeginningCountsWhereEnginesKeepItAndTeachesNothing) {
  const EndpointLoad knows{.cached_blocks = 3};
  const auto on = [&](const std::string& engine, const EndpointLoad& load) {
    PoolSpec pool = UrlPool("a", 1);
    pool.adapter.engine = engine;
    return Routing(RouterWorld({pool}).View(), ChatRequest(), {{"a/0", load}}).On("a");
  };
  EXPECT_EQ(*on("openai", knows).estimate.ttft, kIdleTtft);
  EXPECT_LT(*on("vllm", knows).estimate.ttft, kIdleTtft / 2);
  EXPECT_EQ(on("openai", knows).raw_ttft, kIdleTtft);
  EXPECT_EQ(on("vllm", {}).raw_ttft, kIdleTtft);
  EXPECT_EQ(on("vllm", knows).raw_ttft, absl::ZeroDuration());
}

// Each prompt is a sequence: it has to fit by itself, and all of them share the engine.
TEST(Router, SeveralPromptsNeedNotFitTogether) {
  RouterWorld world({EnginePool("a")});
  Model known;
  known.name = "chat";
  known.context = 3000;
  world.catalog.models["chat"] = known;
  RequestFeatures features = ChatRequest();
  features.prompt_bytes = 40 * 4000;  // 40,000 tokens
  EXPECT_EQ(Routing(world.View(), features).plan.outcome, Routed::kRefused);
  features.prompts = 40;
  features.longest_prompt_bytes = 4000;
  const Routing routing(world.View(), features);
  EXPECT_EQ(routing.First(), "a/0");
  EXPECT_EQ(routing.On("a").estimate.ttft, 40 * kIdleTtft) << "one after the other";
  features.longest_prompt_bytes = 12'000;
  EXPECT_EQ(Routing(world.View(), features).plan.code, Code::kMemory);
}

TEST(Router, WhoMayWaitLongForItsFirstTokenMayWaitLongForRoom) {
  EXPECT_EQ(RoomPatience(Milliseconds(300)), absl::Seconds(3)) << "late is better than never";
  EXPECT_EQ(RoomPatience(absl::Seconds(20)), absl::Seconds(20));
  EXPECT_EQ(RoomPatience(absl::Hours(1)), absl::Minutes(1));
}

// A failure is retried in time first, even if that means another pool.
TEST(Router, TriesAreInTimeBeforeLateThenInClaimOrder) {
  RouterWorld world({EnginePool("a", 2), Costing(EnginePool("b"), 7.2), NvidiaPool("n", 2)});
  const Loads loads{{"a/1", Waiting(8)}};  // seconds of prompts ahead: late
  EXPECT_THAT(Routing(world.View(), ChatRequest(), loads).Order(),
              ElementsAre("a/0", "b/0", "n/0", "n/1"))
      << "four at most";
  world["n"].endpoints[1].up = false;
  EXPECT_THAT(Routing(world.View(), ChatRequest(), loads).Order(),
              ElementsAre("a/0", "b/0", "n/0", "a/1"));
}

}  // namespace
}  // namespace spillway
