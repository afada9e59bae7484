#include "simulator/bound_engine.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>

namespace spillway {
namespace {

constexpr double kSecondsPerTick = 1e-9 / (1 << kTickBits);
// Steps are rounded to whole nanoseconds, up or down; the shortest take some microseconds.
constexpr double kRounding = 1 - 1e-6;

// A batch of n sequences at each bend of its time over the tokens in the cache: nothing, where the
// two lines meet, all that fits. Between them the time is straight.
struct BatchCorner {
  double sequences = 0, tokens = 0, seconds = 0;
};

std::vector<BatchCorner> CornersOf(const StepTimes& times, const EngineLimits& limits,
                                   bool shared) {
  const double held = static_cast<double>(limits.kv_blocks) * limits.block_tokens;
  const double longest = static_cast<double>(limits.LongestSequence());
  std::vector<BatchCorner> corners;
  for (int n = 1; n <= limits.max_sequences; ++n) {
    const std::optional<DecodeCurve> curve = times.Decodes(n);
    if (!curve) return {};
    const double most = shared ? n * longest : std::min(held, n * longest);
    const auto add = [&](double tokens) {
      const auto line = [&](const TickLine& l) {
        return static_cast<double>(l.base) + static_cast<double>(l.slope) * tokens;
      };
      const double ticks = std::max(line(curve->gentle), line(curve->steep));
      corners.push_back({static_cast<double>(n), tokens, ticks * kSecondsPerTick * kRounding});
    };
    add(0);
    add(most);
    const double slopes = static_cast<double>(curve->steep.slope - curve->gentle.slope);
    if (slopes <= 0) continue;
    const double bend = static_cast<double>(curve->gentle.base - curve->steep.base) / slopes;
    if (bend > 0 && bend < most) add(bend);
  }
  return corners;
}

// The most that a sequence may be charged if a token in the cache is charged `token`.
double SequenceFor(const std::vector<BatchCorner>& corners, double token) {
  double least = std::numeric_limits<double>::infinity();
  for (const BatchCorner& corner : corners)
    least = std::min(least, (corner.seconds - token * corner.tokens) / corner.sequences);
  return least;
}

}  // namespace

// How high the floor is, is concave in what a token is charged: a least of straight lines.
DecodeFloor DecodeFloorFor(const StepTimes& times, const EngineLimits& limits, double mean_context,
                           bool shared) {
  const std::vector<BatchCorner> corners = CornersOf(times, limits, shared);
  if (corners.empty()) return {};
  double low = 0, high = std::numeric_limits<double>::infinity();
  for (const BatchCorner& corner : corners)
    if (corner.tokens > 0) high = std::min(high, corner.seconds / corner.tokens);
  if (high == std::numeric_limits<double>::infinity()) high = 0;
  for (int i = 0; i < 100; ++i) {
    const double a = low + (high - low) / 3, b = high - (high - low) / 3;
    const double at_a = SequenceFor(corners, a) + a * mean_context;
    const double at_b = SequenceFor(corners, b) + b * mean_context;
    (at_a < at_b ? low : high) = at_a < at_b ? a : b;
  }
  const double sequence = SequenceFor(corners, low);
  // Charging less for a token never charges a sequence less, so this is rounding only.
  return sequence >= 0 ? DecodeFloor{sequence, low} : DecodeFloor{};
}

double PromptFloorFor(const StepTimes& times, const EngineLimits& limits) {
  double least = std::numeric_limits<double>::infinity();
  for (std::int64_t tokens = 1; tokens <= std::max<std::int64_t>(limits.step_tokens, 1); ++tokens) {
    const StepBatch chunk{.prefill_tokens = tokens, .prefill_context = 0, .prefills = 1};
    least = std::min(least, absl::ToDoubleSeconds(times.Of(chunk)) / static_cast<double>(tokens));
  }
  return least * kRounding;
}

double ItemFloorFor(const BatchCapacity& server) {
  double least = std::numeric_limits<double>::infinity();
  for (int items = 1; items <= server.limits.max_items; ++items)
    least = std::min(least, absl::ToDoubleSeconds(server.times.Of(items)) / items);
  return least * kRounding / server.limits.instances;
}

}  // namespace spillway
