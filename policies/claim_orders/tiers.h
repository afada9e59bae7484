#pragma once

#include <optional>

#include "policies/claim_order.h"

namespace spillway {

// The order that an operator wrote down: each pool's own `tier`, smallest first.
//
// Assumes: nothing; costs are not compared. Pools of one tier are tied.
// Order: pools that are not backstop before those that are; then by tier; inside a tier pools whose
// marginal cost is known before unpriced ones, which make a tier of their own right behind.
class TiersOrder final : public ClaimOrder {
 public:
  explicit TiersOrder(std::optional<PoolSelector> backstop) : backstop_(std::move(backstop)) {}
  void Arrange(const Work& work, absl::Span<const Claimant> claimants, std::uint64_t draw,
               std::vector<Claim>& out) const override;

 private:
  std::optional<PoolSelector> backstop_;
};

}  // namespace spillway
