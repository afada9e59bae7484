#include "formats/prefix_hash.h"

#include <algorithm>
#include <cstring>

#include <xxhash.h>

namespace spillway {

void PrefixHasher::Add(std::string_view piece) {
  while (!piece.empty() && out_->count < PrefixHashes::kMost) {
    if (held_ == 0 && piece.size() >= PrefixHashes::kBlock) {
      Take(piece.data());
      piece.remove_prefix(PrefixHashes::kBlock);
      continue;
    }
    const std::size_t some = std::min(piece.size(), PrefixHashes::kBlock - held_);
    std::memcpy(partial_.data() + held_, piece.data(), some);
    held_ += some;
    piece.remove_prefix(some);
    if (held_ < PrefixHashes::kBlock) break;
    held_ = 0;
    Take(partial_.data());
  }
}

void PrefixHasher::Take(const char* block) {
  const std::uint64_t before = out_->count ? out_->hashes[out_->count - 1] : 0;
  out_->hashes[out_->count++] = XXH64(block, PrefixHashes::kBlock, before);
}

}  // namespace spillway
