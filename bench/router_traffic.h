#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/measure.h"

// Both ends of bench/router in one thread and one epoll loop, so that they leave a core to the
// proxy between them: the engine, which answers from memory, and clients, each of which sends its
// next request when it has the answer to the last.
namespace spillway::bench {

// What is asked for. The engine tells by the body: `"max_tokens":256`, `:25000`, or a stream.
struct Workload {
  std::string name;
  std::string body;
  int clients = 32;
};

inline std::vector<Workload> Workloads() {
  const std::string words(820, 'w');
  const auto body = [&](std::string_view more) {
    return std::string(R"({"model":"bench-model",)").append(more) +
           R"("messages":[{"role":"system","content":"You are a helpful assistant."},)"
           R"({"role":"user","content":")" +
           words + R"("}],"temperature":0.7,"top_p":0.95})";
  };
  return {{"1 kB chat", body(R"("max_tokens":256,)"), 32},
          {"100 kB chat", body(R"("max_tokens":25000,)"), 16},
          {"20-event stream", body(R"("max_tokens":20,"stream":true,)"), 64}};
}

inline void Die(const char* what) {
  std::perror(what);
  std::exit(1);
}

// The engine's answers, as bytes.
struct Answers {
  static constexpr int kEvents = 20;
  std::string small, large, stream_head;
  std::vector<std::string> events;  // each a chunk
  std::string usage_event, stream_end;

  Answers() {
    small = Whole(760);
    large = Whole(100'000 - 240);
    stream_head =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
        "Transfer-Encoding: chunked\r\n\r\n";
    const std::string head =
        R"(data: {"id":"chatcmpl-0123456789abcdef","object":"chat.completion.chunk",)"
        R"("created":1700000000,"model":"upstream-name","choices":[)";
    for (int i = 0; i < kEvents; ++i) {
      const std::string finish = i + 1 == kEvents ? R"("stop")" : "null";
      events.push_back(Chunk(head + R"({"index":0,"delta":{"content":" token)" + std::to_string(i) +
                             R"("},"logprobs":null,"finish_reason":)" + finish + "}]}\n\n"));
    }
    usage_event =
        Chunk(head + R"(],"usage":{"prompt_tokens":210,"total_tokens":230,"completion_tokens":20}})"
                     "\n\n");
    stream_end = Chunk("data: [DONE]\n\n") + "0\r\n\r\n";
  }

  static std::string Whole(std::size_t text) {
    const std::string body =
        R"({"id":"chatcmpl-0123456789abcdef","object":"chat.completion","created":1700000000,)"
        R"("model":"upstream-name","choices":[{"index":0,"message":{"role":"assistant",)"
        R"("content":")" +
        std::string(text, 'a') +
        R"("},"finish_reason":"stop"}],"usage":{"prompt_tokens":210,"completion_tokens":256,)"
        R"("total_tokens":466}})";
    return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  static std::string Chunk(const std::string& data) {
    char size[16];
    std::snprintf(size, sizeof size, "%zx\r\n", data.size());
    return size + data + "\r\n";
  }
};

class Loop;

// One socket in the loop.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {}
  virtual ~Peer() { ::close(fd_); }
  virtual void Readable(Loop& loop) = 0;
  virtual void Writable(Loop&) { Flush(); }
  int fd() const { return fd_; }
  bool dead = false;

 protected:
  std::string in_;
  std::string out_;  // What the kernel did not take yet.

  bool Receive() {
    char piece[64 * 1024];
    for (;;) {
      const ssize_t got = ::recv(fd_, piece, sizeof piece, 0);
      if (got > 0) {
        in_.append(piece, static_cast<std::size_t>(got));
        if (static_cast<std::size_t>(got) < sizeof piece) return true;
        continue;
      }
      if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
      dead = true;
      return false;
    }
  }
  void Send(std::string_view bytes) {
    if (out_.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    out_.append(bytes);
  }
  void Flush() {
    if (out_.empty()) return;
    const ssize_t sent = ::send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
    if (sent > 0) out_.erase(0, static_cast<std::size_t>(sent));
  }

 private:
  const int fd_;
};

class Loop {
 public:
  // One that never sleeps takes a core, so that no proxy pays for waking clients that would be on
  // other machines.
  explicit Loop(bool may_sleep = false)
      : wait_ms_(may_sleep ? 10 : 0),
        epoll_(::epoll_create1(0)),
        timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK)) {
    const itimerspec each{{0, 1'000'000}, {0, 1'000'000}};
    ::timerfd_settime(timer_, 0, &each, nullptr);
    epoll_event event{EPOLLIN, {}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, timer_, &event);
  }
  ~Loop() {
    ::close(timer_);
    ::close(epoll_);
  }

  void Add(Peer& peer) {
    epoll_event event{EPOLLIN | EPOLLOUT | EPOLLET, {}};
    event.data.ptr = &peer;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, peer.fd(), &event) != 0) Die("epoll_ctl");
  }
  // `tick` runs every millisecond.
  template <class F>
  void RunUntil(Clock::time_point end, F tick) {
    epoll_event events[64];
    while (Clock::now() < end) {
      const int n = ::epoll_wait(epoll_, events, 64, wait_ms_);
      for (int i = 0; i < n; ++i) {
        auto* const peer = static_cast<Peer*>(events[i].data.ptr);
        if (!peer) {
          std::uint64_t ticks = 0;
          if (::read(timer_, &ticks, sizeof ticks) > 0) tick();
          continue;
        }
        if (events[i].events & EPOLLOUT) peer->Writable(*this);
        if (events[i].events & ~std::uint32_t{EPOLLOUT}) peer->Readable(*this);
      }
    }
  }

 private:
  const int wait_ms_;
  const int epoll_;
  const int timer_;
};

// One connection to the engine.
class EnginePeer final : public Peer {
 public:
  EnginePeer(int fd, const Answers& answers) : Peer(fd), answers_(answers) {}

  void Readable(Loop&) override {
    if (!Receive()) return;
    const std::size_t head = in_.find("\r\n\r\n");
    if (head == in_.npos) return;
    const std::string_view text(in_);
    std::size_t at = text.find("ontent-Length: ");
    if (at == text.npos || at > head) at = text.find("ontent-length: ");
    if (text.substr(0, 4) == "GET ") {  // a router asks how it is, and what it serves
      in_.erase(0, head + 4);
      return Send(
          "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 32\r\n\r\n"
          R"({"data": [{"id":"bench-model"}]})");
    }
    if (at == text.npos || at > head) return Send("HTTP/1.1 411 No\r\nContent-Length: 0\r\n\r\n");
    const std::size_t size = head + 4 + std::strtoul(in_.c_str() + at + 15, nullptr, 10);
    if (in_.size() < size) return;
    const std::string_view body = text.substr(head + 4);
    if (body.find("\"stream\":true") != body.npos) {
      next_event_ = 0;
      usage_ = body.find("\"include_usage\":true") != body.npos;
      Send(answers_.stream_head);
    } else {
      Send(body.find("\"max_tokens\":256,") != body.npos ? answers_.small : answers_.large);
    }
    in_.clear();
  }
  // One event of a stream.
  void Tick() {
    if (next_event_ < 0) return;
    Send(answers_.events[static_cast<std::size_t>(next_event_)]);
    if (++next_event_ < Answers::kEvents) return;
    next_event_ = -1;
    if (usage_) Send(answers_.usage_event);
    Send(answers_.stream_end);
  }

 private:
  const Answers& answers_;
  int next_event_ = -1;
  bool usage_ = false;
};

inline std::uint16_t PortOf(int fd) {
  sockaddr_in at{};
  socklen_t size = sizeof at;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
  return ntohs(at.sin_port);
}

class Engine final : public Peer {
 public:
  Engine() : Peer(Listen()) {}
  void Readable(Loop& loop) override {
    for (;;) {
      const int fd = ::accept4(this->fd(), nullptr, nullptr, SOCK_NONBLOCK);
      if (fd < 0) return;
      const int one = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      peers_.push_back(std::make_unique<EnginePeer>(fd, answers_));
      loop.Add(*peers_.back());
    }
  }
  void Tick() {
    for (const auto& peer : peers_) {
      if (!peer->dead) peer->Tick();
    }
  }
  void Sweep() {
    std::erase_if(peers_, [](const auto& peer) { return peer->dead; });
  }
  std::uint16_t port() const { return PortOf(fd()); }

  // A socket on loopback; the kernel chooses the port.
  static int Listen() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) Die("bind");
    if (::listen(fd, 1024) != 0) Die("listen");
    return fd;
  }

 private:
  const Answers answers_;
  std::vector<std::unique_ptr<EnginePeer>> peers_;
};

inline int ConnectTo(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0) return fd;
  ::close(fd);
  return -1;
}

struct Tally {
  std::uint64_t answers = 0, errors = 0;
  std::uint64_t pieces = 0;  // in which the answers came: tokens that were held back come together
  Samples micros{1 << 20};
};

class ClientPeer final : public Peer {
 public:
  ClientPeer(int fd, std::string request, Tally& tally)
      : Peer(fd), request_(std::move(request)), tally_(tally) {
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
    const int one = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  }
  void Ask() {
    asked_ = Clock::now();
    Send(request_);
  }
  void Readable(Loop&) override {
    if (!Receive()) {
      ++tally_.errors;
      return;
    }
    ++tally_.pieces;
    if (whole_ == 0) ReadHead();
    const bool ended = whole_ == kChunked ? in_.ends_with("\r\n0\r\n\r\n") : in_.size() >= whole_;
    if (whole_ == 0 || !ended) return;
    ++tally_.answers;
    tally_.errors += !in_.starts_with("HTTP/1.1 200");
    tally_.micros.Add(MicrosSince(asked_));
    in_.clear();
    whole_ = 0;
    Ask();
  }

 private:
  static constexpr std::size_t kChunked = ~std::size_t{0};
  const std::string request_;
  Tally& tally_;
  Clock::time_point asked_;
  std::size_t whole_ = 0;  // Bytes of the answer, once its head is there.

  void ReadHead() {
    const std::size_t head = in_.find("\r\n\r\n");
    if (head == in_.npos) return;
    const std::string_view text = std::string_view(in_).substr(0, head);
    std::size_t at = text.find("ontent-Length: ");
    if (at == text.npos) at = text.find("ontent-length: ");
    whole_ =
        at == text.npos ? kChunked : head + 4 + std::strtoul(in_.c_str() + at + 15, nullptr, 10);
  }
};

inline std::string RequestText(const std::string& body, const std::string& headers) {
  return "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n"
         "Content-Type: application/json\r\nUser-Agent: OpenAI/JS 6.49.0\r\n"
         "Authorization: Bearer sk-bench-0123456789abcdef0123456789abcdef\r\n" +
         headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace spillway::bench
