#pragma once

#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/text.h"

// absl::Status crosses every room boundary; exceptions stay inside the file that calls a throwing
// library. A message says what was attempted, on what, what was found and what was wanted:
// lowercase, no final period. The code says what the caller should do: kInvalidArgument fix the
// request, kNotFound name something else, kResourceExhausted or kUnavailable retry later,
// kFailedPrecondition or kAborted change state first, kInternal report a bug.
namespace spillway {

// The same status with "context: " before its message. OK stays OK.
inline absl::Status Annotate(const absl::Status& status, std::string_view context) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(ToAbsl(context), ": ", status.message()));
}

}  // namespace spillway

#define SPILLWAY_CONCAT_INNER(a, b) a##b
#define SPILLWAY_CONCAT(a, b) SPILLWAY_CONCAT_INNER(a, b)

// Returns from the calling function if `expression` is not OK.
#define SPILLWAY_RETURN_IF_ERROR(expression)                                \
  do {                                                                      \
    if (absl::Status spillway_status = (expression); !spillway_status.ok()) \
      return spillway_status;                                               \
  } while (false)
// NOLINTBEGIN(bugprone-macro-parentheses): a target may be a declaration, a temporary is one name.
// SPILLWAY_ASSIGN_OR_RETURN(const auto fleet, LoadFleet(path));
#define SPILLWAY_ASSIGN_OR_RETURN(target, expression) \
  SPILLWAY_ASSIGN_OR_RETURN_INNER(SPILLWAY_CONCAT(spillway_or_, __LINE__), target, expression)
#define SPILLWAY_ASSIGN_OR_RETURN_INNER(temporary, target, expression) \
  auto temporary = (expression);                                       \
  if (!temporary.ok()) return temporary.status();                      \
  target = *std::move(temporary)
// NOLINTEND(bugprone-macro-parentheses)
