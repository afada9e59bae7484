#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/pool.h"

namespace spillway {

// Null: there is no such pool.
const PoolSpec* Named(std::string_view name, const std::vector<PoolSpec>& pools);

// What a reload could not put into force, in words: pools that the file changes or leaves out, by
// name (at most ten). "": nothing. `from_file` are those that came from the file before, as it said
// then; `standing` all that stood, those that the API added included; `now` what the file says.
std::string WaitingForRestart(const std::vector<PoolSpec>& from_file,
                              const std::vector<PoolSpec>& standing,
                              const std::vector<PoolSpec>& now);

}  // namespace spillway
