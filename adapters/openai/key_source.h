#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace spillway {

// Where an engine's API key stands: a file (its first line) or a variable of the environment. The
// key itself is in no configuration, no message and no log.
struct KeySource {
  std::string file, env;  // at most one is set
};

// "" where there is no source. kInvalidArgument for two, kNotFound for one that is not there,
// kFailedPrecondition for a key that is empty, over 4 KiB, or holds more than visible ASCII.
absl::StatusOr<std::string> ReadKey(const KeySource& source);

}  // namespace spillway
