#include "policies/spill_rules/need.h"

#include "core/units.h"

namespace spillway {

absl::Time SpillAtNeed::SpillAt(const SpillQuestion& question) const {
  if (question.latest_start == absl::InfiniteFuture()) return absl::InfiniteFuture();
  const absl::Duration slack = question.latest_start - question.submitted;
  if (slack <= absl::ZeroDuration()) return question.latest_start;
  const double wait = question.kind == WorkKind::kRequest ? request_wait_ : job_wait_;
  return question.submitted + Scale(slack, wait);
}

}  // namespace spillway
