#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "core/policy_spec.h"
#include "core/pool.h"
#include "core/units.h"
#include "core/work.h"

// Who may claim a piece of work, in which order. A claim order is a list of pools in tiers: pools
// of one tier are tied, and `choice` picks among them; a later tier is only used where the claim
// law of docs/policies.md lets it.
namespace spillway {

// What an order may know of an able pool.
struct Claimant {
  PoolId pool = kNoPool;
  const PoolSpec* spec = nullptr;    // never null
  std::optional<Usd> marginal_cost;  // of this work there, at p50; none: unpriced
};

struct Claim {
  PoolId pool = kNoPool;
  int tier = 0;  // from 0, never falling along the list
  bool backstop = false;
  friend bool operator==(const Claim&, const Claim&) = default;
};

// Gives each claimant a rank; claimants are then sorted by it and tied where nothing tells them
// apart. Pure: `draw` is the only chance there is (orders that need none ignore it).
class ClaimOrder {
 public:
  virtual ~ClaimOrder() = default;
  // Fills `out` (cleared first) with every claimant, in order. Ties in the order of `claimants`,
  // which is the order of the fleet. Does not allocate once `out` has the capacity.
  virtual void Arrange(const Work& work, absl::Span<const Claimant> claimants, std::uint64_t draw,
                       std::vector<Claim>& out) const = 0;
};

}  // namespace spillway
