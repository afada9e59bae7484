#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "net/asio.h"
#include "net/http.h"
#include "net/recycle.h"
#include "net/url.h"

// The client side of a relay: sends a request to an engine and hands over the answer as it comes,
// on the thread of the connection it is for. Connections are kept for each thread and origin; one
// timer for each thread watches over all limits. For control traffic use net/client.h.
namespace spillway {

struct UpstreamOptions {
  absl::Duration connect = absl::Seconds(5);  // Name, connection and TLS handshake together.
  absl::Duration keep = absl::Seconds(60);    // How long a connection waits for its next request.
  std::size_t idle_connections = 128;         // Kept by each thread.
  Headers headers;         // Sent with each request: Authorization and the like. Never shown.
  bool verify_tls = true;  // Certificate chain and name; TLS >= 1.2 in any case.
  std::string ca_file;     // PEM; "": the system's.
};

// Where to send: made once for each endpoint, shared by all threads, never changed. Its kept
// connections go when the last reference does.
class UpstreamOrigin;
// kInvalidArgument for header fields that cannot be written and certificates that cannot be read.
absl::StatusOr<std::shared_ptr<const UpstreamOrigin>> MakeUpstreamOrigin(BaseUrl url,
                                                                         UpstreamOptions options);

// What went wrong, by what a router does about it.
enum class UpstreamFault : std::uint8_t {
  kNone,
  kConnect,      // No connection: name, address, refused, TLS, or not in time.
  kSend,         // The request could not be sent, and no answer came.
  kClosed,       // The connection ended before the answer did.
  kNoFirstByte,  // Nothing came in time.
  kStalled,      // The gap between two pieces was too long.
  kUntrusted,    // The answer breaks the rules of HTTP.
  kTooLong,      // Longer than ReadAll() allows.
  kAborted,      // Abort() was called, or the thread is ending.
  kRequest,      // The request itself cannot be written: target or field.
  kEncoded,      // The answer has a Content-Encoding, though `identity` was asked for.
};
std::string_view FaultName(UpstreamFault fault);  // "connect", "no_first_byte", ...

struct UpstreamError {
  UpstreamFault fault = UpstreamFault::kNone;
  // At least one byte of an answer came: the engine has worked on it. Before that another engine
  // may be asked.
  bool heard = false;
  std::string why;       // For people: "connect to 10.0.0.7:8000: Connection refused".
  std::string encoding;  // Of kEncoded: "gzip". What the engine said, at most 32 bytes of it.
};

// Everything is borrowed until Open() returned.
struct UpstreamRequest {
  Method method = Method::kPost;
  std::string_view target = "/";     // Encoded; goes behind the path of the origin's URL.
  const Headers* headers = nullptr;  // Host, Content-Length, Connection and the like are ours.
  absl::Span<const std::string_view> body;  // At most 7 pieces; leaves in one write with the head.
  absl::Duration first_byte = absl::Seconds(60);  // From the request sent to the answer's head.
  absl::Duration gap = absl::Seconds(60);         // Between two pieces of the answer.
};

// One request and its answer. Lives in the coroutine that uses it, or in what that coroutine
// shares; on one thread. Destroying it before the end of the answer closes the connection.
//
//   UpstreamCall call(exchange.executor(), origin);
//   exchange.OnGone([&call] { call.Abort(); });
//   const bool open = co_await call.Open(request);
//   if (!open) ... call.error() ...
//   for (;;) {
//     const std::string_view piece = co_await call.Read();
//     if (piece.empty()) break;
//     const bool sent = co_await out.Write(piece); ...
//   }
//   if (call.failed()) ...
class UpstreamCall : public RecycledObject {
 public:
  UpstreamCall(Executor executor, std::shared_ptr<const UpstreamOrigin> origin);
  ~UpstreamCall();
  UpstreamCall(const UpstreamCall&) = delete;
  UpstreamCall& operator=(const UpstreamCall&) = delete;

  // Sends the request and waits for the head of the answer; once. A kept connection that turns out
  // dead before a byte of the answer came is replaced by a fresh one, once. False: see error().
  Awaitable<bool> Open(UpstreamRequest request);

  // After Open(). Fields of the answer, without those that frame it.
  int status() const;
  const Headers& headers() const;
  // Length of the body if the head tells it.
  std::optional<std::uint64_t> length() const;

  // The next piece of the body, chunk framing removed: what is there, at least one byte. Valid
  // until the next call. "" at the end, and when it failed. Nothing is read from the engine between
  // two calls, so a slow client holds it back.
  Awaitable<std::string_view> Read();
  // What Read() would give without waiting: "" if nothing is there or the end is reached.
  std::string_view Ready();
  // From the next Read() on.
  void SetGap(absl::Duration gap);
  // The rest of the body, appended to `body`. False: it failed, or is longer than `limit`.
  Awaitable<bool> ReadAll(std::size_t limit, std::string* body);
  // The whole body was read: the connection is kept for others.
  bool done() const;

  // Closes the connection at once; what is under way fails with kAborted.
  void Abort();

  bool failed() const { return error_.fault != UpstreamFault::kNone; }
  const UpstreamError& error() const { return error_; }

 private:
  struct Impl;
  UpstreamError error_;
  std::unique_ptr<Impl> impl_;
};

// Of the calling thread's io_context, all origins together.
struct UpstreamStats {
  std::uint64_t opened = 0;          // Connections made.
  std::uint64_t reused = 0;          // Requests sent on a kept connection.
  std::uint64_t replaced = 0;        // Kept connections that turned out dead under a request.
  std::uint64_t busy = 0, idle = 0;  // Connections now.
};
UpstreamStats UpstreamStatsOf(Executor executor);
// For tests: a clock that is turned by hand, read once a sweep. Before the first call on
// `executor`.
void SetUpstreamClock(Executor executor, std::function<absl::Duration()> now);

}  // namespace spillway
