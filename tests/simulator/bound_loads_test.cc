#include "simulator/bound_loads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/random/mersenne_twister.hpp>
#include <boost/random/uniform_int_distribution.hpp>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "formats/catalog_file.h"
#include "performance/engine.h"
#include "performance/share.h"
#include "simulator/bound_engine.h"
#include "tests/support/fleets.h"

namespace spillway {
namespace {

using Draws = boost::random::mt19937_64;
using fixtures::HourlyDollars;

std::int64_t Between(Draws& draws, std::int64_t least, std::int64_t most) {
  return boost::random::uniform_int_distribution<std::int64_t>(least, most)(draws);
}
double InUsd(Usd usd) { return static_cast<double>(usd.value()) / kNanosPerUsd; }

const Catalog& Devices() {
  static const Catalog catalog = *LoadCatalog(SPILLWAY_SOURCE_DIR "/configs/catalog");
  return catalog;
}

// One device to a node; a slice of a CPU is a node.
PoolSpec PoolOf(const std::string& device, double usd, const std::string& model, int nodes = 1) {
  const Device& entry = Devices().devices.at(device);
  PoolSpec pool;
  pool.name = device;
  pool.device = device;
  pool.kind = entry.kind;
  pool.nodes = nodes;
  const bool cpu = entry.kind == DeviceKind::kCpu;
  pool.node = {.cpus = fixtures::Cpus(cpu ? entry.vcpus : 8),
               .memory = cpu ? entry.memory : fixtures::GiB(64),
               .devices = cpu ? 0 : 1};
  pool.device_memory = cpu ? Bytes(0) : entry.memory;
  pool.billing = Billing::kMetered;
  pool.price.node_hour = HourlyDollars(usd);
  pool.serves = {{.model = model}};
  return pool;
}

struct EngineCase {
  std::string name, device, model;
};
// By roofline and by measured profile, small and large, and a mixture of experts.
const EngineCase kEngines[] = {
    {"Xeon7b", "xeon-spr-amx-24vcpu", "llama-2-7b"},
    {"A10g7b", "nvidia-a10g-24g", "llama-2-7b"},
    {"H1007b", "nvidia-h100-80g", "llama-2-7b"},
    {"Inferentia7b", "aws-inferentia2-32g", "llama-2-7b"},
    {"H200Mixture", "nvidia-h200-141g", "mixtral-8x7b"},
};
class OnEngines : public testing::TestWithParam<EngineCase> {
 protected:
  PoolSpec pool_ = PoolOf(GetParam().device, 1, GetParam().model);
  std::shared_ptr<const StepTimes> times_ = StepTimesFor(Devices(), pool_, pool_.serves[0]);
  absl::StatusOr<EngineLimits> limits_ = LimitsFor(Devices(), pool_, pool_.serves[0]);
  void SetUp() override {
    ASSERT_NE(times_, nullptr);
    ASSERT_TRUE(limits_.ok()) << limits_.status();
  }
  std::int64_t held() const { return limits_->kv_blocks * limits_->block_tokens; }
};
INSTANTIATE_TEST_SUITE_P(Bound, OnEngines, testing::ValuesIn(kEngines),
                         [](const auto& row) { return row.param.name; });

// Whatever prompts and answers are in a step, it takes at least what either floor says.
TEST_P(OnEngines, NoStepIsBelowItsFloors) {
  const double prompt = PromptFloorFor(*times_, *limits_);
  EXPECT_GT(prompt, 0);
  Draws draws(11);
  for (const double context : {16.0, 300.0, 2000.0, 30000.0}) {
    const DecodeFloor floor = DecodeFloorFor(*times_, *limits_, context, false);
    EXPECT_GT(floor.At(1, context), 0);
    for (int i = 0; i < 3000; ++i) {
      StepBatch batch;
      batch.decodes = static_cast<int>(Between(draws, 0, limits_->max_sequences));
      const std::int64_t most = std::min(held(), batch.decodes * limits_->LongestSequence());
      batch.decode_context = batch.decodes == 0 ? 0 : Between(draws, 0, most);
      if (i % 2 == 0)
        batch.AddChunk(Between(draws, 1, limits_->step_tokens), Between(draws, 0, 500));
      const double seconds = absl::ToDoubleSeconds(times_->Of(batch));
      EXPECT_GE(seconds, floor.At(batch.decodes, static_cast<double>(batch.decode_context)));
      EXPECT_GE(seconds, prompt * static_cast<double>(batch.prefill_tokens));
    }
  }
}

// With requests of one kind it is the best batch there is, up to the last sequence that fits in
// part.
TEST_P(OnEngines, TheFloorIsTheBestBatchRate) {
  for (const std::int64_t context : {64, 500, 1500}) {
    double best = std::numeric_limits<double>::infinity();
    for (int n = 1; n <= limits_->max_sequences && (n == 1 || n * context <= held()); ++n) {
      const StepBatch batch{.decodes = n, .decode_context = n * context};
      best = std::min(best, absl::ToDoubleSeconds(times_->Of(batch)) / n);
    }
    const auto tokens = static_cast<double>(context);
    const double floor = DecodeFloorFor(*times_, *limits_, tokens, false).At(1, tokens);
    EXPECT_LE(floor, best) << context;
    EXPECT_GE(floor, 0.93 * best) << context;
  }
}

// A real engine with all requests at once: the node is never busy for less than the bound says, and
// where answers rule, not for much more.
TEST_P(OnEngines, AnEngineIsBusyForAtLeastItsLoad) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    Draws draws(seed);
    EngineLimits limits = *limits_;
    limits.max_waiting = 1000;
    Engine engine(times_, limits, seed % 2 == 0 ? EnginePace::kRuns : EnginePace::kSteps);
    RequestBucket bucket{.name = "all", .models = {GetParam().model}};
    for (std::uint64_t i = 0; i < 300; ++i) {
      const std::int64_t prompt = Between(draws, 1, 300), output = Between(draws, 1, 300);
      ASSERT_EQ(engine.Add({.id = i, .prompt_tokens = prompt, .output_tokens = output},
                           absl::UnixEpoch()),
                EngineAdmission::kAdmitted);
      bucket.Add(prompt, 0, output);
    }
    absl::Time now = absl::UnixEpoch();
    std::vector<StepOutput> out;
    for (absl::Time end; (end = engine.NextStepEnd(now)) != absl::InfiniteFuture(); now = end)
      engine.EndStep(end, out);
    const double busy = absl::ToDoubleHours(now - absl::UnixEpoch());

    const auto loads = LoadsOf(Devices(), {&pool_, 1}, {&bucket, 1}, {});
    ASSERT_TRUE(loads[0][0].able);
    ASSERT_EQ(loads[0][0].node_hours.size(), 4u);
    const double least =
        *std::max_element(loads[0][0].node_hours.begin(), loads[0][0].node_hours.end());
    EXPECT_LE(least, busy) << "seed " << seed;
    EXPECT_GE(least, 0.4 * busy) << "seed " << seed;
  }
}

TEST(RequestBucket, SumsWhatItsRequestsDo) {
  RequestBucket bucket;
  bucket.Add(100, 60, 4);  // decodes with 100, 101 and 102 tokens behind them
  bucket.Add(30, 0, 1);
  EXPECT_EQ(bucket.requests, 2);
  EXPECT_EQ(bucket.prompt_tokens, 130);
  EXPECT_EQ(bucket.cached_tokens, 60);
  EXPECT_EQ(bucket.output_tokens, 5);
  EXPECT_EQ(bucket.decodes, 3);
  EXPECT_EQ(bucket.decode_context, 303);
  EXPECT_EQ(bucket.shortest, 31);
  EXPECT_EQ(bucket.smallest_prompt, 30);
}

RequestBucket Requests(int count, std::int64_t prompt, std::int64_t output,
                       const std::string& model = "llama-2-7b") {
  RequestBucket bucket{.name = "requests", .models = {model}};
  for (int i = 0; i < count; ++i) bucket.Add(prompt, 0, output);
  return bucket;
}

TEST(RequestLoads, AbleAreThoseThatServeAndHoldIt) {
  const std::vector<PoolSpec> pools = {PoolOf("nvidia-a10g-24g", 1, "llama-2-7b"),
                                       PoolOf("nvidia-a10g-24g", 1, "mistral-7b"),
                                       PoolOf("nvidia-t4-16g", 1, "llama-2-7b")};
  RequestBucket either = Requests(1, 100, 10);
  either.models = {"llama-2-7b", "mistral-7b"};
  const std::vector<RequestBucket> buckets = {Requests(1, 100, 10), Requests(1, 10'000, 10),
                                              either};
  const auto loads = LoadsOf(Devices(), pools, buckets, {});
  const auto able = [&](std::size_t r, std::size_t p) { return loads[r][p].able; };
  EXPECT_TRUE(able(0, 0));
  EXPECT_FALSE(able(0, 1)) << "another model";
  EXPECT_FALSE(able(0, 2)) << "13.5 GB of weights on 16 GB";
  EXPECT_FALSE(able(1, 0)) << "longer than the model's context";
  EXPECT_TRUE(able(2, 1));
}

TEST(RequestLoads, AnObjectiveLeavesOutWhoIsTooSlowEvenWhenIdle) {
  const std::vector<PoolSpec> pools = {PoolOf("xeon-spr-amx-24vcpu", 1, "llama-2-7b"),
                                       PoolOf("nvidia-h100-80g", 7, "llama-2-7b")};
  const std::vector<RequestBucket> buckets = {Requests(1, 20, 10), Requests(1, 3'000, 10)};
  const auto able = [&](const RequestLoads& options, std::size_t r, std::size_t p) {
    return LoadsOf(Devices(), pools, buckets, options)[r][p].able;
  };
  const RequestLoads first_token{.ttft = absl::Milliseconds(800)};
  EXPECT_TRUE(able(first_token, 0, 0));
  EXPECT_FALSE(able(first_token, 1, 0)) << "a long prompt on a CPU";
  EXPECT_TRUE(able(first_token, 1, 1));
  const RequestLoads each_token{.tpot = absl::Milliseconds(20)};
  EXPECT_FALSE(able(each_token, 0, 0));
  EXPECT_TRUE(able(each_token, 0, 1));
}

TEST(RequestLoads, TokensArePaidWhereTheyAreBilled) {
  PoolSpec api;
  api.name = "api";
  api.billing = Billing::kToken;
  api.price.input = UsdPerMtoken(kNanosPerUsd / 2);
  api.price.output = UsdPerMtoken(2 * kNanosPerUsd);
  api.serves = {{.model = "llama-2-7b"}};
  const RequestBucket bucket = Requests(1000, 400, 100);
  const auto loads = LoadsOf(Devices(), {&api, 1}, {&bucket, 1}, {});
  EXPECT_TRUE(loads[0][0].able);
  EXPECT_TRUE(loads[0][0].node_hours.empty()) << "nobody knows what stands behind it";
  EXPECT_NEAR(loads[0][0].usd, 0.4 * 0.5 + 0.1 * 2, 1e-9);
}

TEST(RequestLoads, WhatWasCachedIsNotComputed) {
  const PoolSpec pool = PoolOf("nvidia-a10g-24g", 1, "llama-2-7b");
  RequestBucket cold{.models = {"llama-2-7b"}}, warm = cold;
  cold.Add(1000, 0, 20);
  warm.Add(1000, 750, 20);
  const std::vector<RequestBucket> buckets = {cold, warm};
  const auto loads = LoadsOf(Devices(), {&pool, 1}, buckets, {});
  EXPECT_NEAR(loads[1][0].node_hours[0], loads[0][0].node_hours[0] / 4, 1e-12);
  EXPECT_EQ(loads[1][0].node_hours[1], loads[0][0].node_hours[1]);
}

TEST(RequestLoads, AReplicaOfAPartOfANodeTakesAPartOfItsHours) {
  PoolSpec whole = PoolOf("nvidia-a10g-24g", 1, "llama-2-7b");
  PoolSpec quarter = whole;
  quarter.node.devices = 4;
  quarter.serves[0].devices = 1;
  const std::vector<PoolSpec> pools = {whole, quarter};
  const RequestBucket bucket = Requests(10, 100, 100);
  const auto loads = LoadsOf(Devices(), pools, {&bucket, 1}, {});
  for (std::size_t k = 0; k < loads[0][0].node_hours.size(); ++k)
    EXPECT_NEAR(loads[0][1].node_hours[k], loads[0][0].node_hours[k] / 4, 1e-12) << k;
}

// What requests of one size cost on one GPU at the prices that Melange's example assumes; infinite
// where they do not fit.
double CostOn(const std::string& device, double usd, std::int64_t prompt, std::int64_t output) {
  Catalog catalog = Devices();
  catalog.models.at("llama-2-7b").context = 32'768;
  const PoolSpec pool = PoolOf(device, usd, "llama-2-7b", 10'000);
  const RequestBucket bucket = Requests(1000, prompt, output);
  const BoundProblem problem{.work = {{"requests", 1}},
                             .pools = {BoundPoolOf(pool, {.span = absl::Hours(1)})},
                             .loads = LoadsOf(catalog, {&pool, 1}, {&bucket, 1}, {})};
  const auto answer = LowerBound(problem);
  return answer.ok() ? InUsd(answer->lower_bound) : std::numeric_limits<double>::infinity();
}
double A10gToA100(std::int64_t prompt, std::int64_t output) {
  return CostOn("nvidia-a10g-24g", 1.01, prompt, output) /
         CostOn("nvidia-a100-80g", 3.67, prompt, output);
}
// The direction of Melange's grid (Griggs et al., "Melange: Cost Efficient Large Language Model
// Serving by Exploiting GPU Heterogeneity", 2024, figure 3): the bigger GPU gains as prompts and
// answers grow, from about even to more than half as cheap, and the longest only it can hold.
TEST(RequestLoads, BiggerRequestsFavourBiggerGpus) {
  EXPECT_LT(A10gToA100(25, 100), 1.2);
  EXPECT_GT(A10gToA100(2000, 2000), 1.38);
  for (const std::int64_t output : {100, 500, 2000}) {
    double before = 0;
    for (const std::int64_t prompt : {25, 250, 1000, 4000, 16'000}) {
      const double ratio = A10gToA100(prompt, output);
      EXPECT_GE(ratio, 0.995 * before) << prompt << " in, " << output << " out";
      before = ratio;
    }
    EXPECT_GT(before, 1e9) << output << " out: 16,000 tokens do not fit beside the weights";
  }
}

TEST(BoundPoolOf, TellsWhatAnHourAddsToTheBill) {
  PoolSpec pool = PoolOf("nvidia-a10g-24g", 1.2, "llama-2-7b", 3);
  pool.power = {
      .idle = Watts(50), .busy = Watts(250), .pue = 1.5, .tariff = UsdPerKwh(kNanosPerUsd / 10)};
  const BoundNodes nodes{.span = absl::Hours(2), .whole = true};
  const BoundPool metered = BoundPoolOf(pool, nodes);
  EXPECT_EQ(metered.node_hour, HourlyDollars(1.2));
  EXPECT_EQ(metered.nodes, 3);
  EXPECT_EQ(metered.available, absl::Hours(2));
  EXPECT_TRUE(metered.whole);
  pool.billing = Billing::kCommitted;
  const BoundPool committed = BoundPoolOf(pool, nodes);
  EXPECT_EQ(committed.node_hour, HourlyDollars(0.03));  // 0.2 kW x 1.5 x 0.10 USD
  EXPECT_FALSE(committed.whole);
  EXPECT_EQ(BoundPoolOf(pool, {.span = absl::Hours(2), .energy = false}).node_hour, UsdPerHour(0));
  pool.billing = Billing::kUnpriced;
  EXPECT_EQ(BoundPoolOf(pool, nodes).node_hour, UsdPerHour(0));
}

TEST(JobLoads, AreTheLengthTimesTheShareOfTheNode) {
  PoolSpec pool = PoolOf("nvidia-a10g-24g", 2, "");
  pool.node.devices = 4;
  pool.nodes = 8;
  Needs needs;
  needs.devices.count = 2;
  needs.nodes = 3;
  const SizedDemand demand{.kind = SizedDemand::Kind::kSeconds, .seconds = absl::Hours(5)};
  const PoolSpeed speed = SpeedBook(Devices()).SpeedOf(pool);
  const BoundLoad load = LoadOf(demand, needs, pool, speed, absl::Minutes(1));
  EXPECT_TRUE(load.able);
  ASSERT_EQ(load.node_hours.size(), 1u);
  EXPECT_NEAR(load.node_hours[0], 5 * 0.5 * 3, 1e-9);
  // Alone in a pool it costs what the ledger would book: rate x share x held, on each node.
  BoundProblem problem{.work = {{"job", 1}},
                       .pools = {BoundPoolOf(pool, {.span = absl::Hours(10)})},
                       .loads = {{load}}};
  EXPECT_NEAR(InUsd(LowerBound(problem)->lower_bound), 2 * 0.5 * 5 * 3, 1e-6);
}

}  // namespace
}  // namespace spillway
