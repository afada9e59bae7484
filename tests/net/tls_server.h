#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include <gtest/gtest.h>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>

#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "net/asio.h"

// A TLS server with a certificate made on the spot.
namespace spillway {

inline constexpr char kSecretAnswer[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret";

inline std::string Pem(const std::function<void(BIO*)>& write) {
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

// For one subject alternative name such as "DNS:localhost"; "" makes an authority, which signs
// others. Signed by `issuer`, or by itself.
inline Identity MakeIdentity(const std::string& name, const Identity* issuer = nullptr) {
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  X509* const cert = X509_new();
  X509_set_version(cert, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(cert), issuer == nullptr ? 1 : 2);
  X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
  X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
  X509_set_pubkey(cert, key);
  static std::atomic<int> authorities{0};
  const std::string subject =
      name.empty() ? absl::StrCat("test authority ", ++authorities) : "test";
  X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(subject.c_str()), -1, -1, 0);
  const int kind = name.empty() ? NID_basic_constraints : NID_subject_alt_name;
  X509_EXTENSION* const extension =
      X509V3_EXT_conf_nid(nullptr, nullptr, kind, name.empty() ? "critical,CA:TRUE" : name.c_str());
  X509_add_ext(cert, extension, -1);
  if (issuer == nullptr) {
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    X509_sign(cert, key, EVP_sha256());
  } else {
    BIO* const key_text = BIO_new_mem_buf(issuer->key.data(), static_cast<int>(issuer->key.size()));
    BIO* const cert_text =
        BIO_new_mem_buf(issuer->certificate.data(), static_cast<int>(issuer->certificate.size()));
    EVP_PKEY* const by = PEM_read_bio_PrivateKey(key_text, nullptr, nullptr, nullptr);
    X509* const of = PEM_read_bio_X509(cert_text, nullptr, nullptr, nullptr);
    SPILLWAY_CHECK(by != nullptr && of != nullptr);
    X509_set_issuer_name(cert, X509_get_subject_name(of));
    X509_sign(cert, by, EVP_sha256());
    X509_free(of);
    EVP_PKEY_free(by);
    BIO_free(cert_text);
    BIO_free(key_text);
  }
  Identity out{Pem([&](BIO* bio) {
                 PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
               }),
               Pem([&](BIO* bio) { PEM_write_bio_X509(bio, cert); })};
  X509_EXTENSION_free(extension);
  X509_free(cert);
  EVP_PKEY_free(key);
  return out;
}

// Serves one connection after the other until it is destroyed. `cut`: says two bytes less than
// promised, and closes without the closing alert of TLS.
class TlsServer {
 public:
  explicit TlsServer(const std::string& name, long options = 0, bool cut = false)
      : TlsServer(MakeIdentity(name), options, cut) {}
  explicit TlsServer(Identity identity, long options = 0, bool cut = false)
      : identity_(std::move(identity)),
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
    net::ip::tcp::socket wake(io);
    boost::system::error_code ignored;
    wake.connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
    std::filesystem::remove(CaPath());
  }
  std::string Url(const std::string& host) const {
    return absl::StrCat("https://", host, ":", acceptor_.local_endpoint().port());
  }
  // Its certificate, or another one, as a file to trust.
  std::string CaFile() const { return CaFile(identity_); }
  std::string CaFile(const Identity& trusted) const {
    std::ofstream(CaPath()) << trusted.certificate;
    return CaPath();
  }

 private:
  const Identity identity_;
  const bool cut_;
  net::io_context io_;
  net::ssl::context context_{net::ssl::context::tls_server};
  net::ip::tcp::acceptor acceptor_;
  std::atomic<bool> stop_{false};
  std::thread thread_;

  std::string CaPath() const {
    return absl::StrCat(testing::TempDir(), "/net_tls_", acceptor_.local_endpoint().port(), ".pem");
  }
  void Run() {
    while (!stop_) {
      boost::system::error_code error;
      net::ssl::stream<net::ip::tcp::socket> stream(acceptor_.accept(error), context_);
      if (error || stop_) return;
      stream.handshake(net::ssl::stream_base::server, error);
      for (std::string request; !error; request.clear()) {
        net::read_until(stream, net::dynamic_buffer(request), "\r\n\r\n", error);
        if (error) break;
        net::write(stream, net::buffer(kSecretAnswer, sizeof kSecretAnswer - (cut_ ? 3 : 1)),
                   error);
        if (cut_) break;
      }
    }
  }
};

}  // namespace spillway
