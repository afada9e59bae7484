// Splitwise (Patel et al., "Splitwise: Efficient Generative LLM Inference Using Phase Splitting",
// ISCA 2024): on Llama 2 70B the H100 computes prompts some 2.3 times as fast as the A100, but
// decodes hardly 1.4 times as fast, while it costs 2.15 times as much. So the older part is the
// cheaper decoder at every batch, and the newer one earns its price with prompts only. The engine's
// step times must say the same.
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

  double Seconds(const std::string& device, std::int64_t prompt, int sequences) const {
    PoolSpec pool;
    pool.name = "node";
    pool.device = device;
    pool.kind = DeviceKind::kGpu;
    pool.node = {.cpus = MilliCpus(96'000), .memory = Bytes(std::int64_t{1} << 40), .devices = 8};
    const ServeSpec serve{.model = "llama-2-70b", .precision = Precision::kFp16};
    const auto steps = StepTimesFor(catalog_, pool, serve);
    if (steps == nullptr) return 0;
    StepBatch batch;
    if (prompt > 0) batch.AddChunk(prompt, 0);
    for (int i = 0; i < sequences; ++i) batch.AddDecode(576);
    return absl::ToDoubleSeconds(steps->Of(batch));
  }
  // How many times as fast the H100 is.
  double SpeedUp(std::int64_t prompt, int sequences) const {
    return Seconds("nvidia-a100-80g", prompt, sequences) /
           Seconds("nvidia-h100-80g", prompt, sequences);
  }
  const Catalog catalog_;
};

TEST_F(Splitwise, TheOlderDeviceIsTheCheaperDecoderAtEveryBatch) {
  // Published: 1.47, 1.37, 1.43 (medians; means over the same rows differ by a few percent).
  for (const auto& [sequences, published] : {std::pair(1, 1.47), {32, 1.37}, {64, 1.43}}) {
    SCOPED_TRACE(sequences);
    EXPECT_NEAR(SpeedUp(0, sequences), published, 0.06);
    EXPECT_LT(SpeedUp(0, sequences), 0.75 * kPriceRatio);
  }
}

// Published: 1.73 times at 512 tokens, more than the price ratio from 2,048 on. Ours leans the same
// way at 2,048 and stays below the price: docs/fidelity.md says so.
TEST_F(Splitwise, TheNewerOneGainsMoreByPromptsThanByDecoding) {
  EXPECT_NEAR(SpeedUp(512, 0), 1.73, 0.12) << "one prompt is too little for it";
  EXPECT_LT(SpeedUp(512, 0), kPriceRatio);
  for (const std::int64_t prompt : {2048, 4096, 8192}) {
    EXPECT_GT(SpeedUp(prompt, 0), SpeedUp(0, 1)) << prompt;
  }
}

}  // namespace
}  // namespace spillway
