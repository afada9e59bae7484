#include "performance/roofline.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>

namespace spillway {
namespace {

constexpr double kStepOverhead = 126e-6, kLayerOverhead = 32e-6, kSequenceOverhead = 4e-6;

// Elements of the matrices of one layer's attention: queries and output, keys and values.
double AttentionElements(const Model& m) {
  const double d = m.hidden, q = 1.0 * m.heads * m.head_size, kv = 1.0 * m.kv_heads * m.head_size;
  return 2 * d * q + 2 * d * kv;
}
double FfnElements(const Model& m) { return (m.gated ? 3.0 : 2.0) * m.hidden * m.ffn; }

std::initializer_list<Precision> ComputedIn(Precision weights) {
  using P = Precision;
  static constexpr std::initializer_list<P> kFp64 = {P::kFp64}, kFp32 = {P::kFp32, P::kTf32},
                                            kTf32 = {P::kTf32, P::kFp32},
                                            kBf16 = {P::kBf16, P::kFp16, P::kFp32},
                                            kFp16 = {P::kFp16, P::kBf16, P::kFp32},
                                            kFp8 = {P::kFp8, P::kBf16, P::kFp16, P::kFp32},
                                            kInt8 = {P::kInt8, P::kBf16, P::kFp16, P::kFp32},
                                            kInt4 = {P::kInt4, P::kBf16, P::kFp16, P::kInt8,
                                                     P::kFp32};
  switch (weights) {
    case P::kFp64:
      return kFp64;
    case P::kFp32:
      return kFp32;
    case P::kTf32:
      return kTf32;
    case P::kBf16:
      return kBf16;
    case P::kFp16:
      return kFp16;
    case P::kFp8:
      return kFp8;
    case P::kInt8:
      return kInt8;
    case P::kInt4:
      return kInt4;
  }
  return kBf16;
}

}  // namespace

Reached ReachedBy(const Device& device, double peak) {
  const double per_byte = peak / std::max(1.0, device.bandwidth.value());
  if (device.kind == DeviceKind::kCpu) {
    return per_byte > 100 ? Reached{0.25, 0.06, 0.84} : Reached{0.50, 0.30, 0.84};
  }
  if (device.bandwidth.value() >= 3e12) return {0.45, 0.30, 0.71};
  return per_byte > 300 ? Reached{0.32, 0.08, 0.71} : Reached{0.38, 0.18, 0.71};
}

std::optional<double> ComputeRate(const Device& device, Precision weights) {
  for (const Precision precision : ComputedIn(weights)) {
    const auto rate = device.peak.find(precision);
    if (rate != device.peak.end() && rate->second.value() > 0) return rate->second.value();
  }
  return std::nullopt;
}

std::optional<Roofline> Roofline::Of(const Replica& replica) {
  const auto peak = ComputeRate(*replica.device, replica.precision);
  if (!peak || replica.device->bandwidth.value() <= 0) return std::nullopt;
  return Roofline(replica, *peak);
}

Roofline::Roofline(const Replica& replica, double peak) {
  const Model& m = *replica.model;
  const bool mixture = m.experts > 0;
  const double ffn = FfnElements(m), attention = AttentionElements(m);
  const double head =
      m.kind == ModelKind::kChat ? 1.0 * m.hidden * static_cast<double>(m.vocabulary) : 0;
  layer_flops_ = 2.0 * m.layers * (attention + ffn * (mixture ? m.experts_per_token : 1));
  head_flops_ = 2 * head;
  // Scores and values, and 5 operations for each score; encoders look both ways.
  attention_flops_ =
      m.layers * m.heads * (4.0 * m.head_size + 5) * (m.kind == ModelKind::kEmbedding ? 2 : 1);
  const double bytes = BytesOf(replica.precision);
  dense_bytes_ = (m.layers * (attention + (mixture ? 0 : ffn)) + head) * bytes;
  expert_bytes_ = mixture ? m.layers * ffn * m.experts * bytes : 0;
  expert_missed_ = mixture ? 1 - 1.0 * m.experts_per_token / m.experts : 0;
  kv_bytes_ = replica.KvBytesPerToken();
  const Reached reached = ReachedBy(*replica.device, peak);
  prefill_rate_ = peak * reached.prefill * replica.parallel();
  decode_rate_ = peak * reached.decode * replica.parallel();
  bandwidth_ = replica.device->bandwidth.value() * reached.bandwidth * replica.parallel();
  overhead_ = kStepOverhead + kLayerOverhead * m.layers;
  scale_ = replica.slowdown / replica.speed;
}

// Tokens choose experts evenly, so this is an upper bound.
double Roofline::WeightBytes(double tokens) const {
  if (expert_bytes_ == 0) return dense_bytes_;
  return dense_bytes_ + expert_bytes_ * (1 - std::pow(expert_missed_, tokens));
}

double Roofline::Seconds(const StepBatch& batch) const {
  if (batch.empty()) return 0;
  const double prompt = static_cast<double>(batch.prefill_tokens);
  const double looked_at = static_cast<double>(batch.prefill_context);
  const double behind = static_cast<double>(batch.decode_context);
  const double prefill =
      prompt * layer_flops_ + batch.prefills * head_flops_ + looked_at * attention_flops_;
  const double decode = batch.decodes * (layer_flops_ + head_flops_) + behind * attention_flops_;
  const double compute = prefill / prefill_rate_ + decode / decode_rate_;
  // A chunk reads what lies before its middle: a little too much for its own part.
  const double chunk_reads = prompt > 0 ? looked_at / prompt * batch.prefills : 0;
  const double tokens = prompt + batch.decodes;
  const double bytes = WeightBytes(tokens) + kv_bytes_ * (tokens + behind + chunk_reads);
  return std::max(compute, bytes / bandwidth_) + overhead_ +
         kSequenceOverhead * (batch.prefills + batch.decodes);
}

absl::Duration Roofline::Of(const StepBatch& batch) const {
  return batch.empty() ? absl::ZeroDuration() : StepDuration(Seconds(batch) * scale_);
}

std::optional<DecodeCurve> Roofline::Decodes(int sequences) const {
  const double n = sequences;
  const double fixed = overhead_ + kSequenceOverhead * n;
  const double compute = n * (layer_flops_ + head_flops_) / decode_rate_;
  const double move = (WeightBytes(n) + kv_bytes_ * n) / bandwidth_;
  return LongerOf(TickLineOf((compute + fixed) * scale_, attention_flops_ / decode_rate_ * scale_),
                  TickLineOf((move + fixed) * scale_, kv_bytes_ / bandwidth_ * scale_));
}

absl::Duration StepDuration(double seconds) {
  constexpr double kMost = 9e18;  // 285 years
  const double nanos = std::min(kMost, seconds * 1e9);
  return absl::Nanoseconds(std::max<std::int64_t>(1, std::llround(nanos)));
}

}  // namespace spillway
