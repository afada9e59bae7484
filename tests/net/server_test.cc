#include "net/server.h"

#include <future>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/net/raw_client.h"
#include "tests/net/test_server.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

std::string Get(const std::string& target, const std::string& fields = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}
std::string Post(const std::string& target, const std::string& body,
                 const std::string& fields = "") {
  return "POST " + target +
         " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         fields + "\r\n" + body;
}
std::string Chunked(const std::string& target, const std::string& chunks) {
  return "POST " + target + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks;
}

TEST(Server, AnswersAndKeepsTheConnection) {
  TestHandler handler;
  const auto server = StartServer(handler);
  RawClient client(server->port());
  for (const char* target : {"/one", "/two"}) {
    ASSERT_TRUE(client.Send(Get(target)));
    const std::string response = client.Response();
    EXPECT_THAT(response, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(response, EndsWith(std::string("\r\n\r\nGET ") + target + " "));
    EXPECT_THAT(response, HasSubstr("\r\nDate: "));
    EXPECT_THAT(response, Not(HasSubstr("Server:")));
    EXPECT_THAT(response, Not(HasSubstr("Connection:")));
  }
  EXPECT_EQ(server->Stats().accepted, 1u);
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  TestHandler handler;
  // The first answer is ready long after the second could be.
  handler.routes["slow"] = [](HttpRequest, Exchange& exchange) -> Awaitable<HttpAnswer> {
    co_await exchange.Wait(absl::Milliseconds(20));
    co_return TextResponse(200, "slow");
  };
  const auto server = StartServer(handler);
  RawClient client(server->port());
  ASSERT_TRUE(client.Send(Get("/slow") + Post("/p", "body") + Get("/last")));
  EXPECT_THAT(client.Response(), EndsWith("\r\n\r\nslow"));
  EXPECT_THAT(client.Response(), EndsWith("\r\n\r\nPOST /p body"));
  EXPECT_THAT(client.Response(), EndsWith("\r\n\r\nGET /last "));
}

TEST(Server, ReadsARequestWhateverTheSplit) {
  TestHandler handler;
  const auto server = StartServer(handler);
  const std::string bytes = Post("/a?b=c", "hello") + Chunked("/d", "3\r\nabc\r\n0\r\n\r\n");
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    RawClient client(server->port());
    ASSERT_TRUE(client.Send(bytes.substr(0, cut)));
    ASSERT_TRUE(client.Send(bytes.substr(cut)));
    EXPECT_THAT(client.Response(), EndsWith("POST /a?b=c hello")) << cut;
    EXPECT_THAT(client.Response(), EndsWith("POST /d abc")) << cut;
  }
}

TEST(Server, PassesOnWhatARequestSays) {
  TestHandler handler;
  std::promise<HttpRequest> passed_on;
  handler.routes["x"] = [&](HttpRequest request, Exchange&) -> Awaitable<HttpAnswer> {
    passed_on.set_value(std::move(request));
    co_return HttpResponse{};
  };
  const auto server = StartServer(handler);
  RawClient client(server->port());
  ASSERT_TRUE(
      client.Send(Post("/x/a%2Fb?q=1", "{}", "X-Y: z\r\nTE: trailers\r\nx-request-id: mine\r\n")));
  EXPECT_THAT(client.Response(), HasSubstr("x-request-id: mine\r\n"));
  const HttpRequest got = passed_on.get_future().get();
  EXPECT_EQ(got.method, Method::kPost);
  EXPECT_EQ(got.target, "/x/a%2Fb?q=1");
  EXPECT_THAT(got.path, ElementsAre("x", "a/b"));
  EXPECT_EQ(got.Query("q"), "1");
  EXPECT_EQ(got.headers.Get("x-y"), "z");
  EXPECT_EQ(got.body, "{}");
  EXPECT_EQ(got.peer, "127.0.0.1");
  EXPECT_EQ(got.id, "mine");
  EXPECT_TRUE(got.takes_trailers);
}

TEST(Server, MakesARequestIdWhereTheClientsIsNoGood) {
  TestHandler handler;
  const auto server = StartServer(handler);
  RawClient client(server->port());
  std::set<std::string> ids;
  const std::vector<std::string> fields = {"", "x-request-id: a b\r\n", "x-request-id: \r\n",
                                           "x-request-id: " + std::string(65, 'a') + "\r\n"};
  for (const std::string& field : fields) {
    ASSERT_TRUE(client.Send(Get("/", field)));
    const std::string response = client.Response();
    const auto at = response.find("x-request-id: ") + 14;
    const std::string id = response.substr(at, response.find("\r\n", at) - at);
    EXPECT_TRUE(ValidRequestId(id)) << id;
    EXPECT_LT(id.size(), 40u);
    ids.insert(id);
  }
  EXPECT_EQ(ids.size(), fields.size());
}

TEST(Server, HeadHasTheHeadOfGet) {
  TestHandler handler;
  const auto server = StartServer(handler);
  RawClient client(server->port());
  ASSERT_TRUE(client.Send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n" + Get("/y")));
  const std::string head = client.Until("\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("Content-Length: 8\r\n"));
  EXPECT_THAT(client.Response(), EndsWith("GET /y "));  // No byte of a body stood between.
}

TEST(Server, AnswersOptionsForTheWholeServer) {
  TestHandler handler;
  const auto server = StartServer(handler);
  RawClient client(server->port());
  ASSERT_TRUE(
      client.Send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\nOPTIONS /x HTTP/1.1\r\nHost: a\r\n\r\n"));
  const std::string all = client.Until("\r\n\r\n");
  EXPECT_THAT(all, StartsWith("HTTP/1.1 204 No Content\r\n"));
  EXPECT_THAT(all, HasSubstr("Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"));
  EXPECT_THAT(all, Not(HasSubstr("Content-Length")));
  EXPECT_THAT(client.Response(), EndsWith("OPTIONS /x "));
  EXPECT_THAT(handler.seen(), ElementsAre("OPTIONS /x "));
}

TEST(Server, ClosesWhenAsked) {
  TestHandler handler;
  const auto server = StartServer(handler);
  RawClient asks(server->port()), old(server->port());
  ASSERT_TRUE(asks.Send(Get("/a", "Connection: close\r\n")));
  EXPECT_THAT(asks.Rest(), HasSubstr("Connection: close\r\n"));
  ASSERT_TRUE(old.Send("GET /b HTTP/1.0\r\nHost: a\r\n\r\n"));
  const std::string response = old.Rest();
  EXPECT_THAT(response, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(response, EndsWith("GET /b "));
}

TEST(Server, AnswersAClientThatHasFinishedSending) {
  TestHandler handler;
  const auto server = StartServer(handler);
  RawClient client(server->port());
  ASSERT_TRUE(client.Send(Get("/a") + Get("/b")));
  client.HalfClose();
  const std::string both = client.Rest();
  EXPECT_THAT(both, HasSubstr("GET /a "));
  EXPECT_THAT(both, EndsWith("GET /b "));
}

TEST(Server, LargeBodiesPassBothWays) {
  TestHandler handler;
  handler.body_limit = 8 << 20;
  const auto server = StartServer(handler);
  const std::string body(5'000'000, 'x');
  RawClient client(server->port());
  std::thread sender([&] { EXPECT_TRUE(client.Send(Post("/big", body))); });
  const std::string response = client.Response();
  sender.join();
  EXPECT_THAT(response.substr(0, 17), "HTTP/1.1 200 OK\r\n");
  EXPECT_EQ(response.substr(response.size() - body.size()), body);
  EXPECT_GT(server->Stats().bytes_in, body.size());
  // Counted behind the write that let the client see it.
  EXPECT_TRUE(Eventually([&] { return server->Stats().bytes_out > body.size(); }));
}

TEST(Server, RefusesALongBodyBeforeItComes) {
  TestHandler handler;
  handler.body_limit = 100;
  const auto server = StartServer(handler);
  RawClient client(server->port());
  // Not a byte of the body is sent: the answer can only come from the head.
  ASSERT_TRUE(client.Send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n"));
  const std::string response = client.Rest();
  EXPECT_THAT(response, StartsWith("HTTP/1.1 413 Content Too Large\r\n"));
  EXPECT_THAT(response, HasSubstr("\"code\":\"body_too_long\""));
  EXPECT_THAT(response, HasSubstr("Connection: close\r\n"));
  RawClient chunks(server->port());
  ASSERT_TRUE(chunks.Send(Chunked("/x", "40\r\n" + std::string(64, 'x') + "\r\n25\r\n")));
  EXPECT_THAT(chunks.Rest(), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(handler.seen(), IsEmpty());
  EXPECT_EQ(server->Stats().refused[static_cast<std::size_t>(HeadFault::kBodyTooLong)], 2u);
  RawClient fits(server->port());
  ASSERT_TRUE(fits.Send(Post("/x", std::string(100, 'y'))));
  EXPECT_THAT(fits.Response(), StartsWith("HTTP/1.1 200 "));
}

TEST(Server, ARefusalReachesAClientThatIsStillSending) {
  TestHandler handler;
  handler.body_limit = 10;
  const auto server = StartServer(handler);
  for (int i = 0; i < 20; ++i) {
    RawClient client(server->port());
    client.Send(Post("/x", std::string(200'000, 'x')));
    EXPECT_THAT(client.Rest(), StartsWith("HTTP/1.1 413 ")) << i;
  }
}

TEST(Server, SaysContinueOnlyToBodiesItWants) {
  TestHandler handler;
  handler.body_limit = 10;
  const auto server = StartServer(handler);
  RawClient wanted(server->port());
  ASSERT_TRUE(wanted.Send(
      "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_EQ(wanted.Until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_TRUE(wanted.Send("ok"));
  EXPECT_THAT(wanted.Response(), EndsWith("POST /x ok"));
  RawClient unwanted(server->port());
  ASSERT_TRUE(unwanted.Send(
      "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_THAT(unwanted.Until("\r\n\r\n"), StartsWith("HTTP/1.1 413 "));
}

TEST(Server, AnswersFromTheHeadWithoutReadingTheBody) {
  TestHandler handler;
  handler.instead = [](const HttpRequest& head) -> std::optional<HttpResponse> {
    if (head.path.size() == 1 && head.path[0] == "secret") return TextResponse(401, "no");
    return std::nullopt;
  };
  const auto server = StartServer(handler);
  RawClient client(server->port());
  ASSERT_TRUE(client.Send(Get("/secret") + Get("/open")));
  EXPECT_THAT(client.Response(), StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(client.Response(), EndsWith("GET /open "));
  ASSERT_TRUE(client.Send("POST /secret HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"));
  EXPECT_THAT(client.Rest(), HasSubstr("HTTP/1.1 401 Unauthorized"));
  EXPECT_THAT(handler.seen(), ElementsAre("GET /open "));
}

TEST(Server, WordsOfRefusalsAreTheHandlers) {
  class Polite : public TestHandler {
    HttpResponse OnRefused(int status, std::string_view code, std::string_view detail) override {
      return TextResponse(status, std::string(code) + ": " + std::string(detail));
    }
  } handler;
  const auto server = StartServer(handler);
  const auto ask = [&](const std::string& bytes) {
    RawClient client(server->port());
    client.Send(bytes);
    return client.Rest();
  };
  EXPECT_THAT(ask("GET / HTTP/1.1\r\n\r\n"), EndsWith("\r\n\r\nhost: Host is missing"));
  EXPECT_THAT(ask(Get("/a/../b")), EndsWith("\r\n\r\ntarget: the path holds a `.` or `..`"));
  const std::string trace = ask("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(trace, StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(trace, HasSubstr("\r\nAllow: GET, "));
  EXPECT_THAT(ask(Post("/", "x", "Content-Encoding: gzip\r\n")),
              HasSubstr("\r\nAccept-Encoding: identity\r\n"));
  EXPECT_THAT(handler.seen(), IsEmpty());
}

TEST(Server, AThrowingHandlerGives500AndTheConnectionLives) {
  TestHandler handler;
  handler.routes["throw"] = [](HttpRequest, Exchange&) -> Awaitable<HttpAnswer> {
    throw std::runtime_error("secret detail");
    co_return HttpResponse{};
  };
  handler.routes["inject"] = [](HttpRequest, Exchange&) -> Awaitable<HttpAnswer> {
    HttpResponse response;
    response.headers.Add("Location", "/x\r\nEvil: yes");
    co_return response;
  };
  const auto server = StartServer(handler);
  RawClient client(server->port());
  for (const char* target : {"/throw", "/inject"}) {
    ASSERT_TRUE(client.Send(Get(target)));
    const std::string response = client.Response();
    EXPECT_THAT(response, StartsWith("HTTP/1.1 500 "));
    EXPECT_THAT(response, Not(HasSubstr("secret")));
    EXPECT_THAT(response, Not(HasSubstr("Evil")));
  }
  ASSERT_TRUE(client.Send(Get("/fine")));
  EXPECT_THAT(client.Response(), EndsWith("GET /fine "));
  EXPECT_EQ(server->Stats().handler_failures, 2u);
}

TEST(Server, CountsWhatHappens) {
  TestHandler handler;
  const auto server = StartServer(handler);
  RawClient client(server->port());
  client.Send(Get("/a"));
  client.Response();
  client.Send("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.Rest(), StartsWith("HTTP/1.1 400 "));
  client.Close();
  const ServerStats stats = server->Stats();
  EXPECT_EQ(stats.accepted, 1u);
  EXPECT_EQ(stats.requests, 1u);
  EXPECT_EQ(stats.responses[2], 1u);
  EXPECT_EQ(stats.responses[4], 1u);
  EXPECT_EQ(stats.refused[static_cast<std::size_t>(HeadFault::kHost)], 1u);
  EXPECT_TRUE(Eventually([&] { return server->Stats().open == 0; }));
}

TEST(Server, ThreadsShareOnePort) {
  TestHandler handler;
  ServerOptions options;
  options.threads = 3;
  const auto server = StartServer(handler, options);
  std::vector<RawClient> clients;
  for (int i = 0; i < 60; ++i) {
    clients.emplace_back(server->port());
    ASSERT_TRUE(clients.back().Send(Get("/" + std::to_string(i))));
  }
  for (int i = 0; i < 60; ++i) {
    EXPECT_THAT(clients[static_cast<std::size_t>(i)].Response(),
                EndsWith("GET /" + std::to_string(i) + " "));
  }
}

TEST(Server, ListensOnIpv6) {
  TestHandler handler;
  ServerOptions options;
  options.host = "::1";
  const auto server = Server::Start(options, handler);
  if (!server.ok()) GTEST_SKIP() << "no IPv6 here: " << server.status();
  EXPECT_THAT((*server)->address(), StartsWith("[::1]:"));
}

TEST(Server, DoesNotShareAnotherServersPort) {
  TestHandler handler;
  for (const int threads : {1, 2}) {
    ServerOptions options;
    options.threads = threads;
    const auto first = StartServer(handler, options);
    options.port = first->port();
    for (const int others : {1, 2}) {
      options.threads = others;
      const auto second = Server::Start(options, handler);
      ASSERT_FALSE(second.ok());
      EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
      EXPECT_THAT(std::string(second.status().message()), HasSubstr(first->address()));
    }
  }
}

TEST(Server, RefusesOptionsThatCannotWork) {
  TestHandler handler;
  ServerOptions host, threads;
  host.host = "no such host";
  threads.threads = 0;
  EXPECT_EQ(Server::Start(host, handler).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Server::Start(threads, handler).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace spillway
