#include "performance/step_time.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "performance/fabric.h"
#include "performance/roofline.h"
#include "tests/performance/engine_world.h"

namespace spillway {
namespace {

StepBatch Decodes(int n, std::int64_t context) {
  return {.decodes = n, .decode_context = n * context};
}
StepBatch Prompt(std::int64_t tokens, std::int64_t cached = 0) {
  StepBatch batch;
  batch.AddChunk(tokens, cached);
  return batch;
}
double Ms(const StepTimes& times, const StepBatch& batch) {
  return absl::ToDoubleMilliseconds(times.Of(batch));
}
std::shared_ptr<const StepTimes> On(const Catalog& catalog, const PoolSpec& pool,
                                    const ServeSpec& serve = Serving("llama")) {
  auto times = StepTimesFor(catalog, pool, serve);
  EXPECT_NE(times, nullptr);
  return times;
}

TEST(Roofline, DecodeIsTheWeightsOverTheBandwidth) {
  const Catalog world = World();
  const auto times = On(world, PoolOf(Gpu()));
  // Layers 32 x (4 x 4096^2 + 3 x 4096 x 11008) and the head 4096 x 32000, two bytes each; the keys
  // and values of 1000 tokens and the new one, 512 KiB each; 0.71 of 600 GB/s; overheads.
  const double bytes =
      2.0 * (32 * (4.0 * 4096 * 4096 + 3.0 * 4096 * 11008) + 4096.0 * 32000) + 1001 * 524288.0;
  const double wanted = bytes / (0.71 * 600e9) + 126e-6 + 32 * 32e-6 + 4e-6;
  EXPECT_NEAR(Ms(*times, Decodes(1, 1000)), wanted * 1e3, 1e-5);
  EXPECT_EQ(times->basis(), Basis::kRoofline);
}

TEST(Roofline, PrefillIsTheArithmeticOverThePeak) {
  const Catalog world = World();
  const auto times = On(world, PoolOf(Gpu()));
  const double layers = 2.0 * 32 * (4.0 * 4096 * 4096 + 3.0 * 4096 * 11008);
  const double pairs = 2048.0 * 2047 / 2;
  const double flops = 2048 * layers + 2 * 4096.0 * 32000 + pairs * 32 * 32 * (4 * 128 + 5);
  EXPECT_NEAR(Ms(*times, Prompt(2048)), (flops / (0.38 * 70e12) + 126e-6 + 32 * 32e-6 + 4e-6) * 1e3,
              1e-5);
}

TEST(Roofline, AChunkReadsWhatLiesBeforeIt) {
  const auto times = On(World(), PoolOf(Gpu()));
  // One token behind 4000 others, of a prompt or of an answer: the same bytes.
  EXPECT_NEAR(Ms(*times, Prompt(1, 4000)), Ms(*times, Decodes(1, 4000)), 1e-6);
  EXPECT_GT(Ms(*times, Prompt(1, 4000)), Ms(*times, Prompt(1)) + 4);
}

TEST(Roofline, GoesTheRightWay) {
  const Catalog world = World();
  const auto small = On(world, PoolOf(Gpu())), big = On(world, PoolOf(Gpu("big", 989, 3350, 80))),
             cpu = On(world, PoolOf(Cpu()));
  for (const StepBatch& batch : {Decodes(1, 500), Decodes(32, 500), Prompt(16), Prompt(2048)}) {
    EXPECT_LT(big->Of(batch), small->Of(batch));
    EXPECT_LT(small->Of(batch), cpu->Of(batch));
  }
  for (const auto& times : {small, big, cpu}) {
    EXPECT_GT(times->Of(Decodes(8, 2000)), times->Of(Decodes(8, 1000)));
    EXPECT_GT(times->Of(Decodes(9, 1000)), times->Of(Decodes(8, 1000)));
    EXPECT_GT(times->Of(Prompt(1000, 4000)), times->Of(Prompt(1000)));
    EXPECT_GT(times->Of(Prompt(1001)), times->Of(Prompt(1000)));
    EXPECT_EQ(times->Of({}), absl::ZeroDuration());
    // Batching pays: 8 sequences in one step are much faster than one after the other.
    EXPECT_LT(times->Of(Decodes(8, 500)), 4 * times->Of(Decodes(1, 500)));
  }
}

TEST(Roofline, FewerBitsReadFasterAndComputeFasterOnlyWhereTheDeviceCan) {
  Catalog world = World();
  const PoolSpec pool = PoolOf(Gpu());
  const auto bf16 = On(world, pool), int8 = On(world, pool, Serving("llama", Precision::kInt8)),
             int4 = On(world, pool, Serving("llama", Precision::kInt4));
  EXPECT_LT(int8->Of(Decodes(1, 10)), bf16->Of(Decodes(1, 10)));
  EXPECT_LT(int4->Of(Decodes(1, 10)), int8->Of(Decodes(1, 10)));
  EXPECT_EQ(int8->Of(Prompt(2048)), bf16->Of(Prompt(2048)));  // computed in bf16
  world.devices["gpu"].peak[Precision::kInt8] = OpsPerSecond(140e12);
  EXPECT_LT(On(world, pool, Serving("llama", Precision::kInt8))->Of(Prompt(2048)),
            bf16->Of(Prompt(2048)));
}

TEST(Roofline, NoStepsWhereNothingCanBeComputed) {
  Catalog world = World();
  PoolSpec pool = PoolOf(Gpu());
  world.devices["gpu"].peak = {{Precision::kInt8, OpsPerSecond(20e12)}};
  EXPECT_EQ(StepTimesFor(world, pool, Serving("llama")), nullptr);
  EXPECT_NE(StepTimesFor(world, pool, Serving("llama", Precision::kInt8)), nullptr);
  EXPECT_NE(StepTimesFor(world, pool, Serving("llama", Precision::kInt4)), nullptr);
  EXPECT_EQ(StepTimesFor(world, pool, Serving("other")), nullptr);
  pool.device = "";
  EXPECT_EQ(StepTimesFor(world, pool, Serving("llama", Precision::kInt8)), nullptr);
}

TEST(Roofline, AMixtureReadsTheExpertsThatItsTokensTouch) {
  const Catalog world = World();
  const auto times = On(world, PoolOf(Gpu("big", 989, 3350, 80), 2), Serving("mixture"));
  // One token touches 2 of 8 experts, many touch all.
  const double one = Ms(*times, Decodes(1, 1)), many = Ms(*times, Decodes(32, 1));
  EXPECT_GT(many / one, 2.5);
  EXPECT_LT(many / one, 4);
  const double expert = 2.0 * 32 * 3 * 4096 * 14336;
  const double rate = 0.71 * 3350e9 * 2 * Efficiency(kLossOverPcie, 2);
  const double rest = 2.0 * (32 * (2.0 * 4096 * 4096 + 2.0 * 4096 * 1024) + 4096.0 * 32000);
  const double kv = 2 * 2.0 * 32 * 1024;  // of one token
  EXPECT_NEAR(one, ((2 * expert + rest + 2 * kv) / rate + 126e-6 + 32 * 32e-6 + 4e-6) * 1e3, 1e-4);
  EXPECT_NEAR(Ms(*times, Decodes(2, 0)) - one, (8 * expert * (0.75 - 0.75 * 0.75) / rate) * 1e3,
              0.01 * one);
}

TEST(Roofline, SlicesOfACpuShareItsBandwidth) {
  const Catalog world = World();
  PoolSpec pool = PoolOf(Cpu());
  pool.node = {.cpus = MilliCpus(64'000), .memory = Bytes(128ll << 30)};
  ServeSpec part = Serving("llama");
  part.cpus = MilliCpus(16'000);
  const auto whole = On(world, pool), quarter = On(world, pool, part);
  EXPECT_NEAR(Ms(*quarter, Decodes(1, 100)) / Ms(*whole, Decodes(1, 100)), 4, 0.1);
}

TEST(StepTimesFor, SpeedDividesEveryTimeAndTrustCosts) {
  Catalog world = World();
  PoolSpec fast = PoolOf(Gpu()), trusted = PoolOf(Gpu());
  fast.speed = 20;
  trusted.confidential = {"tdx"};
  const auto plain = On(world, PoolOf(Gpu()));
  for (const StepBatch& batch : {Decodes(1, 500), Decodes(64, 100), Prompt(777, 50)}) {
    const double ms = Ms(*plain, batch);
    EXPECT_NEAR(Ms(*On(world, fast), batch), ms / 20, 1e-5);
    EXPECT_NEAR(Ms(*On(world, trusted), batch), ms * 1.08, 1e-5);
  }
}

TEST(Fabric, FourNodesReachWhatWasMeasured) {
  PoolSpec pool = PoolOf(Gpu());
  EXPECT_NEAR(EfficiencyOverNodes(pool, 4), 0.50, 1e-12);
  EXPECT_EQ(EfficiencyOverNodes(pool, 1), 1);
  pool.features = {"rdma"};
  EXPECT_NEAR(EfficiencyOverNodes(pool, 4), 0.84, 1e-12);
  EXPECT_GT(EfficiencyOverNodes(pool, 2), 0.9);
  pool.labels["fabric"] = "vpc";
  EXPECT_NEAR(EfficiencyOverNodes(pool, 4), 0.50, 1e-12);
  pool.features.clear();
  pool.labels["fabric"] = "rdma";
  EXPECT_NEAR(EfficiencyOverNodes(pool, 4), 0.84, 1e-12);
  for (int n = 2; n < 64; ++n) {  // each further node helps a little, and wastes more
    EXPECT_LT(EfficiencyOverNodes(pool, n), EfficiencyOverNodes(pool, n - 1));
    EXPECT_GT(n * EfficiencyOverNodes(pool, n), (n - 1) * EfficiencyOverNodes(pool, n - 1));
  }
  Device linked = Gpu();
  linked.features = {"nvlink"};
  EXPECT_GT(EfficiencyInNode(linked, 8), EfficiencyInNode(Gpu(), 8));
  EXPECT_EQ(EfficiencyInNode(Cpu(), 8), 1);
}

TEST(Fabric, ReplicasOverNodesUseIt) {
  const Catalog world = World();
  ServeSpec four = Serving("llama");
  four.nodes = 4;
  const auto one = On(world, PoolOf(Gpu())), over = On(world, PoolOf(Gpu()), four);
  const double overhead = 126e-3 + 32 * 32e-3 + 4e-3;  // not shared out
  EXPECT_NEAR((Ms(*over, Prompt(2048)) - overhead) * 4 * 0.5, Ms(*one, Prompt(2048)) - overhead,
              1e-4);
}

// ---- Measured tables.

EngineProfile Measured() {
  EngineProfile p;
  p.device = "gpu";
  p.model = "llama";
  p.prefill = {{100, absl::Milliseconds(50)}, {1000, absl::Milliseconds(140)}};
  p.decode = {{1, absl::Milliseconds(30)}, {9, absl::Milliseconds(46)}};
  p.decode_context = 500;
  return p;
}
Catalog MeasuredWorld(const EngineProfile& profile = Measured()) {
  Catalog world = World();
  world.profiles = {profile};
  return world;
}

TEST(Profile, IsLinearBetweenItsPoints) {
  const Catalog world = MeasuredWorld();
  const auto times = On(world, PoolOf(Gpu()));
  EXPECT_EQ(times->basis(), Basis::kProfile);
  EXPECT_NEAR(Ms(*times, Prompt(100)), 50, 1e-6);
  EXPECT_NEAR(Ms(*times, Prompt(550)), 95, 1e-6);
  EXPECT_NEAR(Ms(*times, Prompt(1000)), 140, 1e-6);
  EXPECT_NEAR(Ms(*times, Decodes(1, 500)), 30, 1e-6);
  EXPECT_NEAR(Ms(*times, Decodes(3, 500)), 34, 1e-6);
  EXPECT_NEAR(Ms(*times, Decodes(9, 500)), 46, 1e-6);
  EXPECT_NEAR(Ms(*times, Decodes(9, 100)), 46, 1e-6);  // shorter: as measured
}

TEST(Profile, FollowsTheRooflineOutsideOfItsPoints) {
  const Catalog world = MeasuredWorld();
  const auto times = On(world, PoolOf(Gpu())), roof = On(World(), PoolOf(Gpu()));
  EXPECT_NEAR(Ms(*times, Prompt(4000)), 140 * Ms(*roof, Prompt(4000)) / Ms(*roof, Prompt(1000)),
              0.01);
  // Before the first point too, but no faster than the roofline.
  EXPECT_NEAR(Ms(*times, Prompt(10)),
              std::max(Ms(*roof, Prompt(10)), 50 * Ms(*roof, Prompt(10)) / Ms(*roof, Prompt(100))),
              0.01);
  EngineProfile large = Measured();
  large.decode = {{256, absl::Milliseconds(60)}};
  const auto batches = On(MeasuredWorld(large), PoolOf(Gpu()));
  EXPECT_NEAR(Ms(*batches, Decodes(1, 500)), Ms(*roof, Decodes(1, 500)), 1e-5);
  EXPECT_LT(Ms(*times, Prompt(10)), 50);
  EXPECT_NEAR(Ms(*times, Decodes(40, 500)),
              46 * Ms(*roof, Decodes(40, 500)) / Ms(*roof, Decodes(9, 500)), 0.01);
}

TEST(Profile, ALongerContextCostsItsBytesAndADeeperChunkItsAttention) {
  const Catalog world = MeasuredWorld();
  const auto times = On(world, PoolOf(Gpu()));
  EXPECT_NEAR(Ms(*times, Decodes(3, 1500)), 34 + 3 * 1000 * 524288.0 / (0.71 * 600e9) * 1e3, 1e-4);
  const double pairs = 550.0 * 2000;
  EXPECT_NEAR(Ms(*times, Prompt(550, 2000)),
              95 + pairs * 32 * 32 * (4 * 128 + 5) / (0.38 * 70e12) * 1e3, 1e-4);
}

TEST(Profile, AMixedStepTakesOneTenthMoreThanTheLongerPhase) {
  const Catalog world = MeasuredWorld();
  const auto times = On(world, PoolOf(Gpu()));
  StepBatch mixed = Prompt(550);
  for (int i = 0; i < 3; ++i) mixed.AddDecode(500);
  EXPECT_NEAR(Ms(*times, mixed), 1.1 * 95, 1e-6);
}

TEST(Profile, HoldsForItsOwnHardwareOnly) {
  const Catalog world = MeasuredWorld();
  EXPECT_EQ(On(world, PoolOf(Gpu()), Serving("llama", Precision::kFp16))->basis(), Basis::kProfile);
  EXPECT_EQ(On(world, PoolOf(Gpu()), Serving("llama", Precision::kInt8))->basis(),
            Basis::kRoofline);
  EXPECT_EQ(On(world, PoolOf(Gpu(), 2))->basis(), Basis::kRoofline);
  EXPECT_EQ(On(world, PoolOf(Gpu("big")))->basis(), Basis::kRoofline);
  ServeSpec over = Serving("llama");
  over.nodes = 2;
  EXPECT_EQ(On(world, PoolOf(Gpu()), over)->basis(), Basis::kRoofline);
  EXPECT_EQ(On(world, PoolOf(Gpu()), Serving("mixture"))->basis(), Basis::kRoofline);
}

TEST(Profile, WithoutAPhaseTheRooflineComputesIt) {
  EngineProfile profile = Measured();
  profile.prefill.clear();
  const auto times = On(MeasuredWorld(profile), PoolOf(Gpu())), roof = On(World(), PoolOf(Gpu()));
  EXPECT_EQ(times->Of(Prompt(800)), roof->Of(Prompt(800)));
  EXPECT_NEAR(Ms(*times, Decodes(3, 500)), 34, 1e-6);
  EXPECT_EQ(times->basis(), Basis::kRoofline);
}

TEST(Profile, NoiseDoesNotMakeMoreWorkFaster) {
  EngineProfile profile = Measured();
  profile.decode = {{1, absl::Milliseconds(30)}, {4, absl::Milliseconds(28)}};
  const auto times = On(MeasuredWorld(profile), PoolOf(Gpu()));
  EXPECT_NEAR(Ms(*times, Decodes(4, 500)), 30, 1e-6);
}

}  // namespace
}  // namespace spillway
