#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// What a modelled engine says: pseudo words instead of a model's, one word a token, so that whoever
// reads an answer can count its tokens. Everything here is a function of hashes: the same request
// gets the same answer, of the same length, from every engine with the same seed.
namespace spillway::modelled {

std::uint64_t HashOf(std::string_view text, std::uint64_t seed = 0);
std::uint64_t Mix(std::uint64_t a, std::uint64_t b);
// In [0, 1).
double FractionOf(std::uint64_t hash);

// Tokens of an answer that nobody cuts off: at least 1, log-normal with that mean and sigma 0.8,
// about as spread as chat answers are (of 10 answers one is shorter than a quarter of the mean, one
// longer than twice). `mean` >= 1.
std::int64_t DrawLength(std::uint64_t hash, double mean);

// The i-th token of a text: a word, with a blank before it unless it is the first. Some are not
// ASCII.
std::string_view WordAt(std::uint64_t text, std::int64_t i);

// How likely it was: in (-2.5, 0].
double LogProbabilityAt(std::uint64_t text, std::int64_t i);

// A vector of length 1 in `dimensions` (> 0) directions, as embeddings are.
std::vector<float> VectorOf(std::uint64_t hash, std::size_t dimensions);

}  // namespace spillway::modelled
