#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/check.h"

namespace spillway {

// A server that gives written answers, right or wrong, one connection after the other: it reads one
// request (head and Content-Length), sends the bytes and closes. Then it stops listening.
class RawServer {
 public:
  // At the end of an answer: say no more, but keep the connection open until the server goes.
  static inline const std::string kSilence = "<silence>";
  // At the end of an answer: read one more request and hang up on it.
  static inline const std::string kReadOn = "<read on>";

  explicit RawServer(std::vector<std::string> answers) : answers_(std::move(answers)) {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    SPILLWAY_CHECK(::bind(fd_, reinterpret_cast<sockaddr*>(&at), size) == 0);
    SPILLWAY_CHECK(::listen(fd_, 16) == 0);
    SPILLWAY_CHECK(::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { Run(); });
  }
  ~RawServer() {
    stop_ = true;
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    for (const int held : held_) ::close(held);
    ::close(fd_);
  }

  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }
  // To the client that is kept in silence; sent, or hung up, by the time the call returns.
  void SayMore(const std::string& bytes) {
    ::send(Held(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  void HangUp() { ::shutdown(Held(), SHUT_RDWR); }
  // Whether the client that is kept in silence goes away within 20 s.
  bool HeldIsGone() {
    const int held = Held();
    const timeval limit{20, 0};
    ::setsockopt(held, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    char byte;
    const ssize_t got = ::recv(held, &byte, 1, 0);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
  }
  // All requests so far.
  std::string Received() {
    const std::lock_guard lock(mutex_);
    return received_;
  }

 private:
  const std::vector<std::string> answers_;
  int fd_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_{false};
  std::atomic<int> connections_{0};
  std::mutex mutex_;
  std::string received_;   // Guarded by mutex_.
  std::vector<int> held_;  // Guarded by mutex_.
  std::thread thread_;

  static bool TakeSuffix(std::string* text, const std::string& suffix) {
    if (text->size() < suffix.size()) return false;
    if (text->compare(text->size() - suffix.size(), suffix.size(), suffix) != 0) return false;
    text->resize(text->size() - suffix.size());
    return true;
  }

  // The connection held last; waits until there is one.
  int Held() {
    for (;;) {
      {
        const std::lock_guard lock(mutex_);
        if (!held_.empty()) return held_.back();
      }
      std::this_thread::yield();
    }
  }

  void Run() {
    for (std::string answer : answers_) {
      const int client = ::accept(fd_, nullptr, nullptr);
      if (client < 0 || stop_) return;
      ++connections_;
      ReadRequest(client);
      const bool keep = TakeSuffix(&answer, kSilence);
      const bool read_on = TakeSuffix(&answer, kReadOn);
      ::send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
      if (keep) {
        const std::lock_guard lock(mutex_);
        held_.push_back(client);
        continue;
      }
      if (read_on) ReadRequest(client);
      ::close(client);
    }
  }

  void ReadRequest(int client) {
    std::string request;
    char piece[4096];
    std::size_t whole = std::string::npos;
    while (request.size() < whole) {
      const ssize_t got = ::recv(client, piece, sizeof piece, 0);
      if (got <= 0) break;
      request.append(piece, static_cast<std::size_t>(got));
      const auto end = request.find("\r\n\r\n");
      if (end == request.npos) continue;
      const auto at = request.find("Content-Length: ");
      whole = end + 4 + (at < end ? std::stoul(request.substr(at + 16)) : 0);
    }
    const std::lock_guard lock(mutex_);
    received_ += request;
  }
};

}  // namespace spillway
