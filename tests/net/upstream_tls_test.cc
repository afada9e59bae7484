// The relay's side of TLS: an engine behind a certificate of one's own authority.
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "net/upstream.h"
#include "tests/net/tls_server.h"

namespace spillway {
namespace {

using testing::HasSubstr;

struct Outcome {
  bool open = false, done = false;
  std::string body;
  UpstreamError error;
  UpstreamStats stats;
};

Awaitable<void> Ask(std::shared_ptr<const UpstreamOrigin> origin, Executor executor, Outcome* out,
                    int times) {
  const Headers headers;
  const std::string_view body[] = {"{}"};
  for (int i = 0; i < times; ++i) {
    UpstreamCall call(executor, origin);
    UpstreamRequest request{.target = "/x", .headers = &headers, .body = body};
    out->open = co_await call.Open(std::move(request));
    out->body.clear();
    if (out->open) co_await call.ReadAll(1 << 20, &out->body);
    out->done = call.done();
    out->error = call.error();
  }
  out->stats = UpstreamStatsOf(executor);
}

Outcome AskEngine(const std::string& url, UpstreamOptions options, int times = 1) {
  net::io_context context{1};
  Outcome out;
  {
    auto origin = MakeUpstreamOrigin(*ParseBaseUrl(url), std::move(options));
    EXPECT_TRUE(origin.ok()) << origin.status();
    bool over = false;
    net::co_spawn(context, Ask(*std::move(origin), context.get_executor(), &out, times),
                  [&](const std::exception_ptr&) { over = true; });
    while (!over) context.run_one();
  }
  return out;
}

class UpstreamTls : public testing::Test {
 protected:
  const Identity authority_ = MakeIdentity("");
  UpstreamOptions Trusting(const TlsServer& server, const Identity& whom) {
    UpstreamOptions options;
    options.ca_file = server.CaFile(whom);
    return options;
  }
};

TEST_F(UpstreamTls, AnEngineOfOnesOwnAuthorityAnswersAndIsKept) {
  TlsServer server(MakeIdentity("DNS:localhost", &authority_));
  const Outcome got = AskEngine(server.Url("localhost"), Trusting(server, authority_), 3);
  EXPECT_TRUE(got.open) << got.error.why;
  EXPECT_TRUE(got.done);
  EXPECT_EQ(got.body, "secret");
  EXPECT_EQ(got.stats.opened, 1u);
  EXPECT_EQ(got.stats.reused, 2u);
}

TEST_F(UpstreamTls, AnotherAuthorityIsNotTrusted) {
  TlsServer server(MakeIdentity("DNS:localhost", &authority_));
  const Identity other = MakeIdentity("");
  const Outcome got = AskEngine(server.Url("localhost"), Trusting(server, other));
  EXPECT_FALSE(got.open);
  EXPECT_EQ(got.error.fault, UpstreamFault::kConnect) << "another engine may be asked";
  EXPECT_FALSE(got.error.heard);
  EXPECT_THAT(got.error.why, HasSubstr("certificate verify failed"));
}

TEST_F(UpstreamTls, NorIsAnyThatTheSystemDoesNotKnow) {
  TlsServer server(MakeIdentity("DNS:localhost", &authority_));
  EXPECT_EQ(AskEngine(server.Url("localhost"), {}).error.fault, UpstreamFault::kConnect);
}

TEST_F(UpstreamTls, TheNameOnTheCertificateHasToBeTheEngines) {
  TlsServer server(MakeIdentity("DNS:example.org", &authority_));
  const Outcome got = AskEngine(server.Url("localhost"), Trusting(server, authority_));
  EXPECT_FALSE(got.open);
  EXPECT_EQ(got.error.fault, UpstreamFault::kConnect);
  EXPECT_THAT(got.error.why, HasSubstr("certificate verify failed"));
}

TEST_F(UpstreamTls, SoHasAnAddress) {
  TlsServer right(MakeIdentity("IP:127.0.0.1", &authority_));
  TlsServer wrong(MakeIdentity("IP:127.0.0.2", &authority_));
  EXPECT_TRUE(AskEngine(right.Url("127.0.0.1"), Trusting(right, authority_)).open);
  EXPECT_FALSE(AskEngine(wrong.Url("127.0.0.1"), Trusting(wrong, authority_)).open);
}

TEST_F(UpstreamTls, WhoSaysNotToLookGetsThrough) {
  TlsServer server(MakeIdentity("DNS:example.org", &authority_));
  UpstreamOptions options;
  options.verify_tls = false;
  EXPECT_EQ(AskEngine(server.Url("localhost"), options).body, "secret");
}

TEST_F(UpstreamTls, AnAnswerThatIsCutOffIsNotTakenForWhole) {
  TlsServer server(MakeIdentity("DNS:localhost", &authority_), 0, /*cut=*/true);
  const Outcome got = AskEngine(server.Url("localhost"), Trusting(server, authority_));
  EXPECT_TRUE(got.open);
  EXPECT_FALSE(got.done);
  EXPECT_EQ(got.error.fault, UpstreamFault::kClosed);
  EXPECT_TRUE(got.error.heard);
}

TEST(UpstreamOrigin, SaysWhichCertificatesItCannotRead) {
  UpstreamOptions options;
  options.ca_file = "/no/such/file.pem";
  const auto origin = MakeUpstreamOrigin(*ParseBaseUrl("https://localhost:1"), options);
  EXPECT_EQ(origin.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(origin.status().message()), HasSubstr("/no/such/file.pem"));
}

}  // namespace
}  // namespace spillway
