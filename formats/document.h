#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "formats/reader.h"
#include "formats/value.h"

// For the readers of this room: what all single documents have in common.
namespace spillway {

// JSON if the first character (blanks aside) is `{`, else YAML with exactly one document.
absl::StatusOr<Value> ParseDocument(std::string_view text, std::string_view name);

// The key `kind`, which may be left out and says nothing else than `kind`.
void ReadKind(ObjectReader& r, std::string_view kind);

}  // namespace spillway
