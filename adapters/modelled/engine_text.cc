#include "adapters/modelled/engine_text.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace spillway::modelled {
namespace {

constexpr std::array<std::string_view, 64> kWords = {
    " the",   " of",     " and",    " to",     " in",     " a",        " that",  " for",
    " it",    " as",     " with",   " be",     " by",     " on",       " not",   " this",
    " from",  " or",     " which",  " one",    " would",  " all",      " will",  " more",
    " can",   " other",  " some",   " could",  " time",   " two",      " may",   " then",
    " first", " any",    " work",   " over",   " even",   " most",     " made",  " after",
    " queue", " token",  " batch",  " memory", " river",  " spillway", " water", " gate",
    " stone", " bridge", " market", " garden", " letter", " evening",  " paper", " window",
    " café",  " naïve",  " Zürich", " 東京",   " fjörd",  " żółw",     " λόγος", " мир"};

// Normal, mean 0, deviation 1: the sum of 12 uniform draws less 6, which never leaves [-6, 6].
double NormalOf(std::uint64_t hash) {
  double sum = -6;
  for (std::uint64_t i = 0; i < 12; ++i) sum += FractionOf(Mix(hash, i + 1));
  return sum;
}

}  // namespace

std::uint64_t HashOf(std::string_view text, std::uint64_t seed) {
  return XXH64(text.data(), text.size(), seed);
}

std::uint64_t Mix(std::uint64_t a, std::uint64_t b) {
  std::uint64_t z = a + 0x9e3779b97f4a7c15 * (b + 1);  // SplitMix64
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

double FractionOf(std::uint64_t hash) { return static_cast<double>(hash >> 11) * 0x1p-53; }

std::int64_t DrawLength(std::uint64_t hash, double mean) {
  constexpr double kSigma = 0.8;
  const double middle = std::log(mean) - kSigma * kSigma / 2;
  const double length = std::exp(middle + kSigma * NormalOf(hash));
  return std::max<std::int64_t>(1, std::llround(std::min(length, 1e9)));
}

std::string_view WordAt(std::uint64_t text, std::int64_t i) {
  std::string_view word = kWords[Mix(text, static_cast<std::uint64_t>(i)) % kWords.size()];
  if (i == 0) word.remove_prefix(1);
  return word;
}

double LogProbabilityAt(std::uint64_t text, std::int64_t i) {
  const double u = FractionOf(Mix(~text, static_cast<std::uint64_t>(i)));
  return -2.5 * u * u;  // most tokens are rather sure
}

std::vector<float> VectorOf(std::uint64_t hash, std::size_t dimensions) {
  std::vector<float> vector(dimensions);
  double square = 0;
  for (std::size_t i = 0; i < dimensions; ++i) {
    const double x = 2 * FractionOf(Mix(hash, i)) - 1;
    vector[i] = static_cast<float>(x);
    square += x * x;
  }
  const auto length = static_cast<float>(std::sqrt(std::max(square, 1e-12)));
  for (float& x : vector) x /= length;
  return vector;
}

}  // namespace spillway::modelled
