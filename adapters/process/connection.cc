#include "adapters/process/connection.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdio>

namespace spillway {
namespace {

constexpr std::size_t kMaxOutbox = 16 << 20;

}  // namespace

Connection::Connection(EventLoop& loop, UniqueFd socket, Callbacks callbacks)
    : loop_(loop), socket_(std::move(socket)), callbacks_(std::move(callbacks)) {
  loop_.WhenReadable(socket_.get(), [this] { OnReadable(); });
}

Connection::~Connection() {
  if (socket_) loop_.Forget(socket_.get());
}

void Connection::Close() {
  if (!socket_) return;
  loop_.Forget(socket_.get());
  socket_.Reset();
  loop_.After(absl::ZeroDuration(), callbacks_.on_closed);
}

void Connection::OnReadable() {
  std::array<char, 65536> buffer;
  const ssize_t n = recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) return Close();
  reader_.Append(std::string_view(buffer.data(), static_cast<std::size_t>(n)));
  while (socket_) {
    auto frame = reader_.Next();
    if (!frame.ok()) {
      std::fprintf(stderr, "a controller is cut off: %s\n",
                   std::string(frame.status().message()).c_str());
      return Close();
    }
    if (!*frame) return;
    callbacks_.on_frame(**frame);
  }
}

void Connection::Send(const std::string& frame) {
  if (!socket_) return;
  if (outbox_.size() + frame.size() > kMaxOutbox) return Close();
  outbox_ += frame;
  Flush();
}

void Connection::Flush() {
  std::size_t sent = 0;
  while (sent < outbox_.size()) {
    const ssize_t n = send(socket_.get(), outbox_.data() + sent, outbox_.size() - sent,
                           MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0) return Close();
    sent += static_cast<std::size_t>(n);
  }
  outbox_.erase(0, sent);
  loop_.WhenWritable(
      socket_.get(), outbox_.empty() ? EventLoop::Callback() : [this] { Flush(); });
}

}  // namespace spillway
