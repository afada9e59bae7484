#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/device.h"
#include "core/units.h"

// Language models as hardware sees them, and how fast engines were measured to run them: the words
// of configs/catalog/models.yaml and configs/catalog/profiles/.
namespace spillway {

// kBatch: pictures to classify, samples to rank: no tokens, but items that are computed together
// (core/batch_profile.h). Such a model is a class of work, not an entry of models.yaml.
enum class ModelKind : std::uint8_t { kChat, kEmbedding, kBatch };
inline constexpr EnumNames<ModelKind, 3> kModelKindNames{{{ModelKind::kChat, "chat"},
                                                          {ModelKind::kEmbedding, "embedding"},
                                                          {ModelKind::kBatch, "batch"}}};
constexpr const auto& NamesOf(ModelKind) { return kModelKindNames; }

// One entry of the catalogue: the figures of the model's own config.json. A mixture of experts
// holds `parameters` and touches `active_parameters` for one token.
struct Model {
  std::string name;
  std::string says;  // what it stands for
  ModelKind kind = ModelKind::kChat;
  double parameters = 0;         // > 0
  double active_parameters = 0;  // (0, parameters]; the same for dense models
  int layers = 0, hidden = 0;
  int heads = 0, kv_heads = 0;  // kv_heads divides heads
  int head_size = 0;            // elements
  int ffn = 0;                  // width of one (expert's) feed-forward block
  bool gated = true;            // three matrices in it, else two
  int experts = 0;              // 0: dense
  int experts_per_token = 0;
  std::int64_t vocabulary = 0;
  std::int64_t context = 0;    // tokens of prompt and answer together, at most
  double bytes_per_token = 4;  // of text in its tokenizer: where estimates begin
  std::string licence;
  std::map<std::string, std::string> sources;  // figure group -> where it was read

  // Bytes of the keys and values of one token: 2 x layers x kv_heads x head_size x `element`.
  Bytes KvBytesPerToken(double element_bytes) const {
    return Bytes(static_cast<std::int64_t>(2.0 * layers * kv_heads * head_size * element_bytes));
  }
};

// Bytes of one element in memory.
constexpr double BytesOf(Precision precision) {
  switch (precision) {
    case Precision::kFp64:
      return 8;
    case Precision::kFp32:
    case Precision::kTf32:
      return 4;
    case Precision::kBf16:
    case Precision::kFp16:
      return 2;
    case Precision::kFp8:
    case Precision::kInt8:
      return 1;
    case Precision::kInt4:
      return 0.5;
  }
  return 2;
}

// A measured table: how long steps of an engine took. Between its points times are interpolated
// linearly, on each axis (LLMServingSim: leave-one-out error 2.3 to 3.7 %, in log space 11 to 14
// %).
struct EngineProfile {
  struct Point {
    double at = 0;          // prompt tokens, or sequences in the batch; rising, > 0
    absl::Duration time{};  // > 0
    friend bool operator==(const Point&, const Point&) = default;
  };
  std::string name;           // of the file and entry, for people
  std::string device, model;  // of the catalogue
  Precision precision = Precision::kBf16;
  int devices = 1;             // that one replica holds; for a CPU: slices of the catalogue's entry
  std::string engine;          // what was measured: "vllm 0.6.3"
  std::vector<Point> prefill;  // prompt tokens -> time of their step
  std::vector<Point> decode;   // sequences -> time of one step; context as measured
  std::int64_t decode_context = 0;        // tokens each of them had behind it
  std::optional<std::int64_t> kv_blocks;  // measured, of 16 tokens
  std::optional<int> max_sequences;       // in one batch
  std::string says, source, licence, as_of;
};

}  // namespace spillway
