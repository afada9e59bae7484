#pragma once

#include "performance/step_time.h"

namespace spillway::fixtures {

// Half a millisecond for a prompt's token, 40 ms for a step: what is said of unknown engines.
class GuessedSteps final : public StepTimes {
 public:
  absl::Duration Of(const StepBatch& b) const override {
    return absl::Microseconds(500) * b.prefill_tokens + absl::Milliseconds(b.decodes > 0 ? 40 : 0);
  }
  Basis basis() const override { return Basis::kAssumed; }
};

}  // namespace spillway::fixtures
