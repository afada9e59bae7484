#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace spillway {

// The whole of a regular file (`-`: of standard input), at most `most` bytes. kNotFound if there is
// none, kInvalidArgument if it is larger or no file, kUnavailable if it cannot be read.
absl::StatusOr<std::string> ReadTextFile(const std::string& path, std::size_t most = 1 << 20);

}  // namespace spillway
