#pragma once

#include "core/policy_spec.h"
#include "policies/choice.h"

namespace spillway {

// Several figures at once: each is divided by the least positive one among the tied pools, so that
// dollars and joules become ratios, and the ratios are summed by their weights. Least sum wins.
//
// Assumes: weights are finite and not negative; a weight is what "twice as much of this figure" is
// worth against the other figures.
// Algorithm: one scan for the divisors, one for the sums. A figure of 0 adds nothing (it is the
// best there is), and a figure that is 0 everywhere tells nothing apart. Sums are compared to a
// billionth; ties go to the smaller PoolId. All weights 0: the first in fleet order, always.
class WeightedChoice final : public Choice {
 public:
  explicit WeightedChoice(const ChoiceWeights& weights) : weights_(weights) {}
  std::size_t Pick(absl::Span<const Option> options, std::uint64_t turn) const override;

 private:
  ChoiceWeights weights_;
};

}  // namespace spillway
