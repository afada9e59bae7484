#pragma once

#include "policies/spill.h"

namespace spillway {

// Waits for the cheaper pool as long as the objective allows, less a reserve.
//
// Assumes: `latest_start` counts the dearer pool's own wait, at p90.
// Algorithm: submitted + wait x (latest_start - submitted). Waiting to the last moment would eat
// the reserve for bursts, so a job spends at most `job_wait` of its slack, a request `request_wait`
// (services count as jobs). Never later than latest_start; infinite where that is, since then there
// is nothing to spill to; in the past where the slack is gone.
class SpillAtNeed final : public SpillRuleBase {
 public:
  // Both in (0, 1].
  SpillAtNeed(double job_wait, double request_wait)
      : job_wait_(job_wait), request_wait_(request_wait) {}
  absl::Time SpillAt(const SpillQuestion& question) const override;

 private:
  double job_wait_, request_wait_;
};

}  // namespace spillway
