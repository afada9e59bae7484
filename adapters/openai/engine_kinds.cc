#include "adapters/openai/engine_kinds.h"

namespace spillway {
namespace {

// Uvicorn (vLLM, SGLang, trtllm-serve) and cpp-httplib (llama.cpp) drop idle connections after 5 s.
constexpr absl::Duration kShortKeep = absl::Seconds(5);

constexpr MetricNames kVllmWaiting{{{"vllm:num_requests_waiting"}}};
constexpr MetricNames kVllmRunning{{{"vllm:num_requests_running"}}};
constexpr MetricNames kVllmKv{{{"vllm:kv_cache_usage_perc"}, {"vllm:gpu_cache_usage_perc"}}};

// Names as of 2026; see the engines' own documentation of their metrics.
constexpr std::array<EngineKind, 9> kKinds{{
    {.name = "vllm",  // also its builds for CPU, Ascend, Gaudi and ROCm
     .health = "/health",
     .models = "/v1/models",
     .metrics = "/metrics",
     .waiting = kVllmWaiting,
     .running = kVllmRunning,
     .kv_usage = kVllmKv,
     .keeps = kShortKeep},
    {.name = "sglang",  // metrics need --enable-metrics
     .health = "/health",
     .models = "/v1/models",
     .metrics = "/metrics",
     .waiting = {{{"sglang:num_queue_reqs"}}},
     .running = {{{"sglang:num_running_reqs"}}},
     .kv_usage = {{{"sglang:token_usage"}}},
     .keeps = kShortKeep},
    {.name = "llama.cpp",  // metrics need --metrics; its KV gauge went in 2025
     .health = "/health",
     .models = "/v1/models",
     .metrics = "/metrics",
     .waiting = {{{"llamacpp:requests_deferred"}}},
     .running = {{{"llamacpp:requests_processing"}}},
     .kv_usage = {{{"llamacpp:kv_cache_usage_ratio"}}},
     .keeps = kShortKeep},
    {.name = "tgi",
     .health = "/health",
     .models = "/v1/models",
     .metrics = "/metrics",
     .waiting = {{{"tgi_queue_size"}}},
     .running = {{{"tgi_batch_current_size"}}},
     .kv_usage = {}},
    {.name = "trtllm",
     .health = "/health",
     .models = "/v1/models",
     .metrics = "/metrics",
     .waiting = {{{"trtllm_num_requests_waiting"}}},
     .running = {{{"trtllm_num_requests_running"}}},
     .kv_usage = {{{"trtllm_kv_cache_utilization"}}},
     .keeps = kShortKeep},
    {.name = "triton-trtllm",
     .health = "/v2/health/ready",
     .models = "/v1/models",
     .metrics = "/metrics",
     .metrics_port = 8002,
     .waiting = {{{"nv_trt_llm_request_metrics", "request_type", "waiting"}}},
     .running = {{{"nv_trt_llm_request_metrics", "request_type", "scheduled"}}},
     .kv_usage = {{{"nv_trt_llm_kv_cache_block_metrics", "kv_cache_block_type", "fraction"}}}},
    {.name = "ollama",
     .health = "/",
     .models = "/api/tags",
     .metrics = "",
     .models_page = ModelsPage::kOllama,
     .waiting = {},
     .running = {},
     .kv_usage = {}},
    {.name = "openai",  // hosted: nothing to see but its models
     .health = "",
     .models = "/v1/models",
     .metrics = "",
     .waiting = {},
     .running = {},
     .kv_usage = {}},
    {.name = "spillway",  // modelled engines speak vLLM's names
     .health = "/health",
     .models = "/v1/models",
     .metrics = "/metrics",
     .waiting = kVllmWaiting,
     .running = kVllmRunning,
     .kv_usage = kVllmKv},
}};

}  // namespace

absl::Span<const EngineKind> EngineKinds() { return kKinds; }

const EngineKind* FindEngineKind(std::string_view name) {
  for (const EngineKind& kind : kKinds) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

BaseUrl EngineRoot(BaseUrl api) {
  if (api.path.ends_with("/v1")) api.path.resize(api.path.size() - 3);
  return api;
}

}  // namespace spillway
