#pragma once

#include <optional>

#include "performance/replica.h"
#include "performance/step_time.h"

// Step times of hardware that nobody has measured with this model: what the arithmetic takes, or
// what moving the bytes takes, whichever is longer, and a little for launching it all.
//
//   time = max(prefill flops / (peak x mfu_p) + decode flops / (peak x mfu_d),
//              bytes / (bandwidth x reached)) + 126 us + 32 us x layers + 4 us x sequences
//
// (BLIS: the roofline, and the overheads of its fit on 15 H100 runs.) Weights are read once a step,
// the keys and values of each sequence once; of a mixture's experts those that are touched.
namespace spillway {

// How much of the data sheet engines reach.
struct Reached {
  double prefill = 0, decode = 0;  // of the peak rate, by phase
  double bandwidth = 0;
  friend bool operator==(const Reached&, const Reached&) = default;
};
// By class of the device, which its figures tell:
//  - accelerators with 3 TB/s or more          0.45 0.30  (BLIS: H100)
//  - others with more than 300 operations for each byte moved   0.32 0.08  (BLIS: L40S)
//  - the rest                                  0.38 0.18  (BLIS: A100)
//  - CPUs with a matrix unit (more than 100 operations a byte)  0.25 (assumed) 0.06 (from IPEX,
//    Llama 2 7B int8 on m7i.16xlarge: 1.4 ms for each further sequence)
//  - other CPUs                                0.50 0.30  (assumed)
// Bandwidth: accelerators 0.71 (BLIS: weights take 1.4 times the ideal), CPUs 0.84 (IPEX: 39 ms).
Reached ReachedBy(const Device& device, double peak);

// The rate at which a device computes with weights of this precision: its own where it has one;
// weights in fewer bits than the device computes with are only smaller, the arithmetic is done in
// bf16 or fp16, else what it has. None: no rate of the device can compute with them.
std::optional<double> ComputeRate(const Device& device, Precision weights);

class Roofline final : public StepTimes {
 public:
  // None: ComputeRate has none.
  static std::optional<Roofline> Of(const Replica& replica);

  absl::Duration Of(const StepBatch& batch) const override;
  std::optional<DecodeCurve> Decodes(int sequences) const override;
  Basis basis() const override { return Basis::kRoofline; }

  // The same in seconds, on hardware of speed 1 and without confidential computing.
  double Seconds(const StepBatch& batch) const;
  // What attention takes for so many pairs of a new token and one before it, computing a prompt.
  double AttentionSeconds(double pairs) const { return attention_flops_ * pairs / prefill_rate_; }
  // What reading the keys and values of so many tokens takes.
  double KvSeconds(double tokens) const { return kv_bytes_ * tokens / bandwidth_; }
  double scale() const { return scale_; }  // seconds -> the replica's own

 private:
  explicit Roofline(const Replica& replica, double peak);
  double WeightBytes(double tokens) const;

  double layer_flops_ = 0;                     // for one token, all layers
  double head_flops_ = 0;                      // for one token that is sampled
  double attention_flops_ = 0;                 // for one pair of tokens
  double dense_bytes_ = 0, expert_bytes_ = 0;  // weights: always read; all experts together
  double expert_missed_ = 0;                   // part of the experts that one token does not touch
  double kv_bytes_ = 0;                        // of one token
  double prefill_rate_ = 1, decode_rate_ = 1, bandwidth_ = 1;
  double overhead_ = 0;
  double scale_ = 1;
};

// Seconds as the whole nanoseconds of a step: at least one.
absl::Duration StepDuration(double seconds);

}  // namespace spillway
