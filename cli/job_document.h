#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/parse.h"
#include "formats/value.h"

namespace spillway::cli {

// The JSON of a job: what `file` says ("" for none, "-" for standard input), then what the options
// say, then the words behind `--`. Only text is made here; the server judges what it means.
absl::StatusOr<Value> JobDocument(const Invocation& args, const std::string& file, absl::Time now);

// The options alone, over `job`. kInvalidArgument: a number that is none, "KEY=VALUE" without "=".
absl::Status ApplyJobOptions(const Invocation& args, absl::Time now, Value& job);

// "10m" from `now`, or an instant: RFC 3339.
absl::StatusOr<std::string> Instant(std::string_view text, absl::Time now, int direction);

// A whole file, or standard input for "-"; at most 1 MiB.
absl::StatusOr<std::string> ReadDocument(const std::string& file);

}  // namespace spillway::cli
