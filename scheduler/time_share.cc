#include "scheduler/time_share.h"

#include <algorithm>

#include "core/units.h"

namespace spillway {

void TimeShare::Advance(absl::Time now) {
  if (in_flight_ > 0 && now > last_) {
    const auto passed = static_cast<std::uint64_t>(ToNanos(now - last_));
    turns_ += (passed << kFraction) / static_cast<std::uint64_t>(in_flight_);
  }
  last_ = std::max(last_, now);
}

std::uint64_t TimeShare::Enter(absl::Time now, int sequences) {
  // While nothing is in flight nobody loses anything by it.
  if (in_flight_ == 0 && now < last_ - kSetBack) last_ = now;
  Advance(now);
  in_flight_ += sequences;
  return turns_;
}

absl::Duration TimeShare::Leave(absl::Time now, int sequences, std::uint64_t mark) {
  Advance(now);
  in_flight_ -= sequences;
  const std::uint64_t turns = (turns_ - mark) * static_cast<std::uint64_t>(sequences);
  return absl::Nanoseconds(static_cast<std::int64_t>(turns >> kFraction));
}

}  // namespace spillway
