#pragma once

#include <string>

#include "cli/console.h"
#include "formats/value.h"

namespace spillway::cli {

// A decision as people read it: what was decided, then every pool with what the job would cost
// there, when it would start, and why it was chosen or not; then what NVIDIA alone would cost.
std::string ExplainTable(const Value& decision, const Screen& screen, bool wide);

// Only the pools: for the answer to a submission that nobody could do.
std::string CandidatesTable(const Value::List& candidates, const Screen& screen, bool wide);

}  // namespace spillway::cli
