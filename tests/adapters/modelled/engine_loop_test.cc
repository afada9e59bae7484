#include "adapters/modelled/engine_loop.h"

#include <condition_variable>
#include <mutex>

#include <gtest/gtest.h>

#include "tests/adapters/modelled/engine_rig.h"
#include "tests/net/test_server.h"

namespace spillway::modelled {
namespace {

class Bell final : public Waker {
 public:
  void Wake() override {
    const std::lock_guard lock(mutex_);
    ++rings_;
    rang_.notify_all();
  }
  template <class F>
  bool WaitUntil(F done) {
    std::unique_lock lock(mutex_);
    return rang_.wait_for(lock, std::chrono::seconds(20), done);
  }
  int rings() {
    const std::lock_guard lock(mutex_);
    return rings_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable rang_;
  int rings_ = 0;
};

std::shared_ptr<const StepTimes> Steps(absl::Duration step) {
  return std::make_shared<EvenSteps>(step);
}
constexpr EngineLimits kLimits{.max_sequences = 4, .kv_blocks = 100, .max_waiting = 8};

TEST(EngineLoop, GivesEveryTokenOnce) {
  EngineLoop loop(Steps(kAtOnce), kLimits);
  const auto bell = std::make_shared<Bell>();
  const auto flow = *loop.Submit({{10, 5}, {10, 9}}, true, bell);
  EXPECT_TRUE(bell->WaitUntil([&] { return flow->over(); }));
  EXPECT_EQ(flow->given(0), 5);
  EXPECT_EQ(flow->given(1), 9);
  EXPECT_EQ(bell->rings(), 9);  // once a step, whoever got a token in it
}

TEST(EngineLoop, RingsOnceForWhoWantsTheWhole) {
  EngineLoop loop(Steps(kAtOnce), kLimits);
  const auto bell = std::make_shared<Bell>();
  const auto flow = *loop.Submit({{10, 5}, {10, 9}}, false, bell);
  EXPECT_TRUE(bell->WaitUntil([&] { return flow->over(); }));
  EXPECT_EQ(bell->rings(), 1);
}

TEST(EngineLoop, AFlowThatEndsFreesItsPlace) {
  EngineLoop loop(Steps(kNever), kLimits);
  const auto bell = std::make_shared<Bell>();
  std::vector<std::unique_ptr<TokenFlow>> flows;
  for (int i = 0; i < 8; ++i) flows.push_back(*loop.Submit({{10, 5}}, true, bell));
  EXPECT_TRUE(Eventually([&] { return loop.Look().gauges.running > 0; }));
  flows.clear();
  EXPECT_EQ(loop.Look().gauges.running, 0);
  EXPECT_EQ(loop.Look().gauges.waiting, 0);
  EXPECT_EQ(loop.Look().gauges.kv_blocks_used, 0);
  EXPECT_EQ(loop.Look().aborted, 8u);
}

TEST(EngineLoop, TakesAllSequencesOfARequestOrNone) {
  EngineLoop loop(Steps(kNever), kLimits);
  const auto bell = std::make_shared<Bell>();
  const auto first = *loop.Submit({{10, 5}}, true, bell);
  EXPECT_TRUE(Eventually([&] { return loop.Look().gauges.running == 1; }));
  const auto most = loop.Submit(std::vector<SequencePlan>(7, {10, 5}), true, bell);
  ASSERT_TRUE(most.ok());
  const auto full = loop.Submit({{10, 5}, {10, 5}}, true, bell);
  EXPECT_EQ(full.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(loop.Look().gauges.waiting, 7);
  const auto large = loop.Submit({{10'000, 5}}, true, bell);
  EXPECT_EQ(large.status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(loop.Look().aborted, 0u);  // nobody left: they never came in
}

// Times between tokens are those of the steps, not those of a timer that fires early or late: none
// is shorter, and only after the machine stood still is one longer.
TEST(EngineLoop, TimesTokensByTheStepsOfTheEngine) {
  EngineLoop loop(Steps(absl::Milliseconds(12)), kLimits);
  const auto bell = std::make_shared<Bell>();
  const auto flow = *loop.Submit({{10, 20}}, false, bell);
  EXPECT_TRUE(bell->WaitUntil([&] { return flow->over(); }));
  std::string page;
  loop.Look().between_tokens.Write("h", "", "", page);
  EXPECT_NE(page.find("h_bucket{le=\"0.01\",} 0\n"), page.npos) << page;
  EXPECT_NE(page.find("h_count{} 19\n"), page.npos) << page;
}

TEST(EngineLoop, AnEmbeddingHasOneOutputAndNoTokens) {
  EngineLoop loop(Steps(kAtOnce), kLimits);
  const auto bell = std::make_shared<Bell>();
  const auto flow = *loop.Submit({{10, 0}}, false, bell);
  EXPECT_TRUE(bell->WaitUntil([&] { return flow->over(); }));
  EXPECT_EQ(loop.Look().generation_tokens, 0u);
  EXPECT_EQ(loop.Look().prompt_tokens, 10u);
}

}  // namespace
}  // namespace spillway::modelled
