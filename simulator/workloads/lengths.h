#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "core/workload.h"
#include "simulator/random_stream.h"

namespace spillway {

// Draws from a LengthSpec, its column read.
class LengthSampler {
 public:
  static absl::StatusOr<LengthSampler> Load(const LengthSpec& spec);

  double Draw(RandomStream& random) const;
  // The same in whole tokens: at least 1, but for a constant that says 0.
  std::int64_t DrawWhole(RandomStream& random) const;

  // Two columns of one file are drawn row by row, so that long prompts keep their long answers.
  bool SameRowsAs(const LengthSampler& other) const;
  std::size_t rows() const { return column_ ? column_->size() : 0; }
  std::int64_t WholeAt(std::size_t row) const { return Whole((*column_)[row]); }

 private:
  explicit LengthSampler(const LengthSpec& spec) : spec_(spec) {}
  std::int64_t Whole(double value) const;

  LengthSpec spec_;
  std::shared_ptr<const std::vector<double>> column_;
};

// Linear between points (fraction, value) that rise; the end values hold beyond them. `at` in [0,
// 1).
double QuantileAt(std::span<const std::pair<double, double>> points, double at);

// Prompts and answers of a part.
struct TokenSamplers {
  std::optional<LengthSampler> prompt, output, items;
  static absl::StatusOr<TokenSamplers> Load(const RequestSpec& spec);

  struct Draws {
    std::optional<std::int64_t> prompt, output;
    std::int64_t items = 1;
  };
  Draws Draw(RandomStream& prompts, RandomStream& outputs) const;
};

}  // namespace spillway
