#include "adapters/openai/models_page.h"

#include "formats/json_scan.h"

namespace spillway {
namespace {
constexpr std::size_t kMostModels = 1000;
}  // namespace

absl::StatusOr<std::vector<std::string>> ReadModelsPage(ModelsPage form, std::string_view json) {
  const bool ollama = form == ModelsPage::kOllama;
  const std::string_view list = ollama ? "models" : "data", name = ollama ? "name" : "id";
  std::vector<std::string> models;
  bool seen = false;
  JsonCursor cursor(json);
  const auto model = [&] {
    return cursor.Object([&](const JsonText& key) {
      if (!SameJsonText(key, name)) return cursor.Skip();
      JsonText text;
      if (!cursor.String(&text)) return false;
      auto resolved = ResolveJsonText(text);
      if (!resolved) return cursor.Fail("half of a surrogate pair");
      if (models.size() < kMostModels) models.push_back(*std::move(resolved));
      return true;
    });
  };
  const bool read = cursor.Object([&](const JsonText& key) {
    if (!SameJsonText(key, list)) return cursor.Skip();
    seen = true;
    return cursor.Array(model);
  });
  if (!read || !cursor.AtEnd() || !seen) {
    return absl::InternalError("the engine's list of models cannot be read");
  }
  return models;
}

}  // namespace spillway
