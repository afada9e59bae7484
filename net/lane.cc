#include "net/lane.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/check.h"
#include "net/connection.h"
#include "net/upstream_lane.h"

namespace spillway {
namespace {

constexpr auto kTuple = net::as_tuple_t<net::use_awaitable_t<Executor>>(use_awaitable);
// How long a lane that ran out of file descriptors leaves its queue of new connections alone.
constexpr auto kAcceptPause = std::chrono::milliseconds(50);

std::string AddressOf(const Tcp::endpoint& peer) {
  const net::ip::address address = peer.address();
  const bool mapped = address.is_v6() && address.to_v6().is_v4_mapped();
  return mapped ? net::ip::make_address_v4(net::ip::v4_mapped, address.to_v6()).to_string()
                : address.to_string();
}

}  // namespace

void LaneCounts::AddTo(ServerStats* stats) const {
  stats->open += open;
  stats->idle += idle;
  stats->sweeps += sweeps;
  stats->accepted += accepted;
  stats->accept_errors += accept_errors;
  stats->evicted += evicted;
  stats->turned_away += turned_away;
  stats->requests += requests;
  stats->bytes_in += bytes_in;
  stats->bytes_out += bytes_out;
  stats->clients_gone += clients_gone;
  stats->handler_failures += handler_failures;
  stats->head_timeouts += head_timeouts;
  stats->body_timeouts += body_timeouts;
  stats->write_timeouts += write_timeouts;
  stats->idle_timeouts += idle_timeouts;
  stats->bodies_refused += bodies_refused;
  stats->told += told;
  for (std::size_t i = 0; i < responses.size(); ++i) stats->responses[i] += responses[i];
  for (std::size_t i = 0; i < refused.size(); ++i) stats->refused[i] += refused[i];
}

Lane::Lane(const ServerOptions& options, std::size_t max_connections, std::string id_prefix,
           HttpHandler& handler, std::shared_ptr<std::atomic<std::size_t>> body_bytes)
    : options_(options),
      max_connections_(max_connections),
      id_prefix_(std::move(id_prefix)),
      handler_(handler),
      body_bytes_(std::move(body_bytes)),
      // Sockets and timers of a lane are touched by its own thread alone: only what is posted from
      // elsewhere needs a lock.
      context_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
      work_(context_.get_executor()),
      acceptor_(context_.get_executor()),
      sweep_timer_(context_.get_executor()),
      accept_pause_(context_.get_executor()) {}

Lane::~Lane() = default;

void Lane::Run() {
  ReadClocks();
  net::co_spawn(executor(), Accept(shared_from_this()), net::detached);
  context_.run();
  run_.set_value();
}

bool Lane::WaitUntilDone(absl::Duration span) const {
  const absl::Duration some = std::max(span, absl::ZeroDuration());
  return done_.wait_for(absl::ToChronoNanoseconds(std::min(some, absl::Hours(24)))) ==
         std::future_status::ready;
}

bool Lane::TakeBodyBytes(std::size_t bytes) {
  const std::size_t before = body_bytes_->fetch_add(bytes, std::memory_order_relaxed);
  if (before + bytes <= limits().bodies) return true;
  GiveBodyBytes(bytes);
  counts_.bodies_refused += 1;
  return false;
}

// ---- accepting ----------------------------------------------------------------------------------

// `self` keeps the lane alive.
Awaitable<void> Lane::Accept(std::shared_ptr<Lane> self) {
  while (!self->draining_) {
    Socket socket(executor());
    Tcp::endpoint peer;
    const auto [error] = co_await acceptor_.async_accept(socket, peer, kTuple);
    if (!error) {
      Admit(std::move(socket), peer);
      continue;
    }
    if (draining_) break;
    counts_.accept_errors += 1;
    accept_pause_.expires_after(kAcceptPause);
    co_await accept_pause_.async_wait(kTuple);
  }
}

void Lane::Admit(Socket socket, const Tcp::endpoint& peer) {
  counts_.accepted += 1;
  if (live_ >= max_connections_ && !MakeRoom()) {
    counts_.turned_away += 1;
    return;
  }
  if (!sweeping_) ReadClocks();
  auto connection =
      std::make_shared<HttpConnection>(shared_from_this(), std::move(socket), AddressOf(peer));
  connection->place = working_.insert(working_.end(), connection);
  ++live_;
  counts_.open += 1;
  net::co_spawn(executor(), connection->Run(connection), net::detached);
  if (!sweeping_) ScheduleSweep();
}

// The connection that has waited longest goes; one that sends its head slowly counts as waiting.
bool Lane::MakeRoom() {
  if (waiting_.empty()) return false;
  const std::shared_ptr<HttpConnection> oldest = waiting_.front();
  BeginWork(*oldest);
  oldest->leaving = true;
  --live_;
  counts_.evicted += 1;
  oldest->Close();
  return true;
}

void Lane::BeginWaiting(HttpConnection& connection) {
  if (connection.waiting || connection.leaving) return;
  connection.waiting = true;
  waiting_.splice(waiting_.end(), working_, connection.place);
  counts_.idle.Set(waiting_.size());
}

void Lane::BeginWork(HttpConnection& connection) {
  if (!connection.waiting) return;
  connection.waiting = false;
  working_.splice(working_.end(), waiting_, connection.place);
  counts_.idle.Set(waiting_.size());
}

void Lane::Remove(HttpConnection& connection) {
  BeginWork(connection);
  if (!connection.leaving) --live_;
  counts_.open.Set(counts_.open - 1);
  working_.erase(connection.place);
  EndIfDrained();
}

// ---- time ---------------------------------------------------------------------------------------

void Lane::ReadClocks() {
  now_ = options_.now();
  const absl::Time wall = absl::Now();
  if (wall - date_of_ < absl::Seconds(1) && !date_.empty()) return;
  date_of_ = absl::FromUnixSeconds(absl::ToUnixSeconds(wall));
  date_ = absl::FormatTime("%a, %d %b %E4Y %H:%M:%S GMT", wall, absl::UTCTimeZone());
}

void Lane::ScheduleSweep() {
  sweeping_ = true;
  sweep_timer_.expires_after(absl::ToChronoNanoseconds(limits().sweep));
  sweep_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) Sweep();
  });
}

// Without connections nothing ticks: an idle server does not wake up.
void Lane::Sweep() {
  ReadClocks();
  sweeping_ = false;
  for (const auto& connection : waiting_) connection->Sweep();
  for (const auto& connection : working_) connection->Sweep();
  counts_.sweeps += 1;
  if (!waiting_.empty() || !working_.empty()) ScheduleSweep();
}

std::string Lane::NextId() { return absl::StrCat(id_prefix_, absl::Hex(++ids_)); }

// ---- the end ------------------------------------------------------------------------------------

void Lane::Drain() {
  net::post(executor(), [this] {
    if (std::exchange(draining_, true)) return;
    AcceptRest();
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    accept_pause_.cancel();
    for (const auto& connection : working_) connection->DrainBegins();
    EndIfDrained();
  });
}

// Connections that the kernel has already accepted would be reset if the listener just closed.
void Lane::AcceptRest() {
  boost::system::error_code error;
  acceptor_.cancel(error);
  acceptor_.non_blocking(true, error);
  while (!error) {
    Socket socket(executor());
    Tcp::endpoint peer;
    acceptor_.accept(socket, peer, error);
    if (!error) Admit(std::move(socket), peer);
  }
}

void Lane::LastCall() {
  net::post(executor(), [this] {
    // A copy: who is told may end.
    const std::vector<std::shared_ptr<HttpConnection>> all(working_.begin(), working_.end());
    counts_.told += all.size();
    for (const auto& connection : all) connection->LastCall();
  });
}

void Lane::Cut() {
  net::post(executor(), [this] {
    for (Connections* list : {&waiting_, &working_}) {
      for (const auto& connection : *list) connection->Close();
    }
  });
}

void Lane::EndIfDrained() {
  if (!draining_ || !waiting_.empty() || !working_.empty()) return;
  sweep_timer_.cancel();
  UpstreamLane::Rest(context_);
  work_.reset();
}

}  // namespace spillway
