#pragma once

#include "policies/spill.h"

namespace spillway {

// Waits a fixed time, the same for all work.
//
// Assumes: whoever set the patience knows the objectives; it is not shortened for work whose
// objective is nearer than that (`need` does so).
// Algorithm: submitted + patience.
class SpillAfterPatience final : public SpillRuleBase {
 public:
  explicit SpillAfterPatience(absl::Duration patience) : patience_(patience) {}  // >= 0
  absl::Time SpillAt(const SpillQuestion& question) const override;

 private:
  absl::Duration patience_;
};

}  // namespace spillway
