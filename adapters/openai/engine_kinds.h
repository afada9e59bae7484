#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "net/url.h"

// What differs between OpenAI-compatible engines, as data: paths, metric names, habits. A renamed
// metric gets a second name here, never a branch in code.
namespace spillway {

// Which samples of a metrics page to take. The samples of one family with that label are summed.
struct MetricName {
  std::string_view name;  // "" : no such name
  std::string_view label = {}, value = {};
};
// The same fact under the names it has had, the newest first; the first that a page has counts.
using MetricNames = std::array<MetricName, 3>;

enum class ModelsPage : std::uint8_t {
  kOpenAi,  // {"data": [{"id": "..."}]}
  kOllama,  // {"models": [{"name": "..."}]}
};

struct EngineKind {
  std::string_view name;     // as `engine:` in the configuration
  std::string_view health;   // path from the root of the server; 200 is well. "": ask for models
  std::string_view models;   // "": told by nobody
  std::string_view metrics;  // "": has none
  ModelsPage models_page = ModelsPage::kOpenAi;
  std::uint16_t metrics_port = 0;  // 0: the same
  MetricNames waiting, running, kv_usage;
  // How long it keeps an idle connection; ours are closed a second before.
  absl::Duration keeps = absl::Seconds(60);
};

// vllm, sglang, llama.cpp, tgi, trtllm, triton-trtllm, ollama, openai (hosted), spillway (modelled
// engines).
absl::Span<const EngineKind> EngineKinds();
// Null for a name that is none.
const EngineKind* FindEngineKind(std::string_view name);

// "http://10.0.0.7:8000/v1" -> "http://10.0.0.7:8000": what the paths above are behind.
BaseUrl EngineRoot(BaseUrl api);

}  // namespace spillway
