#include "performance/kv_blocks.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/performance/engine_world.h"

namespace spillway {
namespace {

using Found = KvBlocks::Found;
using Hashes = std::vector<std::uint64_t>;

// A sequence that computes all of its prompt, and leaves.
void Serve(KvBlocks& blocks, const Hashes& prefix, std::int64_t piece) {
  blocks.Take(static_cast<std::int64_t>(prefix.size()) * piece);
  for (const std::uint64_t hash : prefix) blocks.Keep(hash);
  blocks.Leave(prefix);
}

TEST(KvBlocks, WhatNobodyUsesStaysAndIsAvailable) {
  KvBlocks blocks(10, 2);
  Serve(blocks, {1, 2, 3}, 2);
  EXPECT_EQ(blocks.available(), 10);
  EXPECT_EQ(blocks.Find(Hashes{1, 2, 3, 4}), (Found{3, 0}));
  EXPECT_EQ(blocks.Find(Hashes{1, 9, 3}), (Found{1, 0}));  // the beginning only
  EXPECT_EQ(blocks.Find(Hashes{9}), Found{});
  blocks.Use(1);
  EXPECT_EQ(blocks.available(), 8);
  EXPECT_EQ(blocks.Find(Hashes{1, 2}), (Found{2, 1}));
}

TEST(KvBlocks, TheOneLongestOutOfUseIsForgottenFirstAndLastPiecesBeforeFirstOnes) {
  KvBlocks blocks(8, 2);
  Serve(blocks, {1, 2}, 2);
  Serve(blocks, {11, 12}, 2);
  blocks.Take(1);
  EXPECT_EQ(blocks.Find(Hashes{1, 2}), (Found{1, 0}));  // 2 went, and left a block over
  EXPECT_EQ(blocks.available(), 7);
  blocks.Take(1);
  EXPECT_EQ(blocks.Find(Hashes{1}), (Found{1, 0}));
  blocks.Use(1);
  blocks.Leave(Hashes{1});  // now 11 and 12 are the older ones
  blocks.Take(1);
  EXPECT_EQ(blocks.Find(Hashes{11, 12}), (Found{1, 0}));
  EXPECT_EQ(blocks.Find(Hashes{1}), (Found{1, 0}));
  blocks.Take(5);
  EXPECT_EQ(blocks.available(), 0);
  EXPECT_EQ(blocks.Find(Hashes{1}), Found{});
  blocks.Return(8);
  EXPECT_EQ(blocks.available(), 8);
}

TEST(KvBlocks, WhatTwoComputeAtOnceIsKeptOnce) {
  KvBlocks blocks(8, 2);
  blocks.Take(4);  // two pieces, of two sequences
  blocks.Keep(5);
  EXPECT_EQ(blocks.available(), 4);
  blocks.Keep(5);
  EXPECT_EQ(blocks.available(), 6);
  blocks.Leave(Hashes{5});
  EXPECT_EQ(blocks.Find(Hashes{5}), (Found{1, 1}));
  blocks.Leave(Hashes{5});
  EXPECT_EQ(blocks.Find(Hashes{5}), (Found{1, 0}));
  EXPECT_EQ(blocks.available(), 8);
}

// The engine with it: beginnings that come again are not computed again.
class PrefixEngine : public testing::Test {
 protected:
  PrefixEngine() {
    limits.max_sequences = 8;
    limits.step_tokens = 1000;
    limits.kv_blocks = 100;
    limits.prefix_tokens = 32;
  }
  Engine Make() const {
    return Engine(std::make_shared<AffineTimes>(absl::Milliseconds(1), absl::Milliseconds(1),
                                                absl::Milliseconds(1)),
                  limits);
  }
  // Alone, to its end; how long it took.
  absl::Duration Serve(Engine& engine, std::int64_t prompt, std::int64_t output) {
    const absl::Time begin = now;
    engine.Add({++id, prompt, output, prefix}, now);
    while (engine.NextStepEnd(now) != absl::InfiniteFuture()) {
      now = engine.NextStepEnd(now);
      engine.EndStep(now, out);
    }
    return now - begin;
  }

  EngineLimits limits;
  Hashes prefix = {1, 2, 3};
  std::vector<StepOutput> out;
  absl::Time now = absl::UnixEpoch();
  std::uint64_t id = 0;
};

TEST_F(PrefixEngine, WhatIsThereCountsAsComputed) {
  Engine engine = Make();
  EXPECT_EQ(Serve(engine, 100, 1), absl::Milliseconds(101));
  EXPECT_EQ(engine.gauges().kv_blocks_used, 0);
  EXPECT_EQ(Serve(engine, 100, 1), absl::Milliseconds(1 + 4));
  EXPECT_EQ(engine.gauges().prompt_tokens, 104);
  EXPECT_EQ(engine.gauges().prefix_tokens, 96);
  // Another end behind the same beginning.
  prefix = {1, 2, 77};
  EXPECT_EQ(Serve(engine, 100, 1), absl::Milliseconds(1 + 36));
}

TEST_F(PrefixEngine, TheLastTokenIsAlwaysComputed) {
  Engine engine = Make();
  Serve(engine, 96, 1);
  EXPECT_EQ(Serve(engine, 96, 1), absl::Milliseconds(1 + 32));
}

TEST_F(PrefixEngine, AnswersAreFoundOnceTheirSequenceHasLeft) {
  Engine engine = Make();
  Serve(engine, 60, 40);  // 99 tokens in the cache at its end: three pieces
  EXPECT_EQ(Serve(engine, 100, 1), absl::Milliseconds(1 + 4));
}

TEST_F(PrefixEngine, WithoutPiecesNothingIsKept) {
  limits.prefix_tokens = 0;
  Engine engine = Make();
  Serve(engine, 100, 1);
  EXPECT_EQ(Serve(engine, 100, 1), absl::Milliseconds(101));
  EXPECT_EQ(engine.gauges().prefix_tokens, 0);
}

TEST_F(PrefixEngine, SequencesThatRunAtOnceShareTheirBlocks) {
  Engine engine = Make();
  engine.Add({1, 100, 50, prefix}, now);
  now = engine.NextStepEnd(now);
  engine.EndStep(now, out);
  engine.Add({2, 100, 50, prefix}, now);
  engine.NextStepEnd(now);
  // 7 blocks of the first one's prompt, of which the second has 6 in common, and takes 1.
  EXPECT_EQ(engine.gauges().kv_blocks_used, 8);
  engine.Cancel(1);
  EXPECT_EQ(engine.gauges().kv_blocks_used, 7);
}

}  // namespace
}  // namespace spillway
