#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "core/check.h"
#include "net/server.h"

namespace spillway {

// A handler made of functions by first path segment, which writes down every request that reaches
// it.
class TestHandler : public HttpHandler {
 public:
  using Route = std::function<Awaitable<HttpAnswer>(HttpRequest, Exchange&)>;

  std::map<std::string, Route> routes;
  std::size_t body_limit = 1 << 20;
  std::function<std::optional<HttpResponse>(const HttpRequest&)> instead;

  HeadAnswer OnHead(const HttpRequest& head) override {
    HeadAnswer answer;
    answer.body_limit = body_limit;
    if (instead) answer.instead = instead(head);
    return answer;
  }

  // Unknown routes echo: "METHOD target body".
  Awaitable<HttpAnswer> Handle(HttpRequest request, Exchange& exchange) override {
    Record(request);
    const auto route = routes.find(request.path.empty() ? "" : request.path[0]);
    if (route != routes.end()) return route->second(std::move(request), exchange);
    return Echo(std::move(request));
  }

  // Requests so far, as "METHOD target body".
  std::vector<std::string> seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> seen_;  // Guarded by mutex_.

  static std::string Line(const HttpRequest& request) {
    return std::string(MethodName(request.method)) + " " + request.target + " " + request.body;
  }
  void Record(const HttpRequest& request) {
    const std::lock_guard lock(mutex_);
    seen_.push_back(Line(request));
  }
  static Awaitable<HttpAnswer> Echo(HttpRequest request) {
    co_return TextResponse(200, Line(request));
  }
};

// A clock that tests turn by hand. Sweeps still tick in real time and see what it says.
class HandClock {
 public:
  std::function<absl::Duration()> Function() {
    return [this] {
      const std::lock_guard lock(mutex_);
      return now_;
    };
  }
  void Advance(absl::Duration d) {
    const std::lock_guard lock(mutex_);
    now_ += d;
  }

 private:
  std::mutex mutex_;
  absl::Duration now_ = absl::Hours(1);  // Guarded by mutex_.
};

inline std::unique_ptr<Server> StartServer(HttpHandler& handler, ServerOptions options = {}) {
  options.limits.sweep = absl::Milliseconds(5);
  auto server = Server::Start(std::move(options), handler);
  SPILLWAY_CHECK(server.ok());
  return *std::move(server);
}

// Polls until `done`; the bound is so large that only a hang meets it.
template <class F>
bool Eventually(F done) {
  for (int i = 0; i < 20'000; ++i) {
    if (done()) return true;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return false;
}

}  // namespace spillway
