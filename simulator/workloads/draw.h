#pragma once

#include <boost/random/exponential_distribution.hpp>
#include <boost/random/gamma_distribution.hpp>
#include <boost/random/normal_distribution.hpp>
#include <boost/random/uniform_01.hpp>
#include <boost/random/uniform_int_distribution.hpp>
#include <cmath>
#include <cstdint>

#include "simulator/random_stream.h"

// Numbers by chance, of Boost.Random's distributions: those of the standard library differ between
// implementations. Logarithms and powers come from the C library, whose last bit may differ between
// machines; results are rounded (to nanoseconds, to tokens) before anything depends on them.
namespace spillway {

inline double DrawUniform(RandomStream& random) {  // [0, 1)
  return boost::random::uniform_01<double>()(random);
}
inline std::uint64_t DrawBelow(RandomStream& random, std::uint64_t bound) {  // bound > 0
  return boost::random::uniform_int_distribution<std::uint64_t>(0, bound - 1)(random);
}
inline double DrawExponential(RandomStream& random) {  // mean 1
  return boost::random::exponential_distribution<double>(1)(random);
}
inline double DrawNormal(RandomStream& random) {  // mean 0, deviation 1
  return boost::random::normal_distribution<double>()(random);
}
inline double DrawGamma(RandomStream& random, double shape) {  // scale 1, mean `shape`
  return boost::random::gamma_distribution<double>(shape)(random);
}

// Mixes two words into one that looks like chance (SplitMix64's finish): names of blocks.
inline std::uint64_t MixWords(std::uint64_t a, std::uint64_t b) {
  std::uint64_t hash = a ^ (b + 0x9e3779b97f4a7c15 + (a << 6) + (a >> 2));
  hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9;
  hash = (hash ^ hash >> 27) * 0x94d049bb133111eb;
  return hash ^ hash >> 31;
}

}  // namespace spillway
