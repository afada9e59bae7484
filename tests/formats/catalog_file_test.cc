#include "formats/catalog_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

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

constexpr std::string_view kModels = R"(models:
  - name: mix
    says: "a mixture"
    parameters: 46702792704
    active_parameters: 12879925248
    layers: 32
    hidden: 4096
    heads: 32
    kv_heads: 8
    head_size: 128
    ffn: 14336
    experts: 8
    experts_per_token: 2
    vocabulary: 32000
    context: 32768
    bytes_per_token: 3.7
    licence: "Apache-2.0"
    sources: {shape: "config.json"}
  - {name: enc, kind: embedding, parameters: 100, layers: 2, hidden: 8, heads: 2, kv_heads: 2,
     head_size: 4, ffn: 16, gated: false, vocabulary: 10, context: 512, licence: MIT, sources: {shape: "made"}}
)";
constexpr std::string_view kProfiles = R"(profiles:
  - device: slice
    model: mix
    precision: int8
    devices: 4
    engine: "an engine"
    prefill:
      - {tokens: 128, time: 65347us}
      - {tokens: 256, time: 0.1s}
    decode: [{sequences: 1, time: 45ms}]
    decode_context: 576
    kv_blocks: 1000
    max_sequences: 12
    source: "measured"
    licence: MIT
    as_of: 2024-01-02
  - {device: slice, model: mix, precision: bf16, devices: 4, engine: e, decode: [{sequences: 2, time: 1s}],
     decode_context: 1, source: s, licence: MIT}
)";

Catalog WithModels() {
  Catalog catalog = *ParseCatalog(kDevices, kClasses);
  EXPECT_TRUE(ParseModels(kModels, "models.yaml", catalog).ok());
  return catalog;
}
// What reading `text` with `from` replaced by `to` says.
template <class Parse>
std::string Broken(Parse parse, std::string_view text, std::string_view from, std::string_view to) {
  std::string broken(text);
  const std::size_t at = broken.find(std::string(from));
  EXPECT_NE(at, std::string::npos) << from;
  broken.replace(at, from.size(), std::string(to));
  Catalog catalog = WithModels();
  const absl::Status status = parse(broken, "x.yaml", catalog);
  EXPECT_EQ(catalog.profiles.size(), 0u);
  return status.ok() ? "accepted" : std::string(status.message());
}

TEST(ParseModels, ReadsEveryFigure) {
  const Catalog catalog = WithModels();
  ASSERT_EQ(catalog.models.size(), 2u);
  const Model& mix = catalog.models.at("mix");
  EXPECT_EQ(mix.says, "a mixture");
  EXPECT_EQ(mix.kind, ModelKind::kChat);
  EXPECT_EQ(mix.parameters, 46702792704.0);
  EXPECT_EQ(mix.active_parameters, 12879925248.0);
  EXPECT_EQ(mix.layers, 32);
  EXPECT_EQ(mix.hidden, 4096);
  EXPECT_EQ(mix.heads, 32);
  EXPECT_EQ(mix.kv_heads, 8);
  EXPECT_EQ(mix.head_size, 128);
  EXPECT_EQ(mix.ffn, 14336);
  EXPECT_TRUE(mix.gated);
  EXPECT_EQ(mix.experts, 8);
  EXPECT_EQ(mix.experts_per_token, 2);
  EXPECT_EQ(mix.vocabulary, 32000);
  EXPECT_EQ(mix.context, 32768);
  EXPECT_EQ(mix.bytes_per_token, 3.7);
  EXPECT_EQ(mix.licence, "Apache-2.0");
  EXPECT_EQ(mix.sources.at("shape"), "config.json");
  const Model& enc = catalog.models.at("enc");
  EXPECT_EQ(enc.kind, ModelKind::kEmbedding);
  EXPECT_EQ(enc.active_parameters, 100);
  EXPECT_FALSE(enc.gated);
}

TEST(ParseModels, RefusesWithThePlace) {
  const auto broken = [](std::string_view from, std::string_view to) {
    std::string text(kModels);
    text.replace(text.find(std::string(from)), from.size(), std::string(to));
    Catalog catalog;
    const absl::Status status = ParseModels(text, "models.yaml", catalog);
    EXPECT_TRUE(catalog.models.empty());
    return status.ok() ? "accepted" : std::string(status.message());
  };
  EXPECT_EQ(broken("kv_heads: 8", "kv_heads: 7"),
            "models.yaml:2:5: `heads` is no multiple of `kv_heads`");
  EXPECT_EQ(broken("12879925248", "46702792705"),
            "models.yaml:2:5: `active_parameters` is more than `parameters`");
  EXPECT_EQ(broken("    experts: 8\n", ""),
            "models.yaml:2:5: `experts` and `experts_per_token` stand together or not at all");
  EXPECT_EQ(broken("experts_per_token: 2", "experts_per_token: 9"),
            "models.yaml:2:5: `experts_per_token` is more than `experts`");
  EXPECT_EQ(broken("hidden: 4096", "hiden: 4096"),
            "models.yaml:2:5: a model needs the key `hidden`\n"
            "models.yaml:7:5: unknown key `hiden` (did you mean `hidden`?)");
  EXPECT_EQ(broken("kind: embedding", "kind: embeding"),
            "models.yaml:19:23: unknown word `embeding` (did you mean `embedding`?)");
  EXPECT_EQ(broken("name: enc", "name: mix"), "models.yaml:19:5: the name `mix` stands here twice");
}

TEST(ParseProfiles, ReadsEveryFigureInOrder) {
  Catalog catalog = WithModels();
  ASSERT_EQ(ParseProfiles(kProfiles, "p.yaml", catalog), absl::OkStatus());
  ASSERT_EQ(catalog.profiles.size(), 2u);
  EXPECT_EQ(catalog.profiles[0].precision, Precision::kBf16);
  const EngineProfile& p = catalog.profiles[1];
  EXPECT_EQ(p.name, "mix in int8 on 4 x slice");
  EXPECT_EQ(p.device, "slice");
  EXPECT_EQ(p.model, "mix");
  EXPECT_EQ(p.devices, 4);
  EXPECT_EQ(p.engine, "an engine");
  using Point = EngineProfile::Point;
  EXPECT_THAT(p.prefill, testing::ElementsAre(Point{128, absl::Microseconds(65347)},
                                              Point{256, absl::Milliseconds(100)}));
  EXPECT_THAT(p.decode, testing::ElementsAre(Point{1, absl::Milliseconds(45)}));
  EXPECT_EQ(p.decode_context, 576);
  EXPECT_EQ(p.kv_blocks, 1000);
  EXPECT_EQ(p.max_sequences, 12);
  EXPECT_EQ(p.source, "measured");
  EXPECT_EQ(p.licence, "MIT");
  EXPECT_EQ(p.as_of, "2024-01-02");
}

TEST(ParseProfiles, RefusesWithThePlace) {
  const auto broken = [](std::string_view from, std::string_view to) {
    return Broken(ParseProfiles, kProfiles, from, to);
  };
  EXPECT_EQ(broken("device: slice", "device: slise"),
            "x.yaml:2:13: `slise` is no device of the catalogue (did you mean `slice`?)");
  EXPECT_EQ(broken("model: mix", "model: mixx"),
            "x.yaml:3:12: `mixx` is no model of the catalogue (did you mean `mix`?)");
  EXPECT_EQ(broken("tokens: 256", "tokens: 128"), "x.yaml:9:9: `tokens` must rise");
  EXPECT_EQ(broken("time: 0.1s", "time: 0s").substr(0, 12), "x.yaml:9:29:");
  EXPECT_EQ(broken("[{sequences: 1, time: 45ms}]", "[]"), "x.yaml:10:13: an empty table");
  EXPECT_EQ(broken("    decode_context: 576\n", ""),
            "x.yaml:2:5: a profile with `decode` needs the key `decode_context`");
  EXPECT_EQ(broken("decode: [{sequences: 2, time: 1s}],\n     decode_context: 1, ", ""),
            "x.yaml:17:5: a profile needs `prefill`, `decode` or both");
  EXPECT_EQ(broken("kv_blocks", "kv_block"),
            "x.yaml:12:5: unknown key `kv_block` (did you mean `kv_blocks`?)");
  EXPECT_EQ(broken("precision: bf16", "precision: int8"),
            "x.yaml:17:5: a profile for mix in int8 on 4 x slice stands here twice");
}

TEST(ParseProfiles, AreUniqueOverAllFiles) {
  Catalog catalog = WithModels();
  ASSERT_TRUE(ParseProfiles(kProfiles, "p.yaml", catalog).ok());
  EXPECT_FALSE(ParseProfiles(kProfiles, "q.yaml", catalog).ok());
  EXPECT_EQ(catalog.profiles.size(), 2u);
}

TEST(LoadCatalog, HasModelsFromHalfABillionTo72Billion) {
  const auto catalog = LoadCatalog(SPILLWAY_SOURCE_DIR "/configs/catalog");
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  int real = 0;
  double smallest = 1e15, largest = 0;
  for (const auto& [name, model] : catalog->models) {
    if (name == "tiny" || model.kind == ModelKind::kEmbedding) continue;
    ++real;
    smallest = std::min(smallest, model.parameters);
    largest = std::max(largest, model.parameters);
    // The figures hang together: layers and vocabulary give the parameters, but for norms.
    const double d = model.hidden, head = model.head_size;
    const double attention = 2 * d * head * (model.heads + model.kv_heads);
    const double ffn = 3 * d * model.ffn * std::max(1, model.experts);
    const double layers = model.layers * (attention + ffn),
                 words = d * static_cast<double>(model.vocabulary);
    const double left = model.parameters - layers;
    EXPECT_TRUE(std::abs(left - words) < 0.003 * model.parameters ||
                std::abs(left - 2 * words) < 0.003 * model.parameters)
        << name << ": " << left << " beside the layers, vocabulary " << words;
  }
  EXPECT_GE(real, 12);
  EXPECT_LT(smallest, 0.6e9);
  EXPECT_GT(largest, 70e9);
  EXPECT_TRUE(catalog->models.contains("qwen2-7b"));
  EXPECT_GE(catalog->profiles.size(), 10u);
}

constexpr std::string_view kBatches = R"(batches:
  - class: image-resize
    device: slice
    instances: 2
    points:
      - {items: 1, time: 2ms}
      - {items: 8, time: 5ms}
    basis: profile
    says: hm
    source: here
    licence: MIT
    as_of: 2026-01-02
  - {class: image-resize, device: gpu, points: [{items: 4, time: 1us}], basis: assumed, source: x, licence: y}
)";

Catalog WithClasses() {
  Catalog catalog = *ParseCatalog(kDevices, kClasses);
  Device gpu = catalog.devices.at("slice");
  gpu.name = "gpu";
  catalog.devices["gpu"] = gpu;
  return catalog;
}

TEST(ParseBatches, ReadsEveryKeyAndSorts) {
  const auto batches = ParseBatches(kBatches, "b.yaml", WithClasses());
  ASSERT_TRUE(batches.ok()) << batches.status();
  ASSERT_EQ(batches->size(), 2u);
  EXPECT_EQ(batches->front().device, "gpu");
  EXPECT_FALSE(batches->front().measured);
  EXPECT_EQ(batches->front().instances, 1);
  const BatchProfile& slice = batches->back();
  EXPECT_EQ(slice.work_class, "image-resize");
  EXPECT_EQ(slice.instances, 2);
  EXPECT_TRUE(slice.measured);
  EXPECT_EQ(slice.points, (std::vector<BatchProfile::Point>{{1, absl::Milliseconds(2)},
                                                            {8, absl::Milliseconds(5)}}));
  EXPECT_EQ(slice.says + slice.source + slice.licence + slice.as_of, "hmhereMIT2026-01-02");
}

TEST(ParseBatches, RefusesWithThePlace) {
  const auto broken = [](std::string_view from, std::string_view to) {
    std::string text(kBatches);
    text.replace(text.find(from), from.size(), to);
    return std::string(ParseBatches(text, "x.yaml", WithClasses()).status().message());
  };
  EXPECT_EQ(broken("device: slice", "device: slise"),
            "x.yaml:3:13: `slise` is no device of the catalogue (did you mean `slice`?)");
  EXPECT_EQ(
      broken("- class: image-resize", "- class: image-resice"),
      "x.yaml:2:12: `image-resice` is no class of the catalogue (did you mean `image-resize`?)");
  EXPECT_EQ(broken("items: 8", "items: 1"), "x.yaml:7:9: `items` must rise");
  EXPECT_EQ(broken("[{items: 4, time: 1us}]", "[]"), "x.yaml:13:48: an empty table");
  EXPECT_EQ(broken("device: gpu", "device: slice"),
            "x.yaml:13:5: batches of image-resize on slice stand here twice");
  EXPECT_EQ(broken("instances", "instance"),
            "x.yaml:4:5: unknown key `instance` (did you mean `instances`?)");
}

TEST(LoadBatches, AreNoneWhereThereIsNoFile) {
  const auto none = LoadBatches("/nowhere", WithClasses());
  ASSERT_TRUE(none.ok());
  EXPECT_TRUE(none->empty());
}

}  // namespace
}  // namespace spillway
