#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace spillway {

// The whole of a regular file (`-`: of standard input), at most `most` bytes. kNotFound if there is
// none, kInvalidArgument if it is larger or no file, kUnavailable if it cannot be read.
absl::StatusOr<std::string> ReadTextFile(const std::string& path, std::size_t most = 1 << 20);

// Puts the text on the disk before it returns, in place of what the file held. After an error the
// file may hold a part of it. kUnavailable: says which file and why.
absl::Status WriteTextFile(const std::string& path, std::string_view text);

// The same, but whoever reads the file meanwhile, or after an error or a fall of the machine, finds
// the old text or the new one, whole: it is written to `.NAME.part` beside the file and renamed.
absl::Status ReplaceTextFile(const std::string& path, std::string_view text);

}  // namespace spillway
