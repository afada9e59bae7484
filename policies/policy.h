#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/config.h"
#include "core/policy_spec.h"
#include "policies/choice.h"
#include "policies/claim_order.h"
#include "policies/queue_order.h"
#include "policies/spill.h"

// A policy, composed from small pure parts as its file says. Immutable and shared: the same object
// serves the live controller, the simulator, the tests and the replay of a log.
namespace spillway {

class Policy {
 public:
  // Gives a specification its meaning over a fleet. kInvalidArgument with every finding of
  // CheckPolicy() that is an error; warnings are left to those who call CheckPolicy(). Without a
  // catalogue a baseline that is no pool is taken for one of its devices, unchecked.
  static absl::StatusOr<std::shared_ptr<const Policy>> Compile(const PolicySpec& spec,
                                                               const FleetSpec& fleet,
                                                               const TenantsSpec& tenants);
  static absl::StatusOr<std::shared_ptr<const Policy>> Compile(const PolicySpec& spec,
                                                               const FleetSpec& fleet,
                                                               const TenantsSpec& tenants,
                                                               const Catalog& catalog);

  const PolicySpec& spec() const { return spec_; }

  // The first rule whose `when` matches, or -1.
  int RuleFor(const Work& work) const;
  // May this work use the pool under that rule (`claim:` of the rule) and under `claim.only`? If
  // not, its code is kRule.
  bool Allows(int rule, const PoolSpec& pool) const;
  bool IsBackstop(const PoolSpec& pool) const;

  // The claim order of able, allowed pools for this work: the rule's own if there is one, else the
  // policy's. Pools of the backstop come after all others; unpriced ones after every known cost (in
  // the backstop group too); where the order is written down, not computed, after the known costs
  // of their own tier or selector. See ClaimOrder::Arrange for the rest.
  void Arrange(const Work& work, int rule, absl::Span<const Claimant> claimants, std::uint64_t draw,
               std::vector<Claim>& out) const;

  const Choice& choice() const { return *choice_; }
  const SpillRuleBase& spill() const { return *spill_; }
  const QueueOrder& queue() const { return *queue_; }
  // Spread or pack, never auto.
  NodeRule NodesOf(const PoolSpec& pool) const;

 private:
  explicit Policy(const PolicySpec& spec);

  PolicySpec spec_;
  std::unique_ptr<const ClaimOrder> order_;
  std::vector<std::unique_ptr<const ClaimOrder>> rule_orders_;  // beside spec_.rules
  std::unique_ptr<const Choice> choice_;
  std::unique_ptr<const SpillRuleBase> spill_;
  std::unique_ptr<const QueueOrder> queue_;
};

}  // namespace spillway
