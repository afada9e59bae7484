#include "performance/step_time.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "performance/profile_time.h"
#include "performance/replica.h"
#include "performance/roofline.h"

namespace spillway {

std::optional<TickLine> TickLineOf(double seconds, double seconds_per_token) {
  constexpr double kTicksPerSecond = 1e9 * (1 << kTickBits);
  // Infinities and NaN too.
  if (!(std::abs(seconds) <= 1000) || !(seconds_per_token >= 0 && seconds_per_token <= 1e-3)) {
    return std::nullopt;
  }
  return TickLine{std::llround(seconds * kTicksPerSecond),
                  std::llround(seconds_per_token * kTicksPerSecond)};
}

std::optional<DecodeCurve> LongerOf(std::optional<TickLine> a, std::optional<TickLine> b) {
  if (!a || !b) return std::nullopt;
  if (b->slope < a->slope) std::swap(a, b);
  a->base = std::max<std::int64_t>(a->base, 1 << kTickBits);
  return DecodeCurve{*a, *b};
}

std::optional<DecodeCurve> StepTimes::Decodes(int) const { return std::nullopt; }

std::shared_ptr<const StepTimes> StepTimesFor(const Catalog& catalog, const PoolSpec& pool,
                                              const ServeSpec& serve) {
  const auto replica = ReplicaOf(catalog, pool, serve);
  if (!replica.ok()) return nullptr;
  const auto roofline = Roofline::Of(*replica);
  if (!roofline) return nullptr;
  const EngineProfile* profile = ProfileFor(catalog, *replica);
  if (profile == nullptr) return std::make_shared<const Roofline>(*roofline);
  return std::make_shared<const ProfileTimes>(*profile, *roofline);
}

}  // namespace spillway
