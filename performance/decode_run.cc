#include "performance/decode_run.h"

#include <algorithm>
#include <limits>

namespace spillway {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr double kMost = 4e18;  // ticks of a run

// The first step at which `steep` is above `gentle`.
std::int64_t BendOf(const DecodeCurve& curve, int sequences, std::int64_t context) {
  const std::int64_t below = curve.gentle.At(context) - curve.steep.At(context);
  if (below < 0) return 0;
  const std::int64_t gains = (curve.steep.slope - curve.gentle.slope) * sequences;
  return gains == 0 ? kNever : below / gains + 1;
}

}  // namespace

DecodeRun::DecodeRun(const DecodeCurve& curve, int sequences, std::int64_t context)
    : bend_(BendOf(curve, sequences, context)),
      before_(curve.gentle.At(context)),
      before_grows_(curve.gentle.slope * sequences),
      after_grows_(curve.steep.slope * sequences) {
  // No run is so long that it comes to a bend beyond this (see AtMost).
  const double at_bend = static_cast<double>(curve.steep.At(context)) +
                         static_cast<double>(after_grows_) * static_cast<double>(bend_);
  if (bend_ == kNever || at_bend > kMost) {
    bend_ = kNever;
    return;
  }
  after_ = curve.steep.At(context) + after_grows_ * bend_;
}

std::int64_t DecodeRun::AtMost(std::int64_t steps) const {
  steps = std::min(steps, std::int64_t{1} << 24);
  const auto longest = [this](std::int64_t m) {
    const auto at = static_cast<double>(m);
    return std::max(static_cast<double>(before_) + static_cast<double>(before_grows_) * at,
                    static_cast<double>(after_) + static_cast<double>(after_grows_) * at);
  };
  while (steps > 1 && static_cast<double>(steps) * longest(steps) > kMost) steps /= 2;
  return std::max<std::int64_t>(1, steps);
}

}  // namespace spillway
