#pragma once

#include <atomic>
#include <cstdint>

#include "absl/time/time.h"
#include "core/clock.h"

namespace spillway {

// As ManualClock, for tests whose threads read it while the test moves it.
class TestClock final : public Clock {
 public:
  explicit TestClock(absl::Time start) : nanos_(absl::ToUnixNanos(start)) {}
  absl::Time Now() const override { return absl::FromUnixNanos(nanos_.load()); }
  void Advance(absl::Duration d) { nanos_.fetch_add(absl::ToInt64Nanoseconds(d)); }
  // Systems set their clocks back; what is timed by them must bear it.
  void Set(absl::Time t) { nanos_.store(absl::ToUnixNanos(t)); }

 private:
  std::atomic<std::int64_t> nanos_;
};

}  // namespace spillway
