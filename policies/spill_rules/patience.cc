#include "policies/spill_rules/patience.h"

namespace spillway {

absl::Time SpillAfterPatience::SpillAt(const SpillQuestion& question) const {
  return question.submitted + patience_;
}

}  // namespace spillway
