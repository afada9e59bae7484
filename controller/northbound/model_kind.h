#pragma once

#include <optional>

#include "controller/northbound/openai_errors.h"
#include "core/request.h"
#include "scheduler/router_view.h"

namespace spillway {

// Leaves only those of `features.models` that can do what is asked for: of a list of models for one
// name, embedding models make embeddings and the others answer. A model that the catalog does not
// list may be of either kind: its engine knows. An error, for the client, where nothing is left.
std::optional<OpenAiError> KeepModelsOfKind(const RouterView& view, RequestFeatures& features);

}  // namespace spillway
