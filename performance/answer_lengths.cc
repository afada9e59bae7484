#include "performance/answer_lengths.h"

#include <algorithm>
#include <cmath>

namespace spillway {
namespace {

constexpr double kLn2 = 0.693147, kLn10 = 2.302585;

// -ln(1 - u) at 5 %, 10 %, ...; for 100 % its value at 99 %.
constexpr std::array<double, AnswerLengths::kPoints> kMemoryless{
    0.0513, 0.1054, 0.1625, 0.2231, 0.2877, 0.3567, 0.4308, 0.5108, 0.5978, 0.6931,
    0.7985, 0.9163, 1.0498, 1.2040, 1.3863, 1.6094, 1.8971, 2.3026, 2.9957, 4.6052};

// 1 - (1 - p)^(1 / n): where the least of n equal draws lies with probability p, as a quantile of
// one. A table for few; for many c / (n + c / 2) with c = -ln(1 - p), which is off by less than 1 %
// from 9 on. No pow: its last bit differs between libraries.
constexpr std::array<double, 8> kLeastP50{0.5,     0.29289, 0.20630, 0.15910,
                                          0.12945, 0.10910, 0.09428, 0.08300};
constexpr std::array<double, 8> kLeastP90{0.9,     0.68377, 0.53584, 0.43766,
                                          0.36904, 0.31871, 0.28031, 0.25011};
double LeastOf(double n, const std::array<double, 8>& few, double c) {
  const auto whole = static_cast<std::size_t>(n);
  return whole <= few.size() ? few[std::max<std::size_t>(whole, 1) - 1] : c / (n + c / 2);
}

}  // namespace

AnswerLengths::AnswerLengths(double mean, absl::Span<const std::int64_t> left) {
  if (mean < 1 || left.size() < kPoints) {
    *this = WithMedian(mean * kLn2);
    return;
  }
  mean_ = mean;
  for (std::size_t i = 0; i < kPoints; ++i)
    left_[i + 1] = std::max(left_[i], static_cast<double>(left[i]));
}

AnswerLengths AnswerLengths::WithMedian(double tokens) {
  AnswerLengths lengths;
  lengths.mean_ = std::max(tokens, kLn2) / kLn2;
  for (std::size_t i = 0; i < kPoints; ++i) lengths.left_[i + 1] = kMemoryless[i] * lengths.mean_;
  return lengths;
}

double AnswerLengths::RestAt(double part) const {
  const double at = std::clamp(part, 0.0, 1.0) * kPoints;
  const auto below = std::min(static_cast<std::size_t>(at), kPoints - 1);
  return left_[below] + (at - static_cast<double>(below)) * (left_[below + 1] - left_[below]);
}

AnswerLengths::Steps AnswerLengths::Until(double ends, double batch) const {
  if (ends <= 0) return {};
  const double n = std::max(batch, 1.0), each = mean_ / n, root = std::sqrt(ends);
  const auto after = [&](double first) {
    return std::max(each * ends + (first - each) * root, 0.0);
  };
  return {after(RestAt(LeastOf(n, kLeastP50, kLn2))), after(RestAt(LeastOf(n, kLeastP90, kLn10)))};
}

}  // namespace spillway
