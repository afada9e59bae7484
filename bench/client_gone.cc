// How soon an engine sees that the client of its request has left: a real `spillway serve` between
// an engine and clients that close their connection at any moment.
//
//   client_gone [--rounds 200]
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>

#include "bench/measure.h"
#include "fmt/format.h"

namespace spillway::bench {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void Fail(const std::string& why) {
  fmt::print(stderr, "client_gone: {}\n", why);
  std::exit(1);
}

void SendAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

sockaddr_in Loopback(int port) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = htons(static_cast<std::uint16_t>(port));
  return at;
}

// An engine with a thread for each connection. What a request names decides how it is answered, and
// the moment at which its connection ends is written down.
class Engine {
 public:
  Engine() : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in at = Loopback(0);
    socklen_t size = sizeof at;
    if (::bind(fd_, reinterpret_cast<sockaddr*>(&at), size) != 0 || ::listen(fd_, 64) != 0 ||
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size) != 0)
      Fail("no port for the engine");
    port_ = ntohs(at.sin_port);
    std::thread([this] {
      for (int fd; (fd = ::accept(fd_, nullptr, nullptr)) >= 0;)
        std::thread([this, fd] { Serve(fd); }).detach();
    }).detach();
  }
  int port() const { return port_; }

  void AwaitRequest() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, std::chrono::seconds(10), [this] { return working_; }))
      Fail("no request came to the engine");
  }
  Clock::time_point AwaitEnd() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, std::chrono::seconds(10), [this] { return ended_.has_value(); }))
      Fail("the engine did not see its client leave");
    const auto ended = *ended_;
    ended_.reset();
    working_ = false;
    return ended;
  }

 private:
  void Serve(int fd) {
    std::string in;
    char piece[4096];
    for (ssize_t got; (got = ::recv(fd, piece, sizeof piece, 0)) > 0;) {
      in.append(piece, static_cast<std::size_t>(got));
      const auto end = in.find("\r\n\r\n");
      if (end == in.npos) continue;
      if (in.starts_with("GET")) {
        const std::string body = R"({"data":[{"id":"m"}]})";
        SendAll(fd,
                fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body));
        in.erase(0, end + 4);
      } else if (in.ends_with("}")) {
        Work(fd, in);
        break;
      }
    }
    ::close(fd);
  }

  void Work(int fd, const std::string& request) {
    const bool streams = request.find("streaming") != request.npos;
    const bool idle = request.find("idle") != request.npos;
    const std::string event = "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n";
    const std::string chunk = fmt::format("{:x}\r\n{}\r\n", event.size(), event);
    if (streams)
      SendAll(fd,
              "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
              "Transfer-Encoding: chunked\r\n\r\n" +
                  chunk);
    {
      const std::lock_guard lock(mutex_);
      working_ = true;
    }
    changed_.notify_all();
    pollfd poll{fd, POLLIN | POLLRDHUP, 0};
    while (::poll(&poll, 1, streams && !idle ? 1 : -1) == 0) SendAll(fd, chunk);
    const auto now = Clock::now();
    const std::lock_guard lock(mutex_);
    ended_ = now;
    changed_.notify_all();
  }

  int fd_, port_ = 0;
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  bool working_ = false;
  std::optional<Clock::time_point> ended_;
};

class Router {
 public:
  explicit Router(int engine) {
    std::string folder = (fs::temp_directory_path() / "client-gone.XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr) Fail("no folder for the state");
    folder_ = folder;
    std::ofstream(folder_ / "fleet.yaml") << fmt::format(
        "kind: Fleet\npools:\n  - name: engine\n    adapter: {{type: openai, url: "
        "\"http://127.0.0.1:{}/v1\"}}\n    billing: metered\n    price: {{node_hour: 1 USD}}\n"
        "    serves: [{{model: m}}]\n",
        engine);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const int log = ::open((folder_ / "log").c_str(), O_CREAT | O_WRONLY, 0600);
      ::dup2(log, 1);
      ::dup2(log, 2);
      ::execl(SPILLWAY_PROGRAM, "spillway", "serve", "--config", (folder_ / "fleet.yaml").c_str(),
              "--state", (folder_ / "state").c_str(), "--listen", "127.0.0.1:0", nullptr);
      ::_exit(127);
    }
    for (int i = 0; i < 400 && port_ == 0; ++i) {
      ::usleep(50'000);
      std::string line;
      if (std::ifstream address(folder_ / "state" / "address"); std::getline(address, line))
        port_ = std::atoi(line.c_str() + line.rfind(':') + 1);
    }
    if (port_ == 0) Fail("the router did not start: " + (folder_ / "log").string());
  }
  ~Router() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  int port() const { return port_; }

 private:
  fs::path folder_;
  pid_t pid_ = 0;
  int port_ = 0;
};

// Milliseconds from close() to the end that the engine saw.
double Leave(Engine& engine, int port, const std::string& how, bool stream, int wait_us) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in at = Loopback(port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) Fail("no router");
  const std::string body = fmt::format(
      R"({{"model":"m","stream":{},"messages":[{{"role":"user","content":"{}"}}]}})", stream, how);
  SendAll(fd, fmt::format("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
                          "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
                          body.size(), body));
  engine.AwaitRequest();
  ::usleep(static_cast<useconds_t>(wait_us));
  const auto left = Clock::now();
  ::close(fd);
  return std::chrono::duration<double, std::milli>(engine.AwaitEnd() - left).count();
}

void Run(int rounds) {
  Engine engine;
  Router router(engine.port());
  ::usleep(1'500'000);  // until it has seen the engine
  std::mt19937 draw(1);
  // Any moment between two of the router's looks at its connections.
  std::uniform_int_distribution<int> wait_us(5'000, 80'000);
  fmt::print("{:<44}{:>9}{:>9}{:>9}   ms, {} rounds\n", "the client leaves ...", "p50", "p99",
             "max", rounds);
  const std::tuple<const char*, const char*, bool> cases[] = {
      {"within a stream, a token every ms", "streaming", true},
      {"within a stream, the engine thinking", "streaming idle", true},
      {"before the first byte of a stream", "thinking", true},
      {"before a whole answer", "thinking", false}};
  for (const auto& [name, how, stream] : cases) {
    Samples samples(static_cast<std::size_t>(rounds));
    for (int i = 0; i < rounds; ++i)
      samples.Add(Leave(engine, router.port(), how, stream, wait_us(draw)));
    fmt::print("{:<44}{:>9.2f}{:>9.2f}{:>9.2f}\n", name, samples.Percentile(50),
               samples.Percentile(99), samples.Percentile(100));
  }
}

}  // namespace
}  // namespace spillway::bench

int main(int argc, char** argv) {
  int rounds = 200;
  if (argc == 3 && std::string_view(argv[1]) == "--rounds")
    rounds = std::max(std::atoi(argv[2]), 1);
  spillway::bench::Run(rounds);
}
