// The client against a TLS server with a certificate made on the spot.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/client.h"
#include "tests/net/tls_server.h"

namespace spillway {
namespace {

using testing::HasSubstr;
absl::StatusOr<HttpResponse> GetOnce(const std::string& url, ClientOptions options) {
  auto client = Client::ForUrl(url, std::move(options));
  EXPECT_TRUE(client.ok());
  return client->Get("/");
}

TEST(ClientTls, TalksToACertificateItTrusts) {
  TlsServer server("DNS:localhost");
  ClientOptions options;
  options.ca_file = server.CaFile();
  auto client = Client::ForUrl(server.Url("localhost"), options);
  for (int i = 0; i < 2; ++i) {  // The second time on the kept connection.
    const auto got = client->Get("/");
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_EQ(got->body, "secret");
  }
}

TEST(ClientTls, ChecksAddressesToo) {
  TlsServer right("IP:127.0.0.1"), wrong("IP:127.0.0.2");
  ClientOptions options;
  options.ca_file = right.CaFile();
  EXPECT_TRUE(GetOnce(right.Url("127.0.0.1"), options).ok());
  options.ca_file = wrong.CaFile();
  EXPECT_EQ(GetOnce(wrong.Url("127.0.0.1"), options).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(ClientTls, RefusesAnotherName) {
  TlsServer server("DNS:example.org");
  ClientOptions options;
  options.ca_file = server.CaFile();
  const auto got = GetOnce(server.Url("localhost"), options);
  EXPECT_EQ(got.status().code(), absl::StatusCode::kUnavailable) << got.status();
  EXPECT_THAT(std::string(got.status().message()), HasSubstr("certificate verify failed"));
}

TEST(ClientTls, RefusesAnUnknownIssuerUnlessToldNotToLook) {
  TlsServer server("DNS:localhost");
  EXPECT_FALSE(GetOnce(server.Url("localhost"), {}).ok());
  ClientOptions options;
  options.verify_tls = false;
  EXPECT_TRUE(GetOnce(server.Url("localhost"), options).ok());
}

TEST(ClientTls, RefusesOldVersions) {
  TlsServer server("DNS:localhost", SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3);
  ClientOptions options;
  options.ca_file = server.CaFile();
  EXPECT_FALSE(GetOnce(server.Url("localhost"), options).ok());
}

TEST(ClientTls, ATruncatedAnswerIsAnError) {
  TlsServer server("DNS:localhost", 0, /*cut=*/true);
  ClientOptions options;
  options.ca_file = server.CaFile();
  const auto got = GetOnce(server.Url("localhost"), options);
  EXPECT_EQ(got.status().code(), absl::StatusCode::kUnavailable) << got.status();
}

TEST(ClientTls, SaysWhichFileItCannotRead) {
  ClientOptions options;
  options.ca_file = "/no/such/file.pem";
  const auto got = GetOnce("https://localhost:1", options);
  EXPECT_EQ(got.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(got.status().message()), HasSubstr("/no/such/file.pem"));
}

}  // namespace
}  // namespace spillway
