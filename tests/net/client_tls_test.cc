// The client against a TLS server with a certificate made on the spot.
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>

#include "absl/strings/str_cat.h"
#include "net/client.h"

namespace spillway {
namespace {

using testing::HasSubstr;
using Tcp = net::ip::tcp;
constexpr char kAnswer[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret";

std::string Pem(const std::function<void(BIO*)>& write) {
  BIO* const bio = BIO_new(BIO_s_mem());
  write(bio);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string out(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return out;
}

struct Identity {
  std::string key;
  std::string certificate;
};

// Self-signed, for one subject alternative name such as "DNS:localhost".
Identity MakeIdentity(const std::string& name) {
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  X509* const cert = X509_new();
  X509_set_version(cert, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
  X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
  X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
  X509_set_pubkey(cert, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
  X509_set_issuer_name(cert, X509_get_subject_name(cert));
  X509_EXTENSION* const san =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, name.c_str());
  X509_add_ext(cert, san, -1);
  X509_sign(cert, key, EVP_sha256());
  Identity out{Pem([&](BIO* bio) {
                 PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
               }),
               Pem([&](BIO* bio) { PEM_write_bio_X509(bio, cert); })};
  X509_EXTENSION_free(san);
  X509_free(cert);
  EVP_PKEY_free(key);
  return out;
}

// Serves one connection after the other until it is destroyed. `cut`: says two bytes less than
// promised, and closes without the closing alert of TLS.
class TlsServer {
 public:
  explicit TlsServer(const std::string& name, long options = 0, bool cut = false)
      : identity_(MakeIdentity(name)),
        cut_(cut),
        acceptor_(io_, {net::ip::address_v4::loopback(), 0}) {
    context_.use_private_key(net::buffer(identity_.key), net::ssl::context::pem);
    context_.use_certificate(net::buffer(identity_.certificate), net::ssl::context::pem);
    context_.set_options(options);
    thread_ = std::thread([this] { Run(); });
  }
  ~TlsServer() {
    stop_ = true;
    net::io_context io;
    Tcp::socket wake(io);
    boost::system::error_code ignored;
    wake.connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
    std::filesystem::remove(CaFile());
  }
  std::string Url(const std::string& host) const {
    return absl::StrCat("https://", host, ":", acceptor_.local_endpoint().port());
  }
  // The certificate as a file to trust.
  std::string CaFile() const {
    const std::string path =
        absl::StrCat(testing::TempDir(), "/net_tls_", acceptor_.local_endpoint().port(), ".pem");
    std::ofstream(path) << identity_.certificate;
    return path;
  }

 private:
  const Identity identity_;
  const bool cut_;
  net::io_context io_;
  net::ssl::context context_{net::ssl::context::tls_server};
  Tcp::acceptor acceptor_;
  std::atomic<bool> stop_{false};
  std::thread thread_;

  void Run() {
    while (!stop_) {
      boost::system::error_code error;
      net::ssl::stream<Tcp::socket> stream(acceptor_.accept(error), context_);
      if (error || stop_) return;
      stream.handshake(net::ssl::stream_base::server, error);
      for (std::string request; !error; request.clear()) {
        net::read_until(stream, net::dynamic_buffer(request), "\r\n\r\n", error);
        if (error) break;
        net::write(stream, net::buffer(kAnswer, sizeof kAnswer - (cut_ ? 3 : 1)), error);
        if (cut_) break;
      }
    }
  }
};

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
