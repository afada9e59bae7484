#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"

// The memory of an engine for keys and values, in blocks, and what of earlier prompts is still in
// it. Prompts are cut into pieces of a few blocks; a piece is known by a hash of all tokens up to
// its end, so that equal hashes mean equal beginnings. Sequences that begin alike share pieces. A
// piece that nobody uses any more stays, and counts as available, until its blocks are wanted: the
// one that has been out of use the longest goes first, of one sequence its last piece first.
namespace spillway {

class KvBlocks {
 public:
  // `piece`: blocks of one piece; 0: nothing is kept.
  KvBlocks(std::int64_t total, std::int64_t piece) : total_(total), piece_(piece), blank_(total) {}

  std::int64_t total() const { return total_; }
  std::int64_t available() const {
    return blank_ + static_cast<std::int64_t>(idle_pieces_) * piece_;
  }

  // `blocks` <= available(): first such as hold nothing.
  void Take(std::int64_t blocks) {
    blank_ -= blocks;
    while (blank_ < 0) Forget();
  }
  void Return(std::int64_t blocks) { blank_ += blocks; }

  struct Found {
    std::size_t pieces = 0;   // how many of the first ones are here
    std::int64_t in_use = 0;  // of them, so that sharing them takes nothing of available()
    friend bool operator==(const Found&, const Found&) = default;
  };
  Found Find(absl::Span<const std::uint64_t> hashes) const;
  void Use(std::uint64_t hash);  // one that is here
  // A sequence has computed a piece in blocks that it took: from now on others may use it, and it
  // does so itself. If it is here already, its own blocks are returned.
  void Keep(std::uint64_t hash);
  // Ends one use of each; the last piece is the first to be forgotten.
  void Leave(absl::Span<const std::uint64_t> hashes);

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  struct Piece {
    std::uint64_t hash = 0;
    std::int64_t users = 0;
    std::uint32_t older = kNone, newer = kNone;  // among those out of use
  };
  void Forget();  // the one longest out of use
  void Unlink(Piece& piece);

  std::int64_t total_, piece_, blank_;
  std::vector<Piece> pieces_;  // never more than the blocks hold
  std::vector<std::uint32_t> unused_;
  absl::flat_hash_map<std::uint64_t, std::uint32_t> by_hash_;
  std::size_t idle_pieces_ = 0;
  std::uint32_t oldest_ = kNone, newest_ = kNone;
};

}  // namespace spillway
