#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <future>
#include <list>
#include <memory>
#include <string>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "net/server.h"

namespace spillway {

using Tcp = net::ip::tcp;
using Socket = net::basic_stream_socket<Tcp, Executor>;
using SteadyTimer =
    net::basic_waitable_timer<std::chrono::steady_clock,
                              net::wait_traits<std::chrono::steady_clock>, Executor>;

class HttpConnection;

// Counts written by one thread and read by any. No locked instruction: a lane has one writer.
class Count {
 public:
  void operator+=(std::uint64_t n) { Set(value_.load(std::memory_order_relaxed) + n); }
  void Set(std::uint64_t n) { value_.store(n, std::memory_order_relaxed); }
  operator std::uint64_t() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct LaneCounts {
  Count open, idle, sweeps, accepted, accept_errors, evicted, turned_away, requests, bytes_in,
      bytes_out, clients_gone, handler_failures, head_timeouts, body_timeouts, write_timeouts,
      idle_timeouts, bodies_refused, told;
  std::array<Count, 6> responses;
  std::array<Count, kHeadFaults> refused;
  void AddTo(ServerStats* stats) const;
};

// One thread of the server with all that it owns: an io_context, a listener, connections, one
// timer. Everything but Start(), Drain(), Cut(), Abandon(), counts() and executor() happens on its
// own thread.
class Lane : public std::enable_shared_from_this<Lane> {
 public:
  using Acceptor = net::basic_socket_acceptor<Tcp, Executor>;
  using Connections = std::list<std::shared_ptr<HttpConnection>>;

  Lane(const ServerOptions& options, std::size_t max_connections, std::string id_prefix,
       HttpHandler& handler, std::shared_ptr<std::atomic<std::size_t>> body_bytes);
  ~Lane();

  // From the server's thread.
  Acceptor& acceptor() { return acceptor_; }  // To be opened and bound before Run().
  void Run();                                 // The body of the thread; returns once drained.
  void Drain();                        // Asks; Run() returns when the last connection is gone.
  void LastCall();                     // Tells who still works that Cut() is next.
  void Cut();                          // Asks to break off what is left.
  void Abandon() { context_.stop(); }  // Run() returns now; this lane must never be destroyed.
  bool WaitUntilDone(absl::Duration span) const;  // Has Run() returned?
  const LaneCounts& counts() const { return counts_; }

  // For its connections.
  Executor executor() { return context_.get_executor(); }
  const ServerLimits& limits() const { return options_.limits; }
  HttpHandler& handler() { return handler_; }
  LaneCounts& mutable_counts() { return counts_; }
  bool draining() const { return draining_; }
  const std::string& date() const { return date_; }
  // A body that is being read takes so much more memory. False: there is none left; nothing is
  // taken.
  bool TakeBodyBytes(std::size_t bytes);
  void GiveBodyBytes(std::size_t bytes) {
    body_bytes_->fetch_sub(bytes, std::memory_order_relaxed);
  }
  std::string NextId();
  // The moment at which something that may take `span` from now on is overdue. The clock is read
  // once a sweep, so one period is added: nobody gets less time than promised.
  absl::Duration Until(absl::Duration span) const { return now_ + limits().sweep + span; }
  absl::Duration now() const { return now_; }
  void BeginWaiting(HttpConnection& connection);  // Evicted first, longest waiting before others.
  void BeginWork(HttpConnection& connection);
  void Remove(HttpConnection& connection);

 private:
  const ServerOptions options_;
  const std::size_t max_connections_;
  const std::string id_prefix_;
  HttpHandler& handler_;
  const std::shared_ptr<std::atomic<std::size_t>> body_bytes_;  // of all lanes
  net::io_context context_;
  net::executor_work_guard<Executor> work_;
  Acceptor acceptor_;
  SteadyTimer sweep_timer_;
  SteadyTimer accept_pause_;
  LaneCounts counts_;
  // Standard ones, which ThreadSanitizer sees through; Debian's Abseil hides its locks from it.
  std::promise<void> run_;
  std::future<void> done_ = run_.get_future();

  Connections waiting_;  // In the order in which they began to wait.
  Connections working_;
  std::size_t live_ = 0;  // Connections that were not told to end.
  absl::Duration now_;
  absl::Time date_of_;
  std::string date_;
  std::uint64_t ids_ = 0;
  bool sweeping_ = false;
  bool draining_ = false;

  Awaitable<void> Accept(std::shared_ptr<Lane> self);
  void AcceptRest();
  void Admit(Socket socket, const Tcp::endpoint& peer);
  bool MakeRoom();
  void ReadClocks();
  void ScheduleSweep();
  void Sweep();
  void EndIfDrained();
};

}  // namespace spillway
