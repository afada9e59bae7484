#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/openai/engine_kinds.h"

namespace spillway {

// The names of the models that an engine says it serves, in its order, at most 1,000. kInternal for
// a page that is not of that form.
absl::StatusOr<std::vector<std::string>> ReadModelsPage(ModelsPage form, std::string_view json);

}  // namespace spillway
