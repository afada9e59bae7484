#include "net/upstream.h"

#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "absl/strings/str_cat.h"
#include "tests/net/raw_client.h"
#include "tests/net/raw_server.h"
#include "tests/net/test_server.h"

namespace spillway {
namespace {

using testing::HasSubstr;

const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::shared_ptr<const UpstreamOrigin> OriginAt(std::uint16_t port, UpstreamOptions options = {}) {
  auto origin = MakeUpstreamOrigin(*ParseBaseUrl(absl::StrCat("http://127.0.0.1:", port, "/base")),
                                   std::move(options));
  SPILLWAY_CHECK(origin.ok());
  return *std::move(origin);
}

// What one call came to.
struct Outcome {
  bool open = false;
  int status = 0;
  std::string body;
  std::vector<std::string> pieces;
  UpstreamError error;
  bool done = false;
};

// One thread that relays, and what a test does on it.
class Relayer {
 public:
  net::io_context context{1};
  UpstreamRequest request;
  std::vector<std::string_view> body{"bo", "", "dy"};
  bool whole = false;  // by ReadAll(), else piece by piece
  std::size_t limit = 1 << 20;

  Relayer() {
    request.target = "/x";
    request.body = body;
  }

  Outcome Call(const std::shared_ptr<const UpstreamOrigin>& origin) {
    Outcome out;
    net::co_spawn(context, Run(origin, &out), net::detached);
    // The sweep's timer goes on while a connection is kept: run until the call is over.
    over_ = false;
    context.restart();
    while (!over_) context.run_one();
    return out;
  }
  UpstreamStats stats() { return UpstreamStatsOf(context.get_executor()); }
  std::function<void(UpstreamCall&)> on_call;  // before Open()

 private:
  bool over_ = false;

  Awaitable<void> Run(std::shared_ptr<const UpstreamOrigin> origin, Outcome* out) {
    {
      UpstreamCall call(context.get_executor(), origin);
      if (on_call) on_call(call);
      UpstreamRequest sent = request;
      out->open = co_await call.Open(std::move(sent));
      if (out->open) {
        out->status = call.status();
        co_await Read(call, out);
      }
      out->error = call.error();
      out->done = call.done();
    }
    over_ = true;
  }
  Awaitable<void> Read(UpstreamCall& call, Outcome* out) {
    if (whole) {
      co_await call.ReadAll(limit, &out->body);
      co_return;
    }
    for (;;) {
      const std::string_view piece = co_await call.Read();
      if (piece.empty()) co_return;
      out->pieces.emplace_back(piece);
      out->body.append(piece);
    }
  }
};

TEST(Upstream, SendsHeadAndBodyAndReadsTheAnswer) {
  RawServer server({kOk});
  UpstreamOptions options;
  options.headers.Add("Authorization", "Bearer k");
  Headers headers{{"Content-Type", "application/json"}, {"Content-Length", "99"}, {"Host", "evil"}};
  Relayer relayer;
  relayer.request.headers = &headers;
  const Outcome got = relayer.Call(OriginAt(server.port(), options));
  EXPECT_TRUE(got.open && got.done) << got.error.why;
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "ok");
  EXPECT_EQ(server.Received(),
            absl::StrCat("POST /base/x HTTP/1.1\r\nHost: 127.0.0.1:", server.port(),
                         "\r\nUser-Agent: spillway\r\nAccept-Encoding: identity\r\n"
                         "Authorization: Bearer k\r\nContent-Type: application/json\r\n"
                         "Content-Length: 4\r\n\r\nbody"));
}

TEST(Upstream, KeepsConnectionsAndReusesThem) {
  TestHandler handler;
  const auto server = StartServer(handler);
  const auto origin = OriginAt(server->port());
  Relayer relayer;
  for (int i = 0; i < 5; ++i) {
    relayer.whole = i % 2;
    EXPECT_EQ(relayer.Call(origin).body, "POST /base/x body");
  }
  EXPECT_EQ(server->Stats().accepted, 1u);
  EXPECT_EQ(relayer.stats().opened, 1u);
  EXPECT_EQ(relayer.stats().reused, 4u);
  EXPECT_EQ(relayer.stats().idle, 1u);
  EXPECT_EQ(relayer.stats().busy, 0u);
}

TEST(Upstream, KeepsNothingThatIsNotAtAnEnd) {
  for (const std::string& answer :
       {std::string("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"),
        std::string("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n"),
        std::string("HTTP/1.1 200 OK\r\n\r\nok")}) {
    RawServer server({answer});
    Relayer relayer;
    const Outcome got = relayer.Call(OriginAt(server.port()));
    EXPECT_EQ(got.body, "ok") << answer;
    EXPECT_TRUE(got.done) << got.error.why;
    EXPECT_EQ(relayer.stats().idle, 0u) << answer;
  }
}

TEST(Upstream, TakesChunksApartHoweverTheyCome) {
  RawServer server(
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0004;x=y\r\ndefg\r\n"
       "1\r\nh\r\n0\r\nX-T: v\r\n\r\n"});
  Relayer relayer;
  const Outcome got = relayer.Call(OriginAt(server.port()));
  EXPECT_EQ(got.body, "abcdefgh");
  EXPECT_EQ(got.pieces.size(), 1u);  // What came together goes on together.
  EXPECT_TRUE(got.done);
}

TEST(Upstream, AnswersWithoutBodies) {
  for (const std::string& head :
       {std::string("HTTP/1.1 204 No Content\r\n\r\n"),
        std::string("HTTP/1.1 304 Not Modified\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        std::string("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n"
                    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")}) {
    RawServer server({head});
    Relayer relayer;
    const Outcome got = relayer.Call(OriginAt(server.port()));
    EXPECT_TRUE(got.open && got.done) << head << got.error.why;
    EXPECT_EQ(got.body, "");
  }
}

struct Lie {
  std::string answer;
  UpstreamFault fault;
};

TEST(Upstream, DistrustsAnswersThatLie) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
  const std::vector<Lie> lies{
      {ok + "Content-Length: 5\r\n\r\nok", UpstreamFault::kClosed},
      {chunked + "5\r\nab", UpstreamFault::kClosed},
      {chunked + "2\r\nab\r\n", UpstreamFault::kClosed},  // no last chunk: not the end
      {chunked + "2\r\nabc\r\n0\r\n\r\n", UpstreamFault::kUntrusted},
      {chunked + "x\r\nab\r\n0\r\n\r\n", UpstreamFault::kUntrusted},
      {chunked + "fffffffff\r\n", UpstreamFault::kUntrusted},
      {ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nok", UpstreamFault::kUntrusted},
      {ok + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok", UpstreamFault::kUntrusted},
      {ok + "Content-Length: -2\r\n\r\nok", UpstreamFault::kUntrusted},
      {ok + "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok", UpstreamFault::kEncoded},
      {"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", UpstreamFault::kUntrusted},
      {"ICY 200 OK\r\n\r\n", UpstreamFault::kUntrusted},
      {ok + "A: " + std::string(17'000, 'x') + "\r\n\r\n", UpstreamFault::kUntrusted},
      {"HTTP/1.1 2", UpstreamFault::kClosed},
  };
  for (const Lie& lie : lies) {
    for (const bool whole : {false, true}) {
      RawServer server({lie.answer});
      Relayer relayer;
      relayer.whole = whole;
      const Outcome got = relayer.Call(OriginAt(server.port()));
      EXPECT_EQ(got.error.fault, lie.fault) << lie.answer.substr(0, 99) << got.error.why;
      EXPECT_TRUE(got.error.heard) << lie.answer.substr(0, 99);
      EXPECT_FALSE(got.done && got.error.fault == UpstreamFault::kNone);
      EXPECT_EQ(relayer.stats().idle, 0u);
    }
  }
}

TEST(Upstream, SaysHowAnAnswerIsEncoded) {
  struct Case {
    std::string said, found;
  };
  for (const Case& c : {Case{"gzip", "gzip"}, Case{"br, gzip", "br, gzip"},
                        Case{std::string(99, 'x'), std::string(32, 'x')}, Case{"gz\xc3\xa4", "gz"},
                        Case{"\xff", "?"}, Case{"Identity", ""}}) {
    RawServer server(
        {"HTTP/1.1 200 OK\r\nContent-Encoding: " + c.said + "\r\nContent-Length: 2\r\n\r\nok"});
    Relayer relayer;
    const Outcome got = relayer.Call(OriginAt(server.port()));
    EXPECT_EQ(got.error.encoding, c.found);
    EXPECT_EQ(got.error.fault, c.found.empty() ? UpstreamFault::kNone : UpstreamFault::kEncoded);
  }
}

TEST(Upstream, SaysThatNothingWasHeard) {
  RawServer silent({""});  // reads the request, answers nothing, closes
  Relayer relayer;
  const Outcome closed = relayer.Call(OriginAt(silent.port()));
  EXPECT_FALSE(closed.open);
  EXPECT_EQ(closed.error.fault, UpstreamFault::kClosed);
  EXPECT_FALSE(closed.error.heard);

  std::uint16_t nobody = 0;
  { nobody = RawServer({}).port(); }
  const Outcome refused = relayer.Call(OriginAt(nobody));
  EXPECT_EQ(refused.error.fault, UpstreamFault::kConnect);
  EXPECT_FALSE(refused.error.heard);
  EXPECT_THAT(refused.error.why, HasSubstr(absl::StrCat("connect to 127.0.0.1:", nobody)));
}

TEST(Upstream, ReplacesAKeptConnectionThatDied) {
  // Answers one request on the first connection, hangs up on its second; then a fresh one.
  RawServer server({kOk + RawServer::kReadOn, kOk});
  const auto origin = OriginAt(server.port());
  Relayer relayer;
  EXPECT_EQ(relayer.Call(origin).body, "ok");
  const Outcome again = relayer.Call(origin);
  EXPECT_EQ(again.body, "ok") << again.error.why;
  EXPECT_EQ(server.connections(), 2);
  EXPECT_EQ(relayer.stats().replaced, 1u);
}

TEST(Upstream, DoesNotRepeatWhatAFreshConnectionLost) {
  RawServer server({"", kOk});
  Relayer relayer;
  const Outcome got = relayer.Call(OriginAt(server.port()));
  EXPECT_EQ(got.error.fault, UpstreamFault::kClosed);
  EXPECT_EQ(server.connections(), 1);
}

TEST(Upstream, DoesNotRepeatOnceAByteOfTheAnswerCame) {
  TestHandler handler;
  RawServer server({kOk + RawServer::kSilence});
  const auto origin = OriginAt(server.port());
  Relayer relayer;
  EXPECT_EQ(relayer.Call(origin).body, "ok");
  std::thread hang_up([&] {
    server.SayMore("H");
    server.HangUp();
  });
  hang_up.join();
  // Bytes that nobody asked for, or the end: the connection is found out before it is used.
  const Outcome got = relayer.Call(origin);
  EXPECT_FALSE(got.open);
}

// The lane looks for ends that came unnoticed; what arrives between its waking up and its look is
// no end. The clock is read in between. From one piece to the next are two sweeps, after which it
// looks.
TEST(Upstream, WhatComesInTheMomentOfALookIsRead) {
  const std::vector<std::string> pieces{"HTTP/1.1 200 OK\r\n", "Content-Length: 5\r\n\r\n", "w",
                                        "ho", "le"};
  for (const bool whole : {false, true}) {
    RawServer server({RawServer::kSilence});
    Relayer relayer;
    relayer.whole = whole;
    std::size_t sweeps = 0, said = 0;
    SetUpstreamClock(relayer.context.get_executor(), [&] {
      if (++sweeps % 2 == 1 && sweeps > 1 && said < pieces.size()) server.SayMore(pieces[said++]);
      return absl::Milliseconds(25) * static_cast<std::int64_t>(sweeps);
    });
    const Outcome got = relayer.Call(OriginAt(server.port()));
    EXPECT_EQ(got.error.fault, UpstreamFault::kNone) << got.error.why;
    EXPECT_EQ(got.body, "whole");
  }
}

TEST(Upstream, GivesUpInTime) {
  struct Case {
    std::string answer;
    UpstreamFault fault;
    bool heard;
  };
  const std::vector<Case> cases{
      {RawServer::kSilence, UpstreamFault::kNoFirstByte, false},
      {"HTTP/1.1 200" + RawServer::kSilence, UpstreamFault::kNoFirstByte, true},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok" + RawServer::kSilence,
       UpstreamFault::kStalled, true},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + RawServer::kSilence,
       UpstreamFault::kStalled, true},
  };
  for (const Case& one : cases) {
    for (const bool whole : {false, true}) {
      RawServer server({one.answer});
      Relayer relayer;
      HandClock clock;
      auto now = clock.Function();
      // Each sweep is five seconds, so no test waits for long.
      SetUpstreamClock(relayer.context.get_executor(), [&clock, now] {
        clock.Advance(absl::Seconds(5));
        return now();
      });
      relayer.whole = whole;
      relayer.request.first_byte = absl::Seconds(20);
      relayer.request.gap = absl::Seconds(20);
      const Outcome got = relayer.Call(OriginAt(server.port()));
      EXPECT_EQ(got.error.fault, one.fault) << one.answer << got.error.why;
      EXPECT_EQ(got.error.heard, one.heard) << one.answer;
    }
  }
}

TEST(Upstream, BoundsWhatItKeeps) {
  const std::string big(5000, 'x');
  for (const std::string& answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + big,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n" + big + "\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n" + big}) {
    for (const std::size_t limit : {4999, 5000}) {
      RawServer server({answer});
      Relayer relayer;
      relayer.whole = true;
      relayer.limit = limit;
      const Outcome got = relayer.Call(OriginAt(server.port()));
      const bool fits = limit == 5000;
      EXPECT_EQ(got.error.fault, fits ? UpstreamFault::kNone : UpstreamFault::kTooLong);
      EXPECT_EQ(fits && got.body == big, fits);
    }
  }
}

TEST(Upstream, CarriesMegabytesBothWays) {
  TestHandler handler;
  handler.body_limit = 16 << 20;
  const auto server = StartServer(handler);
  Relayer relayer;
  std::string big(5 << 20, 'x');
  for (std::size_t i = 0; i < big.size(); i += 1000) big[i] = static_cast<char>('a' + i % 26);
  relayer.body = {"<", big, ">"};
  relayer.request.body = relayer.body;
  for (const bool whole : {true, false}) {
    relayer.whole = whole;
    relayer.limit = 16 << 20;
    EXPECT_EQ(relayer.Call(OriginAt(server->port())).body, "POST /base/x <" + big + ">") << whole;
  }
}

TEST(Upstream, AbortClosesAtOnce) {
  RawServer server({RawServer::kSilence});
  Relayer relayer;
  std::thread aborter;
  relayer.on_call = [&](UpstreamCall& call) {
    aborter = std::thread([&] {
      while (server.Received().empty()) std::this_thread::yield();
      net::post(relayer.context, [&call] { call.Abort(); });
    });
  };
  const Outcome got = relayer.Call(OriginAt(server.port()));
  aborter.join();
  EXPECT_EQ(got.error.fault, UpstreamFault::kAborted);
  EXPECT_EQ(relayer.stats().idle, 0u);
  relayer.on_call = [](UpstreamCall& call) { call.Abort(); };  // Before anything began.
  EXPECT_EQ(relayer.Call(OriginAt(server.port())).error.fault, UpstreamFault::kAborted);
}

TEST(Upstream, RefusesWhatCannotBeWritten) {
  Relayer relayer;
  RawServer server({kOk});
  relayer.request.target = "no/slash";
  EXPECT_EQ(relayer.Call(OriginAt(server.port())).error.fault, UpstreamFault::kRequest);
  relayer.request.target = "/a b";
  EXPECT_EQ(relayer.Call(OriginAt(server.port())).error.fault, UpstreamFault::kRequest);
  UpstreamOptions options;
  options.headers.Add("X", "a\r\nY: b");
  EXPECT_FALSE(MakeUpstreamOrigin(*ParseBaseUrl("http://h"), options).ok());
}

TEST(Upstream, AThreadMayEndUnderItsCalls) {
  RawServer server({RawServer::kSilence});
  const auto origin = OriginAt(server.port());
  auto context = std::make_unique<net::io_context>(1);
  const auto call = [](net::io_context& on,
                       std::shared_ptr<const UpstreamOrigin> to) -> Awaitable<void> {
    UpstreamCall call(on.get_executor(), std::move(to));
    UpstreamRequest request;
    co_await call.Open(std::move(request));
  };
  net::co_spawn(*context, call(*context, origin), net::detached);
  while (server.Received().empty()) context->run_one();
  context.reset();  // Under the sanitizers: nothing leaks, nothing is used late.
  EXPECT_EQ(origin.use_count(), 1);
}

// ---- through the server -------------------------------------------------------------------------

// Relays every request to one engine, as a router does.
class RelayHandler final : public HttpHandler {
 public:
  explicit RelayHandler(std::shared_ptr<const UpstreamOrigin> engine)
      : engine_(std::move(engine)) {}
  HeadAnswer OnHead(const HttpRequest&) override { return {1 << 20, {}}; }
  Awaitable<HttpAnswer> Handle(HttpRequest request, Exchange& exchange) override {
    const auto call = std::make_shared<UpstreamCall>(exchange.executor(), engine_);
    exchange.OnGone([call] { call->Abort(); });
    const std::string_view body[] = {request.body};
    UpstreamRequest out;
    out.target = request.target;
    out.body = body;
    const bool open = co_await call->Open(std::move(out));
    if (!open) co_return TextResponse(502, call->error().why);
    HttpResponse head;
    HttpAnswer answer(std::move(head), [call](BodyStream& to) { return Stream(call, to); });
    answer.head_with_body = true;
    co_return answer;
  }

 private:
  const std::shared_ptr<const UpstreamOrigin> engine_;
  static Awaitable<void> Stream(std::shared_ptr<UpstreamCall> call, BodyStream& to) {
    for (;;) {
      const std::string_view piece = co_await call->Read();
      if (piece.empty()) co_return;
      bool sent = false;
      if (call->done()) {
        sent = co_await to.WriteLast(piece);
      } else {
        sent = co_await to.Write(piece);
      }
      if (!sent) co_return call->Abort();
    }
  }
};

std::string Post(std::string_view body) {
  return absl::StrCat("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: ", body.size(), "\r\n\r\n",
                      std::string(body));
}

TEST(Relay, EventsArriveAsTheyAreSaid) {
  RawServer engine({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\ndata: a\r\n" +
                    RawServer::kSilence});
  RelayHandler handler(OriginAt(engine.port()));
  const auto server = StartServer(handler);
  RawClient client(server->port());
  client.Send(Post("q"));
  EXPECT_THAT(client.Until("data: a\r\n"), HasSubstr("\r\n\r\n7\r\ndata: a\r\n"));
  engine.SayMore("7\r\ndata: b\r\n");
  EXPECT_EQ(client.Until("data: b\r\n"), "7\r\ndata: b\r\n");
  engine.SayMore("1\r\n!\r\n0\r\n\r\n");
  EXPECT_EQ(client.Until("0\r\n\r\n"), "1\r\n!\r\n0\r\n\r\n");
  EXPECT_TRUE(Eventually([&] { return server->Stats().idle == 1; }));  // Ready for the next.
}

TEST(Relay, AClientThatLeavesIsSeenByTheEngine) {
  for (const std::string& answer :
       {std::string(),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")}) {
    RawServer engine({answer + RawServer::kSilence});
    RelayHandler handler(OriginAt(engine.port()));
    const auto server = StartServer(handler);
    RawClient client(server->port());
    client.Send(Post("q"));
    while (engine.Received().empty()) std::this_thread::yield();
    if (!answer.empty()) client.Until("a\r\n");
    client.Close();
    EXPECT_TRUE(engine.HeldIsGone()) << answer;
  }
}

TEST(Relay, ASlowReaderHoldsTheEngineBack) {
  // An engine that says as much as it is let.
  TestHandler engine;
  std::atomic<std::size_t> said{0};
  engine.routes["base"] = [&](HttpRequest, Exchange&) -> Awaitable<HttpAnswer> {
    HttpResponse head;
    co_return HttpAnswer(std::move(head), [&said](BodyStream& out) -> Awaitable<void> {
      const std::string piece(16 * 1024, 'x');
      for (int i = 0; i < 2048; ++i) {
        const bool sent = co_await out.Write(piece);
        if (!sent) co_return;
        said += piece.size();
      }
    });
  };
  const auto engine_server = StartServer(engine);
  RelayHandler handler(OriginAt(engine_server->port()));
  const auto server = StartServer(handler);
  RawClient client(server->port(), /*small=*/true);
  client.Send(Post("q"));
  client.Until("\r\n\r\n");
  std::size_t before = 0;
  EXPECT_TRUE(Eventually([&] {  // It has come to a halt ...
    absl::SleepFor(absl::Milliseconds(50));
    return said > 0 && std::exchange(before, said.load()) == said;
  }));
  EXPECT_LT(said, std::size_t{28} << 20);  // ... with what the kernel's buffers hold, of 32 MiB.
  std::size_t got = 0;                     // And none of it is lost.
  std::string end;
  while (!end.ends_with("0\r\n\r\n")) {
    const std::string some = client.Some();
    if (some.empty()) break;
    got += some.size();
    end = end.substr(end.size() - std::min<std::size_t>(end.size(), 5)) + some;
  }
  EXPECT_GE(got, std::size_t{32} << 20);
}

}  // namespace
}  // namespace spillway
