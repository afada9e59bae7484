#pragma once

#include <algorithm>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace spillway {

// The only source of time outside tests and the simulator. Nothing that decides owns one: time
// comes to it as an argument. Implementations may be called from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() const = 0;
};

class SystemClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::Now(); }
};

// Moves only when told to, never backwards. The simulator and the tests use this one. Not
// thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(absl::Time start) : now_(start) {}
  absl::Time Now() const override { return now_; }
  void AdvanceTo(absl::Time t) { now_ = std::max(now_, t); }
  void Advance(absl::Duration d) { AdvanceTo(now_ + d); }

 private:
  absl::Time now_;
};

}  // namespace spillway
