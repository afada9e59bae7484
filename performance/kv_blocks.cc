#include "performance/kv_blocks.h"

#include "core/check.h"

namespace spillway {

KvBlocks::Found KvBlocks::Find(absl::Span<const std::uint64_t> hashes) const {
  Found out;
  for (const std::uint64_t hash : hashes) {
    const auto found = by_hash_.find(hash);
    if (found == by_hash_.end()) break;
    ++out.pieces;
    out.in_use += pieces_[found->second].users > 0 ? 1 : 0;
  }
  return out;
}

void KvBlocks::Use(std::uint64_t hash) {
  Piece& piece = pieces_[by_hash_.at(hash)];
  if (piece.users++ == 0) Unlink(piece);
}

void KvBlocks::Keep(std::uint64_t hash) {
  if (by_hash_.contains(hash)) {
    Use(hash);
    Return(piece_);
    return;
  }
  if (unused_.empty()) {
    unused_.push_back(static_cast<std::uint32_t>(pieces_.size()));
    pieces_.emplace_back();
  }
  const std::uint32_t at = unused_.back();
  unused_.pop_back();
  pieces_[at] = {.hash = hash, .users = 1};
  by_hash_.emplace(hash, at);
}

void KvBlocks::Leave(absl::Span<const std::uint64_t> hashes) {
  for (auto hash = hashes.rbegin(); hash != hashes.rend(); ++hash) {
    const std::uint32_t at = by_hash_.at(*hash);
    Piece& piece = pieces_[at];
    if (--piece.users > 0) continue;
    piece.older = newest_;
    (newest_ == kNone ? oldest_ : pieces_[newest_].newer) = at;
    newest_ = at;
    ++idle_pieces_;
  }
}

void KvBlocks::Unlink(Piece& piece) {
  (piece.older == kNone ? oldest_ : pieces_[piece.older].newer) = piece.newer;
  (piece.newer == kNone ? newest_ : pieces_[piece.newer].older) = piece.older;
  piece.older = piece.newer = kNone;
  --idle_pieces_;
}

void KvBlocks::Forget() {
  SPILLWAY_CHECK(oldest_ != kNone);
  const std::uint32_t at = oldest_;
  Unlink(pieces_[at]);
  by_hash_.erase(pieces_[at].hash);
  unused_.push_back(at);
  blank_ += piece_;
}

}  // namespace spillway
