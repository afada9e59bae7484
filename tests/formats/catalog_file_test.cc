#include "formats/catalog_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace spillway {
namespace {

constexpr std::string_view kDevices = R"(devices:
  - name: slice
    says: "a slice"
    kind: cpu
    vendor: intel
    arch: x86_64
    vcpus: 16
    memory: 32GiB
    bandwidth: 51 GB/s
    peak: {fp32: 1.23 TFLOP/s, int8: 39.3 TOP/s}
    power: {idle: 17 W, busy: 67 W}
    features: [amx]
    prices:
      - {node_hour: 0.714 USD, of: "c7i, us-east-1", as_of: 2026-07-20, source: "list"}
    sources: {memory: "data sheet"}
)";
constexpr std::string_view kClasses = R"(classes:
  - name: image-resize
    unit: image
    says: "a chore"
    rates:
      slice: {rate: 157.8/s, basis: profile, source: "measured"}
)";

std::string Error(std::string_view devices, std::string_view classes) {
  const auto catalog = ParseCatalog(devices, classes);
  return catalog.ok() ? "accepted" : std::string(catalog.status().message());
}

TEST(ParseCatalog, ReadsEveryFigure) {
  const auto catalog = ParseCatalog(kDevices, kClasses);
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  const Device& slice = catalog->devices.at("slice");
  EXPECT_EQ(slice.says, "a slice");
  EXPECT_EQ(slice.kind, DeviceKind::kCpu);
  EXPECT_EQ(slice.vendor, "intel");
  EXPECT_EQ(slice.arch, Arch::kX86_64);
  EXPECT_EQ(slice.vcpus, 16);
  EXPECT_EQ(slice.memory, Bytes(32ll << 30));
  EXPECT_EQ(slice.bandwidth, BytesPerSecond(51e9));
  EXPECT_EQ(slice.peak.at(Precision::kFp32), OpsPerSecond(1.23e12));
  EXPECT_EQ(slice.peak.at(Precision::kInt8), OpsPerSecond(39.3e12));
  EXPECT_EQ(slice.peak.size(), 2u);
  EXPECT_EQ(slice.idle, Watts(17));
  EXPECT_EQ(slice.busy, Watts(67));
  EXPECT_THAT(slice.features, testing::ElementsAre("amx"));
  ASSERT_EQ(slice.prices.size(), 1u);
  EXPECT_EQ(slice.prices[0].node_hour, UsdPerHour(714'000'000));
  EXPECT_EQ(slice.prices[0].of, "c7i, us-east-1");
  EXPECT_EQ(slice.prices[0].as_of, "2026-07-20");
  EXPECT_EQ(slice.sources.at("memory"), "data sheet");
  const WorkClass& work_class = catalog->classes.at("image-resize");
  EXPECT_EQ(work_class.unit, "image");
  EXPECT_EQ(work_class.rates.at("slice").units_per_second, 157.8);
  EXPECT_TRUE(work_class.rates.at("slice").measured);
  EXPECT_EQ(work_class.rates.at("slice").source, "measured");
}

TEST(LoadCatalog, ReadsTheOneThatComesWithTheProject) {
  const auto catalog = LoadCatalog(SPILLWAY_SOURCE_DIR "/configs/catalog");
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  EXPECT_GE(catalog->devices.size(), 20u);
  EXPECT_GE(catalog->classes.size(), 3u);
  EXPECT_EQ(catalog->devices.at("nvidia-a10g-24g").vendor, "nvidia");
}

TEST(LoadCatalog, SaysWhichFileIsMissing) {
  const auto catalog = LoadCatalog("/nonexistent");
  EXPECT_EQ(catalog.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(std::string(catalog.status().message()),
            "reading /nonexistent/devices.yaml: there is no such file");
}

TEST(ParseCatalog, RefusesWithThePlace) {
  const auto broken = [](std::string_view from, std::string_view to) {
    std::string text(kDevices);
    text.replace(text.find(std::string(from)), from.size(), std::string(to));
    return Error(text, kClasses);
  };
  EXPECT_EQ(broken("kind: cpu", "kind: tpu"),
            "devices.yaml:4:11: unknown word `tpu` (did you mean `cpu`?)");
  EXPECT_EQ(broken("idle: 17 W", "idle: 70 W"), "devices.yaml:11:12: `busy` is less than `idle`");
  EXPECT_EQ(broken("fp32: 1.23 TFLOP/s", "fp32: 1.23"),
            "devices.yaml:10:18: `1.23` has no unit: write a rate like `1.23 TFLOP/s`");
  EXPECT_EQ(broken("fp32:", "fp31:"),
            "devices.yaml:10:12: unknown key `fp31` (did you mean `fp32`?)");
  EXPECT_EQ(broken("    vcpus: 16\n", ""),
            "devices.yaml:2:5: a CPU needs the key `vcpus`: the slice that it is");
  EXPECT_EQ(broken("    arch: x86_64\n", ""), "devices.yaml:2:5: a CPU needs the key `arch`");
  EXPECT_EQ(
      Error(absl::StrCat(std::string(kDevices), "  - {name: slice}\n"), kClasses).substr(0, 45),
      "devices.yaml:16:5: a device needs the key `ki");
}

TEST(ParseCatalog, NamesStandOnce) {
  std::string twice(kDevices);
  twice += std::string(kDevices.substr(kDevices.find('\n') + 1));
  EXPECT_EQ(Error(twice, kClasses), "devices.yaml:16:5: the name `slice` stands here twice");
}

TEST(ParseCatalog, RatesNameDevicesThatAreThere) {
  std::string classes(kClasses);
  classes.replace(classes.find("slice:"), 6, "slise:");
  EXPECT_EQ(Error(kDevices, classes),
            "classes.yaml: class `image-resize` has a rate for `slise`, which is no device of the "
            "catalogue (did you mean `slice`?)");
}

}  // namespace
}  // namespace spillway
