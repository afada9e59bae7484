#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "formats/api_json.h"
#include "net/http.h"

// What can go wrong, as RFC 9457 problems: one table of codes, each with a page at /problems/CODE.
namespace spillway {

enum class ProblemCode : std::uint8_t {
  kMalformed,
  kTooSlow,
  kInvalidParameter,
  kNoValidKey,
  kRoleTooLow,
  kCrossOrigin,
  kNotFound,
  kMethodNotAllowed,
  kTooLarge,
  kConflict,
  kKeyInProgress,
  kKeyReused,
  kTooOld,
  kPreconditionFailed,
  kPreconditionRequired,
  kNoCapablePool,
  kBudgetSpent,
  kInvalidPolicy,
  kInvalidPool,
  kQueueFull,
  kTooManyStreams,
  kNoAnswer,
  kUnavailable,
  kStorage,
  kInternal,
};

struct ProblemKind {
  ProblemCode code;
  std::string_view name;
  int status;
  bool retryable;  // the same request may succeed later
  std::string_view title;
  std::string_view says;  // what it means and what to do
};
absl::Span<const ProblemKind> ProblemKinds();
const ProblemKind& KindOf(ProblemCode code);
const ProblemKind* FindProblem(std::string_view name);  // null: no such problem

// What is said beside the code.
struct ProblemDetails {
  std::string detail;
  std::vector<ProblemPart> errors;
  std::string candidates;       // JSON array
  int retry_after_seconds = 0;  // 0: none is sent
};

// A whole answer: application/problem+json, x-should-retry, Retry-After. `request` gives instance
// and trace.
HttpResponse ProblemAnswer(const HttpRequest& request, ProblemCode code, ProblemDetails details);
HttpResponse ProblemAnswer(const HttpRequest& request, ProblemCode code, std::string detail);

// An error that no handler treats on its own: kNotFound 404, kInvalidArgument 400, kAborted 409,
// kResourceExhausted and kUnavailable 503, anything else 500.
HttpResponse ProblemFor(const HttpRequest& request, const absl::Status& status);

// A body that could not be read: 400, with a pointer for each finding.
HttpResponse MalformedBody(const HttpRequest& request, const absl::Status& status);

}  // namespace spillway
