#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "net/asio.h"
#include "net/http.h"
#include "net/url.h"

// An HTTP/1.1 client for one origin: for the command line, for tests, for control traffic. Reads as
// strictly as the server: what cannot be framed for certain is an error, never a guess.
namespace spillway {

struct ClientOptions {
  absl::Duration connect = absl::Seconds(5);   // Name, connection and TLS handshake together.
  absl::Duration total = absl::Seconds(30);    // A whole exchange; streams are not bound by it.
  absl::Duration silence = absl::Seconds(60);  // Longest gap between bytes of a stream.
  std::size_t response_limit = std::size_t{64} << 20;  // Bytes of a body that is kept.
  std::size_t idle_connections = 4;                    // Kept for the next request.
  Headers headers;         // Sent with each request: Authorization and the like.
  bool verify_tls = true;  // Certificate chain and name; TLS >= 1.2 in any case.
  std::string ca_file;     // PEM; "": the system's.
};

struct ClientRequest {
  Method method = Method::kGet;
  std::string target = "/";  // With its query, encoded; goes behind the path of the base URL.
  Headers headers;           // Host, Content-Length, Connection and User-Agent are ours.
  std::string body;
  absl::Duration total = absl::ZeroDuration();  // Not 0: instead of ClientOptions::total.
};

// Gets the body of a 2xx answer as it comes; false: enough, hang up. Called on the client's thread.
using BodySink = std::function<bool(std::string_view)>;

// For coroutines. One executor, one request at a time on each connection, any number at once on the
// client. Outlives its requests. Errors: kUnavailable (no connection, or it broke),
// kDeadlineExceeded, kInvalidArgument (a request that cannot be written), kInternal (an answer that
// cannot be trusted), kResourceExhausted (body over the limit). A status of 4xx or 5xx is no error
// here.
class AsyncClient {
 public:
  AsyncClient(Executor executor, BaseUrl origin, ClientOptions options);
  ~AsyncClient();
  AsyncClient(const AsyncClient&) = delete;
  AsyncClient& operator=(const AsyncClient&) = delete;

  Awaitable<absl::StatusOr<HttpResponse>> Send(ClientRequest request);
  // The same with the body of a 2xx going to `sink`, bounded by `silence`; other bodies are kept.
  Awaitable<absl::StatusOr<HttpResponse>> Stream(ClientRequest request, BodySink sink);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// For everybody else: each call blocks until it is done. Not thread-safe.
class Client {
 public:
  static absl::StatusOr<Client> ForUrl(std::string_view base_url, ClientOptions options = {});
  Client(BaseUrl origin, ClientOptions options);
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  absl::StatusOr<HttpResponse> Send(ClientRequest request);
  absl::StatusOr<HttpResponse> Stream(ClientRequest request, BodySink sink);

  absl::StatusOr<HttpResponse> Get(std::string target);
  absl::StatusOr<HttpResponse> Post(std::string target, std::string json);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spillway
