#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace spillway {

// Hashes of the leading blocks of a text, each chained to the one before it: two texts share their
// first k hashes exactly if their first k blocks are the same (up to chance, 2^-64 a pair). They
// tell which endpoint has seen the beginning of a prompt; a last block that is not full has none.
struct PrefixHashes {
  static constexpr std::size_t kBlock = 1024;  // bytes: a few hundred tokens
  static constexpr std::size_t kMost = 32;     // so the first 32 KiB count

  std::array<std::uint64_t, kMost> hashes{};  // XXH64, seed: the hash before, 0 for the first
  std::size_t count = 0;
};

// Takes the text in pieces, however it is split.
class PrefixHasher {
 public:
  explicit PrefixHasher(PrefixHashes* out) : out_(out) {}
  void Add(std::string_view piece);

 private:
  PrefixHashes* out_;
  std::array<char, PrefixHashes::kBlock> partial_;
  std::size_t held_ = 0;  // bytes in partial_

  void Take(const char* block);
};

}  // namespace spillway
