#pragma once

#include "policies/choice.h"

namespace spillway {

// One after the other: a baseline, and a fair one between pools that differ in nothing.
//
// Assumes: `turn` rises by one with each placement; options come in the same order each time.
// Algorithm: turn modulo the number of options. While the options stay the same each gets an equal
// share; when one is missing (it is busy) the others take its turns.
class RoundRobinChoice final : public Choice {
 public:
  std::size_t Pick(absl::Span<const Option> options, std::uint64_t turn) const override;
};

}  // namespace spillway
