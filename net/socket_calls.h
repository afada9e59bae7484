#pragma once

#include <cerrno>
#include <cstddef>

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/asio/error.hpp>

#include "net/recycle.h"

// recv and send for sockets that do not block. glibc makes both points at which a thread may be
// cancelled, and pays for that with two locked instructions each where there is more than one
// thread. Nobody cancels ours, so the kernel is called directly; sanitizers are shown the
// functions that they watch.
namespace spillway {

// Bytes, or -1 and errno.
inline ssize_t RecvCall(int socket, void* room, std::size_t size) {
  if constexpr (recycle::kOn)
    return ::syscall(SYS_recvfrom, socket, room, size, 0, nullptr, nullptr);
  return ::recv(socket, room, size, 0);
}
inline ssize_t SendCall(int socket, const void* bytes, std::size_t size) {
  if constexpr (recycle::kOn)
    return ::syscall(SYS_sendto, socket, bytes, size, MSG_NOSIGNAL, nullptr, 0);
  return ::send(socket, bytes, size, MSG_NOSIGNAL);
}

// Sends what the kernel takes at once; `error` as Asio's write_some.
inline std::size_t SendSome(int socket, const void* bytes, std::size_t size,
                            boost::system::error_code& error) {
  error.clear();
  while (size > 0) {
    const ssize_t sent = SendCall(socket, bytes, size);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno == EINTR) continue;
    error.assign(errno, boost::asio::error::get_system_category());
    break;
  }
  return 0;
}

}  // namespace spillway
