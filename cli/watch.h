#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "cli/api.h"
#include "cli/console.h"

namespace spillway::cli {

bool IsOver(const Value& job);

// Asks until the job is over, and shows a person meanwhile what it does. A controller that restarts
// in between is waited for, up to a minute. Gives the job, as it is, when interrupted.
absl::StatusOr<Value> WaitForEnd(Api& api, const std::string& job, Console& console);

// What the job prints, as it comes, until it is over or we are interrupted. `stream` is "stdout" or
// "stderr". Runs on the caller's thread with a connection of its own.
absl::Status FollowOutput(const std::string& server, const std::string& job,
                          std::string_view stream, std::ostream& to);

}  // namespace spillway::cli
