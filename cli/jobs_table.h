#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cli/screen.h"
#include "formats/value.h"

namespace spillway::cli {

// One line a job.
std::string JobsTable(const Value::List& jobs, absl::Time now, const Screen& screen, bool wide);

// One job with all that is known of it.
std::string JobPage(const Value& job, absl::Time now, const Screen& screen);

// One sentence for the end of a wait: "succeeded on xeon-amx in 24 s for $0.001190; ..."
std::string DescribeEnd(const Value& job);

// A job and the decision that placed it; `job` is null for a submission that nobody could do.
struct Reasoned {
  Value job, decision;
};
// For each: why this pool, why not the others, its cost beside that of NVIDIA alone; then totals.
std::string WhyTable(const std::vector<Reasoned>& all, const Screen& screen);

// Why not the others, in short: pools by code. "devices: edge-npu, gaudi2; too late: local"
std::string WhyNot(const Value& decision);

}  // namespace spillway::cli
