#include "performance/model_load.h"

#include <gtest/gtest.h>

#include "performance/network.h"

namespace spillway {
namespace {

Catalog OneGpu(double billions) {
  Catalog catalog;
  catalog.devices["gpu"] = {
      .name = "gpu", .kind = DeviceKind::kGpu, .memory = Bytes(std::int64_t{80} << 30)};
  Model& model = catalog.models["m"];
  model.name = "m";
  model.parameters = model.active_parameters = billions * 1e9;
  model.layers = 32;
  model.hidden = 4096;
  model.heads = model.kv_heads = 32;
  model.head_size = 128;
  return catalog;
}
PoolSpec PoolOf(int devices) {
  PoolSpec pool;
  pool.name = "p";
  pool.kind = DeviceKind::kGpu;
  pool.device = "gpu";
  pool.node.devices = devices;
  return pool;
}
double Seconds(double billions, int devices, Precision precision, Storage storage) {
  ServeSpec serve;
  serve.model = "m";
  serve.precision = precision;
  const auto load = LoadTimeOf(OneGpu(billions), PoolOf(devices), serve, storage);
  EXPECT_TRUE(load.ok()) << load.status();
  return load.ok() ? absl::ToDoubleSeconds(*load) : 0;
}

// What people find (see the header), within a quarter.
TEST(LoadTime, IsWhatPeopleFind) {
  EXPECT_NEAR(Seconds(7, 1, Precision::kBf16, Storage::kNvme), 10, 2.5);
  EXPECT_NEAR(Seconds(70, 4, Precision::kBf16, Storage::kNvme), 60, 15);
  EXPECT_NEAR(Seconds(405, 8, Precision::kFp8, Storage::kNvme), 120, 30);
}

TEST(LoadTime, SlowStorageIsThirtyTimesAsSlowAndTheRestBetween) {
  const auto reading = [](Storage storage) {
    return Seconds(7, 1, Precision::kBf16, storage) - absl::ToDoubleSeconds(kEngineSetUp);
  };
  EXPECT_NEAR(reading(Storage::kObject) / reading(Storage::kNvme), 30, 0.01);
  EXPECT_GT(reading(Storage::kBlock), reading(Storage::kNvme));
  EXPECT_GT(reading(Storage::kNetwork), reading(Storage::kBlock));
  EXPECT_GT(reading(Storage::kObject), reading(Storage::kNetwork));
}

TEST(LoadTime, FewerBitsLoadSooner) {
  EXPECT_LT(Seconds(7, 1, Precision::kInt4, Storage::kBlock),
            Seconds(7, 1, Precision::kBf16, Storage::kBlock));
}

TEST(LoadTime, AModelThatNobodyKnowsIsAnError) {
  ServeSpec serve;
  serve.model = "other";
  EXPECT_TRUE(absl::IsNotFound(LoadTimeOf(OneGpu(7), PoolOf(1), serve, Storage::kNvme).status()));
}

TEST(Network, TheWayIsTheRoundTripAndTheLine) {
  Site site;
  site.round_trip = absl::Milliseconds(20);
  EXPECT_EQ(WayTo(site, Bytes(1'000'000)), absl::Milliseconds(20));
  site.bandwidth = BytesPerSecond(1e6);
  EXPECT_EQ(WayTo(site, Bytes(1'000'000)), absl::Milliseconds(1020));
  EXPECT_EQ(WayTo(site, Bytes(0)), absl::Milliseconds(20));
}

TEST(Network, EgressIsRoundedOnceToTheNanoDollar) {
  Site site;
  site.egress = UsdPerGib(90'000'000);  // 0.09 USD
  EXPECT_EQ(EgressOf(site, Bytes(std::int64_t{1} << 30)), Usd(90'000'000));
  EXPECT_EQ(EgressOf(site, Bytes(4000)), Usd(335));  // 335.27
  EXPECT_EQ(EgressOf(site, Bytes(0)), Usd(0));
}

}  // namespace
}  // namespace spillway
