#include "controller/northbound/problems.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "core/text.h"
#include "formats/findings.h"

namespace spillway {
namespace {

constexpr ProblemKind kKinds[] = {
    {ProblemCode::kMalformed, "malformed", 400, false, "The request is malformed",
     "The body is not what this path takes: no valid JSON or YAML, an unknown key, a value of the "
     "wrong type or unit, or a number out of its range; `errors` points at each place. Or the head "
     "is not written as HTTP wants it; `detail` says what is wrong."},
    {ProblemCode::kTooSlow, "too_slow", 408, true, "The request came too slowly",
     "Its head or its body took longer than the controller waits, or stalled on the way. Nothing "
     "was done; the same request may be sent again."},
    {ProblemCode::kInvalidParameter, "invalid_parameter", 400, false, "A parameter is invalid",
     "A query parameter or header is unknown, repeated, or has a value that it cannot have."},
    {ProblemCode::kNoValidKey, "no_valid_key", 401, false, "A key is needed",
     "This controller has keys, and the request shows none of them: no `Authorization: Bearer "
     "KEY`, "
     "two of them, another scheme, or a key that is unknown or no longer in force."},
    {ProblemCode::kRoleTooLow, "role_too_low", 403, false, "The key may not do this",
     "The key is good, but its role is too low: a reader looks, a submitter submits and cancels "
     "work of his tenant too, an operator does everything. /openapi.yaml says who may what."},
    {ProblemCode::kCrossOrigin, "cross_origin", 403, false, "Requests of other sites are refused",
     "A browser sent this request on behalf of a page from another origin, or the request names a "
     "host that this controller is not. Only pages from the controller itself may use it."},
    {ProblemCode::kNotFound, "not_found", 404, false, "There is no such thing",
     "The path, or the job, pool, decision or device that it names, does not exist."},
    {ProblemCode::kMethodNotAllowed, "method_not_allowed", 405, false, "The method is not allowed",
     "The path exists, the method does not. `Allow` lists those that do."},
    {ProblemCode::kTooLarge, "too_large", 413, false, "The body is too large",
     "Each path has a bound for its body; it is stated in /openapi.yaml."},
    {ProblemCode::kConflict, "conflict", 409, false, "The state does not allow it",
     "What was asked for contradicts what is: a pool of that name exists, for example."},
    {ProblemCode::kKeyInProgress, "key_in_progress", 409, true,
     "The first request with this Idempotency-Key is still under way",
     "Two requests with one key are worked on at the same time. Send this one again after "
     "Retry-After: it will be given the answer of the first."},
    {ProblemCode::kKeyReused, "key_reused", 422, false,
     "The Idempotency-Key was used for something else",
     "A key stands for one request. This one came with another body before; take a new key."},
    {ProblemCode::kTooOld, "too_old", 410, false, "The place in the stream is gone",
     "Changes are kept for a while only. List again, and watch from its `resource_version`."},
    {ProblemCode::kPreconditionFailed, "precondition_failed", 412, false,
     "It has changed in the meantime",
     "`If-Match` names another version than the one in force. Read again, look at what changed, "
     "and send the change again."},
    {ProblemCode::kPreconditionRequired, "precondition_required", 428, false,
     "If-Match is required",
     "So that nobody overwrites what he has not seen, this change needs `If-Match` with the ETag "
     "of what it is to replace."},
    {ProblemCode::kNoCapablePool, "no_capable_pool", 422, false, "No pool could ever do this work",
     "The request is well formed, but every configured pool lacks something that the work needs, "
     "whatever its load and health. `candidates` says for each pool what. Nothing was queued."},
    {ProblemCode::kBudgetSpent, "budget_spent", 429, true, "The tenant's budget is spent",
     "Less is left of the tenant's budget of this day or month (UTC) than this work would cost on "
     "any pool that may still be used. `candidates` says for each pool what. Nothing was queued; "
     "`Retry-After` says when the budget begins anew."},
    {ProblemCode::kInvalidPolicy, "invalid_policy", 422, false, "The policy does not hold together",
     "The document is well formed, but the policy could not work as it says: a rule that can never "
     "be reached, or that reaches no pool, for example. `errors` points at each."},
    {ProblemCode::kInvalidPool, "invalid_pool", 422, false, "The pool cannot be run here",
     "The document is well formed, but no adapter of this controller drives such a pool, or its "
     "figures contradict each other."},
    {ProblemCode::kQueueFull, "queue_full", 503, true, "Too much is waiting",
     "The queue of submissions or of jobs is at its bound. Nothing was taken; try again later."},
    {ProblemCode::kTooManyStreams, "too_many_streams", 503, true, "Too many streams are open",
     "The number of event and log streams is bounded, and the bound is reached."},
    {ProblemCode::kNoAnswer, "no_answer", 503, true, "No answer in time",
     "The controller did not answer itself in time. What was asked for may still happen: with an "
     "Idempotency-Key the same request may safely be sent again."},
    {ProblemCode::kUnavailable, "unavailable", 503, true, "Not available at the moment",
     "The controller is starting or stopping. Try again later."},
    {ProblemCode::kStorage, "storage", 503, true, "The store cannot be read",
     "The state folder could not be read just now. The log of the controller says more."},
    {ProblemCode::kInternal, "internal", 500, true, "A fault of the controller",
     "This is a bug. The log of the controller says more under the `trace_id`."},
};

ProblemCode CodeFor(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kNotFound:
      return ProblemCode::kNotFound;
    case absl::StatusCode::kInvalidArgument:
      return ProblemCode::kMalformed;
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
      return ProblemCode::kConflict;
    case absl::StatusCode::kResourceExhausted:
      return ProblemCode::kQueueFull;
    case absl::StatusCode::kUnavailable:
      return ProblemCode::kUnavailable;
    case absl::StatusCode::kDataLoss:
      return ProblemCode::kStorage;
    default:
      return ProblemCode::kInternal;
  }
}

std::string PathOf(const HttpRequest& request) {
  return request.target.substr(0, request.target.find('?'));
}

}  // namespace

absl::Span<const ProblemKind> ProblemKinds() { return kKinds; }

const ProblemKind& KindOf(ProblemCode code) {
  const auto found = std::find_if(std::begin(kKinds), std::end(kKinds),
                                  [code](const ProblemKind& kind) { return kind.code == code; });
  SPILLWAY_CHECK(found != std::end(kKinds));
  return *found;
}

const ProblemKind* FindProblem(std::string_view name) {
  const auto found = std::find_if(std::begin(kKinds), std::end(kKinds),
                                  [name](const ProblemKind& kind) { return kind.name == name; });
  return found != std::end(kKinds) ? found : nullptr;
}

HttpResponse ProblemAnswer(const HttpRequest& request, ProblemCode code, ProblemDetails details) {
  const ProblemKind& kind = KindOf(code);
  Problem problem{.status = kind.status,
                  .code = std::string(kind.name),
                  .title = std::string(kind.title),
                  .detail = std::move(details.detail),
                  .instance = PathOf(request),
                  .trace_id = request.id,
                  .retryable = kind.retryable,
                  .errors = std::move(details.errors),
                  .candidates = std::move(details.candidates)};
  HttpResponse response;
  response.status = kind.status;
  response.headers.Add("Content-Type", "application/problem+json");
  response.headers.Add("Cache-Control", "no-store");
  response.headers.Add("x-should-retry", kind.retryable ? "true" : "false");
  const int wait = details.retry_after_seconds > 0 ? details.retry_after_seconds
                   : kind.status == 503            ? 1
                                                   : 0;
  if (wait > 0) response.headers.Add("Retry-After", std::to_string(wait));
  response.body = ProblemBody(problem);
  return response;
}

HttpResponse ProblemAnswer(const HttpRequest& request, ProblemCode code, std::string detail) {
  return ProblemAnswer(request, code, ProblemDetails{.detail = std::move(detail)});
}

HttpResponse ProblemFor(const HttpRequest& request, const absl::Status& status) {
  return ProblemAnswer(request, CodeFor(status.code()), std::string(status.message()));
}

HttpResponse MalformedBody(const HttpRequest& request, const absl::Status& status) {
  ProblemDetails details;
  for (InputFinding& finding : FindingsOf(status)) {
    details.errors.push_back({std::move(finding.pointer), std::move(finding.detail)});
  }
  details.detail = details.errors.size() == 1 && !details.errors[0].pointer.empty()
                       ? absl::StrCat(details.errors[0].pointer, ": ", details.errors[0].detail)
                       : std::string(status.message());
  return ProblemAnswer(request, ProblemCode::kMalformed, std::move(details));
}

}  // namespace spillway
