// Splitwise (Patel et al., "Splitwise: Efficient Generative LLM Inference Using Phase Splitting",
// ISCA 2024): on Llama 2 70B the H100 computes batches of prompts some 2.3 times as fast as the
// A100, but decodes hardly 1.4 times as fast, while it costs 2.15 times as much. So the older part
// is the cheaper decoder at every batch, and the newer one earns its price with many prompts at
// once only: 32 or more of 512 tokens, not with single ones of any length. The engine's step times
// must say the same. Figures: data/perf_model.csv of splitwise-sim, medians, eight devices.
#include <gtest/gtest.h>

#include <utility>

#include "formats/catalog_file.h"
#include "performance/step_time.h"

namespace spillway {
namespace {

// USD an hour of eight devices, in Splitwise's units: 4.76 against 2.21 for one.
constexpr double kPriceRatio = 4.76 / 2.21;

class Splitwise : public testing::Test {
 protected:
  Splitwise() : catalog_(*LoadCatalog(SPILLWAY_SOURCE_DIR "/configs/catalog")) {}

  // `prompts` of so many tokens each, and sequences that are decoded.
  double Seconds(const std::string& device, int prompts, std::int64_t prompt, int sequences) const {
    PoolSpec pool;
    pool.name = "node";
    pool.device = device;
    pool.kind = DeviceKind::kGpu;
    pool.node = {.cpus = MilliCpus(96'000), .memory = Bytes(std::int64_t{1} << 40), .devices = 8};
    const ServeSpec serve{.model = "llama-2-70b", .precision = Precision::kFp16};
    const auto steps = StepTimesFor(catalog_, pool, serve);
    if (steps == nullptr) return 0;
    StepBatch batch;
    for (int i = 0; i < prompts; ++i) batch.AddChunk(prompt, 0);
    for (int i = 0; i < sequences; ++i) batch.AddDecode(576);
    return absl::ToDoubleSeconds(steps->Of(batch));
  }
  // How many times as fast the H100 is.
  double Decoding(int sequences) const {
    return Seconds("nvidia-a100-80g", 0, 0, sequences) /
           Seconds("nvidia-h100-80g", 0, 0, sequences);
  }
  double Computing(int prompts, std::int64_t tokens) const {
    return Seconds("nvidia-a100-80g", prompts, tokens, 0) /
           Seconds("nvidia-h100-80g", prompts, tokens, 0);
  }
  const Catalog catalog_;
};

TEST_F(Splitwise, TheOlderDeviceIsTheCheaperDecoderAtEveryBatch) {
  // Published: 1.47, 1.37, 1.43 (medians; means over the same rows differ by a few percent).
  for (const auto& [sequences, published] : {std::pair(1, 1.47), {32, 1.37}, {64, 1.43}}) {
    SCOPED_TRACE(sequences);
    EXPECT_NEAR(Decoding(sequences), published, 0.06);
    EXPECT_LT(Decoding(sequences), 0.75 * kPriceRatio);
  }
}

TEST_F(Splitwise, OnePromptIsTooLittleForTheNewerOneWhateverItsLength) {
  for (const auto& [tokens, published] :
       {std::pair(512, 1.73), {1024, 1.98}, {2048, 2.00}, {4096, 1.69}, {8192, 1.83}}) {
    SCOPED_TRACE(tokens);
    EXPECT_NEAR(Computing(1, tokens), published, 0.12);
    EXPECT_LT(Computing(1, tokens), kPriceRatio);
    EXPECT_GT(Computing(1, tokens), Decoding(1));
  }
}

TEST_F(Splitwise, TheNewerOneEarnsItsPriceWithManyPromptsAtOnce) {
  for (const auto& [prompts, published] : {std::pair(32, 2.27), {64, 2.57}}) {
    SCOPED_TRACE(prompts);
    EXPECT_NEAR(Computing(prompts, 512), published, 0.12);
    EXPECT_GT(Computing(prompts, 512), kPriceRatio);
  }
}

}  // namespace
}  // namespace spillway
