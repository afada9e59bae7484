#pragma once

#include <boost/random/mersenne_twister.hpp>
#include <cstdint>
#include <string_view>

namespace spillway {

// One stream of chance for each process (common random numbers: what is drawn for one does not
// shift what is drawn for another). Portable: the same numbers on any machine.
using RandomStream = boost::random::mt19937_64;

// Seeded by FNV-1a over `name` and the bytes of `seed`, finished by SplitMix64.
inline RandomStream MakeRandomStream(std::uint64_t seed, std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&hash](std::uint64_t byte) { hash = (hash ^ byte) * 0x100000001b3; };
  for (const char c : name) add(static_cast<unsigned char>(c));
  for (int i = 0; i < 64; i += 8) add(seed >> i & 0xff);
  hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9;
  hash = (hash ^ hash >> 27) * 0x94d049bb133111eb;
  return RandomStream(hash ^ hash >> 31);
}

}  // namespace spillway
