#include "scheduler/engine_time.h"

#include <algorithm>
#include <cstdint>

namespace spillway {
namespace {

constexpr int kTimes = 5;
constexpr absl::Duration kLeastFirst = absl::Seconds(10), kMostFirst = absl::Minutes(2);
constexpr absl::Duration kLeastWhole = absl::Seconds(30), kMostWhole = absl::Minutes(10);
constexpr absl::Duration kIdle = absl::Minutes(1);

absl::Duration FirstOf(const RequestLimits& limits, const Estimate& expected) {
  return std::max(limits.ttft,
                  expected.wait.p90 + 2 * expected.ttft.value_or(absl::ZeroDuration()));
}

}  // namespace

EngineTime EngineTimeFor(const EngineTimeouts& says, bool observed, const RequestFeatures& features,
                         const RequestLimits& limits, const Estimate& expected) {
  EngineTime time{.idle = says.idle.value_or(kIdle)};
  const absl::Duration first = FirstOf(limits, expected);
  if (features.stream) {
    const absl::Duration fits =
        observed ? std::clamp(kTimes * first, kLeastFirst, kMostFirst) : kMostFirst;
    time.first = says.first_byte.value_or(fits);
    return time;
  }
  absl::Duration fits = kMostWhole;
  const bool ends = features.kind != ModelKind::kChat || features.max_tokens.has_value();
  if (observed && ends) {
    const absl::Duration each = std::max(limits.tpot, expected.tpot.value_or(absl::ZeroDuration()));
    const std::int64_t tokens = std::min<std::int64_t>(features.max_tokens.value_or(0), 1'000'000);
    fits = std::clamp(kTimes * (first + each * tokens), kLeastWhole, kMostWhole);
  }
  time.first = says.whole.value_or(fits);
  return time;
}

}  // namespace spillway
