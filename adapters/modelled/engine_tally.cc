#include "adapters/modelled/engine_tally.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/text.h"

namespace spillway::modelled {
namespace {

// As vLLM has them (vllm/v1/metrics/loggers.py, 0.10).
constexpr double kFirstTokenBounds[] = {0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1,
                                        0.25,  0.5,   0.75, 1,    2.5,  5,    7.5,  10,
                                        20,    40,    80,   160,  640,  2560};
constexpr double kBetweenBounds[] = {0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5,
                                     0.75, 1,     2.5,  5,     7.5, 10,   20,  40,  80};
constexpr double kWholeBounds[] = {0.3, 0.5, 0.8, 1,  1.5, 2,   2.5, 5,   10,   15,  20,
                                   30,  40,  50,  60, 120, 240, 480, 960, 1920, 7680};

void Begin(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  absl::StrAppend(&out, "# HELP ", ToAbsl(name), " ", ToAbsl(help), "\n# TYPE ", ToAbsl(name), " ",
                  ToAbsl(type), "\n");
}

// Escaped as label values are.
std::string LabelValue(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out.push_back('\\');
    out.push_back(c == '\n' ? ' ' : c);
  }
  return out;
}

}  // namespace

void EngineHistogram::Add(absl::Duration span) {
  const double seconds = absl::ToDoubleSeconds(span);
  const auto at = std::lower_bound(bounds_.begin(), bounds_.end(), seconds);
  counts_[static_cast<std::size_t>(at - bounds_.begin())] += 1;
  sum_ += seconds;
}

void EngineHistogram::Write(std::string_view name, std::string_view help, std::string_view labels,
                            std::string& out) const {
  Begin(out, name, "histogram", help);
  std::uint64_t below = 0;
  const auto bucket = [&](const std::string& bound) {
    absl::StrAppend(&out, ToAbsl(name), "_bucket{le=\"", bound, "\",", ToAbsl(labels), "} ", below,
                    "\n");
  };
  for (std::size_t i = 0; i < bounds_.size(); ++i) {
    below += counts_[i];
    bucket(absl::StrCat(bounds_[i]));
  }
  below += counts_.back();
  bucket("+Inf");
  absl::StrAppend(&out, ToAbsl(name), "_sum{", ToAbsl(labels), "} ", absl::StrFormat("%.12g", sum_),
                  "\n", ToAbsl(name), "_count{", ToAbsl(labels), "} ", below, "\n");
}

EngineTally::EngineTally()
    : first_token(kFirstTokenBounds),
      between_tokens(kBetweenBounds),
      whole(kWholeBounds),
      queued(kWholeBounds) {}

std::string EngineMetricsPage(const EngineTally& tally, const EngineLimits& limits,
                              std::string_view model) {
  std::string out;
  out.reserve(8192);
  const std::string labels = absl::StrCat("engine=\"0\",model_name=\"", LabelValue(model), "\"");
  const auto one = [&](std::string_view name, std::string_view type, std::string_view help,
                       const auto& value) {
    Begin(out, name, type, help);
    absl::StrAppend(&out, ToAbsl(name), "{", labels, "} ", value, "\n");
  };
  const EngineGauges& now = tally.gauges;
  const double used = now.kv_blocks_total > 0 ? static_cast<double>(now.kv_blocks_used) /
                                                    static_cast<double>(now.kv_blocks_total)
                                              : 0;
  one("vllm:num_requests_running", "gauge", "Requests in the batch.", now.running);
  one("vllm:num_requests_waiting", "gauge", "Requests in the queue.", now.waiting);
  one("vllm:kv_cache_usage_perc", "gauge", "Part of the KV cache in use; 1 is all of it.", used);
  Begin(out, "vllm:cache_config_info", "gauge", "How the KV cache is laid out.");
  absl::StrAppend(&out, "vllm:cache_config_info{block_size=\"", limits.block_tokens,
                  "\",cache_dtype=\"auto\",enable_prefix_caching=\"True\",num_gpu_blocks=\"",
                  limits.kv_blocks, "\",", labels, "} 1\n");
  one("vllm:num_preemptions_total", "counter", "Sequences put back into the queue.",
      now.preemptions);
  one("vllm:prompt_tokens_total", "counter", "Tokens of prompts.", tally.prompt_tokens);
  one("vllm:prefix_cache_queries_total", "counter", "Tokens of prompts looked up in the cache.",
      tally.prompt_tokens);
  one("vllm:prefix_cache_hits_total", "counter", "Tokens of prompts found in the cache.",
      now.prefix_tokens);
  one("vllm:generation_tokens_total", "counter", "Tokens of answers.", tally.generation_tokens);
  Begin(out, "vllm:request_success_total", "counter", "Sequences that ended, by why.");
  const std::pair<std::string_view, std::uint64_t> ends[] = {
      {"stop", tally.stopped}, {"length", tally.cut}, {"abort", tally.aborted}};
  for (const auto& [reason, count] : ends)
    absl::StrAppend(&out, "vllm:request_success_total{", labels, ",finished_reason=\"",
                    ToAbsl(reason), "\"} ", count, "\n");
  tally.first_token.Write("vllm:time_to_first_token_seconds", "From arrival to the first token.",
                          labels, out);
  tally.between_tokens.Write("vllm:inter_token_latency_seconds", "Between two tokens.", labels,
                             out);
  tally.whole.Write("vllm:e2e_request_latency_seconds", "From arrival to the last token.", labels,
                    out);
  tally.queued.Write("vllm:request_queue_time_seconds", "From arrival to the batch.", labels, out);
  return out;
}

}  // namespace spillway::modelled
