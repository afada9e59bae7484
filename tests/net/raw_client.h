#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "core/check.h"

namespace spillway {

// A client that does exactly as it is told, byte for byte: plain blocking sockets, no HTTP library.
// A read gives up after 20 s, so that a hang fails instead of blocking the run.
class RawClient {
 public:
  // `small` keeps the kernel's receive buffer small, for readers that are slow on purpose.
  explicit RawClient(std::uint16_t port, bool small = false) {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    SPILLWAY_CHECK(fd_ >= 0);
    const timeval limit{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    const int one = 1, bytes = 4096;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (small) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0;
  }
  ~RawClient() { Close(); }
  RawClient(RawClient&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_) {}
  RawClient& operator=(RawClient&&) = delete;

  bool connected() const { return connected_; }

  // False once the other side does not take it.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void HalfClose() { ::shutdown(fd_, SHUT_WR); }
  void Close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  // Closes with a reset instead of an orderly end.
  void Reset() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    Close();
  }

  // What comes next, at least one byte; "" at the end (orderly, reset, or 20 s of silence).
  std::string Some() {
    std::string piece(64 * 1024, '\0');
    const ssize_t got = ::recv(fd_, piece.data(), piece.size(), 0);
    piece.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return piece;
  }
  // Everything up to and with `end`, or to the end of the stream. What came behind it is kept.
  std::string Until(std::string_view end) {
    for (;;) {
      if (const auto at = buffer_.find(end); at != buffer_.npos) {
        std::string out = buffer_.substr(0, at + end.size());
        buffer_.erase(0, out.size());
        return out;
      }
      const std::string more = Some();
      if (more.empty()) return std::exchange(buffer_, "");
      buffer_ += more;
    }
  }
  // Everything to the end of the stream.
  std::string Rest() {
    std::string out = std::exchange(buffer_, "");
    for (std::string more = Some(); !more.empty(); more = Some()) out += more;
    return out;
  }
  // One response with Content-Length, head and body.
  std::string Response() {
    std::string head = Until("\r\n\r\n");
    const auto at = head.find("Content-Length: ");
    if (at == head.npos) return head;
    std::size_t length = std::stoul(head.substr(at + 16));
    while (buffer_.size() < length) {
      const std::string more = Some();
      if (more.empty()) break;
      buffer_ += more;
    }
    length = std::min(length, buffer_.size());
    head += buffer_.substr(0, length);
    buffer_.erase(0, length);
    return head;
  }

 private:
  int fd_ = -1;
  bool connected_ = false;
  std::string buffer_;
};

}  // namespace spillway
