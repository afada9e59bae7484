#pragma once

#include <string>
#include <utility>
#include <vector>

#include "policies/choice.h"

namespace spillway {

inline Option OptionOn(std::uint32_t pool) { return {.pool = PoolId(pool)}; }

// The pool that is picked, whatever its index.
inline std::uint32_t Picked(const Choice& choice, const std::vector<Option>& options,
                            std::uint64_t turn = 0) {
  return Index(options[choice.Pick(options, turn)].pool);
}

}  // namespace spillway
