#include "controller/northbound/model_kind.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"

namespace spillway {
namespace {

bool IsOfOtherKind(const Catalog& catalog, const std::string& model, ModelKind wanted) {
  const auto known = catalog.models.find(model);
  return known != catalog.models.end() && known->second.kind != wanted;
}

}  // namespace

std::optional<OpenAiError> KeepModelsOfKind(const RouterView& view, RequestFeatures& features) {
  const Catalog& catalog = *view.inputs().catalog;
  const auto other = [&](const std::string& model) {
    return IsOfOtherKind(catalog, model, features.kind);
  };
  if (std::none_of(features.models.begin(), features.models.end(), other)) return std::nullopt;
  std::erase_if(features.models, other);
  if (!features.models.empty()) return std::nullopt;
  const bool embeds = features.kind == ModelKind::kChat;
  return InvalidRequest(
      absl::StrCat("`", features.model,
                   embeds ? "` is an embedding model: ask /v1/embeddings"
                          : "` makes no embeddings: ask /v1/chat/completions or /v1/completions"),
      "model");
}

}  // namespace spillway
