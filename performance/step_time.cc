#include "performance/step_time.h"

#include "performance/profile_time.h"
#include "performance/replica.h"
#include "performance/roofline.h"

namespace spillway {

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
