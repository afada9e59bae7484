#include "controller/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <set>

#include "tests/controller/dispatcher_rig.h"

namespace spillway {
namespace {

using absl::Milliseconds;
using absl::Nanoseconds;
using absl::Seconds;
using fixtures::ChatRequest;
using fixtures::EnginePool;
using fixtures::RouterWorld;
using testing::ElementsAre;

// ---- Beginning, routing, taking

TEST(Dispatcher, WithoutEnginesNothingBegins) {
  TestClock clock(kStart);
  Inbox inbox;
  Dispatcher dispatcher({}, clock, inbox);
  EXPECT_EQ(dispatcher.Begin(ChatRequest()), nullptr);
  EXPECT_EQ(dispatcher.view(), nullptr);
  dispatcher.Publish(nullptr);
  EXPECT_EQ(dispatcher.view(), nullptr);
}

TEST(Dispatcher, RequestsAreNumberedWithinTheEpoch) {
  Rig rig(RouterWorld({EnginePool("a")}));
  rig.dispatcher.Start(7);
  EXPECT_EQ(rig.Routed()->record.id, MakeRequestId(7, 1));
  EXPECT_EQ(rig.Routed()->record.id, MakeRequestId(7, 2));
}

TEST(Dispatcher, OlderInputsChangeNothing) {
  Rig rig(RouterWorld({EnginePool("a")}));
  rig.Publish();
  const auto view = rig.dispatcher.view();
  EXPECT_EQ(view->id(), EventNumber{2});
  RouterWorld old({EnginePool("b")});
  rig.dispatcher.Publish(old.Inputs());  // number 1
  old.inputs.id = EventNumber{2};
  rig.dispatcher.Publish(old.Inputs());
  EXPECT_EQ(rig.dispatcher.view(), view);
  old.inputs.id = EventNumber{3};
  old.policy.claim.band = 9;  // does not compile
  rig.dispatcher.Publish(old.Inputs());
  EXPECT_EQ(rig.dispatcher.view(), view);
  old.policy.claim.band = 0;
  rig.dispatcher.Publish(old.Inputs());
  EXPECT_EQ(rig.dispatcher.view()->pools()[0].spec->name, "b");
}

TEST(Dispatcher, ThreadsRouteByTheNewestInputs) {
  Rig rig(RouterWorld({EnginePool("a", 1)}));
  EXPECT_EQ(rig.Routed()->record.view, EventNumber{1});
  rig.world["a"].state = PoolState::kCordoned;
  rig.Publish();
  const auto request = rig.Routed();
  EXPECT_EQ(request->record.view, EventNumber{2});
  EXPECT_EQ(rig.last, Routed::kRefused);
  EXPECT_EQ(request->record.code, Code::kCordoned);
}

TEST(Dispatcher, WhatIsInFlightIsCounted) {
  Rig rig(RouterWorld({EnginePool("a")}));
  RequestFeatures two = ChatRequest();
  two.choices = 2;
  const auto request = rig.Taken(two);
  EXPECT_EQ(rig.dispatcher.InFlight(At(0)), 2);
  EXPECT_EQ(rig.LoadOf(0), (EndpointLoad{.waiting = 2, .waiting_tokens = 1000}));
  rig.dispatcher.OnFirstToken(*request);
  rig.dispatcher.OnFirstToken(*request);  // said twice, counted once
  EXPECT_EQ(rig.LoadOf(0), (EndpointLoad{.running = 2, .context_tokens = 2000}));
  EXPECT_EQ(rig.dispatcher.stats().in_flight, 1);
  rig.Finish(*request);
  EXPECT_EQ(rig.LoadOf(0), EndpointLoad());
  EXPECT_EQ(rig.dispatcher.stats().in_flight, 0);
  EXPECT_EQ(rig.dispatcher.InFlight(At(99)), 0);
}

TEST(Dispatcher, CountsReturnToZeroWhateverHappens) {
  for (std::uint32_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Rig rig(RouterWorld({EnginePool("a", 3), fixtures::NvidiaPool("n", 2)}));
    std::mt19937 dice(seed);
    std::vector<std::unique_ptr<LiveRequest>> live;
    std::size_t begun = 0;
    for (int step = 0; step < 600; ++step) {
      rig.clock.Advance(Milliseconds(dice() % 50));
      if (step < 400 && (live.empty() || dice() % 3 == 0)) {
        RequestFeatures features = ChatRequest();
        features.choices = 1 + static_cast<int>(dice() % 3);
        live.push_back(rig.Routed(features));
        ++begun;
        continue;
      }
      if (live.empty()) continue;
      const std::size_t at = dice() % live.size();
      LiveRequest& request = *live[at];
      switch (dice() % 5) {
        case 0:
          if (request.endpoint == nullptr) rig.dispatcher.Take(request);
          continue;
        case 1:
          rig.dispatcher.OnFirstToken(request);
          continue;
        case 2:
          if (request.endpoint != nullptr) rig.dispatcher.GiveUp(request, ForwardFault::kConnect);
          continue;
        case 3:
          if (request.endpoint != nullptr) rig.dispatcher.Settle(request);
          break;
        default:
          break;  // ends with whatever it holds
      }
      rig.dispatcher.End(request, RequestEnd::kAnswered, 200);
      live.erase(live.begin() + static_cast<std::ptrdiff_t>(at));
    }
    for (auto& request : live) rig.dispatcher.End(*request, RequestEnd::kClientGone, 499);
    for (std::uint32_t p = 0; p < 2; ++p) {
      for (int n = 0; n < (p == 0 ? 3 : 2); ++n) EXPECT_EQ(rig.LoadOf(n, p), EndpointLoad());
    }
    EXPECT_EQ(rig.dispatcher.stats().in_flight, 0);
    EXPECT_EQ(rig.dispatcher.stats().ended, begun);
    rig.dispatcher.Stop();
    EXPECT_EQ(rig.inbox.all().size(), begun);
  }
}

// What an engine says of itself is a moment old: what was ours then is not somebody else's now.
TEST(Dispatcher, WhatEndedWhileTheEngineAnsweredIsNotTakenForOthers) {
  Rig rig(RouterWorld({EnginePool("a")}));
  auto a = rig.Taken(), b = rig.Taken();
  const auto total = [&] { return rig.LoadOf(0).running + rig.LoadOf(0).waiting; };
  rig.dispatcher.OnAsk(At(0));
  rig.dispatcher.End(*a, RequestEnd::kAnswered, 200);
  rig.dispatcher.End(*b, RequestEnd::kAnswered, 200);
  rig.dispatcher.OnSigns(At(0), {.running = 2, .waiting = 0});  // as it was before they ended
  EXPECT_EQ(total(), 0);
  const auto c = rig.Taken();
  rig.dispatcher.OnAsk(At(0));
  const auto d = rig.Taken();
  rig.dispatcher.OnSigns(At(0), {.running = 4, .waiting = 0});
  EXPECT_EQ(total(), 4) << "two of ours and two of others";
  rig.dispatcher.End(*c, RequestEnd::kAnswered, 200);
  EXPECT_EQ(total(), 3) << "others stay until the next look";
  rig.dispatcher.End(*d, RequestEnd::kAnswered, 200);
}

// And our own prefills may be running in its eyes.
TEST(Dispatcher, WhatAFreshLookShowsBeyondOursCounts) {
  Rig rig(RouterWorld({EnginePool("a")}));
  const auto see = [&](std::optional<int> running, std::optional<int> waiting) {
    rig.dispatcher.OnSigns(At(0), {.running = running, .waiting = waiting});
    const EndpointLoad load = rig.LoadOf(0);
    return std::pair(load.running, load.waiting);
  };
  EXPECT_EQ(see(3, 2), std::pair(3, 2)) << "others use it";
  const auto a = rig.Taken(), b = rig.Taken(), c = rig.Taken();  // three before their first token
  EXPECT_EQ(see(3, 0), std::pair(0, 3)) << "these are ours, not three more";
  EXPECT_EQ(see(5, 0), std::pair(2, 3));
  EXPECT_EQ(see(2, 4), std::pair(2, 4));
  EXPECT_EQ(see(0, 0), std::pair(0, 3)) << "it has not noticed yet";
  EXPECT_EQ(see(std::nullopt, std::nullopt), std::pair(0, 3)) << "unknown is not zero";
  EXPECT_EQ(see(7, std::nullopt), std::pair(4, 3));
  rig.clock.Advance(Seconds(2) + Nanoseconds(1));
  const EndpointLoad stale = rig.LoadOf(0);
  EXPECT_EQ(std::pair(stale.running, stale.waiting), std::pair(0, 3)) << "a look of long ago";
}

TEST(Dispatcher, AnEngineWithoutAnAddressIsPassedOver) {
  RouterWorld world({EnginePool("a", 2)});
  TestClock clock(kStart);
  Inbox inbox;
  Dispatcher dispatcher({}, clock, inbox);
  dispatcher.Publish(world.Inputs());
  dispatcher.SetEngine(At(1), {.upstream = {{"chat", "org/chat-8b"}}});
  for (int i = 0; i < 2; ++i) {  // whose turn it is
    auto request = dispatcher.Begin(ChatRequest());
    ASSERT_EQ(dispatcher.Route(*request), Routed::kRouted);
    ASSERT_TRUE(dispatcher.Take(*request));
    EXPECT_EQ(request->record.endpoint(), At(1));
    EXPECT_EQ(request->model, "chat");
    EXPECT_EQ(request->upstream_model, "org/chat-8b");
    dispatcher.End(*request, RequestEnd::kAnswered, 200);
  }
}

TEST(Dispatcher, NewInputsOnTheWayDoNotMoveARequest) {
  Rig rig(RouterWorld({EnginePool("a"), EnginePool("b", 1, "other")}));
  const auto request = rig.Routed();
  rig.world = RouterWorld({EnginePool("a"), EnginePool("b"), EnginePool("c")});
  rig.world.inputs.id = EventNumber{5};
  rig.dispatcher.Publish(rig.world.Inputs());
  ASSERT_TRUE(rig.dispatcher.Take(*request));
  EXPECT_EQ(request->record.endpoint(), At(0));
  EXPECT_EQ(request->view->id(), EventNumber{1});
  EXPECT_EQ(rig.dispatcher.InFlight(At(0)), 1);
  rig.Finish(*request);
  EXPECT_EQ(rig.dispatcher.InFlight(At(0)), 0);
}

TEST(Dispatcher, AFailedEndpointIsReplacedByTheNext) {
  Rig rig(RouterWorld({EnginePool("a"), fixtures::NvidiaPool("n")}));
  const auto request = rig.Taken();
  EXPECT_EQ(request->record.endpoint(), At(0, 0));
  rig.clock.Advance(Seconds(1));
  rig.dispatcher.GiveUp(*request, ForwardFault::kConnect);
  ASSERT_TRUE(rig.dispatcher.Take(*request));
  EXPECT_EQ(request->record.endpoint(), At(0, 1));
  EXPECT_EQ(request->record.spilled_from, PoolId{0}) << "to the last resort";
  EXPECT_EQ(request->record.spilled_code, Code::kDown);
  EXPECT_EQ(rig.dispatcher.InFlight(At(0, 0)), 0);
  EXPECT_EQ(rig.dispatcher.InFlight(At(0, 1)), 1);
  rig.clock.Advance(Seconds(2));
  request->record.output_tokens = 101;
  rig.dispatcher.Settle(*request);
  EXPECT_EQ(request->record.held, Seconds(2)) << "without what the first one lost";
  EXPECT_EQ(request->record.cost, fixtures::Dollars(0.002));
  rig.dispatcher.End(*request, RequestEnd::kAnswered, 200);
  rig.dispatcher.Stop();
  ASSERT_EQ(rig.inbox.all().size(), 1u);
  const Request& kept = *rig.inbox.all()[0];
  ASSERT_EQ(kept.attempts.size(), 2u);
  EXPECT_EQ(kept.attempts[0].endpoint, At(0, 0));
  EXPECT_EQ(kept.attempts[0].fault, ForwardFault::kConnect);
  EXPECT_EQ(kept.attempts[1], (ForwardAttempt{At(0, 1), ForwardFault::kNone}));
  EXPECT_EQ(kept.answered_by, "chat");
  EXPECT_EQ(kept.ended, kStart + Seconds(3));
  EXPECT_TRUE(SameRoute(*rig.dispatcher.view(), kept));
}

// What it took is the engine's pool's loss and no part of what the client pays.
TEST(Dispatcher, TimeThatAFailedEndpointTookIsCharged) {
  Rig rig(RouterWorld({EnginePool("a", 2)}));
  const auto request = rig.Taken();
  const auto beside = rig.Taken();  // on the other engine
  rig.clock.Advance(Seconds(7));
  const EndpointKey first = request->record.attempts[0].endpoint;
  rig.dispatcher.GiveUp(*request, ForwardFault::kTimeout);
  const ForwardAttempt& lost = request->record.attempts[0];
  EXPECT_EQ(lost.endpoint, first);
  EXPECT_EQ(lost.held, Seconds(7));
  EXPECT_EQ(lost.cost, fixtures::Dollars(0.007)) << "0.001 USD a second";
  EXPECT_EQ(lost.energy, Joules(700 * kMicrosPerJoule));
  EXPECT_EQ(request->record.held, absl::ZeroDuration());
  ASSERT_TRUE(rig.dispatcher.Take(*request));
  rig.clock.Advance(Seconds(1));
  rig.dispatcher.Settle(*request);
  EXPECT_EQ(request->record.attempts[1].held, absl::ZeroDuration());
  EXPECT_EQ(request->record.cost, fixtures::Dollars(0.0005)) << "beside another one";
}

TEST(Dispatcher, RetriesAreAFifthOfAllRequests) {
  Rig rig(RouterWorld({EnginePool("a", 2)}));
  const auto retries = [&](int requests) {
    int granted = 0;
    for (int i = 0; i < requests; ++i) {
      const auto request = rig.Taken();
      rig.dispatcher.GiveUp(*request, ForwardFault::kConnect);
      granted += rig.dispatcher.Take(*request);
      rig.dispatcher.End(*request, RequestEnd::kFailed, 502);
    }
    return granted;
  };
  // Ten are held in reserve, and these requests earn two more.
  EXPECT_EQ(retries(12), 12);
  const int granted = retries(100);
  EXPECT_GE(granted, 19);
  EXPECT_LE(granted, 21);
  EXPECT_EQ(rig.dispatcher.stats().retries, 12u + static_cast<unsigned>(granted));
  EXPECT_EQ(rig.dispatcher.stats().refused_retries, 100u - static_cast<unsigned>(granted));
  for (int i = 0; i < 1000; ++i) rig.Finish(*rig.Taken());
  EXPECT_LE(retries(14), 13) << "the reserve does not grow without end";
}

TEST(Dispatcher, AModelWhoseEnginesAreGoneLeavesOthersTheirRetries) {
  Rig rig(RouterWorld({EnginePool("a", 2), EnginePool("b", 2, "other")}));
  const auto fails = [&](const std::string& model) {
    const auto request = rig.Taken(ChatRequest(model));
    rig.dispatcher.GiveUp(*request, ForwardFault::kConnect);
    const bool again = rig.dispatcher.Take(*request);
    rig.dispatcher.End(*request, RequestEnd::kFailed, 502);
    return again;
  };
  int granted = 0;
  for (int i = 0; i < 40; ++i) granted += fails("chat");
  EXPECT_LT(granted, 20);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(fails("other")) << i;
}

TEST(Dispatcher, AnEngineIsRememberedByThePromptsItSaw) {
  Rig rig(RouterWorld({EnginePool("a", 3)}));
  RequestFeatures features = ChatRequest();
  for (std::uint64_t i = 1; i <= 3; ++i) features.prefix.push_back(i * 0x9e3779b97f4a7c15u);
  const auto first = rig.Taken(features);
  EXPECT_EQ(rig.LoadOf(0, 0, features).cached_blocks, 0) << "only once it has answered";
  rig.dispatcher.OnFirstToken(*first);
  const int at = first->record.endpoint().number;
  rig.Finish(*first);
  for (int n = 0; n < 3; ++n)
    EXPECT_EQ(rig.LoadOf(n, 0, features).cached_blocks, n == at ? 3 : 0) << n;
  for (int i = 0; i < 5; ++i) {
    const auto next = rig.Taken(features);
    EXPECT_EQ(next->record.endpoint().number, at);
    rig.Finish(*next);
  }
  features.prefix[1] += 1 << 20;  // other words from the second block on
  EXPECT_EQ(rig.LoadOf(at, 0, features).cached_blocks, 1);
  features.prefix[0] += 1 << 20;
  EXPECT_EQ(rig.LoadOf(at, 0, features).cached_blocks, 0);
}

// ---- To the brain

TEST(Dispatcher, BatchesAreBoundedAndInOrder) {
  Rig rig(RouterWorld({EnginePool("a")}));
  constexpr std::size_t kAll = 2 * event::kMostRequests + 5;
  for (std::size_t i = 0; i < kAll; ++i)
    rig.dispatcher.End(*rig.dispatcher.Begin(ChatRequest()), RequestEnd::kRefused, 503);
  EXPECT_EQ(rig.dispatcher.stats().unbooked, kAll);
  rig.dispatcher.Stop();
  const auto batches = rig.inbox.batches();
  ASSERT_EQ(batches.size(), 3u);
  EXPECT_EQ(batches[0].requests.size(), event::kMostRequests);
  EXPECT_EQ(batches[2].requests.size(), 5u);
  std::uint64_t last = 0;
  for (const auto& request : rig.inbox.all()) EXPECT_EQ(request->draw, ++last);
  EXPECT_EQ(rig.dispatcher.stats().unbooked, 0u);
}

TEST(Dispatcher, NothingBeginsWhileTooMuchIsUnbooked) {
  Rig rig(RouterWorld({EnginePool("a")}), {.unbooked = 3});
  for (int i = 0; i < 3; ++i)
    rig.dispatcher.End(*rig.dispatcher.Begin(ChatRequest()), RequestEnd::kRefused, 503);
  EXPECT_EQ(rig.dispatcher.Begin(ChatRequest()), nullptr);
  rig.dispatcher.Stop();
  EXPECT_NE(rig.dispatcher.Begin(ChatRequest()), nullptr);
}

TEST(Dispatcher, WhatEndsAfterStopIsHandedOverAtTheEnd) {
  TestClock clock(kStart);
  Inbox inbox;
  {
    Dispatcher dispatcher({}, clock, inbox);
    dispatcher.Start(1);
    dispatcher.Publish(RouterWorld({EnginePool("a")}).Inputs());
    auto request = dispatcher.Begin(ChatRequest());
    dispatcher.Stop();
    dispatcher.End(*request, RequestEnd::kClientGone, 499);
    EXPECT_TRUE(inbox.all().empty());
  }
  EXPECT_EQ(inbox.all().size(), 1u);
}

TEST(Dispatcher, FailuresAreToldAtOnce) {
  for (const RequestEnd end : {RequestEnd::kFailed, RequestEnd::kBrokenOff}) {
    Rig rig(RouterWorld({EnginePool("a")}), {.period = absl::Hours(1)});
    rig.dispatcher.Start(1);
    rig.dispatcher.End(*rig.dispatcher.Begin(ChatRequest()), end, 502);
    EXPECT_TRUE(rig.inbox.WaitForOne()) << NameOf(end);
  }
}

// ---- Many threads

// Clients, looks at engines and new inputs at once: nothing is lost, counted twice or left behind,
// and nobody pays for more time than there was.
TEST(Dispatcher, AChunkIsHandedOverBeforeThePeriodEnds) {
  Rig rig(RouterWorld({EnginePool("a")}), {.period = absl::Hours(1), .chunk = 3});
  rig.dispatcher.Start(1);
  const auto end = [&](RequestEnd how) {
    const auto request = rig.Taken();
    rig.dispatcher.Settle(*request);
    rig.dispatcher.End(*request, how, 200);
  };
  for (int i = 0; i < 3; ++i) end(RequestEnd::kAnswered);
  ASSERT_TRUE(rig.inbox.WaitFor(1));
  EXPECT_EQ(rig.inbox.batches().front().requests.size(), 3u);
  // Neither whole nor urgent: these wait for the period's end, until one comes that does not.
  end(RequestEnd::kAnswered);
  end(RequestEnd::kFailed);
  ASSERT_TRUE(rig.inbox.WaitFor(2));
  end(RequestEnd::kAnswered);
  rig.dispatcher.Stop();
  EXPECT_THAT(rig.inbox.hurries(), testing::ElementsAre(false, true, true));
  EXPECT_EQ(rig.inbox.all().size(), 6u);
  EXPECT_EQ(rig.dispatcher.stats().unbooked, 0u);
}

TEST(Dispatcher, ThePeriodEndsThoughChunksComeAllTheTime) {
  Rig rig(RouterWorld({EnginePool("a")}), {.period = absl::Milliseconds(1), .chunk = 1});
  rig.dispatcher.Start(1);
  for (bool hurried = false; !hurried;) {
    const auto request = rig.Taken();
    rig.Finish(*request);
    for (const bool each : rig.inbox.hurries()) hurried = hurried || each;
  }
  rig.dispatcher.Stop();
}

// The inputs of a number: others with each, so that a route by the wrong ones shows.
RouterWorld WorldOf(std::uint64_t id) {
  RouterWorld world({One("a"), EnginePool("b", 2), fixtures::NvidiaPool("n", 1)});
  world.inputs.id = EventNumber{id};
  world["a"].price.node_hour = fixtures::HourlyDollars(3.0 + static_cast<double>(id % 3));
  return world;
}

// However many threads decide, each decision can be made again from what its record says.
TEST(Dispatcher, ManyThreads) {
  Rig rig(WorldOf(1), {.period = Milliseconds(1)});
  rig.dispatcher.Start(3);
  constexpr int kThreads = 6, kEach = 400;
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 dice(static_cast<std::uint32_t>(t));
      const auto bell = std::make_shared<Bell>();
      for (int i = 0; i < kEach; ++i) {
        RequestFeatures features = ChatRequest();
        features.choices = 1 + static_cast<int>(dice() % 2);
        features.prefix = {dice() % 5 * 0x9e3779b97f4a7c15u};
        auto request = rig.dispatcher.Begin(std::move(features));
        if (rig.dispatcher.Route(*request) == Routed::kFull) {
          if (rig.dispatcher.Wait(bell, *request)) rig.dispatcher.StopWaiting(bell);
          rig.dispatcher.Route(*request);
        }
        bool answered = false;
        while (!answered && rig.dispatcher.Take(*request)) {
          rig.clock.Advance(absl::Microseconds(dice() % 500));
          if (dice() % 8 == 0) {
            rig.dispatcher.GiveUp(*request, ForwardFault::kConnect);
            continue;
          }
          rig.dispatcher.OnFirstToken(*request);
          if (dice() % 4 == 0) std::this_thread::yield();
          rig.dispatcher.Settle(*request);
          answered = true;
        }
        rig.dispatcher.End(*request, answered ? RequestEnd::kAnswered : RequestEnd::kFailed,
                           answered ? 200 : 502);
      }
    });
  }
  std::thread others([&] {
    std::uint64_t published = 1;
    for (int round = 0; !stop; ++round) {
      rig.dispatcher.OnSigns(At(round % 2, 1), {.running = round % 9, .waiting = round % 3});
      rig.dispatcher.SetEngine(At(0, 2), {});
      if (round % 4 == 0) rig.dispatcher.Publish(WorldOf(++published).Inputs());
      EXPECT_GE(rig.dispatcher.stats().begun, rig.inbox.all().size());
      std::this_thread::yield();
    }
  });
  for (std::thread& thread : threads) thread.join();
  stop = true;
  others.join();
  rig.dispatcher.Stop();
  const auto all = rig.inbox.all();
  EXPECT_EQ(all.size(), static_cast<std::size_t>(kThreads * kEach));
  std::set<RequestId> ids;
  std::map<EndpointKey, absl::Duration> held;
  std::map<EventNumber, std::shared_ptr<const RouterView>> views;
  std::set<std::vector<std::uint32_t>> routes;
  for (const auto& request : all) {
    EXPECT_TRUE(ids.insert(request->id).second);
    auto& view = views[request->view];
    if (!view) view = WorldOf(Number(request->view)).View();
    EXPECT_TRUE(SameRoute(*view, *request)) << ToString(request->id);
    routes.insert(request->order);
    if (request->end == RequestEnd::kAnswered) held[request->endpoint()] += request->held;
  }
  for (const auto& [key, sum] : held)
    EXPECT_LE(sum, rig.clock.Now() - kStart) << "engine " << key.number;
  EXPECT_GT(views.size(), 1u) << "the inputs changed on the way";
  EXPECT_GT(routes.size(), 3u) << "and so did the routes";
  EXPECT_EQ(rig.dispatcher.stats().in_flight, 0);
  EXPECT_EQ(rig.dispatcher.waiting(), 0u);
  for (std::uint32_t p = 0; p < 3; ++p) {
    for (int n = 0; n < 2; ++n) EXPECT_EQ(rig.dispatcher.InFlight(At(n, p)), 0);
  }
}

// ---- Engines that are overloaded

TEST(BackOff, IsReadAsAFullEngineUntilItIsOver) {
  Rig rig(RouterWorld({EnginePool("a"), EnginePool("b")}));
  const auto first = rig.Taken();
  const EndpointKey key = first->there->key;
  const int most = first->there->concurrency;
  ASSERT_EQ(rig.dispatcher.UntilBackOffEnds(*first), absl::InfiniteDuration());
  rig.dispatcher.BackOff(*first, Seconds(5));
  EXPECT_EQ(rig.dispatcher.UntilBackOffEnds(*first), Seconds(5));
  rig.dispatcher.GiveUp(*first, ForwardFault::kOverloaded);

  // The record shows it: who decides again by its readings comes to the same.
  const auto second = rig.Taken();
  EXPECT_NE(second->there->key, key);
  const EndpointLoad load = rig.LoadOf(key.number, Number(key.pool));
  EXPECT_EQ(load.running, most);
  EXPECT_EQ(load.waiting, 0);

  // Until all rest, nobody is turned away with a moment.
  EXPECT_EQ(rig.dispatcher.UntilAnyIsAsked(*second), absl::ZeroDuration());
  rig.dispatcher.BackOff(*second, Seconds(7));
  EXPECT_EQ(rig.dispatcher.UntilAnyIsAsked(*second), Seconds(5));
  rig.dispatcher.GiveUp(*second, ForwardFault::kOverloaded);

  rig.clock.Advance(Seconds(5));
  EXPECT_EQ(rig.dispatcher.UntilAnyIsAsked(*second), absl::ZeroDuration());
  EXPECT_EQ(rig.LoadOf(key.number, Number(key.pool)).running, 0);
  EXPECT_EQ(rig.dispatcher.UntilBackOffEnds(*first), Seconds(2));
  rig.clock.Advance(Seconds(2));
  EXPECT_EQ(rig.dispatcher.UntilBackOffEnds(*first), absl::InfiniteDuration());
}

}  // namespace
}  // namespace spillway
