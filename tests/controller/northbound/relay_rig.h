#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "tests/controller/northbound/api_rig.h"
#include "tests/support/router_world.h"

// A router in front of engines that say what a test tells them to.
namespace spillway {

class FakeEngine final : public HttpHandler {
 public:
  struct Said {
    int status = 200;
    std::string type = "application/json";
    std::string body;
    std::string retry_after;
    std::string encoding;
  };

  FakeEngine() {
    auto server = Server::Start({}, *this);
    SPILLWAY_CHECK(server.ok());
    server_ = *std::move(server);
  }
  ~FakeEngine() override { server_.reset(); }

  // In turn, the last one again and again.
  void Say(std::deque<Said> answers) {
    const std::lock_guard lock(mutex_);
    answers_ = std::move(answers);
  }
  // Instead of answers: the body of a stream of events.
  void Produce(BodyProducer producer) {
    const std::lock_guard lock(mutex_);
    producer_ = std::move(producer);
  }
  // Bodies of the requests so far.
  std::vector<std::string> asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  std::string url() const { return "http://" + server_->address() + "/v1"; }
  ServerStats stats() const { return server_->Stats(); }

  HeadAnswer OnHead(const HttpRequest&) override { return {.body_limit = 1 << 20, .instead = {}}; }
  Awaitable<HttpAnswer> Handle(HttpRequest request, Exchange&) override {
    HttpResponse response;
    const std::lock_guard lock(mutex_);
    asked_.push_back(request.body);
    if (producer_) {
      response.headers.Add("Content-Type", "text/event-stream");
      co_return HttpAnswer(std::move(response), producer_);
    }
    SPILLWAY_CHECK(!answers_.empty());
    const Said said = answers_.front();
    if (answers_.size() > 1) answers_.pop_front();
    response.status = said.status;
    response.headers.Add("Content-Type", said.type);
    if (!said.retry_after.empty()) response.headers.Add("Retry-After", said.retry_after);
    if (!said.encoding.empty()) response.headers.Add("Content-Encoding", said.encoding);
    response.body = said.body;
    co_return response;
  }

 private:
  std::mutex mutex_;  // guards all below but the server
  std::deque<Said> answers_;
  BodyProducer producer_;
  std::vector<std::string> asked_;
  std::unique_ptr<Server> server_;
};

// Two engines: `small` serves the model of that name for little money a token, `big` (NVIDIA) its
// own for ten times as much.
class RelayRig {
 public:
  RelayRig() : world_({Pool("small", ""), Pool("big", "nvidia")}) { rig_.Start(); }

  static constexpr std::int64_t kMicro = 1'000'000'000;  // a dollar a million tokens

  // From now on; `change` changes what is known of the fleet.
  void Publish() {
    world_.inputs.id = EventNumber{++version_};
    rig_.api().dispatcher()->SetEngine({PoolId{0}, 0}, Address(small));
    rig_.api().dispatcher()->SetEngine({PoolId{1}, 0}, Address(big));
    rig_.api().dispatcher()->Publish(world_.Inputs());
  }
  Received Ask(const std::string& body, const std::string& target = "/v1/chat/completions") {
    return rig_.Post(target, body);
  }
  // What is kept of a request, once it is booked; null if it never is.
  Value Record(std::string_view id) {
    const std::string target = "/api/v1/decisions/" + std::string(id);
    for (int i = 0; i < 2000; ++i) {
      auto got = rig_.NewClient().Get(target);
      SPILLWAY_CHECK(got.ok());
      if (got->status == 200) return *rig_.Get(target).json.Find("request");
      absl::SleepFor(absl::Milliseconds(5));
    }
    return {};
  }

  std::uint16_t port() const {
    const std::string address = rig_.address();
    return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  }

  static EngineAddress Address(const FakeEngine& engine) {
    auto url = ParseBaseUrl(engine.url());
    SPILLWAY_CHECK(url.ok());
    auto origin = MakeUpstreamOrigin(*std::move(url), {});
    SPILLWAY_CHECK(origin.ok());
    return {.origin = *std::move(origin), .upstream = {}};
  }

  FakeEngine small, big;
  ApiRig& api() { return rig_; }
  fixtures::RouterWorld& world() { return world_; }

 private:
  static PoolSpec Pool(const std::string& name, std::string vendor) {
    PoolSpec pool = fixtures::UrlPool(name, 1, {name});
    pool.vendor = std::move(vendor);
    pool.billing = Billing::kToken;
    const std::int64_t times = name == "big" ? 10 : 1;
    pool.price = {.input = UsdPerMtoken(times * kMicro),
                  .output = UsdPerMtoken(2 * times * kMicro)};
    return pool;
  }

  ApiRig rig_;
  fixtures::RouterWorld world_;
  std::uint64_t version_ = 1000;
};

}  // namespace spillway
