#include "adapters/openai/endpoint_watch.h"

#include <map>
#include <mutex>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/net/raw_server.h"
#include "tests/net/test_server.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// An engine whose pages a test sets.
class FakeEngine {
 public:
  FakeEngine() {
    for (const char* first : {"health", "metrics", "v1", "api"}) {
      handler_.routes[first] = [this](HttpRequest request, Exchange&) -> Awaitable<HttpAnswer> {
        const std::lock_guard lock(mutex_);
        last_key_ = request.headers.Get("authorization");
        const auto page = pages_.find(request.target);
        co_return page == pages_.end() ? TextResponse(404, "") : TextResponse(200, page->second);
      };
    }
    server_ = StartServer(handler_);
  }
  void Set(const std::string& path, const std::string& page) {
    const std::lock_guard lock(mutex_);
    pages_[path] = page;
  }
  void Remove(const std::string& path) {
    const std::lock_guard lock(mutex_);
    pages_.erase(path);
  }
  std::string last_key() {
    const std::lock_guard lock(mutex_);
    return last_key_;
  }
  std::string url() const { return absl::StrCat("http://127.0.0.1:", server_->port(), "/v1"); }
  ServerStats stats() const { return server_->Stats(); }

 private:
  std::mutex mutex_;
  std::map<std::string, std::string> pages_;  // Guarded by mutex_.
  std::string last_key_;                      // Guarded by mutex_.
  TestHandler handler_;
  std::unique_ptr<Server> server_;
};

// Watches and keeps the last signals of each endpoint.
class Seen {
 public:
  explicit Seen(std::vector<WatchedEndpoint> endpoints, WatchOptions options = Quick()) {
    auto watch = EndpointWatch::Start(std::move(endpoints), options,
                                      [this](std::size_t i, const EndpointSignals& signals) {
                                        const std::lock_guard lock(mutex_);
                                        last_[i] = signals;
                                        ++calls_;
                                      });
    SPILLWAY_CHECK(watch.ok());
    watch_ = *std::move(watch);
  }
  static WatchOptions Quick() {
    WatchOptions options;
    options.metrics = options.health = options.when_down = absl::Milliseconds(5);
    options.models = absl::Milliseconds(20);
    return options;
  }
  EndpointSignals last(std::size_t i = 0) {
    const std::lock_guard lock(mutex_);
    return last_[i];
  }
  template <class F>
  bool Comes(F wanted, std::size_t i = 0) {
    return Eventually([&] { return wanted(last(i)); });
  }

 private:
  std::mutex mutex_;
  std::map<std::size_t, EndpointSignals> last_;  // Guarded by mutex_.
  int calls_ = 0;                                // Guarded by mutex_.
  std::unique_ptr<EndpointWatch> watch_;         // Ends first.
};

WatchedEndpoint At(const std::string& url, std::string_view kind) {
  WatchedEndpoint endpoint;
  endpoint.url = url;
  endpoint.kind = FindEngineKind(kind);
  return endpoint;
}

void Fill(FakeEngine& engine) {
  engine.Set("/health", "");
  engine.Set("/v1/models", R"({"object":"list","data":[{"id":"a"},{"id":"b\/c"}]})");
  engine.Set("/metrics", "vllm:num_requests_running 3\nvllm:num_requests_waiting 1\n");
}

TEST(EndpointWatch, TellsHealthModelsAndLoad) {
  FakeEngine engine;
  Fill(engine);
  Seen seen({At(engine.url(), "vllm")});
  EXPECT_TRUE(seen.Comes([](const EndpointSignals& s) { return s.load.running == 3; }));
  const EndpointSignals got = seen.last();
  EXPECT_TRUE(got.up) << got.why;
  EXPECT_EQ(got.load, (ScrapedLoad{1, 3, {}}));
  ASSERT_TRUE(got.models);
  EXPECT_THAT(*got.models, ElementsAre("a", "b/c"));
  EXPECT_GT(got.at, absl::Now() - absl::Seconds(30));
  engine.Set("/metrics", "vllm:num_requests_running 4\n");
  EXPECT_TRUE(seen.Comes([](const EndpointSignals& s) {
    return s.load == ScrapedLoad{{}, 4, {}};
  }));
  EXPECT_EQ(engine.stats().accepted, 1u);  // All over one connection.
}

TEST(EndpointWatch, AMissingPageIsUnknownAndNoReasonToBeDown) {
  FakeEngine engine;
  Fill(engine);
  Seen seen({At(engine.url(), "vllm")});
  EXPECT_TRUE(seen.Comes([](const EndpointSignals& s) { return s.load.running == 3; }));
  engine.Remove("/metrics");
  EXPECT_TRUE(seen.Comes([](const EndpointSignals& s) { return s.load == ScrapedLoad(); }));
  EXPECT_TRUE(seen.last().up);
}

TEST(EndpointWatch, AnEngineThatIsNotWellIsDownUntilItIs) {
  FakeEngine engine;
  Fill(engine);
  engine.Remove("/health");
  Seen seen({At(engine.url(), "vllm")});
  EXPECT_TRUE(seen.Comes([](const EndpointSignals& s) { return !s.why.empty(); }));
  EXPECT_FALSE(seen.last().up);
  EXPECT_EQ(seen.last().load, ScrapedLoad());
  EXPECT_THAT(seen.last().why, HasSubstr("/health answers 404"));
  engine.Set("/health", "ok");
  EXPECT_TRUE(seen.Comes([](const EndpointSignals& s) { return s.up && s.load.running == 3; }));
  EXPECT_EQ(seen.last().why, "");
}

TEST(EndpointWatch, KeepsEndpointsApart) {
  FakeEngine engine;
  Fill(engine);
  std::uint16_t nobody = 0;
  { nobody = RawServer({}).port(); }
  Seen seen({At(absl::StrCat("http://127.0.0.1:", nobody), "vllm"), At(engine.url(), "vllm")});
  EXPECT_TRUE(seen.Comes([](const EndpointSignals& s) { return s.load.running == 3; }, 1));
  EXPECT_TRUE(seen.Comes([](const EndpointSignals& s) { return !s.why.empty(); }, 0));
  EXPECT_FALSE(seen.last(0).up);
}

TEST(EndpointWatch, GivesUpOnAnEngineThatHangs) {
  RawServer engine({RawServer::kSilence});
  WatchOptions options = Seen::Quick();
  options.timeout = absl::Milliseconds(50);
  Seen seen({At(absl::StrCat("http://127.0.0.1:", engine.port()), "vllm")}, options);
  EXPECT_TRUE(seen.Comes([](const EndpointSignals& s) { return !s.why.empty(); }));
  EXPECT_THAT(seen.last().why, HasSubstr("not in time"));
}

TEST(EndpointWatch, AHostedEngineIsUpWhileItTellsItsModels) {
  FakeEngine engine;
  engine.Set("/v1/models", R"({"data":[{"id":"gpt"}]})");
  WatchedEndpoint endpoint = At(engine.url(), "openai");
  endpoint.key = "sk-canary";
  Seen seen({endpoint});
  EXPECT_TRUE(seen.Comes([](const EndpointSignals& s) { return s.up; }));
  EXPECT_EQ(engine.last_key(), "Bearer sk-canary");
  engine.Set("/v1/models", "<html>");
  EXPECT_TRUE(seen.Comes([](const EndpointSignals& s) { return !s.up; }));
  EXPECT_EQ(seen.last().why.find("canary"), std::string::npos);
}

// A list of models each half minute would find out half a minute late.
TEST(EndpointWatch, WhereOnlyModelsTellOfHealthTheyAreAskedForMoreOften) {
  FakeEngine engine;
  engine.Set("/v1/models", R"({"data":[{"id":"gpt"}]})");
  WatchOptions options = Seen::Quick();
  options.models = absl::Hours(1);
  options.only_models = absl::Milliseconds(20);
  Seen seen({At(engine.url(), "openai")}, options);
  EXPECT_TRUE(seen.Comes([](const EndpointSignals& s) { return s.up; }));
  engine.Remove("/v1/models");
  EXPECT_TRUE(seen.Comes([](const EndpointSignals& s) { return !s.up; }));
  EXPECT_EQ(seen.last().models_why, "GET /v1/models answers 404");
  engine.Set("/v1/models", R"({"data":[{"id":"gpt"}]})");
  EXPECT_TRUE(seen.Comes([](const EndpointSignals& s) { return s.up; }));
  EXPECT_EQ(seen.last().models_why, "");
  EXPECT_LE(WatchOptions().only_models, absl::Seconds(5)) << "as it is served";
}

TEST(EndpointWatch, SaysWhyModelsCannotBeReadOfAnEngineThatIsWell) {
  FakeEngine engine;
  engine.Set("/health", "");
  engine.Set("/v1/models", "<html>");
  Seen seen({At(engine.url(), "vllm")});
  EXPECT_TRUE(seen.Comes([](const EndpointSignals& s) { return s.up && !s.models_why.empty(); }));
}

TEST(EndpointWatch, ReadsOllamasTags) {
  FakeEngine engine;
  engine.Set("/api/tags", R"({"models":[{"name":"qwen2:7b","size":1}]})");
  Seen seen({At(engine.url(), "ollama")});
  EXPECT_TRUE(seen.Comes([](const EndpointSignals& s) { return s.models != nullptr; }));
  EXPECT_THAT(*seen.last().models, ElementsAre("qwen2:7b"));
}

TEST(EndpointWatch, RefusesWhatIsNoUrl) {
  const auto watch = EndpointWatch::Start({At("ftp://x", "vllm")}, {}, [](auto, const auto&) {});
  EXPECT_FALSE(watch.ok());
  EXPECT_THAT(std::string(watch.status().message()), HasSubstr("ftp://x"));
}

}  // namespace
}  // namespace spillway
