#include "core/work.h"

namespace spillway {

WorkFace FaceOf(const Work& work, int alternative) {
  if (alternative < 0) return {work.run, work.needs, work.demand, work.objective, -1};
  const Alternative& a = work.alternatives[static_cast<std::size_t>(alternative)];
  return {a.run, a.needs, a.demand, a.objective, alternative};
}

WorkFace FaceFor(const Work& work, const PoolSpec& pool) {
  for (std::size_t i = 0; i < work.alternatives.size(); ++i) {
    if (work.alternatives[i].on.Matches(pool)) return FaceOf(work, static_cast<int>(i));
  }
  return FaceOf(work, -1);
}

}  // namespace spillway
