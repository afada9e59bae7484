#include "simulator/workloads/lengths.h"

#include <algorithm>
#include <cmath>

#include "core/status.h"
#include "formats/traces/table_file.h"
#include "simulator/workloads/draw.h"

namespace spillway {
namespace {

constexpr double kMostWhole = 1e15;
constexpr double kNormalP99 = 2.3263478740408408;  // of the standard normal distribution

}  // namespace

double QuantileAt(std::span<const std::pair<double, double>> points, double at) {
  const auto above =
      std::upper_bound(points.begin(), points.end(), at,
                       [](double fraction, const auto& point) { return fraction < point.first; });
  if (above == points.begin()) return points.front().second;
  if (above == points.end()) return points.back().second;
  const auto& [low, low_value] = *std::prev(above);
  const auto& [high, high_value] = *above;
  return low_value + (high_value - low_value) * (at - low) / (high - low);
}

absl::StatusOr<LengthSampler> LengthSampler::Load(const LengthSpec& spec) {
  LengthSampler sampler(spec);
  if (spec.shape != LengthShape::kColumn) return sampler;
  SPILLWAY_ASSIGN_OR_RETURN(auto values, ReadCsvColumn(spec.file, spec.column));
  sampler.column_ = std::make_shared<const std::vector<double>>(std::move(values));
  return sampler;
}

double LengthSampler::Draw(RandomStream& random) const {
  double value = spec_.constant;
  switch (spec_.shape) {
    case LengthShape::kConstant:
      break;
    case LengthShape::kLognormal: {
      const double sigma = std::log(spec_.p99 / spec_.p50) / kNormalP99;
      value = spec_.p50 * std::exp(sigma * DrawNormal(random));
      break;
    }
    case LengthShape::kQuantiles:
      value = QuantileAt(spec_.quantiles, DrawUniform(random));
      break;
    case LengthShape::kColumn:
      value = (*column_)[DrawBelow(random, column_->size())];
      break;
  }
  return std::min(value, spec_.most);
}

std::int64_t LengthSampler::Whole(double value) const {
  const auto whole = std::llround(std::clamp(value, 0.0, std::min(spec_.most, kMostWhole)));
  return spec_.shape == LengthShape::kConstant ? whole : std::max<std::int64_t>(whole, 1);
}
std::int64_t LengthSampler::DrawWhole(RandomStream& random) const { return Whole(Draw(random)); }

bool LengthSampler::SameRowsAs(const LengthSampler& other) const {
  return column_ && other.column_ && spec_.file == other.spec_.file &&
         column_->size() == other.column_->size();
}

absl::StatusOr<TokenSamplers> TokenSamplers::Load(const RequestSpec& spec) {
  TokenSamplers samplers;
  for (const auto& [from, to] : {std::pair(&spec.prompt_tokens, &samplers.prompt),
                                 std::pair(&spec.output_tokens, &samplers.output),
                                 std::pair(&spec.items, &samplers.items)}) {
    if (!*from) continue;
    SPILLWAY_ASSIGN_OR_RETURN(LengthSampler sampler, LengthSampler::Load(**from));
    *to = std::move(sampler);
  }
  return samplers;
}

TokenSamplers::Draws TokenSamplers::Draw(RandomStream& prompts, RandomStream& outputs) const {
  Draws draws;
  if (prompt && output && prompt->SameRowsAs(*output)) {
    const std::size_t row = DrawBelow(prompts, prompt->rows());
    draws.prompt = prompt->WholeAt(row);
    draws.output = output->WholeAt(row);
  } else {
    if (prompt) draws.prompt = prompt->DrawWhole(prompts);
    if (output) draws.output = output->DrawWhole(outputs);
  }
  if (items) draws.items = std::max<std::int64_t>(items->DrawWhole(prompts), 1);
  return draws;
}

}  // namespace spillway
