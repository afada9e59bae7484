#include "net/client.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "absl/strings/str_cat.h"
#include "net/sse.h"
#include "tests/net/raw_server.h"
#include "tests/net/test_server.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

Client To(std::uint16_t port, ClientOptions options = {}) {
  return *Client::ForUrl(absl::StrCat("http://127.0.0.1:", port), std::move(options));
}
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

TEST(Client, SendsAndReceives) {
  TestHandler handler;
  const auto server = StartServer(handler);
  Client client = To(server->port());
  const auto got = client.Get("/a?b=c");
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->status, 200);
  EXPECT_EQ(got->body, "GET /a?b=c ");
  EXPECT_EQ(got->headers.Get("content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(client.Post("/p", "{}")->body, "POST /p {}");
  EXPECT_EQ(server->Stats().accepted, 1u);  // One connection for both.
}

TEST(Client, WritesAPlainRequest) {
  RawServer server({kOk});
  ClientOptions options;
  options.headers.Add("Authorization", "Bearer k");
  auto client = Client::ForUrl(absl::StrCat("http://127.0.0.1:", server.port(), "/base/"), options);
  ASSERT_TRUE(client.ok());
  ClientRequest request;
  request.method = Method::kPut;
  request.target = "/x";
  request.headers.Add("X-Y", "z");
  request.headers.Add("Content-Length", "99");  // Ours; left out.
  request.body = "12";
  EXPECT_TRUE(client->Send(request).ok());
  EXPECT_EQ(server.Received(),
            absl::StrCat("PUT /base/x HTTP/1.1\r\nHost: 127.0.0.1:", server.port(),
                         "\r\nUser-Agent: spillway\r\nAccept-Encoding: identity\r\n"
                         "Authorization: Bearer k\r\nX-Y: z\r\nContent-Length: 2\r\n\r\n12"));
}

TEST(Client, RefusesToSendWhatWouldBreakTheRequest) {
  Client client = To(1);
  for (const char* target : {"", "x", "/a b", "/a\r\nX: y", "/\xc3\xa4", "http://b/"}) {
    EXPECT_EQ(client.Get(target).status().code(), absl::StatusCode::kInvalidArgument) << target;
  }
  ClientRequest request;
  request.headers.Add("X", "a\r\nHost: b");
  EXPECT_EQ(client.Send(request).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Client, ErrorsOfTheServerAreAnswers) {
  TestHandler handler;
  handler.routes["no"] = [](HttpRequest, Exchange&) -> Awaitable<HttpAnswer> {
    co_return ProblemResponse(404, "not_found", "no such job");
  };
  const auto server = StartServer(handler);
  const auto got = To(server->port()).Get("/no");
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->status, 404);
  EXPECT_THAT(got->body, HasSubstr("no such job"));
}

TEST(Client, ReadsEveryKindOfBody) {
  for (const auto& [answer, body] : std::vector<std::pair<std::string, std::string>>{
           {kOk, "ok"},
           {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nA: b\r\n\r\n",
            "ok"},
           {"HTTP/1.1 200 OK\r\n\r\nto the end", "to the end"},
           {"HTTP/1.0 200 OK\r\n\r\n", ""},
           {"HTTP/1.1 204 No Content\r\n\r\n", ""},
           {"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", ""},
           {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + kOk, "ok"},
       }) {
    RawServer server({answer});
    const auto got = To(server.port()).Get("/");
    ASSERT_TRUE(got.ok()) << answer << got.status();
    EXPECT_EQ(got->body, body) << answer;
  }
}

TEST(Client, AnswersToHeadHaveNoBody) {
  RawServer server({"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"});
  ClientRequest request;
  request.method = Method::kHead;
  const auto got = To(server.port()).Send(request);
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->headers.Get("content-length"), "1000");
}

struct Bad {
  std::string name;
  std::string answer;
  absl::StatusCode code;
};
class BadAnswer : public testing::TestWithParam<Bad> {};
TEST_P(BadAnswer, IsAnError) {
  RawServer server({GetParam().answer});
  ClientOptions options;
  options.response_limit = 1000;
  const auto got = To(server.port(), options).Get("/");
  EXPECT_EQ(got.status().code(), GetParam().code) << got.status();
  EXPECT_THAT(std::string(got.status().message()), StartsWith("GET 127.0.0.1:"));
}
INSTANTIATE_TEST_SUITE_P(
    All, BadAnswer,
    testing::ValuesIn(std::vector<Bad>{
        {"Nothing", "", absl::StatusCode::kUnavailable},
        {"HalfAHead", "HTTP/1.1 200 OK\r\nConte", absl::StatusCode::kUnavailable},
        {"HalfABody", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
         absl::StatusCode::kUnavailable},
        {"HalfAChunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf",
         absl::StatusCode::kUnavailable},
        {"NoLastChunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
         absl::StatusCode::kUnavailable},
        {"BadChunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
         absl::StatusCode::kInternal},
        {"TwoLengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
         absl::StatusCode::kInternal},
        {"NoHttp", "SSH-2.0-OpenSSH_9.2\r\n\r\n", absl::StatusCode::kInternal},
        {"Upgrade", "HTTP/1.1 101 Switching\r\n\r\n", absl::StatusCode::kInternal},
        {"FloodOfInterim",
         [] {
           std::string flood;
           for (int i = 0; i < 50; ++i) flood += "HTTP/1.1 102 Processing\r\n\r\n";
           return flood;
         }(),
         absl::StatusCode::kInternal},
        {"Gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
         absl::StatusCode::kInternal},
        {"EndlessHead", "HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x'),
         absl::StatusCode::kInternal},
        {"LongByLength", "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + std::string(1001, 'x'),
         absl::StatusCode::kResourceExhausted},
        {"LongByChunks",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n" + std::string(1024, 'x'),
         absl::StatusCode::kResourceExhausted},
        {"LongToTheEnd", "HTTP/1.1 200 OK\r\n\r\n" + std::string(1001, 'x'),
         absl::StatusCode::kResourceExhausted},
    }),
    [](const auto& row) { return row.param.name; });

TEST(Client, SaysHowAnAnswerIsEncodedAndWhatToDo) {
  RawServer server({"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx"});
  const auto got = To(server.port()).Get("/");
  EXPECT_THAT(
      std::string(got.status().message()),
      HasSubstr("the answer has Content-Encoding br, which nobody asked for (Accept-Encoding "
                "was identity): switch compression off in the engine"));
}

TEST(Client, NobodyThereIsUnavailable) {
  std::uint16_t port = 0;
  {
    RawServer gone({});
    port = gone.port();
  }
  const auto got = To(port).Get("/");
  EXPECT_EQ(got.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(got.status().message()), StartsWith("connect to 127.0.0.1:"));
}

TEST(Client, ASilentServerRunsIntoTheDeadline) {
  RawServer server({RawServer::kSilence});
  ClientRequest request;
  request.total = absl::Milliseconds(30);
  const auto got = To(server.port()).Send(request);
  EXPECT_EQ(got.status().code(), absl::StatusCode::kDeadlineExceeded) << got.status();
}

TEST(Client, AStreamThatFallsSilentRunsIntoItsBound) {
  RawServer server({"HTTP/1.1 200 OK\r\n\r\nfirst" + RawServer::kSilence});
  ClientOptions options;
  options.silence = absl::Milliseconds(30);
  std::string seen;
  const auto got = To(server.port(), options).Stream({}, [&](std::string_view data) {
    seen += data;
    return true;
  });
  EXPECT_EQ(got.status().code(), absl::StatusCode::kDeadlineExceeded) << got.status();
  EXPECT_EQ(seen, "first");
}

TEST(Client, ADeadKeptConnectionIsReplaced) {
  RawServer server({kOk, kOk});  // Closes after each answer, without saying so.
  Client client = To(server.port());
  EXPECT_TRUE(client.Get("/1").ok());
  EXPECT_TRUE(client.Get("/2").ok());
  EXPECT_EQ(server.connections(), 2);
}

// A POST is not sent on a connection that is known to be dead, as it could not be repeated.
TEST(Client, SeesADeadKeptConnectionBeforeItPosts) {
  RawServer server({kOk + RawServer::kSilence, kOk});
  Client client = To(server.port());
  EXPECT_TRUE(client.Get("/1").ok());
  server.HangUp();
  const auto got = client.Post("/2", "{}");
  EXPECT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(server.connections(), 2);
}

TEST(Client, DoesNotTakeAnAnswerThatCameBeforeItsRequest) {
  RawServer server({kOk + RawServer::kSilence, kOk});
  Client client = To(server.port());
  EXPECT_TRUE(client.Get("/1").ok());
  server.SayMore("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
  const auto got = client.Get("/2");
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->body, "ok");
  EXPECT_EQ(server.connections(), 2);
}

TEST(Client, RepeatsOnlyWhatCannotHappenTwice) {
  ClientRequest post;
  post.method = Method::kPost;
  post.body = "{}";
  {
    RawServer server({kOk + RawServer::kReadOn, kOk});
    Client client = To(server.port());
    EXPECT_TRUE(client.Get("/").ok());
    EXPECT_EQ(client.Send(post).status().code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(server.connections(), 1);
  }
  post.headers.Add("Idempotency-Key", "k");
  RawServer server({kOk + RawServer::kReadOn, kOk});
  Client client = To(server.port());
  EXPECT_TRUE(client.Get("/").ok());
  EXPECT_TRUE(client.Send(post).ok());
  EXPECT_EQ(server.connections(), 2);
}

TEST(Client, DoesNotKeepWhatMustNotBeKept) {
  for (const std::string& answer :
       {std::string("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
        std::string("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"), kOk + "HTTP/1.1 200 forged"}) {
    RawServer server({answer + RawServer::kSilence, kOk});
    Client client = To(server.port());
    EXPECT_TRUE(client.Get("/1").ok());
    const auto second = client.Get("/2");
    ASSERT_TRUE(second.ok()) << second.status();
    EXPECT_EQ(second->body, "ok");
    EXPECT_EQ(server.connections(), 2) << answer;
  }
}

TEST(Client, StreamsEventsAsTheyCome) {
  TestHandler handler;
  std::atomic<int> seen{0};
  std::shared_ptr<Waker> waker;
  handler.routes["events"] = [&](HttpRequest, Exchange&) -> Awaitable<HttpAnswer> {
    co_return EventStreamAnswer([&](BodyStream& out) -> Awaitable<void> {
      for (int i = 0; i < 3; ++i) {
        const std::string frame = SseFrame("tick", "", std::to_string(i));
        const bool sent = co_await out.Write(frame);
        EXPECT_TRUE(sent);
        // Goes on only once the client has seen it: nothing is held back on the way.
        while (seen <= i) co_await out.Wait(absl::Milliseconds(1));
      }
    });
  };
  const auto server = StartServer(handler);
  SseParser parser;
  std::vector<std::string> data;
  const auto got = To(server->port())
                       .Stream(
                           [] {
                             ClientRequest request;
                             request.target = "/events";
                             return request;
                           }(),
                           [&](std::string_view bytes) {
                             EXPECT_TRUE(parser.Feed(bytes).ok());
                             while (const auto event = parser.Next()) {
                               data.push_back(event->data);
                               ++seen;
                             }
                             return true;
                           });
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_THAT(data, ElementsAre("0", "1", "2"));
  EXPECT_EQ(got->body, "");
}

TEST(Client, ASinkCanHangUp) {
  TestHandler handler;
  std::atomic<bool> gone{false};
  handler.routes["flood"] = [&](HttpRequest, Exchange&) -> Awaitable<HttpAnswer> {
    co_return EventStreamAnswer([&](BodyStream& out) -> Awaitable<void> {
      for (bool sent = true; sent;) sent = co_await out.Write("data: x\n\n");
      gone = true;
    });
  };
  const auto server = StartServer(handler);
  ClientRequest request;
  request.target = "/flood";
  const auto got = To(server->port()).Stream(request, [](std::string_view) { return false; });
  EXPECT_TRUE(got.ok()) << got.status();
  EXPECT_TRUE(Eventually([&] { return gone.load(); }));
}

TEST(Client, AnErrorBodyDoesNotGoToTheSink) {
  RawServer server({"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy"});
  const auto got = To(server.port()).Stream({}, [](std::string_view) {
    ADD_FAILURE() << "an error is no stream";
    return true;
  });
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->status, 503);
  EXPECT_EQ(got->body, "busy");
}

TEST(AsyncClient, ManyAtOnceOnOneThread) {
  TestHandler handler;
  const auto server = StartServer(handler);
  net::io_context context;
  AsyncClient client(context.get_executor(), {false, "127.0.0.1", server->port(), ""}, {});
  std::vector<std::string> bodies(50);
  const auto one = [&](std::size_t i) -> Awaitable<void> {
    ClientRequest request;
    request.target = absl::StrCat("/", i);
    const auto got = co_await client.Send(request);
    EXPECT_TRUE(got.ok());
    if (got.ok()) bodies[i] = got->body;
  };
  for (std::size_t i = 0; i < bodies.size(); ++i) net::co_spawn(context, one(i), net::detached);
  context.run();
  for (std::size_t i = 0; i < bodies.size(); ++i)
    EXPECT_EQ(bodies[i], absl::StrCat("GET /", i, " "));
}

}  // namespace
}  // namespace spillway
