#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "net/asio.h"
#include "net/head_fault.h"
#include "net/http.h"

// An HTTP/1.1 server: threads that share nothing, each with its own io_context, listener and
// connections. What it accepts is narrow (head_check.h), what it holds is bounded (ServerLimits).
namespace spillway {

// Wakes the handler that made it, from any thread, even after that handler or the server is gone.
// Wakes that come while nobody waits are remembered as one.
class Waker {
 public:
  virtual ~Waker() = default;
  virtual void Wake() = 0;
};

enum class Woken : std::uint8_t {
  kWoken,    // Somebody called Wake(), or draining began.
  kTimeout,  // The time is over; late by at most two sweeps.
  kGone,     // The client closed its side, or the server gave up on it: finish soon.
};

// What a handler may know of the connection it works for. Valid until the handler (and its body
// producer) returned; used on the connection's thread only, apart from the Waker.
class Exchange {
 public:
  virtual ~Exchange() = default;

  // Where the handler runs and where it must resume.
  virtual Executor executor() = 0;

  // The client closed or reset its side. Noticed within two sweeps (50 ms by default), as long as
  // the client has no more than one input buffer of further requests on the way.
  virtual bool gone() const = 0;
  // The server is shutting down: end a stream at the next good place.
  virtual bool draining() const = 0;
  // Runs once, as soon as gone() turns true (at once if it is): cancel what works for this client.
  // A second call replaces the first callback. Dropped when the answer is over, its body included.
  virtual void OnGone(absl::AnyInvocable<void()> callback) = 0;
  // Draining took too long: the connection is cut in half a second. Say so and end.
  virtual bool closing() const { return false; }
  // As OnGone(), for closing().
  virtual void OnClosing(absl::AnyInvocable<void()> callback) { static_cast<void>(callback); }

  virtual std::shared_ptr<Waker> waker() = 0;
  // Sleeps until Wake(), the timeout or the end of the client. One waiter at a time.
  virtual Awaitable<Woken> Wait(absl::Duration timeout) = 0;
};

// A response body that is made piece by piece.
class BodyStream : public Exchange {
 public:
  // Sends `data` as it is now and resumes once the kernel took all of it: a slow reader holds the
  // producer back, and nothing piles up here. False: the client is gone or too slow, or the server
  // gave up; write no more. `data` must stay valid until then; empty data writes nothing.
  virtual Awaitable<bool> Write(std::string_view data) = 0;
  // The same for the last piece: the end of the body goes with it. Nothing is written after it.
  virtual Awaitable<bool> WriteLast(std::string_view data) = 0;
  // Sent after the body if the client asked for trailers, else dropped.
  virtual void AddTrailer(std::string_view name, std::string_view value) = 0;
};

// Runs after the head was sent. Its captures stay alive until it returns; returning early ends the
// body in good order. Throwing breaks the connection off, so that no client takes half for all.
using BodyProducer = std::function<Awaitable<void>(BodyStream& out)>;

// What a handler returns: a whole response, or a head and a producer of its body.
struct HttpAnswer {
  HttpAnswer(HttpResponse whole) : response(std::move(whole)) {}  // NOLINT: meant to convert
  HttpAnswer(HttpResponse head, BodyProducer body)
      : response(std::move(head)), produce(std::move(body)) {}

  HttpResponse response;
  BodyProducer produce;
  // The producer writes at once: let the head go with its first piece. Until then, and until it
  // waits, the client sees nothing.
  bool head_with_body = false;
};

// 200 text/event-stream with the fields that keep proxies from buffering it.
HttpAnswer EventStreamAnswer(BodyProducer produce);

// What to do with a request whose head is known and whose body was not read yet.
struct HeadAnswer {
  std::size_t body_limit = 0;           // Bytes; a longer body is answered 413 without being read.
  std::optional<HttpResponse> instead;  // Answer at once and do not read the body (401, 404, 405).
};

// Who answers. Called on all server threads at once; implementations are thread-safe and never
// block.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;

  // Once for each request, before any byte of its body is read. `head.body` is empty.
  virtual HeadAnswer OnHead(const HttpRequest& head) = 0;
  // HEAD comes as Method::kHead: answer as for GET, the body is left out on the way. "OPTIONS *" is
  // answered by the server. Throwing gives 500. The server keeps `exchange` alive until the end.
  virtual Awaitable<HttpAnswer> Handle(HttpRequest request, Exchange& exchange) = 0;
  // The words for a request that the server itself refuses; `code` names the fault as in HeadFault.
  virtual HttpResponse OnRefused(int status, std::string_view code, std::string_view detail);
  // The same where something is known of the target: raw, not checked, perhaps cut; "" if nothing
  // is.
  virtual HttpResponse OnRefusedAt(std::string_view target, int status, std::string_view code,
                                   std::string_view detail) {
    static_cast<void>(target);
    return OnRefused(status, code, detail);
  }
};

struct ServerLimits {
  // Split evenly between threads. At the bound the connection that has waited longest for its next
  // request makes room; if all are busy, the new one is closed.
  std::size_t connections = 10'000;
  absl::Duration head = absl::Seconds(10);  // From connect, or a head's first byte, to its last.
  absl::Duration idle = absl::Seconds(75);  // Between requests.
  absl::Duration body_gap = absl::Seconds(10);  // Between two pieces of a body, whatever it earned.
  // Bytes of memory of all bodies that are being read: beyond it the next piece is answered 503.
  std::size_t bodies = std::size_t{256} << 20;
  absl::Duration body = absl::Seconds(20);   // Grace for a body, on top of what it earns by ...
  absl::Duration write = absl::Seconds(30);  // Grace for each write, on top of ...
  double least_rate = 1024;                  // ... bytes a second, either way.
  absl::Duration linger = absl::Seconds(2);  // Reading on after a refusal, so that it arrives.
  absl::Duration sweep =
      absl::Milliseconds(25);  // Period of the one timer; all limits are this coarse.
};

struct ServerOptions {
  std::string host = "127.0.0.1";  // An address, "::1" without brackets, or a name.
  std::uint16_t port = 0;          // 0: the kernel chooses, all threads share it.
  int threads = 1;
  ServerLimits limits;
  // Time since some fixed moment, never backwards, any thread. Read once a sweep. Null: steady
  // clock.
  std::function<absl::Duration()> now;
};

// Sums over all threads since the start, but for `open` and `idle`.
struct ServerStats {
  std::uint64_t open = 0;    // Connections now,
  std::uint64_t idle = 0;    // of which wait for a request.
  std::uint64_t sweeps = 0;  // Ticks of the threads' timers: an idle server has none.
  std::uint64_t accepted = 0;
  std::uint64_t accept_errors = 0;  // Out of file descriptors and the like.
  std::uint64_t evicted = 0;        // Closed to make room.
  std::uint64_t turned_away = 0;    // No room could be made.
  std::uint64_t requests = 0;       // Passed on to the handler.
  std::uint64_t bytes_in = 0, bytes_out = 0;
  std::uint64_t body_bytes = 0;        // Memory of the bodies that are being read now.
  std::uint64_t bodies_refused = 0;    // For want of it.
  std::uint64_t clients_gone = 0;      // Left before they had their answer.
  std::uint64_t handler_failures = 0;  // Exceptions, and heads that could not be written.
  std::uint64_t head_timeouts = 0, body_timeouts = 0, write_timeouts = 0, idle_timeouts = 0;
  // By Drain(): under way when its grace was over, and told so; still there half a second later.
  std::uint64_t told = 0, cut = 0;
  std::array<std::uint64_t, 6> responses{};          // By class: [2] counts 2xx. [0] is unused.
  std::array<std::uint64_t, kHeadFaults> refused{};  // By HeadFault; 413 and bad chunks included.
};

class Server {
 public:
  // Listens and serves at once. `handler` outlives the server. kUnavailable if the address is taken
  // (by another process that shares ports, too), kInvalidArgument if it is none.
  static absl::StatusOr<std::unique_ptr<Server>> Start(ServerOptions options, HttpHandler& handler);

  // Stops accepting; connections that wait for a request are closed, requests under way may
  // finish until `grace` is over; then their handlers are told (Exchange::closing), unless there
  // was no grace, and half a second later their connections are cut. Blocks; true if all had
  // finished within `grace`; otherwise Stats() says how many were told and how many cut. Safe to
  // call again, from one thread at a time.
  bool Drain(absl::Duration grace);
  ~Server();  // Drain(0).

  std::uint16_t port() const;
  std::string address() const;  // "127.0.0.1:8080", "[::1]:8080"
  ServerStats Stats() const;    // Any thread.

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace spillway
