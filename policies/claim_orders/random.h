#pragma once

#include <optional>

#include "policies/claim_order.h"

namespace spillway {

// A baseline: pools in an order drawn by lot, anew for each draw.
//
// Assumes: `draw` differs between pieces of work; equal (seed, draw) give equal orders on every
// machine. Costs are not compared.
// Order: pools that are not backstop before those that are; then by XXH64 of (seed, draw, pool).
// Each pool is a tier of its own, so `choice` has no say (two equal hashes would tie).
class RandomOrder final : public ClaimOrder {
 public:
  RandomOrder(std::optional<PoolSelector> backstop, std::uint64_t seed)
      : backstop_(std::move(backstop)), seed_(seed) {}
  void Arrange(const Work& work, absl::Span<const Claimant> claimants, std::uint64_t draw,
               std::vector<Claim>& out) const override;

 private:
  std::optional<PoolSelector> backstop_;
  std::uint64_t seed_;
};

}  // namespace spillway
