#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "net/asio.h"

namespace spillway {

using ErrorCode = boost::system::error_code;

// Bytes to and from one server, over TCP or TLS. Used by one coroutine. Without bounds of its own:
// an Alarm calls Abort().
class Transport {
 public:
  struct Received {
    ErrorCode error;
    std::size_t bytes = 0;
  };

  virtual ~Transport() = default;
  // Connects and, for TLS, shakes hands.
  virtual Awaitable<ErrorCode> Open(net::ip::tcp::endpoint at) = 0;
  virtual Awaitable<Received> Read(net::mutable_buffer into) = 0;
  virtual Awaitable<ErrorCode> WriteAll(net::const_buffer bytes) = 0;
  // While it is idle: the server has closed it, or sent what nobody asked for.
  virtual bool Stale() = 0;
  virtual void Abort() = 0;  // What is under way fails at once.
};

// TLS settings, made once for a client. kInvalidArgument if `ca_file` cannot be read.
class TlsSettings;
absl::StatusOr<std::shared_ptr<TlsSettings>> MakeTlsSettings(bool verify,
                                                             const std::string& ca_file);

std::unique_ptr<Transport> PlainTransport(Executor executor);
// `host` is the name the certificate must bear, and the one sent as SNI.
std::unique_ptr<Transport> TlsTransport(Executor executor, std::shared_ptr<TlsSettings> settings,
                                        std::string host);

// Calls `action` once if it is not cleared until `deadline` (on the steady clock). Belongs to one
// coroutine; after Clear() or destruction `action` is never called.
class Alarm {
 public:
  explicit Alarm(Executor executor);
  ~Alarm();
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  // Replaces what was set. InfiniteDuration sets nothing.
  void Set(absl::Duration from_now, std::function<void()> action);
  void Clear();
  bool fired() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace spillway
