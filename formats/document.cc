#include "formats/document.h"

#include "absl/strings/str_cat.h"
#include "core/text.h"

namespace spillway {

absl::StatusOr<Value> ParseDocument(std::string_view text, std::string_view name) {
  const auto first = text.find_first_not_of(" \t\r\n");
  const bool is_json = first != std::string_view::npos && text[first] == '{';
  return is_json ? ParseJson(text, {}, name) : ParseYaml(text, name);
}

void ReadKind(ObjectReader& r, std::string_view kind) {
  std::string found(kind);
  r.Optional("kind", found);
  if (found == kind) return;
  r.at().Fail(absl::StrCat("is of kind `", found, "`, where `", ToAbsl(kind), "` is meant"));
}

}  // namespace spillway
