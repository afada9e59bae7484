#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/types/span.h"

namespace spillway {

// Which endpoint saw a block of a prompt last: bounded, forgetful, and only ever a hint. Any number
// of threads may use it at the same time.
class PrefixMemory {
 public:
  PrefixMemory() : entries_(std::make_unique<Entries>()) {
    for (auto& entry : *entries_) entry.store(0, std::memory_order_relaxed);
  }
  // How many leading blocks the endpoint `serial` saw which saw the first one; 0 and no change of
  // `serial`: nobody did.
  int CachedBlocks(absl::Span<const std::uint64_t> prefix, std::uint16_t& serial) const {
    int blocks = 0;
    for (const std::uint64_t hash : prefix) {
      const std::uint64_t entry = (*entries_)[PlaceOf(hash)].load(std::memory_order_relaxed);
      const auto by = static_cast<std::uint16_t>(entry & kSerial);
      if (by == 0 || (entry ^ hash) & ~kSerial || (blocks > 0 && by != serial)) break;
      serial = by;
      ++blocks;
    }
    return blocks;
  }
  // `serial`: of the endpoint, from 1.
  void Remember(absl::Span<const std::uint64_t> prefix, std::uint16_t serial) {
    for (const std::uint64_t hash : prefix)
      (*entries_)[PlaceOf(hash)].store((hash & ~kSerial) | serial, std::memory_order_relaxed);
  }

 private:
  static constexpr std::size_t kEntries = std::size_t{1} << 16;
  static constexpr std::uint64_t kSerial = 0xffff;
  static std::size_t PlaceOf(std::uint64_t hash) { return hash >> 16 & (kEntries - 1); }
  // Upper bits of a block's hash, the serial below.
  using Entries = std::array<std::atomic<std::uint64_t>, kEntries>;
  std::unique_ptr<Entries> entries_;
};

}  // namespace spillway
