#include "performance/job_speed.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "tests/support/fleets.h"

namespace spillway {
namespace {

using fixtures::Cpus;

// Two classes over two devices: small round figures, so that each expectation can be done by head.
Catalog SmallCatalog() {
  Catalog catalog;
  Device xeon{.name = "xeon-spr-amx-16vcpu", .kind = DeviceKind::kCpu, .vcpus = 16};
  Device a10{.name = "nvidia-a10g-24g", .kind = DeviceKind::kGpu};
  Device npu{.name = "edge-npu-8g", .kind = DeviceKind::kNpu};
  for (const Device& d : {xeon, a10, npu}) catalog.devices[d.name] = d;
  catalog.classes["embed"] = {.name = "embed",
                              .rates = {{xeon.name, {.units_per_second = 160, .measured = true}},
                                        {a10.name, {.units_per_second = 400, .measured = false}}}};
  catalog.classes["resize"] = {
      .name = "resize",
      .rates = {{xeon.name, {.units_per_second = 80, .measured = true}},
                {a10.name, {.units_per_second = 20, .measured = true}},
                {"no-such-device", {.units_per_second = 1, .measured = true}}}};
  return catalog;
}

Needs Holding4Cpus() {
  Needs needs;
  needs.cpus = Cpus(4);
  return needs;
}
Needs HoldingDevices(int count, double fraction = 1) {
  Needs needs;
  needs.devices.count = count;
  needs.devices.fraction = fraction;
  return needs;
}

class JobSpeedTest : public testing::Test {
 protected:
  SizedDemand Sized(const Demand& demand) const {
    return Resolve(demand, book_, [this](std::string_view name) -> const PoolSpeed* {
      for (const PoolSpeed* pool : {&xeon_, &a10_, &npu_, &local_}) {
        if (pool->pool == name) return pool;
      }
      return nullptr;
    });
  }
  JobLength Length(const Demand& demand, const Needs& needs, const PoolSpeed& pool) const {
    return LengthOf(Sized(demand), needs, pool, absl::Seconds(60));
  }

  static PoolSpec Sped(PoolSpec pool, double speed) {
    pool.speed = speed;
    return pool;
  }

  const SpeedBook book_{SmallCatalog()};
  const PoolSpeed xeon_ = book_.SpeedOf(fixtures::XeonAmxPool());
  const PoolSpeed a10_ = book_.SpeedOf(fixtures::A10Pool());
  const PoolSpeed npu_ = book_.SpeedOf(fixtures::EdgeNpuPool());
  const PoolSpeed local_ = book_.SpeedOf(fixtures::LocalPool());
  const PoolSpeed fast_xeon_ = book_.SpeedOf(Sped(fixtures::XeonAmxPool(), 20));
};

// ---- Units of a class.

TEST_F(JobSpeedTest, CpusOfASliceDoTheirPartOfItsRate) {  // 160/s x 4/16 = 40/s
  EXPECT_EQ(Length(ClassUnits{"embed", 120}, Holding4Cpus(), xeon_),
            (JobLength{absl::Seconds(3), Basis::kProfile}));
}
TEST_F(JobSpeedTest, WholeDevicesDoTheirWholeRate) {
  EXPECT_EQ(Length(ClassUnits{"resize", 120}, HoldingDevices(1), a10_),
            (JobLength{absl::Seconds(6), Basis::kProfile}));
}
TEST_F(JobSpeedTest, ScaledRatesAreAssumed) {
  EXPECT_EQ(Length(ClassUnits{"embed", 1200}, HoldingDevices(1), a10_),
            (JobLength{absl::Seconds(3), Basis::kAssumed}));
}
TEST_F(JobSpeedTest, HalfADeviceTakesTwiceAsLong) {
  EXPECT_EQ(Length(ClassUnits{"resize", 120}, HoldingDevices(1, 0.5), a10_).p50, absl::Seconds(12));
}
TEST_F(JobSpeedTest, GangsAddUp) {
  Needs needs = HoldingDevices(2);
  needs.nodes = 3;
  EXPECT_EQ(Length(ClassUnits{"resize", 120}, needs, a10_).p50, absl::Seconds(1));
}
TEST_F(JobSpeedTest, SpeedUpMakesUnitsFaster) {
  EXPECT_EQ(Length(ClassUnits{"embed", 120}, Holding4Cpus(), fast_xeon_).p50,
            absl::Milliseconds(150));
}
TEST_F(JobSpeedTest, RoundsToNanoseconds) {  // 1/40 s / 3 has no end in decimals
  Needs needs = Holding4Cpus();
  needs.cpus = Cpus(12);
  EXPECT_EQ(Length(ClassUnits{"embed", 1}, needs, xeon_).p50, absl::Nanoseconds(8'333'333));
}
TEST_F(JobSpeedTest, MoreThanTimeCanHoldStaysHuge) {
  EXPECT_GE(Length(ClassUnits{"embed", 1e300}, Holding4Cpus(), xeon_).p50,
            absl::Hours(24 * 365 * 200));
}

// ---- What is not known is never zero and never for ever: the default, with a wide spread.

TEST_F(JobSpeedTest, DeviceWithoutARateIsUnknown) {
  EXPECT_EQ(Length(ClassUnits{"embed", 120}, HoldingDevices(1), npu_),
            (JobLength{absl::Seconds(60), Basis::kAssumed}));
}
TEST_F(JobSpeedTest, PoolWithoutADeviceIsUnknown) {
  EXPECT_EQ(Length(ClassUnits{"embed", 120}, Holding4Cpus(), local_).basis, Basis::kAssumed);
  EXPECT_EQ(Length(ClassUnits{"embed", 120}, Holding4Cpus(), local_).p50, absl::Seconds(60));
}
TEST_F(JobSpeedTest, UnknownClassIsUnknown) {
  EXPECT_EQ(book_.ClassNumber("no-such-class"), std::nullopt);
  EXPECT_EQ(Length(ClassUnits{"no-such-class", 1}, Holding4Cpus(), xeon_).p50, absl::Seconds(60));
}
TEST_F(JobSpeedTest, CpuWorkOnADeviceNodeIsUnknown) {
  EXPECT_EQ(Length(ClassUnits{"resize", 1}, Holding4Cpus(), a10_).p50, absl::Seconds(60));
}
TEST_F(JobSpeedTest, NoDemandIsUnknown) {
  EXPECT_EQ(Length(std::monostate(), Holding4Cpus(), xeon_),
            (JobLength{absl::Seconds(60), Basis::kAssumed}));
}
TEST_F(JobSpeedTest, TokensSayNothingAboutAJob) {
  EXPECT_EQ(Length(TokenCounts{Tokens(10), Tokens(10)}, Holding4Cpus(), xeon_).p50,
            absl::Seconds(60));
}
TEST_F(JobSpeedTest, DefaultIsOfHardwareOfSpeedOne) {
  EXPECT_EQ(Length(std::monostate(), Holding4Cpus(), fast_xeon_).p50, absl::Seconds(3));
}
TEST_F(JobSpeedTest, PoolOfAnotherKindThanItsDeviceHasNoRates) {
  PoolSpec pool = fixtures::A10Pool();
  pool.device = "xeon-spr-amx-16vcpu";
  EXPECT_FALSE(RateOf(0, HoldingDevices(1), book_.SpeedOf(pool)).known());
}

// ---- Declared seconds.

TEST_F(JobSpeedTest, SecondsWhereverItRunsHoldEverywhere) {
  EXPECT_EQ(Length(DeclaredSeconds{absl::Seconds(30), ""}, Holding4Cpus(), a10_),
            (JobLength{absl::Seconds(30), Basis::kDeclared}));
}
TEST_F(JobSpeedTest, SecondsWhereverItRunsAreOfSpeedOne) {
  EXPECT_EQ(Length(DeclaredSeconds{absl::Seconds(30), ""}, Holding4Cpus(), fast_xeon_),
            (JobLength{absl::Seconds(1.5), Basis::kDeclared}));
}
TEST_F(JobSpeedTest, SecondsOnADeviceHoldOnItsPools) {
  const DeclaredSeconds declared{absl::Seconds(30), "xeon-spr-amx-16vcpu"};
  EXPECT_EQ(Length(declared, Holding4Cpus(), xeon_).basis, Basis::kDeclared);
  EXPECT_EQ(Length(declared, Holding4Cpus(), fast_xeon_),
            (JobLength{absl::Seconds(1.5), Basis::kDeclared}));
}
TEST_F(JobSpeedTest, SecondsOnOtherHardwareAreAssumedAtRatioOne) {
  EXPECT_EQ(
      Length(DeclaredSeconds{absl::Seconds(30), "xeon-spr-amx-16vcpu"}, HoldingDevices(1), a10_),
      (JobLength{absl::Seconds(30), Basis::kAssumed}));
}
TEST_F(JobSpeedTest, SecondsOnAPoolAreThoseOfItsDevice) {
  const DeclaredSeconds declared{absl::Seconds(30), "a10"};
  EXPECT_EQ(Length(declared, HoldingDevices(1), a10_),
            (JobLength{absl::Seconds(30), Basis::kDeclared}));
  EXPECT_EQ(Length(declared, Holding4Cpus(), xeon_).basis, Basis::kAssumed);
}
TEST_F(JobSpeedTest,
       SecondsOnThisVeryPoolStandAsTheyAre) {  // its speed was there when they were seen
  const SizedDemand sized = Resolve(DeclaredSeconds{absl::Seconds(7), "xeon-amx"}, book_,
                                    [this](std::string_view) { return &fast_xeon_; });
  EXPECT_EQ(LengthOf(sized, Holding4Cpus(), fast_xeon_, absl::Seconds(60)),
            (JobLength{absl::Seconds(7), Basis::kDeclared}));
  EXPECT_EQ(LengthOf(sized, HoldingDevices(1), a10_, absl::Seconds(60)),
            (JobLength{absl::Seconds(140), Basis::kAssumed}));
}
TEST_F(JobSpeedTest, PoolsWithoutADeviceAreNotAlike) {
  PoolSpec other = fixtures::LocalPool();
  other.name = "other";
  const DeclaredSeconds declared{absl::Seconds(30), "local"};
  EXPECT_EQ(Length(declared, Holding4Cpus(), local_).basis, Basis::kDeclared);
  EXPECT_EQ(Length(declared, Holding4Cpus(), book_.SpeedOf(other)).basis, Basis::kAssumed);
}

// ---- Observed durations, moved.

TEST_F(JobSpeedTest, ObservedHereIsObserved) {
  const Needs needs = Holding4Cpus();
  EXPECT_EQ(Transfer(absl::Seconds(9), {xeon_, needs}, {xeon_, needs}, std::nullopt),
            (JobLength{absl::Seconds(9), Basis::kObserved}));
}
TEST_F(JobSpeedTest, ObservedMovesByTheRatesOfItsClass) {  // resize: 20/s on 4 CPUs, 20/s on an A10
  const Needs cpus = Holding4Cpus(), device = HoldingDevices(2);
  EXPECT_EQ(Transfer(absl::Seconds(9), {xeon_, cpus}, {a10_, device}, book_.ClassNumber("resize")),
            (JobLength{absl::Seconds(4.5), Basis::kProfile}));
}
TEST_F(JobSpeedTest, ObservedMovesByAssumedRatesWithLessTrust) {  // embed: 40/s and 400/s
  const Needs cpus = Holding4Cpus(), device = HoldingDevices(1);
  EXPECT_EQ(Transfer(absl::Seconds(9), {xeon_, cpus}, {a10_, device}, book_.ClassNumber("embed")),
            (JobLength{absl::Seconds(0.9), Basis::kAssumed}));
}
TEST_F(JobSpeedTest, ObservedMovesAtRatioOneWhereNothingIsKnown) {
  const Needs cpus = Holding4Cpus(), device = HoldingDevices(1);
  EXPECT_EQ(Transfer(absl::Seconds(9), {local_, cpus}, {a10_, device}, book_.ClassNumber("embed")),
            (JobLength{absl::Seconds(9), Basis::kAssumed}));
  EXPECT_EQ(Transfer(absl::Seconds(9), {xeon_, cpus}, {a10_, device}, std::nullopt),
            (JobLength{absl::Seconds(9), Basis::kAssumed}));
}
TEST_F(JobSpeedTest, ObservedOnTheSameDeviceElsewhereIsObserved) {
  PoolSpec twin = Sped(fixtures::XeonAmxPool(), 2);
  twin.name = "xeon-twin";
  const Needs needs = Holding4Cpus();
  EXPECT_EQ(Transfer(absl::Seconds(9), {xeon_, needs}, {book_.SpeedOf(twin), needs}, std::nullopt),
            (JobLength{absl::Seconds(4.5), Basis::kObserved}));
}
TEST_F(JobSpeedTest, ObservedOnAMachineWithoutADeviceIsAssumedOnAnother) {
  PoolSpec other = fixtures::LocalPool();
  other.name = "other";
  const Needs needs = Holding4Cpus();
  EXPECT_EQ(
      Transfer(absl::Seconds(9), {local_, needs}, {book_.SpeedOf(other), needs}, std::nullopt),
      (JobLength{absl::Seconds(9), Basis::kAssumed}));
}
TEST_F(JobSpeedTest, ThereAndBackIsWhereItWas) {
  const Needs cpus = Holding4Cpus(), device = HoldingDevices(1);
  const auto embed = book_.ClassNumber("embed");
  const JobLength there = Transfer(absl::Seconds(9), {xeon_, cpus}, {a10_, device}, embed);
  EXPECT_EQ(Transfer(there.p50, {a10_, device}, {xeon_, cpus}, embed).p50, absl::Seconds(9));
}

// ---- Ratios and spreads.

TEST(SpeedRatio, IsHowManyTimesAsFast) {
  const WorkClass embed = SmallCatalog().classes["embed"];
  EXPECT_EQ(SpeedRatio(embed, "xeon-spr-amx-16vcpu", "nvidia-a10g-24g"), 2.5);
  EXPECT_EQ(SpeedRatio(embed, "xeon-spr-amx-16vcpu", "edge-npu-8g"), std::nullopt);
}
TEST(WithSpread, AssumedFiguresAreTwiceAsLongAtP90) {
  EXPECT_EQ(WithSpread({absl::Seconds(10), Basis::kAssumed}).p90, absl::Seconds(20));
  EXPECT_EQ(WithSpread({absl::Seconds(10), Basis::kDeclared}).p90, absl::Seconds(12.5));
}

// Trusted domains take longer, and whoever decides knows: but what was declared for that very pool
// was seen there.
TEST_F(JobSpeedTest, TrustedDomainsTakeTenPercentLonger) {
  PoolSpec spec = fixtures::XeonAmxPool();
  spec.name = "trusted";
  spec.confidential = {"tdx"};
  const PoolSpeed trusted = book_.SpeedOf(spec);
  const Demand units = ClassUnits{"resize", 100};
  EXPECT_NEAR(absl::FDivDuration(Length(units, Holding4Cpus(), trusted).p50,
                                 Length(units, Holding4Cpus(), xeon_).p50),
              1.10, 1e-9);
  const Demand seconds = DeclaredSeconds{absl::Seconds(100), ""};
  EXPECT_NEAR(absl::ToDoubleSeconds(Length(seconds, Holding4Cpus(), trusted).p50), 110, 1e-6);
  const Demand seen = DeclaredSeconds{absl::Seconds(100), "trusted"};
  const auto itself = [&](std::string_view) { return &trusted; };
  EXPECT_EQ(LengthOf(Resolve(seen, book_, itself), Holding4Cpus(), trusted, absl::Seconds(60)).p50,
            absl::Seconds(100));
  EXPECT_NEAR(
      absl::ToDoubleSeconds(
          LengthOf(Resolve(seen, book_, itself), Holding4Cpus(), xeon_, absl::Seconds(60)).p50),
      100 / 1.10, 1e-6);
}

}  // namespace
}  // namespace spillway
