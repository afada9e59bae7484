#include "performance/engine_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/performance/engine_world.h"

namespace spillway {
namespace {

constexpr double kGib = 1024.0 * 1024 * 1024;
double Gib(Bytes bytes) { return static_cast<double>(bytes.value()) / kGib; }

TEST(EngineMemory, WhatWeightsAndStepsLeaveIsForKeysAndValues) {
  const Catalog world = World();
  const auto memory = MemoryOf(world, PoolOf(Gpu()), Serving("llama"));
  ASSERT_TRUE(memory.ok()) << memory.status();
  EXPECT_NEAR(Gib(memory->usable), 24 * 0.9, 1e-6);
  EXPECT_EQ(memory->weights, Bytes(2 * 6738415616));
  EXPECT_NEAR(Gib(memory->activations), 5.5 * 24 / 80, 1e-6);
  EXPECT_NEAR(Gib(memory->runtime), 0.15, 1e-6);
  EXPECT_EQ(memory->kv_block, Bytes(16 * 524288));  // 512 KiB a token
  const Bytes rest = memory->usable - memory->weights - memory->activations - memory->runtime;
  EXPECT_EQ(memory->kv_blocks, rest.value() / (16 * 524288));
  EXPECT_TRUE(memory->fits());
}

TEST(EngineMemory, SevenBillionIn16BitsDoNotFitIn8Gb) {
  const Catalog world = World();
  const PoolSpec small = PoolOf(Gpu("small", 70, 600, 8));
  const auto memory = MemoryOf(world, small, Serving("llama"));
  ASSERT_TRUE(memory.ok());
  EXPECT_FALSE(memory->fits());
  EXPECT_EQ(memory->kv_blocks, 0);
  EXPECT_NEAR(Gib(memory->found), 7.2, 1e-6);
  EXPECT_GT(Gib(memory->wanted), 13.5);
  const auto limits = LimitsFor(world, small, Serving("llama"));
  EXPECT_EQ(limits.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(limits.status().message()),
              testing::HasSubstr("`llama` does not fit: it wants 14.27 GiB"));
  EXPECT_THAT(std::string(limits.status().message()), testing::HasSubstr("found 7.20 GiB"));
  EXPECT_TRUE(LimitsFor(world, small, Serving("llama", Precision::kInt4)).ok());
}

TEST(EngineMemory, AMeasuredCountOfBlocksWins) {
  Catalog world = World();
  ServeSpec serve = Serving("llama");
  EngineProfile profile;
  profile.device = "gpu";
  profile.model = "llama";
  profile.decode = {{1, absl::Milliseconds(30)}};
  profile.kv_blocks = 777;
  profile.max_sequences = 5;
  world.profiles = {profile};
  EXPECT_EQ(MemoryOf(world, PoolOf(Gpu()), serve)->kv_blocks, 777);
  EXPECT_EQ(LimitsFor(world, PoolOf(Gpu()), serve)->max_sequences, 5);
  serve.kv_blocks = 555;
  serve.max_sequences = 7;
  EXPECT_EQ(MemoryOf(world, PoolOf(Gpu()), serve)->kv_blocks, 555);
  EXPECT_EQ(LimitsFor(world, PoolOf(Gpu()), serve)->max_sequences, 7);
  EXPECT_TRUE(LimitsFor(world, PoolOf(Gpu("small", 70, 600, 8)), serve).ok());  // believed
}

TEST(EngineMemory, CpusUseTheMemoryOfTheNode) {
  const Catalog world = World();
  PoolSpec pool = PoolOf(Cpu());
  pool.node = {.cpus = MilliCpus(32'000), .memory = Bytes(64ll << 30)};
  ServeSpec half = Serving("llama");
  half.cpus = MilliCpus(16'000);
  EXPECT_NEAR(Gib(MemoryOf(world, pool, Serving("llama"))->usable), 57.6, 1e-6);
  EXPECT_NEAR(Gib(MemoryOf(world, pool, half)->usable), 28.8, 1e-6);
  const auto limits = LimitsFor(world, pool, half);
  ASSERT_TRUE(limits.ok());
  EXPECT_EQ(limits->max_sequences, 16);
  EXPECT_EQ(limits->step_tokens, 512);
  EXPECT_EQ(limits->context, 4096);
}

TEST(EngineMemory, DevicesAddUpAndFewHeadsAreHeldOnEach) {
  const Catalog world = World();
  const Device big = Gpu("big", 989, 3350, 80);
  EXPECT_FALSE(MemoryOf(world, PoolOf(big), Serving("mixture"))->fits());
  const auto two = MemoryOf(world, PoolOf(big, 2), Serving("mixture"));
  EXPECT_TRUE(two->fits());
  EXPECT_NEAR(Gib(two->usable), 144, 1e-6);
  EXPECT_NEAR(Gib(two->runtime), 1.2, 1e-6);
  // 8 KV heads on 16 devices: each stands on two of them.
  EXPECT_EQ(MemoryOf(world, PoolOf(big, 16), Serving("mixture"))->kv_block, two->kv_block * 2);
  ServeSpec nodes = Serving("mixture");
  nodes.nodes = 2;
  EXPECT_NEAR(Gib(MemoryOf(world, PoolOf(big), nodes)->usable), 144, 1e-6);
}

TEST(EngineMemory, NamesWhatTheCatalogueLacks) {
  const Catalog world = World();
  EXPECT_EQ(MemoryOf(world, PoolOf(Gpu()), Serving("other")).status(),
            absl::NotFoundError("the catalogue has no model `other`"));
  PoolSpec pool = PoolOf(Gpu());
  pool.device = "";
  EXPECT_EQ(LimitsFor(world, pool, Serving("llama")).status(),
            absl::NotFoundError("pool `gpu-pool` names no device"));
}

}  // namespace
}  // namespace spillway
