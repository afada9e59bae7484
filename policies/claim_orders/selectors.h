#pragma once

#include <optional>
#include <vector>

#include "policies/claim_order.h"

namespace spillway {

// The order of a rule's `claim:` list: one tier for each selector, in the order of the list.
//
// Assumes: claimants are pools that the list names (Policy::Allows); one that it does not name
// comes last among its kind, never first.
// Order: pools that are not backstop before those that are, so that the spillway stays the last
// whatever the list says; then by the first selector that matches; inside a selector pools whose
// marginal cost is known before unpriced ones. Pools that agree in all three are tied: costs are
// not compared here, `choice` does that.
class SelectorsOrder final : public ClaimOrder {
 public:
  SelectorsOrder(std::vector<PoolSelector> selectors, std::optional<PoolSelector> backstop)
      : selectors_(std::move(selectors)), backstop_(std::move(backstop)) {}
  void Arrange(const Work& work, absl::Span<const Claimant> claimants, std::uint64_t draw,
               std::vector<Claim>& out) const override;

 private:
  std::vector<PoolSelector> selectors_;
  std::optional<PoolSelector> backstop_;
};

}  // namespace spillway
