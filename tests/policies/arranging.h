#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "policies/claim_order.h"
#include "tests/support/fleets.h"

// Claim orders as tests like to read them: names of pools, tier by tier.
namespace spillway {

using Tiers = std::vector<std::vector<std::string>>;

// Marginal dollars of the work in question, by pool. A pool that is left out is no claimant.
using Costs = std::map<std::string, std::optional<Usd>>;

inline std::vector<Claimant> ClaimantsOf(const FleetSpec& fleet, const Costs& costs) {
  std::vector<Claimant> claimants;
  for (std::size_t i = 0; i < fleet.pools.size(); ++i) {
    const auto cost = costs.find(fleet.pools[i].name);
    if (cost == costs.end()) continue;
    claimants.push_back({.pool = PoolId(static_cast<std::uint32_t>(i)),
                         .spec = &fleet.pools[i],
                         .marginal_cost = cost->second});
  }
  return claimants;
}

inline Tiers InTiers(const FleetSpec& fleet, const std::vector<Claim>& claims) {
  Tiers tiers;
  for (const Claim& claim : claims) {
    tiers.resize(static_cast<std::size_t>(claim.tier) + 1);
    tiers.back().push_back(fleet.pools[Index(claim.pool)].name);
  }
  return tiers;
}

inline Tiers Arranged(const ClaimOrder& order, const FleetSpec& fleet, const Costs& costs,
                      std::uint64_t draw = 0) {
  std::vector<Claim> claims;
  order.Arrange(fixtures::SmallJob(), ClaimantsOf(fleet, costs), draw, claims);
  return InTiers(fleet, claims);
}

// A rented pool of its own site, for tests that need more of them.
inline PoolSpec RentedPool(std::string name) {
  PoolSpec pool = fixtures::XeonAmxPool();
  pool.name = std::move(name);
  return pool;
}
inline PoolSpec OwnedPool(std::string name, double peak_ops) {
  PoolSpec pool = fixtures::LocalPool();
  pool.name = std::move(name);
  pool.peak_ops = peak_ops;
  return pool;
}

}  // namespace spillway
