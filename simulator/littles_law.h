#pragma once

#include <cstdint>

#include "absl/numeric/int128.h"
#include "absl/time/time.h"

namespace spillway {

// L = lambda W, on one sample path: the time integral of how many are inside is the sum of how long
// each of them stayed. The two sides come from different books (a counter that goes up and down;
// when each one came and went), so that a piece of work that is lost, doubled or dated wrongly
// shows at once. Exact: whole nanoseconds.
class LittlesLaw {
 public:
  void Enter(absl::Time now) { Move(now, 1); }
  void Leave(absl::Time now) { Move(now, -1); }
  // By its own dates. Who is still inside at the end has stayed until then.
  void Stayed(absl::Duration time) { stayed_ += absl::ToInt64Nanoseconds(time); }
  bool HoldsAt(absl::Time end) {
    Move(end, 0);
    return area_ == stayed_;
  }

 private:
  void Move(absl::Time now, int by) {
    if (inside_ > 0) area_ += absl::int128(inside_) * absl::ToInt64Nanoseconds(now - since_);
    since_ = now;
    inside_ += by;
  }
  std::int64_t inside_ = 0;
  absl::Time since_;
  absl::int128 area_ = 0, stayed_ = 0;
};

}  // namespace spillway
