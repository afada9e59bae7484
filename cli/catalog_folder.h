#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace spillway::cli {

// Where devices and work classes are: what was said, else the folder that came with the program
// (beside it when installed, above it in a build of the sources). kNotFound names all places that
// were looked at.
absl::StatusOr<std::string> CatalogFolder(const std::string& said);

}  // namespace spillway::cli
