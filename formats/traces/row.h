#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/units.h"

namespace spillway {

inline constexpr std::int64_t kMostTraceTokens = 10'000'000;

// One arrival as a trace tells it, whatever the format. What a trace does not say keeps its
// default.
struct TraceRow {
  std::int64_t at = 0;  // ns since the start of the trace's own clock, >= 0
  bool is_job = false;
  std::string tenant, name;

  // ---- Requests.
  std::string model;
  std::int64_t prompt_tokens = 0, output_tokens = 0;
  std::optional<std::int64_t> max_tokens;
  std::int64_t items = 1;
  std::vector<std::uint64_t> blocks;  // ids of the prompt's leading blocks

  // ---- Jobs: how long they ran, or how many units of a class they are.
  std::optional<absl::Duration> duration;
  std::string work_class;
  double units = 0;
  std::optional<MilliCpus> cpus;
  std::optional<Bytes> memory;
  std::optional<int> devices;  // of one node, or workers that need one each
  double fraction = 1;         // of each device
  int nodes = 1;

  // For formats that tell a job's length by when it ended.
  std::optional<std::int64_t> scheduled, deleted;
};

}  // namespace spillway
