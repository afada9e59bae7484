#pragma once

#include "policies/spill.h"

namespace spillway {

// Never waits while any able pool is free: the shortest waits, the highest bill.
class SpillAtOnce final : public SpillRuleBase {
 public:
  absl::Time SpillAt(const SpillQuestion& question) const override;
};

}  // namespace spillway
