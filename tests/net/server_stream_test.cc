#include <atomic>
#include <future>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/basic_waitable_timer.hpp>

#include "net/chunks.h"
#include "net/server.h"
#include "net/sse.h"
#include "tests/net/raw_client.h"
#include "tests/net/test_server.h"

namespace spillway {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

std::string Get(const std::string& target, const std::string& fields = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

std::string Unchunk(const std::string& body) {
  ChunkReader chunks(ChunkReader::Trailers::kKeep);
  std::string out;
  std::string_view rest = body;
  for (auto state = ChunkReader::State::kMore;
       state == ChunkReader::State::kMore && !rest.empty();) {
    const auto step = chunks.Next(rest);
    out += step.data;
    rest.remove_prefix(step.consumed);
    state = step.state;
  }
  return out;
}

TestHandler::Route Streaming(BodyProducer produce) {
  return [produce](HttpRequest, Exchange&) -> Awaitable<HttpAnswer> {
    co_return EventStreamAnswer(produce);
  };
}

Awaitable<void> ThreeEvents(BodyStream& out) {
  for (int i = 0; i < 3; ++i) {
    const std::string frame = SseFrame(std::to_string(i));
    const bool sent = co_await out.Write(frame);
    EXPECT_TRUE(sent);
  }
}

TEST(ServerStream, SendsChunksAndGoesOn) {
  TestHandler handler;
  handler.routes["events"] = Streaming(ThreeEvents);
  const auto server = StartServer(handler);
  RawClient client(server->port());
  ASSERT_TRUE(client.Send(Get("/events") + Get("/next")));
  const std::string head = client.Until("\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("Content-Type: text/event-stream\r\n"));
  EXPECT_THAT(head, HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("Content-Length")));
  EXPECT_EQ(Unchunk(client.Until("0\r\n\r\n")), "data: 0\n\ndata: 1\n\ndata: 2\n\n");
  EXPECT_THAT(client.Response(), EndsWith("GET /next "));
}

TEST(ServerStream, EndsByClosingForHttp10) {
  TestHandler handler;
  handler.routes["events"] = Streaming(ThreeEvents);
  const auto server = StartServer(handler);
  RawClient client(server->port());
  ASSERT_TRUE(client.Send("GET /events HTTP/1.0\r\nHost: a\r\n\r\n"));
  EXPECT_THAT(client.Rest(), EndsWith("\r\n\r\ndata: 0\n\ndata: 1\n\ndata: 2\n\n"));
}

TEST(ServerStream, HeadHasNoBody) {
  TestHandler handler;
  handler.routes["events"] = Streaming([](BodyStream&) -> Awaitable<void> {
    ADD_FAILURE() << "nobody wants the body";
    co_return;
  });
  const auto server = StartServer(handler);
  RawClient client(server->port());
  ASSERT_TRUE(client.Send("HEAD /events HTTP/1.1\r\nHost: a\r\n\r\n" + Get("/next")));
  EXPECT_THAT(client.Until("\r\n\r\n"), HasSubstr("Transfer-Encoding: chunked"));
  EXPECT_THAT(client.Response(), EndsWith("GET /next "));
}

TEST(ServerStream, TrailersGoToThoseWhoAsk) {
  TestHandler handler;
  handler.routes["cost"] = Streaming([](BodyStream& out) -> Awaitable<void> {
    const bool sent = co_await out.Write("x");
    EXPECT_TRUE(sent);
    out.AddTrailer("Cost", "1.5");
    out.AddTrailer("Bad", "a\r\nb");
  });
  const auto server = StartServer(handler);
  RawClient client(server->port());
  ASSERT_TRUE(client.Send(Get("/cost", "TE: trailers\r\n")));
  client.Until("\r\n\r\n");
  EXPECT_EQ(client.Until("\r\n\r\n"), "1\r\nx\r\n0\r\nCost: 1.5\r\n\r\n");
  ASSERT_TRUE(client.Send(Get("/cost")));
  client.Until("\r\n\r\n");
  EXPECT_EQ(client.Until("\r\n\r\n"), "1\r\nx\r\n0\r\n\r\n");
}

TEST(ServerStream, AProducerThatThrowsLeavesNoProperEnd) {
  TestHandler handler;
  handler.routes["throw"] = Streaming([](BodyStream& out) -> Awaitable<void> {
    const bool sent = co_await out.Write("half");
    EXPECT_TRUE(sent);
    throw std::runtime_error("engine died");
  });
  const auto server = StartServer(handler);
  RawClient client(server->port());
  ASSERT_TRUE(client.Send(Get("/throw")));
  EXPECT_THAT(client.Rest(), EndsWith("\r\n4\r\nhalf\r\n"));
  EXPECT_EQ(server->Stats().handler_failures, 1u);
}

// How a handler learns that its client is gone: by each of the ways there are.
struct Leaving {
  std::string name;
  void (*leave)(RawClient&);
};
class ClientLeaves : public testing::TestWithParam<Leaving> {};

TEST_P(ClientLeaves, EndsAWait) {
  TestHandler handler;
  std::atomic<int> woken{-1};
  handler.routes["wait"] = Streaming([&](BodyStream& out) -> Awaitable<void> {
    const Woken why = co_await out.Wait(absl::InfiniteDuration());
    EXPECT_TRUE(out.gone());
    const bool sent = co_await out.Write("too late");
    EXPECT_FALSE(sent);
    woken = static_cast<int>(why);
  });
  const auto server = StartServer(handler);
  RawClient client(server->port());
  ASSERT_TRUE(client.Send(Get("/wait")));
  client.Until("\r\n\r\n");
  GetParam().leave(client);
  EXPECT_TRUE(Eventually([&] { return woken == static_cast<int>(Woken::kGone); }));
  EXPECT_TRUE(Eventually([&] { return server->Stats().clients_gone == 1; }));
}

TEST_P(ClientLeaves, CallsBackWhileTheHandlerWorksElsewhere) {
  TestHandler handler;
  std::atomic<bool> told{false};
  handler.routes["work"] = [&](HttpRequest, Exchange& exchange) -> Awaitable<HttpAnswer> {
    const auto waker = exchange.waker();
    exchange.OnGone([&told, waker] {
      told = true;
      waker->Wake();  // As a cancelled upstream would.
    });
    while (!told) {
      const Woken why = co_await exchange.Wait(absl::InfiniteDuration());
      EXPECT_EQ(why, Woken::kGone);
    }
    co_return TextResponse(200, "nobody reads this");
  };
  const auto server = StartServer(handler);
  RawClient client(server->port());
  ASSERT_TRUE(client.Send(Get("/work")));
  ASSERT_TRUE(Eventually([&] { return server->Stats().requests == 1; }));
  GetParam().leave(client);
  EXPECT_TRUE(Eventually([&] { return told.load(); }));
  EXPECT_TRUE(Eventually([&] { return server->Stats().open == 0; }));
}

// A handler that neither waits nor asks to be called, but looks now and then.
TEST_P(ClientLeaves, IsSeenByAHandlerThatOnlyLooks) {
  TestHandler handler;
  std::atomic<bool> seen{false};
  handler.routes["look"] = [&](HttpRequest, Exchange& exchange) -> Awaitable<HttpAnswer> {
    net::basic_waitable_timer<std::chrono::steady_clock,
                              net::wait_traits<std::chrono::steady_clock>, Executor>
        timer(exchange.executor());
    while (!exchange.gone()) {
      timer.expires_after(std::chrono::milliseconds(1));
      co_await timer.async_wait(use_awaitable);
    }
    seen = true;
    co_return TextResponse(200, "");
  };
  const auto server = StartServer(handler);
  RawClient client(server->port());
  ASSERT_TRUE(client.Send(Get("/look")));
  ASSERT_TRUE(Eventually([&] { return server->Stats().requests == 1; }));
  GetParam().leave(client);
  EXPECT_TRUE(Eventually([&] { return seen.load(); }));
}

TEST_P(ClientLeaves, BehindPipelinedRequestsToo) {
  TestHandler handler;
  std::atomic<bool> told{false};
  handler.routes["work"] = [&](HttpRequest, Exchange& exchange) -> Awaitable<HttpAnswer> {
    exchange.OnGone([&told] { told = true; });
    co_await exchange.Wait(absl::InfiniteDuration());
    co_return TextResponse(200, "");
  };
  const auto server = StartServer(handler);
  RawClient client(server->port());
  ASSERT_TRUE(client.Send(Get("/work") + Get("/a") + Get("/b")));
  ASSERT_TRUE(Eventually([&] { return server->Stats().requests == 1; }));
  GetParam().leave(client);
  EXPECT_TRUE(Eventually([&] { return told.load(); }));
}

INSTANTIATE_TEST_SUITE_P(
    All, ClientLeaves,
    testing::Values(Leaving{"ByClosing", [](RawClient& client) { client.Close(); }},
                    Leaving{"ByReset", [](RawClient& client) { client.Reset(); }},
                    Leaving{"ByHalfClose", [](RawClient& client) { client.HalfClose(); }}),
    [](const auto& row) { return row.param.name; });

TEST(ServerStream, ASlowReaderHoldsTheProducerBack) {
  TestHandler handler;
  std::atomic<std::size_t> written{0};
  std::atomic<bool> returned{false};
  handler.routes["flood"] = Streaming([&](BodyStream& out) -> Awaitable<void> {
    const std::string piece(64 * 1024, 'x');
    for (bool sent = true; sent;) {
      sent = co_await out.Write(piece);
      written += piece.size();
    }
    returned = true;
  });
  const auto server = StartServer(handler);
  RawClient client(server->port(), /*small=*/true);
  ASSERT_TRUE(client.Send(Get("/flood")));
  // It comes to a halt once the kernel's buffers are full, at a few MiB.
  std::size_t before = 0;
  ASSERT_TRUE(Eventually([&] {
    const std::size_t now = written;
    const bool halted = now > 0 && now == before;
    before = now;
    absl::SleepFor(absl::Milliseconds(50));
    return halted;
  }));
  EXPECT_LT(written, 64u << 20);
  EXPECT_FALSE(returned);
  client.Close();
  EXPECT_TRUE(Eventually([&] { return returned.load(); }));
}

TEST(ServerStream, WakesFromAnyThreadAreNeverLost) {
  TestHandler handler;
  std::promise<void> have_waker;
  std::shared_ptr<Waker> waker;
  std::atomic<int> posted{0};
  constexpr int kEvents = 2'000;
  handler.routes["events"] = Streaming([&](BodyStream& out) -> Awaitable<void> {
    waker = out.waker();
    have_waker.set_value();
    for (int sent = 0; sent < kEvents;) {
      while (sent < posted) {
        const std::string frame = SseFrame(std::to_string(++sent));
        const bool ok = co_await out.Write(frame);
        if (!ok) co_return;
      }
      if (sent == kEvents) break;
      co_await out.Wait(absl::InfiniteDuration());
    }
  });
  const auto server = StartServer(handler);
  RawClient client(server->port());
  ASSERT_TRUE(client.Send(Get("/events")));
  have_waker.get_future().wait();
  std::thread source([&] {
    for (int i = 0; i < kEvents; ++i) {
      ++posted;
      waker->Wake();
    }
  });
  EXPECT_THAT(client.Until("0\r\n\r\n"), HasSubstr("data: 2000\n\n"));
  source.join();
  waker->Wake();  // After the handler returned: nothing happens.
  ASSERT_TRUE(client.Send(Get("/next")));
  EXPECT_THAT(client.Response(), EndsWith("GET /next "));
}

TEST(ServerStream, AWakerOutlivesTheServer) {
  TestHandler handler;
  std::shared_ptr<Waker> waker;
  handler.routes["x"] = [&](HttpRequest, Exchange& exchange) -> Awaitable<HttpAnswer> {
    waker = exchange.waker();
    co_return HttpResponse{};
  };
  auto server = StartServer(handler);
  RawClient client(server->port());
  ASSERT_TRUE(client.Send(Get("/x")));
  client.Response();
  server.reset();
  waker->Wake();
  waker->Wake();
}

// ---- the end of a server ------------------------------------------------------------------------

TEST(ServerDrain, FinishesWhatIsUnderWay) {
  TestHandler handler;
  std::promise<void> working;
  handler.routes["slow"] = [&](HttpRequest, Exchange& exchange) -> Awaitable<HttpAnswer> {
    working.set_value();
    while (!exchange.draining()) co_await exchange.Wait(absl::InfiniteDuration());
    co_return TextResponse(200, "finished");
  };
  const auto server = StartServer(handler);
  RawClient idle(server->port()), busy(server->port());
  ASSERT_TRUE(idle.Send(Get("/a")));
  idle.Response();
  ASSERT_TRUE(busy.Send(Get("/slow")));
  working.get_future().wait();
  EXPECT_TRUE(server->Drain(absl::Seconds(60)));
  const std::string response = busy.Rest();
  EXPECT_THAT(response, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(response, EndsWith("finished"));
  EXPECT_THAT(idle.Rest(), IsEmpty());
  EXPECT_FALSE(RawClient(server->port()).connected());
  EXPECT_TRUE(server->Drain(absl::ZeroDuration()));  // Again: nothing to do.
}

TEST(ServerDrain, LetsAStreamEndInGoodOrder) {
  TestHandler handler;
  handler.routes["events"] = Streaming([](BodyStream& out) -> Awaitable<void> {
    while (!out.draining()) co_await out.Wait(absl::InfiniteDuration());
    const bool sent = co_await out.Write("bye");
    EXPECT_TRUE(sent);
  });
  const auto server = StartServer(handler);
  RawClient client(server->port());
  ASSERT_TRUE(client.Send(Get("/events")));
  client.Until("\r\n\r\n");
  EXPECT_TRUE(server->Drain(absl::Seconds(60)));
  EXPECT_EQ(client.Rest(), "3\r\nbye\r\n0\r\n\r\n");
}

TEST(ServerDrain, CutsWhatDoesNotEnd) {
  TestHandler handler;
  std::atomic<bool> gone{false};
  handler.routes["for-ever"] = Streaming([&](BodyStream& out) -> Awaitable<void> {
    while (!out.gone()) co_await out.Wait(absl::InfiniteDuration());
    gone = true;
  });
  const auto server = StartServer(handler);
  RawClient client(server->port());
  ASSERT_TRUE(client.Send(Get("/for-ever")));
  client.Until("\r\n\r\n");
  EXPECT_FALSE(server->Drain(absl::Milliseconds(20)));
  EXPECT_TRUE(gone);
  EXPECT_THAT(client.Rest(), IsEmpty());  // No last chunk: nobody takes it for complete.
  EXPECT_EQ(server->Stats().told, 1u);
  EXPECT_EQ(server->Stats().cut, 1u);
}

TEST(ServerDrain, CountsWhoWasToldAndWhoWasCut) {
  TestHandler handler;
  handler.routes["polite"] = Streaming([](BodyStream& out) -> Awaitable<void> {
    while (!out.closing()) co_await out.Wait(absl::InfiniteDuration());
    const bool sent = co_await out.Write("bye");
    EXPECT_TRUE(sent);
  });
  handler.routes["deaf"] = Streaming([](BodyStream& out) -> Awaitable<void> {
    while (!out.gone()) co_await out.Wait(absl::InfiniteDuration());
  });
  const auto server = StartServer(handler);
  RawClient one(server->port()), two(server->port()), three(server->port()), idle(server->port());
  ASSERT_TRUE(idle.Send(Get("/a")));
  idle.Response();
  for (RawClient* client : {&one, &two}) {
    ASSERT_TRUE(client->Send(Get("/polite")));
    client->Until("\r\n\r\n");
  }
  ASSERT_TRUE(three.Send(Get("/deaf")));
  three.Until("\r\n\r\n");
  // Long enough for connections that only wait to be closed: they are neither told nor cut.
  EXPECT_FALSE(server->Drain(absl::Milliseconds(500)));
  EXPECT_THAT(one.Rest(), EndsWith("bye\r\n0\r\n\r\n"));
  EXPECT_EQ(server->Stats().told, 3u);
  EXPECT_EQ(server->Stats().cut, 1u);
}

// Requests that the kernel has, and nobody has read, when draining begins are answered.
TEST(ServerDrain, AnswersWhatWasOnItsWay) {
  for (int round = 0; round < 20; ++round) {
    TestHandler handler;
    ServerOptions options;
    options.threads = 1 + round % 2;
    const auto server = StartServer(handler, options);
    std::vector<RawClient> clients;
    for (int i = 0; i < 10; ++i) {
      clients.emplace_back(server->port());
      ASSERT_TRUE(clients.back().Send(Get("/x")));
    }
    EXPECT_TRUE(server->Drain(absl::Seconds(60)));
    for (RawClient& client : clients) EXPECT_THAT(client.Rest(), StartsWith("HTTP/1.1 200 "));
  }
}

TEST(ServerDrain, AnUnusedServerEndsAtOnce) {
  TestHandler handler;
  EXPECT_TRUE(StartServer(handler)->Drain(absl::Seconds(60)));
}

}  // namespace
}  // namespace spillway
