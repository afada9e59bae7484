#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "adapters/openai/engine_kinds.h"

namespace spillway {

// What an engine says of its load. What a page does not say is unknown, never zero.
struct ScrapedLoad {
  std::optional<double> waiting;   // requests in its queue
  std::optional<double> running;   // sequences in its batch
  std::optional<double> kv_usage;  // 0 to 1; of several, the fullest
  bool operator==(const ScrapedLoad&) const = default;
};

// Finds the few samples that matter in a page of metrics (Prometheus text format) as it comes, in
// pieces of any size, without reading the rest. Keeps at most one line.
class MetricsScan {
 public:
  // With `model`, samples that bear another `model_name` are left out. `kind` outlives this.
  explicit MetricsScan(const EngineKind& kind, std::string model = {});

  void Feed(std::string_view piece);
  ScrapedLoad Finish();  // After the last piece.

 private:
  static constexpr std::size_t kLongestLine = 4096;  // Longer ones are skipped.
  using Values = std::array<std::optional<double>, std::tuple_size_v<MetricNames>>;

  const std::string model_;
  std::array<const MetricNames*, 3> names_;
  std::array<Values, 3> found_;
  std::string_view prefix_;  // what all names begin with
  std::string partial_;
  bool skipping_ = false;  // the line under way is too long

  void Line(std::string_view line);
  void Sample(std::string_view name, std::string_view labels, double value);
  bool WantedModel(std::string_view labels) const;
};

}  // namespace spillway
