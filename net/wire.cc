#include "net/wire.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>

#include "net/edge_read.h"
#include "net/socket_calls.h"

namespace spillway {
namespace {

constexpr auto kTuple = net::as_tuple_t<net::use_awaitable_t<Executor>>(use_awaitable);
constexpr std::uint32_t kMaxBurst = 16;

void Shorten(Wire::Parts* parts, std::size_t sent) {
  for (net::const_buffer& part : *parts) {
    const std::size_t here = std::min(sent, part.size());
    part += here;
    sent -= here;
  }
}

}  // namespace

Wire::Wire(std::shared_ptr<Lane> lane, Socket socket)
    : lane_(std::move(lane)), socket_(std::move(socket)) {
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);  // A plain write_some now takes what fits and returns.
}

Awaitable<bool> Wire::Read(Bound bound, absl::Duration until) {
  if (ended_ || input_.full()) co_return false;
  bound_ = bound;
  until_ = until;
  overdue_ = false;
  burst_ = 0;
  if (watching_) {
    co_await more_.Wait();
  } else if (bound == Bound::kIdle) {
    // Between two requests there is nothing to read, and no system call is needed to know it.
    resting_sweeps_ = 0;
    resting_ = true;
    const auto [room, size] = input_.Room();
    const EdgeBuffer edge{net::mutable_buffer(room, size)};
    const auto [error, bytes] = co_await socket_.async_read_some(edge, kTuple);
    resting_ = false;
    Took(error, bytes);
  } else {
    const auto [room, size] = input_.Room();
    const auto [error, bytes] = co_await socket_.async_read_some(net::buffer(room, size), kTuple);
    Took(error, bytes);
  }
  until_ = absl::InfiniteDuration();
  co_return !ended_ && !overdue_;
}

void Wire::Watch() {
  if (watching_ || ended_ || input_.full()) return;
  watching_ = true;
  const auto [room, size] = input_.Room();
  socket_.async_read_some(
      net::buffer(room, size),
      [self = shared_from_this()](const boost::system::error_code& error, std::size_t bytes) {
        self->watching_ = false;
        self->Took(error, bytes);
        if (self->ended_) self->TellPeerLeft();
        self->more_.Fire(self->lane_->executor());
      });
}

void Wire::Took(const boost::system::error_code& error, std::size_t bytes) {
  input_.Filled(bytes);
  lane_->mutable_counts().bytes_in += bytes;
  // A read that was overdue was cancelled; the socket still works.
  if (error && !(overdue_ && error == net::error::operation_aborted)) ended_ = true;
}

void Wire::TellPeerLeft() {
  if (!std::exchange(told_, true)) PeerLeft();
}

std::size_t Wire::SizeOf(const Parts& parts) {
  std::size_t size = 0;
  for (const net::const_buffer& part : parts) size += part.size();
  return size;
}

bool Wire::TrySend(Parts* parts) {
  if (broken_) return false;
  boost::system::error_code error;
  // One piece of memory takes a cheaper system call than a list of them.
  const bool one = SizeOf(*parts) == (*parts)[0].size();
  const std::size_t sent =
      one ? SendSome(socket_.native_handle(), (*parts)[0].data(), (*parts)[0].size(), error)
          : socket_.write_some(*parts, error);
  lane_->mutable_counts().bytes_out += sent;
  Shorten(parts, sent);
  if (error && error != net::error::would_block && error != net::error::try_again) broken_ = true;
  return !broken_;
}

bool Wire::BurstEnds() {
  if ((burst_ + 1) % kMaxBurst == 0) return true;
  ++burst_;
  return false;
}

Awaitable<bool> Wire::Send(Parts parts) {
  std::size_t left = SizeOf(parts);
  bound_ = Bound::kWrite;
  until_ = lane_->Until(lane_->limits().write +
                        absl::Seconds(static_cast<double>(left) / lane_->limits().least_rate));
  while (left > 0 && TrySend(&parts) && (left = SizeOf(parts)) > 0) {
    const auto [error] = co_await socket_.async_wait(Socket::wait_write, kTuple);
    if (error) broken_ = true;
    burst_ = 0;
  }
  until_ = absl::InfiniteDuration();
  // A fast reader must not keep the thread from its other connections.
  if (++burst_ % kMaxBurst == 0) co_await net::post(lane_->executor(), use_awaitable);
  co_return !broken_;
}

void Wire::Shrink() {
  if (!watching_) input_.Shrink();
}

void Wire::ShutdownSend() {
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

// A client's end that came together with its last bytes was not told to an EdgeBuffer.
void Wire::LookForEnd() {
  if (!resting_ || ++resting_sweeps_ != 2) return;
  char byte = 0;
  boost::system::error_code error;
  const std::size_t there = socket_.receive(net::buffer(&byte, 1), Socket::message_peek, error);
  if (there > 0 || error == net::error::would_block || error == net::error::try_again) return;
  ended_ = true;
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Wire::CheckBounds() {
  LookForEnd();
  if (lane_->now() < until_) return;
  until_ = absl::InfiniteDuration();
  overdue_ = true;
  CountOverdue();
  if (bound_ == Bound::kWrite || bound_ == Bound::kLinger) return Close();
  // The coroutine may still want to say 408: end the read, not the socket.
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Wire::CountOverdue() {
  LaneCounts& counts = lane_->mutable_counts();
  switch (bound_) {
    case Bound::kIdle:
      counts.idle_timeouts += 1;
      break;
    case Bound::kHead:
      counts.head_timeouts += 1;
      break;
    case Bound::kBody:
      counts.body_timeouts += 1;
      break;
    case Bound::kWrite:
      counts.write_timeouts += 1;
      break;
    case Bound::kLinger:
      break;
  }
}

void Wire::Close() {
  ended_ = broken_ = true;
  boost::system::error_code ignored;
  socket_.close(ignored);
  net::post(lane_->executor(), [self = shared_from_this()] { self->TellPeerLeft(); });
}

}  // namespace spillway
