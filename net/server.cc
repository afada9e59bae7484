#include "net/server.h"

#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/status.h"
#include "net/lane.h"

namespace spillway {
namespace {

constexpr int kBacklog = 4096;  // The kernel cuts it to net.core.somaxconn.
// How long a handler that was told to end may take before its thread is given up.
constexpr absl::Duration kUnwind = absl::Seconds(5);
// How long one may take to tell its client before the connection is cut.
constexpr absl::Duration kLastWords = absl::Milliseconds(500);

absl::Duration SteadyNow() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

std::string Text(const Tcp::endpoint& at) {
  const std::string host = at.address().to_string();
  return at.address().is_v6() ? absl::StrCat("[", host, "]:", at.port())
                              : absl::StrCat(host, ":", at.port());
}

absl::Status CannotListen(const Tcp::endpoint& at, const boost::system::error_code& error) {
  return absl::UnavailableError(absl::StrCat("listen on ", Text(at), ": ", error.message()));
}

absl::StatusOr<Tcp::endpoint> Resolve(const std::string& host, std::uint16_t port) {
  boost::system::error_code error;
  const net::ip::address address = net::ip::make_address(host, error);
  if (!error) return Tcp::endpoint(address, port);
  net::io_context context;
  Tcp::resolver resolver(context);
  const auto found = resolver.resolve(host, "", Tcp::resolver::passive, error);
  if (error || found.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("listen on `", host, "`: neither an address nor a known name"));
  }
  return Tcp::endpoint(found.begin()->endpoint().address(), port);
}

// Opens one listener. Several threads share the port through SO_REUSEPORT.
boost::system::error_code Bind(Lane::Acceptor& acceptor, const Tcp::endpoint& at, bool share) {
  boost::system::error_code error;
  acceptor.open(at.protocol(), error);
  if (!error) acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
  const int on = 1;
  // Accepted sockets inherit TCP_NODELAY.
  if (!error) acceptor.set_option(Tcp::no_delay(true), error);
  if (!error && share &&
      ::setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) {
    error.assign(errno, boost::system::system_category());
  }
  if (!error) acceptor.bind(at, error);
  return error;
}

// With SO_REUSEPORT a second program of the same user would quietly share our port; a bind without
// it finds out whether somebody listens there.
absl::Status CheckFree(const Tcp::endpoint& at) {
  net::io_context context;
  Lane::Acceptor probe(context.get_executor());
  const auto error = Bind(probe, at, /*share=*/false);
  return error ? CannotListen(at, error) : absl::OkStatus();
}

std::string RandomPrefix() {
  std::random_device random;
  return absl::StrCat(absl::Hex(random(), absl::kZeroPad8));
}

}  // namespace

HttpResponse HttpHandler::OnRefused(int status, std::string_view code, std::string_view detail) {
  return ProblemResponse(status, code, detail);
}

HttpAnswer EventStreamAnswer(BodyProducer produce) {
  HttpResponse head;
  head.headers.Add("Content-Type", "text/event-stream");
  head.headers.Add("Cache-Control", "no-store");
  head.headers.Add("X-Accel-Buffering", "no");  // nginx would hold events back otherwise.
  return HttpAnswer(std::move(head), std::move(produce));
}

struct Server::Impl {
  Tcp::endpoint at;
  std::vector<std::shared_ptr<Lane>> lanes;
  std::vector<std::thread> threads;
  std::shared_ptr<std::atomic<std::size_t>> body_bytes =
      std::make_shared<std::atomic<std::size_t>>(0);
  std::atomic<std::uint64_t> cut{0};
  bool drained = false;
  bool clean = true;

  absl::Status Listen(bool share) {
    for (const auto& lane : lanes) {
      if (const auto error = Bind(lane->acceptor(), at, share)) return CannotListen(at, error);
      at = lane->acceptor().local_endpoint();  // From the first on, the port is known.
    }
    for (const auto& lane : lanes) {
      boost::system::error_code error;
      lane->acceptor().listen(kBacklog, error);
      if (error) return CannotListen(at, error);
    }
    return absl::OkStatus();
  }

  bool WaitForAll(absl::Duration span) {
    const absl::Duration end = SteadyNow() + span;
    return std::all_of(lanes.begin(), lanes.end(),
                       [&](const auto& lane) { return lane->WaitUntilDone(end - SteadyNow()); });
  }

  bool Drain(absl::Duration grace) {
    if (std::exchange(drained, true)) return clean;
    for (const auto& lane : lanes) lane->Drain();
    clean = WaitForAll(grace);
    if (!clean && grace > absl::ZeroDuration()) {
      for (const auto& lane : lanes) lane->LastCall();
      WaitForAll(kLastWords);
    }
    if (!clean) {
      // Counted from here: a handler that hangs keeps its lane from counting.
      std::uint64_t open = 0;
      for (const auto& lane : lanes) open += lane->counts().open;
      cut = open;
      for (const auto& lane : lanes) lane->Cut();
      WaitForAll(kUnwind);
    }
    for (std::size_t i = 0; i < lanes.size(); ++i) End(lanes[i], threads[i]);
    return clean;
  }

  // A handler that never comes back still refers to its lane: the lane is left behind for good.
  static void End(const std::shared_ptr<Lane>& lane, std::thread& thread) {
    if (!lane->WaitUntilDone(absl::ZeroDuration())) {
      lane->Abandon();
      new std::shared_ptr<Lane>(lane);
    }
    thread.join();
  }
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(ServerOptions options, HttpHandler& handler) {
  if (options.threads < 1 || options.limits.connections < 1 || options.limits.least_rate <= 0 ||
      options.limits.sweep <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(
        "server: threads, connections, least_rate and sweep must be positive");
  }
  if (!options.now) options.now = SteadyNow;
  auto impl = std::make_unique<Impl>();
  SPILLWAY_ASSIGN_OR_RETURN(impl->at, Resolve(options.host, options.port));
  const bool share = options.threads > 1;
  if (share && options.port != 0) SPILLWAY_RETURN_IF_ERROR(CheckFree(impl->at));
  const auto lanes = static_cast<std::size_t>(options.threads);
  const std::string prefix = RandomPrefix();
  for (std::size_t i = 0; i < lanes; ++i) {
    impl->lanes.push_back(
        std::make_shared<Lane>(options, (options.limits.connections + lanes - 1) / lanes,
                               absl::StrCat(prefix, "-", i, "-"), handler, impl->body_bytes));
  }
  SPILLWAY_RETURN_IF_ERROR(impl->Listen(share));
  for (const auto& lane : impl->lanes) impl->threads.emplace_back([lane] { lane->Run(); });
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::~Server() { Drain(absl::ZeroDuration()); }

bool Server::Drain(absl::Duration grace) { return impl_->Drain(grace); }

std::uint16_t Server::port() const { return impl_->at.port(); }

std::string Server::address() const { return Text(impl_->at); }

ServerStats Server::Stats() const {
  ServerStats stats;
  for (const auto& lane : impl_->lanes) lane->counts().AddTo(&stats);
  stats.cut = impl_->cut;
  stats.body_bytes = impl_->body_bytes->load(std::memory_order_relaxed);
  return stats;
}

}  // namespace spillway
