#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "controller/northbound/api.h"
#include "formats/value.h"
#include "net/client.h"
#include "net/server.h"
#include "net/sse.h"
#include "tests/controller/host_rig.h"
#include "tests/controller/northbound/openapi_check.h"

namespace spillway {

struct Received {
  int status = 0;
  Headers headers;
  std::string body;
  Value json;  // null if the body is none
  std::string Text(std::string_view key) const {
    const Value* value = json.is_map() ? json.Find(key) : nullptr;
    return value != nullptr && !value->is_map() && !value->is_list() ? value->text() : "";
  }
};

// The whole northbound side over real HTTP on the loopback. Every answer is held against
// openapi.yaml.
class ApiRig {
 public:
  explicit ApiRig(HostOptions options = {.snapshot_period = absl::ZeroDuration()},
                  ApiLimits limits = {})
      : rig_(options, &observer_), limits_(limits) {
    rig_.config()->catalog.devices["nvidia-l4-24g"] = {.name = "nvidia-l4-24g",
                                                       .kind = DeviceKind::kGpu,
                                                       .vendor = "nvidia",
                                                       .memory = fixtures::GiB(24)};
  }
  ~ApiRig() {
    server_.reset();
    observer_.Stop();
    dispatcher_.reset();
    rig_.Crash();
  }

  void Start() {
    rig_.Start();
    dispatcher_ =
        std::make_unique<Dispatcher>(Dispatcher::Options(), rig_.host().clock(), rig_.host());
    dispatcher_->Start(1);
    api_ =
        std::make_unique<Api>(rig_.host(), *dispatcher_, observer_, metrics_, Machine{}, limits_);
    api_->SetReady(true);
    observer_.Attach(rig_.host(), *dispatcher_);
    api_->SetPulse(&observer_);
    auto server = Server::Start({}, *api_);
    SPILLWAY_CHECK(server.ok());
    server_ = *std::move(server);
  }

  Received Send(Method method, const std::string& target, std::string body = "",
                Headers headers = {}) {
    auto client = NewClient();
    ClientRequest request{.method = method, .target = target, .headers = std::move(headers)};
    request.body = std::move(body);
    if (!request.body.empty() && !request.headers.Find("Content-Type"))
      request.headers.Add("Content-Type", "application/json");
    auto response = client.Send(std::move(request));
    EXPECT_TRUE(response.ok()) << response.status();
    if (!response.ok()) return {};
    return Receive(method, target, *std::move(response));
  }
  Received Get(const std::string& target, Headers headers = {}) {
    return Send(Method::kGet, target, "", std::move(headers));
  }
  Received Post(const std::string& target, std::string body = "", Headers headers = {}) {
    return Send(Method::kPost, target, std::move(body), std::move(headers));
  }
  // Submits, and gives the id.
  std::string Submit(const std::string& body) {
    const Received received = Post("/api/v1/jobs", body);
    EXPECT_EQ(received.status, 201) << received.body;
    return received.Text("id");
  }

  Client NewClient() {
    auto client = Client::ForUrl("http://" + server_->address());
    SPILLWAY_CHECK(client.ok());
    return *std::move(client);
  }

  // Events of a stream, gathered by a thread of its own until `enough` or the end.
  class Stream {
   public:
    Stream(Client client, std::string target, Headers headers)
        : thread_([this, client = std::make_shared<Client>(std::move(client)), target,
                   headers = std::move(headers)] {
            SseParser parser;
            ClientRequest request{.target = target, .headers = headers};
            auto response = client->Stream(std::move(request), [&](std::string_view bytes) {
              const std::lock_guard lock(mutex_);
              raw_ += bytes;
              EXPECT_TRUE(parser.Feed(bytes).ok());
              while (auto event = parser.Next()) events_.push_back(*std::move(event));
              return !stop_;
            });
            const std::lock_guard lock(mutex_);
            status_ = response.ok() ? response->status : -1;
            over_ = true;
          }) {}
    ~Stream() { thread_.join(); }

    // Waits until `enough` says so of what came; false after 10 s.
    bool Until(const std::function<bool(const std::vector<SseEvent>&)>& enough) {
      for (int i = 0; i < 2000; ++i) {
        {
          const std::lock_guard lock(mutex_);
          if (enough(events_)) return true;
          if (over_) return enough(events_);
        }
        absl::SleepFor(absl::Milliseconds(5));
      }
      return false;
    }
    bool UntilOver() {
      for (int i = 0; i < 2000; ++i) {
        {
          const std::lock_guard lock(mutex_);
          if (over_) return true;
        }
        absl::SleepFor(absl::Milliseconds(5));
      }
      return false;
    }
    std::vector<SseEvent> events() {
      const std::lock_guard lock(mutex_);
      return events_;
    }
    std::string raw() {
      const std::lock_guard lock(mutex_);
      return raw_;
    }
    int status() {
      const std::lock_guard lock(mutex_);
      return status_;
    }
    void Stop() {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }

   private:
    std::mutex mutex_;
    std::string raw_;
    std::vector<SseEvent> events_;
    bool stop_ = false, over_ = false;
    int status_ = 0;
    std::thread thread_;
  };
  std::unique_ptr<Stream> Open(const std::string& target, Headers headers = {}) {
    return std::make_unique<Stream>(NewClient(), target, std::move(headers));
  }

  // Ends the server as SIGTERM does.
  bool Drain(absl::Duration grace = absl::Seconds(10)) { return server_->Drain(grace); }
  void EndServer() { server_.reset(); }

  HostRig& rig() { return rig_; }
  Host& host() { return rig_.host(); }
  Api& api() { return *api_; }
  Pulse& pulse() { return observer_; }
  FakeAdapter& process() { return rig_.process(); }
  std::string address() const { return server_->address(); }

  static JobId IdOf(const std::string& name) { return ParseJobId(name).value_or(JobId{}); }
  static constexpr const char* kLocal =
      R"({"run":{"command":["true"]},"needs":{"sites":["office"]}})";

 private:
  class NoMetrics final : public MetricsText {
   public:
    std::string Render() override { return "# nothing\n"; }
  };

  Received Receive(Method method, const std::string& target, HttpResponse response) {
    Received received{response.status, std::move(response.headers), std::move(response.body), {}};
    if (auto json = ParseJson(received.body); json.ok()) received.json = *std::move(json);
    const std::string path = target.substr(0, target.find('?'));
    std::vector<std::string> parts;
    for (std::size_t at = 1; at <= path.size() && path != "/";) {
      const std::size_t slash = std::min(path.find('/', at), path.size());
      parts.push_back(path.substr(at, slash - at));
      at = slash + 1;
    }
    const Match match = FindRoute(method, parts);
    if (match.route != nullptr && method != Method::kHead) {
      const std::lock_guard lock(checking_);
      for (const std::string& complaint :
           openapi_.Complaints(MethodName(method), match.route->pattern, received.status,
                               received.headers.Get("Content-Type"), received.body)) {
        ADD_FAILURE() << MethodName(method) << " " << target << " " << received.status << ": "
                      << complaint << "\n"
                      << received.body;
      }
    }
    return received;
  }

  std::mutex checking_;  // regular expressions of libstdc++ share a table that they fill in
  OpenapiFile openapi_;
  Pulse observer_{{.fresh = absl::ZeroDuration()}};
  NoMetrics metrics_;
  HostRig rig_;
  ApiLimits limits_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<Server> server_;
};

}  // namespace spillway
