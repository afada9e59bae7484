#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/workload.h"
#include "formats/findings.h"
#include "formats/traces/row.h"

namespace spillway {

// What a reading has met besides rows.
struct TraceReport {
  std::int64_t rows = 0;      // that were given
  std::int64_t left_out = 0;  // stood for nothing that arrives: failed requests, other clusters
  std::int64_t bad = 0;       // skipped, as was allowed
  // The first 20 of them, as "FILE:LINE:COLUMN: what is wrong".
  std::vector<std::string> bad_rows;
  friend bool operator==(const TraceReport&, const TraceReport&) = default;
};

// The rows of a trace, one by one in the order of time. The file is read as it goes: memory holds
// some rows of it (mooncake: a batch; gavel: all, since its clusters stand one behind the other).
//
// Strict: the heading names the format's columns, every value is of its kind and range, times are
// not negative and never go back. kInvalidArgument with findings otherwise ("FILE:LINE:COLUMN:
// ..."); up to `skip_bad_rows` bad rows are passed over and told in the report.
//
//   azure-llm-raw   times count from the first row
//   mooncake        times lie on a grid of 3 s: the n rows of one instant are spread evenly over
//                   the 3 s that follow (or until the next instant, if that is nearer)
//   burstgpt        requests that failed (0 response tokens) are left out
//   openb           a pod runs from scheduled_time (or creation_time) to deletion_time
//   gavel           `clusters` picks virtual clusters; each begins at its own 0
class TraceReader {
 public:
  // Not for servegen, which holds no arrivals (formats/traces/servegen.h).
  static absl::StatusOr<std::unique_ptr<TraceReader>> Open(const TraceSpec& spec);
  virtual ~TraceReader() = default;

  // Writes over all of `row`; false at the end.
  virtual absl::StatusOr<bool> Next(TraceRow& row) = 0;
  virtual const TraceReport& report() const = 0;
};

}  // namespace spillway
