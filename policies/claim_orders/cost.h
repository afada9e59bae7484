#pragma once

#include <optional>

#include "policies/claim_order.h"

namespace spillway {

// The computed order: what is paid for anyway first, then by dollars for this work.
//
// Assumes: a committed pool costs the same whether it works or idles but for its energy, so using
// it is always worth more than renting; its energy is not worth a comparison across pools of
// different capability. Marginal costs are absolute, for the whole piece of work.
//
// Order, each step only within the one before:
//   1. pools that are not backstop before those that are;
//   2. committed pools, then rented ones (metered, token), then unpriced ones (no marginal cost,
//      however they are billed);
//   3. committed: the least capable first (peak_ops of a node, then its memory), so that easy work
//      does not fill the versatile accelerator; then by marginal cost;
//      rented: by marginal cost; unpriced: in no order.
//
// Ties: a tier starts at its cheapest pool and takes all whose marginal cost is at most (1 + band)
// of that one; committed pools only tie when they are equally capable; unpriced ones are one tier.
class CostOrder final : public ClaimOrder {
 public:
  // `band` in [0, 1].
  CostOrder(std::optional<PoolSelector> backstop, double band)
      : backstop_(std::move(backstop)), band_(band) {}
  void Arrange(const Work& work, absl::Span<const Claimant> claimants, std::uint64_t draw,
               std::vector<Claim>& out) const override;

 private:
  std::optional<PoolSelector> backstop_;
  double band_;
};

}  // namespace spillway
