#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "performance/engine.h"

// What a modelled engine tells of itself, under the names of vLLM (its v1 engine).
namespace spillway::modelled {

// Counts by upper bound, in seconds.
class EngineHistogram {
 public:
  explicit EngineHistogram(std::span<const double> bounds)
      : bounds_(bounds), counts_(bounds.size() + 1) {}
  void Add(absl::Duration span);
  // The lines of one histogram; `labels` without braces.
  void Write(std::string_view name, std::string_view help, std::string_view labels,
             std::string& out) const;

 private:
  std::span<const double> bounds_;     // static; rising
  std::vector<std::uint64_t> counts_;  // the last one: past all bounds
  double sum_ = 0;
};

// Since the engine began. A plain value; whoever holds it guards it. Tokens are counted as they
// are known to clients: those of a prompt with its first token.
struct EngineTally {
  EngineTally();
  std::uint64_t prompt_tokens = 0, generation_tokens = 0;
  std::uint64_t stopped = 0, cut = 0, aborted = 0;  // ends: stop, length, by the client
  EngineHistogram first_token, between_tokens, whole, queued;
  EngineGauges gauges;  // as it was looked at
};

// A page in Prometheus' text format, with label model_name.
std::string EngineMetricsPage(const EngineTally& tally, const EngineLimits& limits,
                              std::string_view model);

}  // namespace spillway::modelled
