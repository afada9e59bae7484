#include "core/spill.h"

#include <algorithm>

namespace spillway {

const Candidate* SpilledFrom(const Decision& decision) {
  if (decision.outcome != Outcome::kPlaced) return nullptr;
  const auto& all = decision.candidates;
  const auto chosen = std::find_if(all.begin(), all.end(),
                                   [&](const Candidate& c) { return c.pool == decision.chosen; });
  if (chosen == all.end()) return nullptr;
  const Candidate* first = nullptr;
  for (const Candidate& candidate : all) {
    if (candidate.verdict != Verdict::kRefused || candidate.codes.AnyCannot()) continue;
    if (candidate.position < 0 || candidate.position >= chosen->position) continue;
    if (first == nullptr || candidate.position < first->position) first = &candidate;
  }
  return first;
}

}  // namespace spillway
