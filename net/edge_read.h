#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/detail/reactive_socket_recv_op.hpp>
#include <boost/version.hpp>

#include "net/asio.h"
#include "net/socket_calls.h"

namespace spillway {

// A buffer for reads that know when a socket is empty. Asio tries each read before it waits for it;
// behind a read that did not fill its buffer that is a system call for nothing, one for each event
// of a stream. Reads into this one tell Asio's reactor (edge-triggered, as epoll(7) describes) that
// such a read has taken all there was.
//
// One thing can be missed: the end of the stream, if it had arrived together with the last bytes.
// Who reads this way looks for it (MSG_PEEK) when a read has waited for a while.
class EdgeBuffer {
 public:
  using value_type = net::mutable_buffer;
  using const_iterator = const value_type*;

  explicit EdgeBuffer(net::mutable_buffer room) : room_(room) {}
  const_iterator begin() const { return &room_; }
  const_iterator end() const { return &room_ + 1; }

 private:
  net::mutable_buffer room_;
};

}  // namespace spillway

// Boost's own function for this buffer, but for what it returns and for how it calls the kernel
// (socket_calls.h). It is the same in all releases
// from 1.79 to 1.83 at least; with others EdgeBuffer is a buffer like any.
#if BOOST_VERSION >= 107900 && BOOST_VERSION < 108400
template <>
inline boost::asio::detail::reactor_op::status
boost::asio::detail::reactive_socket_recv_op_base<spillway::EdgeBuffer>::do_perform(
    reactor_op* base) {
  auto* const op = static_cast<reactive_socket_recv_op_base*>(base);
  const mutable_buffer room = *op->buffers_.begin();
  ssize_t got = -1;
  do {
    got = spillway::RecvCall(op->socket_, room.data(), room.size());
  } while (got < 0 && errno == EINTR);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return not_done;
  op->bytes_transferred_ = got > 0 ? static_cast<std::size_t>(got) : 0;
  if (got > 0) {
    op->ec_ = boost::system::error_code();
  } else if (got == 0) {
    op->ec_ = error::eof;
  } else {
    op->ec_ = boost::system::error_code(errno, error::get_system_category());
  }
  return op->bytes_transferred_ < room.size() ? done_and_exhausted : done;
}
#endif
