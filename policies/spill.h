#pragma once

#include "absl/time/time.h"
#include "core/work.h"

namespace spillway {

// Work waits for a cheaper pool that is busy, while a dearer one could take it. Until when?
struct SpillQuestion {
  absl::Time submitted;
  WorkKind kind = WorkKind::kJob;
  // The last instant at which the dearer pool could still be given the work and meet the objective
  // at p90, its own wait counted. Infinite where no dearer pool could take it: then there is
  // nothing to spill to.
  absl::Time latest_start;
};

// How long to wait before spilling. The answer may lie in the past: then spill now.
class SpillRuleBase {
 public:
  virtual ~SpillRuleBase() = default;
  virtual absl::Time SpillAt(const SpillQuestion& question) const = 0;
};

}  // namespace spillway
