#include "net/transport.h"

#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include "absl/strings/str_cat.h"

namespace spillway {
namespace {

using Tcp = net::ip::tcp;
using Socket = net::basic_stream_socket<Tcp, Executor>;
using TlsStream = net::ssl::stream<Socket>;
constexpr auto kTuple = net::as_tuple_t<net::use_awaitable_t<Executor>>(use_awaitable);

Socket& LowestOf(Socket& socket) { return socket; }
Socket& LowestOf(TlsStream& stream) { return stream.next_layer(); }

template <class Stream>
class StreamTransport : public Transport {
 public:
  template <class... Args>
  explicit StreamTransport(Args&&... args) : stream_(std::forward<Args>(args)...) {}

  Awaitable<ErrorCode> Open(Tcp::endpoint at) override {
    const auto [error] = co_await LowestOf(stream_).async_connect(at, kTuple);
    ErrorCode ignored;
    if (!error) LowestOf(stream_).set_option(Tcp::no_delay(true), ignored);
    co_return error;
  }

  Awaitable<Received> Read(net::mutable_buffer into) override {
    const auto [error, bytes] = co_await stream_.async_read_some(net::buffer(into), kTuple);
    co_return Received{error, bytes};
  }

  Awaitable<ErrorCode> WriteAll(net::const_buffer bytes) override {
    const auto [error, written] = co_await net::async_write(stream_, net::buffer(bytes), kTuple);
    co_return error;
  }

  bool Stale() override {
    char byte;
    const auto got = ::recv(LowestOf(stream_).native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    // Over TLS 1.3 a session ticket may wait there: only the end counts.
    if (got > 0) return std::is_same_v<Stream, Socket>;
    return got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
  }

  void Abort() override {
    ErrorCode ignored;
    LowestOf(stream_).close(ignored);
  }

 protected:
  Stream stream_;
};

}  // namespace

class TlsSettings {
 public:
  net::ssl::context context{net::ssl::context::tls_client};
  bool verify = true;
};

namespace {

class TlsTransportImpl final : public StreamTransport<TlsStream> {
 public:
  TlsTransportImpl(Executor executor, std::shared_ptr<TlsSettings> settings, std::string host)
      : StreamTransport(executor, settings->context),
        settings_(std::move(settings)),
        host_(std::move(host)) {}

  Awaitable<ErrorCode> Open(Tcp::endpoint at) override {
    ErrorCode error = co_await StreamTransport::Open(at);
    if (!error) error = Prepare();
    if (error) co_return error;
    const auto [failed] = co_await stream_.async_handshake(TlsStream::client, kTuple);
    co_return failed;
  }

 private:
  const std::shared_ptr<TlsSettings> settings_;
  const std::string host_;

  ErrorCode Prepare() {
    ErrorCode error;
    net::ip::make_address(host_, error);
    const bool is_name = static_cast<bool>(error);
    error.clear();
    if (is_name && SSL_set_tlsext_host_name(stream_.native_handle(), host_.c_str()) != 1) {
      return net::error::invalid_argument;
    }
    if (settings_->verify) {
      stream_.set_verify_callback(net::ssl::host_name_verification(host_), error);
    }
    return error;
  }
};

}  // namespace

absl::StatusOr<std::shared_ptr<TlsSettings>> MakeTlsSettings(bool verify,
                                                             const std::string& ca_file) {
  try {
    auto settings = std::make_shared<TlsSettings>();
    settings->verify = verify;
    SSL_CTX_set_min_proto_version(settings->context.native_handle(), TLS1_2_VERSION);
    settings->context.set_verify_mode(verify ? net::ssl::verify_peer : net::ssl::verify_none);
    if (!ca_file.empty()) {
      settings->context.load_verify_file(ca_file);
    } else if (verify) {
      settings->context.set_default_verify_paths();
    }
    return settings;
  } catch (const std::exception& e) {
    return absl::InvalidArgumentError(absl::StrCat("tls certificates `", ca_file, "`: ", e.what()));
  }
}

std::unique_ptr<Transport> PlainTransport(Executor executor) {
  return std::make_unique<StreamTransport<Socket>>(executor);
}

std::unique_ptr<Transport> TlsTransport(Executor executor, std::shared_ptr<TlsSettings> settings,
                                        std::string host) {
  return std::make_unique<TlsTransportImpl>(executor, std::move(settings), std::move(host));
}

struct Alarm::State {
  explicit State(Executor executor) : timer(executor) {}
  net::basic_waitable_timer<std::chrono::steady_clock, net::wait_traits<std::chrono::steady_clock>,
                            Executor>
      timer;
  std::function<void()> action;  // Null: not set.
  bool fired = false;
  std::uint64_t serial = 0;
};

Alarm::Alarm(Executor executor) : state_(std::make_shared<State>(executor)) {}

Alarm::~Alarm() { Clear(); }

bool Alarm::fired() const { return state_->fired; }

void Alarm::Set(absl::Duration from_now, std::function<void()> action) {
  Clear();
  state_->fired = false;
  if (from_now == absl::InfiniteDuration()) return;
  state_->action = std::move(action);
  state_->timer.expires_after(absl::ToChronoNanoseconds(std::min(from_now, absl::Hours(24 * 365))));
  state_->timer.async_wait([state = state_, serial = state_->serial](const ErrorCode& error) {
    if (error || serial != state->serial || !state->action) return;
    state->fired = true;
    std::exchange(state->action, nullptr)();
  });
}

void Alarm::Clear() {
  ++state_->serial;
  state_->action = nullptr;
  state_->timer.cancel();
}

}  // namespace spillway
