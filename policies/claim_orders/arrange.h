#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "absl/types/span.h"
#include "policies/claim_order.h"

namespace spillway {

// What all claim orders share: sort claimants by a key, cut the sorted list into tiers.
//   key_of(claimant)  a value with <=> and a member `bool backstop`, which must be its first;
//   tied(first, next) whether `next` still belongs to the tier that `first` begins.
// The sort is total (the place among `claimants` decides last), so equal input gives equal output.
// The scratch belongs to the thread and keeps its capacity: no allocation in steady state. Keys are
// plain values, so nothing is kept alive between calls.
template <class KeyOf, class Tied>
void ArrangeBy(absl::Span<const Claimant> claimants, KeyOf key_of, Tied tied,
               std::vector<Claim>& out) {
  using Key = std::invoke_result_t<KeyOf, const Claimant&>;
  static_assert(std::is_trivially_copyable_v<Key>);
  struct Ranked {
    Key key;
    std::uint32_t place = 0;
    auto operator<=>(const Ranked&) const = default;
  };
  static thread_local std::vector<Ranked> ranked;
  ranked.clear();
  for (const Claimant& c : claimants)
    ranked.push_back({key_of(c), static_cast<std::uint32_t>(ranked.size())});
  std::sort(ranked.begin(), ranked.end());

  out.clear();
  std::size_t first = 0;
  int tier = 0;
  for (std::size_t i = 0; i < ranked.size(); ++i) {
    if (!tied(ranked[first].key, ranked[i].key)) {
      first = i;
      ++tier;
    }
    out.push_back({.pool = claimants[ranked[i].place].pool,
                   .tier = tier,
                   .backstop = ranked[i].key.backstop});
  }
}

}  // namespace spillway
