#include "policies/spill_rules/at_once.h"

namespace spillway {

absl::Time SpillAtOnce::SpillAt(const SpillQuestion&) const { return absl::InfinitePast(); }

}  // namespace spillway
