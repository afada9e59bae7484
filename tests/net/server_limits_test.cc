// Bounds in time and number. Clocks are turned by hand, so limits are the real defaults and nothing
// waits for them.
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/server.h"
#include "tests/net/raw_client.h"
#include "tests/net/test_server.h"

namespace spillway {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const std::string kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

// A server whose clock stands still until the test moves it.
class ServerBounds : public testing::Test {
 protected:
  void Start(ServerOptions options = {}) {
    options.now = clock.Function();
    server = StartServer(handler, std::move(options));
  }
  // Every connection is swept at least twice at the present time. For servers of one thread.
  void LetSweep() {
    const std::uint64_t before = server->Stats().sweeps;
    ASSERT_TRUE(Eventually([&] { return server->Stats().sweeps >= before + 3; }));
  }

  TestHandler handler;
  HandClock clock;
  std::unique_ptr<Server> server;
};

TEST_F(ServerBounds, AHeadMustComeInTime) {
  Start();
  RawClient silent(server->port()), slow(server->port());
  ASSERT_TRUE(slow.Send("GET / HTTP/1.1\r\nHost:"));
  ASSERT_TRUE(Eventually([&] { return server->Stats().bytes_in > 0; }));
  clock.Advance(absl::Seconds(9));
  LetSweep();
  EXPECT_EQ(server->Stats().head_timeouts, 0u);
  clock.Advance(absl::Seconds(2));
  EXPECT_THAT(slow.Rest(), StartsWith("HTTP/1.1 408 Request Timeout\r\n"));
  EXPECT_THAT(silent.Rest(), IsEmpty());
  EXPECT_EQ(server->Stats().head_timeouts, 2u);
}

TEST_F(ServerBounds, TricklingAHeadDoesNotHelp) {
  Start();
  RawClient slow(server->port());
  std::uint64_t sent = 0;
  for (const char c : std::string("GET / HTTP/1.1")) {
    ASSERT_TRUE(slow.Send(std::string(1, c)));
    ++sent;
    ASSERT_TRUE(Eventually([&] { return server->Stats().bytes_in == sent; }));
    LetSweep();
    if (server->Stats().head_timeouts == 1) break;
    clock.Advance(absl::Seconds(1));
  }
  EXPECT_THAT(slow.Rest(), StartsWith("HTTP/1.1 408 "));
  EXPECT_EQ(sent, 12u);  // At 11 s, each byte but the last in good time by itself.
}

// The bytes of the last request and the end behind them were there before the server looked.
TEST_F(ServerBounds, AnEndThatCameTogetherWithARequestIsSeen) {
  std::promise<void> go;
  const std::shared_future<void> going = go.get_future().share();
  handler.routes["block"] = [going](HttpRequest, Exchange&) -> Awaitable<HttpAnswer> {
    going.wait();  // and with it the server's one thread
    co_return TextResponse(200, "");
  };
  Start();
  RawClient blocker(server->port()), client(server->port());
  ASSERT_TRUE(client.Send(kGet));
  EXPECT_THAT(client.Response(), StartsWith("HTTP/1.1 200 OK\r\n"));
  ASSERT_TRUE(blocker.Send("GET /block HTTP/1.1\r\nHost: a\r\n\r\n"));
  ASSERT_TRUE(Eventually([&] { return handler.seen().size() == 2; }));
  ASSERT_TRUE(client.Send(kGet));
  client.HalfClose();
  go.set_value();
  EXPECT_THAT(client.Rest(), EndsWith("GET / "));  // answered, then closed: no clock was turned
  EXPECT_TRUE(Eventually([&] { return server->Stats().open == 1; }));
}

TEST_F(ServerBounds, AnIdleConnectionEndsQuietly) {
  Start();
  RawClient client(server->port());
  ASSERT_TRUE(client.Send(kGet));
  client.Response();
  clock.Advance(absl::Seconds(70));
  LetSweep();
  ASSERT_TRUE(client.Send(kGet));  // Not yet idle for 75 s.
  EXPECT_THAT(client.Response(), StartsWith("HTTP/1.1 200 "));
  LetSweep();
  clock.Advance(absl::Seconds(80));
  EXPECT_THAT(client.Rest(), IsEmpty());
  EXPECT_EQ(server->Stats().idle_timeouts, 1u);
}

TEST_F(ServerBounds, ALaterHeadIsDueFromItsFirstByte) {
  Start();
  RawClient client(server->port());
  ASSERT_TRUE(client.Send(kGet));
  client.Response();
  clock.Advance(absl::Seconds(60));
  LetSweep();
  ASSERT_TRUE(client.Send("GET / "));
  ASSERT_TRUE(Eventually([&] { return server->Stats().bytes_in > kGet.size(); }));
  LetSweep();
  clock.Advance(absl::Seconds(9));
  LetSweep();
  ASSERT_TRUE(client.Send("HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_THAT(client.Response(), StartsWith("HTTP/1.1 200 "));
}

// However much it has earned by what came.
TEST_F(ServerBounds, ABodyThatStallsIsGivenUp) {
  handler.body_limit = 32 << 20;
  Start();
  RawClient client(server->port());
  ASSERT_TRUE(client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000001\r\n\r\n"));
  ASSERT_TRUE(client.Send(std::string(2'000'000, 'x')));
  ASSERT_TRUE(Eventually([&] { return server->Stats().bytes_in > 2'000'000; }));
  EXPECT_GE(server->Stats().body_bytes, 2'000'000u);
  LetSweep();
  clock.Advance(absl::Seconds(9));
  LetSweep();
  EXPECT_EQ(server->Stats().body_timeouts, 0u);
  clock.Advance(absl::Seconds(2));
  EXPECT_THAT(client.Rest(), StartsWith("HTTP/1.1 408 "));
  EXPECT_EQ(server->Stats().body_timeouts, 1u);
  EXPECT_TRUE(Eventually([&] { return server->Stats().body_bytes == 0; }));
}

TEST_F(ServerBounds, BodiesShareABudget) {
  handler.body_limit = 32 << 20;
  Start({.limits = {.bodies = 4 << 20}});
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n";
  RawClient holds(server->port()), late(server->port());
  ASSERT_TRUE(holds.Send(head + std::string(1'800'000, 'x')));
  ASSERT_TRUE(Eventually([&] { return server->Stats().bytes_in > 1'800'000; }));
  ASSERT_TRUE(late.Send(head));
  for (int i = 0; i < 30 && late.Send(std::string(100'000, 'x')); ++i) {
  }
  const std::string answer = late.Response();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(answer, HasSubstr("Retry-After: 1\r\n"));
  EXPECT_EQ(server->Stats().bodies_refused, 1u);

  // What is no longer being read no longer counts.
  holds.Close();
  EXPECT_TRUE(Eventually([&] { return server->Stats().body_bytes == 0; }));
  RawClient next(server->port());
  ASSERT_TRUE(next.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1500000\r\n\r\n" +
                        std::string(1'500'000, 'x')));
  EXPECT_THAT(next.Response(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerBounds, ABodyMustKeepItsRate) {
  Start({.limits = {.body_gap = absl::Hours(1)}});
  RawClient client(server->port());
  ASSERT_TRUE(client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"));
  // 20 s of grace and one second for each KiB that came.
  ASSERT_TRUE(client.Send(std::string(30 * 1024, 'x')));
  ASSERT_TRUE(Eventually([&] { return server->Stats().bytes_in > 30 * 1024; }));
  LetSweep();
  clock.Advance(absl::Seconds(45));
  LetSweep();
  EXPECT_EQ(server->Stats().body_timeouts, 0u);
  clock.Advance(absl::Seconds(10));
  EXPECT_THAT(client.Rest(), StartsWith("HTTP/1.1 408 "));
  EXPECT_EQ(server->Stats().body_timeouts, 1u);
  EXPECT_THAT(handler.seen(), IsEmpty());
}

TEST_F(ServerBounds, AReaderThatStopsIsCutOff) {
  Start();
  const std::size_t size = 8 << 20;  // More than socket buffers hold.
  handler.routes["big"] = [](HttpRequest, Exchange&) -> Awaitable<HttpAnswer> {
    co_return TextResponse(200, std::string(size, 'x'));
  };
  RawClient client(server->port(), /*small=*/true);
  ASSERT_TRUE(client.Send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n"));
  ASSERT_TRUE(Eventually([&] { return server->Stats().requests == 1; }));
  LetSweep();
  clock.Advance(absl::Seconds(30));  // The grace; at 1 KiB/s, 8 MiB have earned 8,192 s more.
  LetSweep();
  EXPECT_EQ(server->Stats().write_timeouts, 0u);
  clock.Advance(absl::Seconds(8'200));
  ASSERT_TRUE(Eventually([&] { return server->Stats().write_timeouts == 1; }));
  EXPECT_LT(client.Rest().size(), size);
  EXPECT_TRUE(Eventually([&] { return server->Stats().open == 0; }));
}

TEST_F(ServerBounds, AHandlerMayTakeAsLongAsItNeeds) {
  Start();
  handler.routes["long"] = [](HttpRequest, Exchange& exchange) -> Awaitable<HttpAnswer> {
    const Woken woken = co_await exchange.Wait(absl::Hours(2));
    co_return TextResponse(200, woken == Woken::kTimeout ? "slept" : "woken");
  };
  RawClient client(server->port());
  ASSERT_TRUE(client.Send("GET /long HTTP/1.1\r\nHost: a\r\n\r\n"));
  ASSERT_TRUE(Eventually([&] { return server->Stats().requests == 1; }));
  LetSweep();
  clock.Advance(absl::Hours(3));
  EXPECT_THAT(client.Response(), EndsWith("slept"));
}

TEST_F(ServerBounds, TheLongestWaitingMakesRoom) {
  ServerOptions options;
  options.limits.connections = 3;
  Start(options);
  std::vector<RawClient> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back(server->port());
    ASSERT_TRUE(clients.back().Send(kGet));
    clients.back().Response();
  }
  ASSERT_TRUE(clients[0].Send(kGet));  // Now 1 has waited longest.
  clients[0].Response();
  RawClient fourth(server->port());
  ASSERT_TRUE(fourth.Send(kGet));
  EXPECT_THAT(fourth.Response(), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(clients[1].Rest(), IsEmpty());
  for (const std::size_t i : {0, 2}) {
    ASSERT_TRUE(clients[i].Send(kGet));
    EXPECT_THAT(clients[i].Response(), StartsWith("HTTP/1.1 200 "));
  }
  EXPECT_EQ(server->Stats().evicted, 1u);
  EXPECT_EQ(server->Stats().turned_away, 0u);
}

TEST_F(ServerBounds, SlowHeadsMakeRoomToo) {
  ServerOptions options;
  options.limits.connections = 20;
  Start(options);
  std::vector<RawClient> slow;
  for (int i = 0; i < 20; ++i) {
    slow.emplace_back(server->port());
    ASSERT_TRUE(slow.back().Send("GET / HT"));
  }
  ASSERT_TRUE(Eventually([&] { return server->Stats().bytes_in == 20 * 8; }));
  for (int i = 0; i < 5; ++i) {
    RawClient healthy(server->port());
    ASSERT_TRUE(healthy.Send(kGet));
    EXPECT_THAT(healthy.Response(), StartsWith("HTTP/1.1 200 "));
  }
  EXPECT_GE(server->Stats().evicted, 1u);
}

TEST_F(ServerBounds, WhenAllAreBusyTheNewOneIsTurnedAway) {
  ServerOptions options;
  options.limits.connections = 2;
  Start(options);
  std::mutex mutex;
  std::vector<std::shared_ptr<Waker>> wakers;
  handler.routes["busy"] = [&](HttpRequest, Exchange& exchange) -> Awaitable<HttpAnswer> {
    {
      const std::lock_guard lock(mutex);
      wakers.push_back(exchange.waker());
    }
    co_await exchange.Wait(absl::InfiniteDuration());
    co_return TextResponse(200, "done");
  };
  RawClient one(server->port()), two(server->port());
  for (RawClient* client : {&one, &two}) {
    ASSERT_TRUE(client->Send("GET /busy HTTP/1.1\r\nHost: a\r\n\r\n"));
  }
  ASSERT_TRUE(Eventually([&] { return server->Stats().requests == 2; }));
  RawClient three(server->port());
  EXPECT_THAT(three.Rest(), IsEmpty());
  EXPECT_EQ(server->Stats().turned_away, 1u);
  {
    const std::lock_guard lock(mutex);
    for (const auto& waker : wakers) waker->Wake();
  }
  EXPECT_THAT(one.Response(), EndsWith("done"));
  EXPECT_THAT(two.Response(), EndsWith("done"));
}

TEST_F(ServerBounds, ServesAThousandConnections) {
  ServerOptions options;
  options.threads = 2;
  Start(options);
  std::vector<RawClient> clients;
  for (int i = 0; i < 1'000; ++i) {
    clients.emplace_back(server->port());
    ASSERT_TRUE(clients.back().connected());
  }
  for (int round = 0; round < 2; ++round) {
    for (RawClient& client : clients) ASSERT_TRUE(client.Send(kGet));
    for (RawClient& client : clients) ASSERT_THAT(client.Response(), StartsWith("HTTP/1.1 200 "));
  }
  EXPECT_EQ(server->Stats().open, 1'000u);
  EXPECT_EQ(server->Stats().requests, 2'000u);
  clients.clear();
  EXPECT_TRUE(Eventually([&] { return server->Stats().open == 0; }));
}

}  // namespace
}  // namespace spillway
