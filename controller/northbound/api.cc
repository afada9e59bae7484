#include "controller/northbound/api.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "controller/northbound/openai_errors.h"
#include "core/text.h"

namespace spillway {
namespace {

// A page of another site may make a browser send a request here, and cannot be stopped from it; but
// it cannot keep the browser from saying so. Programs send no Origin.
bool FromElsewhere(const HttpRequest& head) {
  if (head.method == Method::kGet || head.method == Method::kHead) return false;
  const auto origin = head.headers.Find("Origin");
  if (!origin) return false;
  const std::string_view host = head.headers.Get("Host");
  return *origin != absl::StrCat("http://", ToAbsl(host)) &&
         *origin != absl::StrCat("https://", ToAbsl(host));
}

// A request that a browser may have been made to send.
HttpResponse CrossOrigin(const HttpRequest& head, std::string words) {
  if (!IsOpenAiPath(head)) return ProblemAnswer(head, ProblemCode::kCrossOrigin, std::move(words));
  return OpenAiErrorAnswer({.status = 403,
                            .type = "permission_error",
                            .message = std::move(words),
                            .code = "cross_origin"});
}

// Who may learn that nothing is there.
Role RoleForNothing(const HttpRequest& head) {
  const bool ours = head.path.size() >= 2 && head.path[0] == "api" && head.path[1] == "v1";
  return ours || IsOpenAiPath(head) ? Role::kReader : Role::kPublic;
}

HttpResponse NoRoute(const HttpRequest& head, const Match& match) {
  const std::string path = head.target.substr(0, head.target.find('?'));
  const bool openai = IsOpenAiPath(head);
  if (match.allowed.empty()) {
    std::string words = absl::StrCat("nothing is at ", path, "; / lists what there is");
    if (!openai) return ProblemAnswer(head, ProblemCode::kNotFound, std::move(words));
    return OpenAiErrorAnswer({.status = 404,
                              .type = "invalid_request_error",
                              .message = std::move(words),
                              .code = "unknown_url"});
  }
  std::string words =
      absl::StrCat(path, " takes ", match.allowed, ", not ", ToAbsl(MethodName(head.method)));
  HttpResponse response =
      openai ? OpenAiErrorAnswer({.status = 405,
                                  .type = "invalid_request_error",
                                  .message = std::move(words),
                                  .code = "method_not_allowed"})
             : ProblemAnswer(head, ProblemCode::kMethodNotAllowed, std::move(words));
  response.headers.Add("Allow", match.allowed);
  return response;
}

// By what was sent, of which nothing was checked.
bool IsOpenAiTarget(std::string_view target) {
  constexpr std::string_view kRoot = "/v1";
  return target.starts_with(kRoot) && (target.size() == kRoot.size() ||
                                       target[kRoot.size()] == '/' || target[kRoot.size()] == '?');
}

ProblemCode CodeForStatus(int status) {
  switch (status) {
    case 404:
      return ProblemCode::kNotFound;
    case 405:
    case 501:
      return ProblemCode::kMethodNotAllowed;
    case 408:
      return ProblemCode::kTooSlow;
    case 413:
      return ProblemCode::kTooLarge;
    case 503:
      return ProblemCode::kUnavailable;
    case 505:  // the client's version, no fault of ours
      return ProblemCode::kMalformed;
    default:
      return status >= 500 ? ProblemCode::kInternal : ProblemCode::kMalformed;
  }
}

}  // namespace

bool NamesThisMachine(std::string_view host) {
  const bool bracketed = host.starts_with('[');
  const std::string_view name = host.substr(0, bracketed ? host.find(']') + 1 : host.rfind(':'));
  if (name == "localhost" || name == "[::1]") return true;
  const bool numeric = name.find_first_not_of("0123456789.") == std::string_view::npos;
  return numeric && name.starts_with("127.");
}

Api::Api(Host& host, Dispatcher& dispatcher, Observer& observer, MetricsText& metrics,
         Machine machine, ApiLimits limits)
    : host_(host),
      dispatcher_(dispatcher),
      observer_(observer),
      metrics_(metrics),
      machine_(std::move(machine)),
      limits_(limits),
      started_at_(host.clock().Now()),
      past_views_(host.archive()) {}

void Api::SetKeys(std::shared_ptr<const Keyring> keys) {
  const std::lock_guard lock(keys_mutex_);
  keys_ = std::move(keys);
}

std::shared_ptr<const Keyring> Api::keys() const {
  const std::lock_guard lock(keys_mutex_);
  return keys_;
}

HeadAnswer Api::OnHead(const HttpRequest& head) {
  HeadAnswer answer;
  const Match match = FindRoute(head.method, head.path);
  const std::shared_ptr<const Keyring> keys = this->keys();
  if (match.route == nullptr) {
    const Role role = RoleForNothing(head);
    const Caller caller = WhoCalls(*keys, head.headers, role);
    answer.instead =
        caller.access == Access::kGranted ? NoRoute(head, match) : Refusal(head, caller, role);
  } else if (keys->empty() && !NamesThisMachine(head.headers.Get("Host"))) {
    answer.instead = CrossOrigin(
        head, absl::StrCat("the controller is not called ", ToAbsl(head.headers.Get("Host")),
                           "; ask for localhost, 127.0.0.1 or [::1]"));
  } else if (FromElsewhere(head)) {
    answer.instead = CrossOrigin(head, absl::StrCat("the request comes from a page of ",
                                                    ToAbsl(head.headers.Get("Origin"))));
  } else if (const Caller caller = WhoCalls(*keys, head.headers, match.route->role);
             caller.access != Access::kGranted) {
    answer.instead = Refusal(head, caller, match.route->role);
  } else {
    answer.body_limit = match.route->body_limit;
  }
  if (answer.instead) observer_.OnRequest("none", answer.instead->status, absl::ZeroDuration());
  return answer;
}

Awaitable<HttpAnswer> Api::Handle(HttpRequest request, Exchange& exchange) {
  const auto begun = std::chrono::steady_clock::now();
  Match match = FindRoute(request.method, request.path);
  if (match.route == nullptr) co_return NoRoute(request, match);
  // Once more: the key may have been taken back while the body came.
  Caller caller = WhoCalls(*keys(), request.headers, match.route->role);
  if (caller.access != Access::kGranted) co_return Refusal(request, caller, match.route->role);
  Call call(std::move(request), std::move(match.args), exchange);
  call.tenant = std::move(caller.who.tenant);
  call.role = caller.who.role;
  HttpAnswer answer = co_await match.route->handler(*this, std::move(call));
  observer_.OnRequest(match.route->operation, answer.response.status,
                      absl::FromChrono(std::chrono::steady_clock::now() - begun));
  co_return answer;
}

// What the server itself refuses: the head was no good, or the body too long. The status is the
// server's, the words are its own too; the form is ours.
HttpResponse Api::OnRefused(int status, std::string_view code, std::string_view detail) {
  const ProblemKind& kind = KindOf(CodeForStatus(status));
  Problem problem{.status = status,
                  .code = std::string(kind.name),
                  .title = std::string(kind.title),
                  .detail = absl::StrCat(ToAbsl(detail), " (", ToAbsl(code), ")"),
                  .retryable = kind.retryable};
  HttpResponse response;
  response.status = status;
  response.headers.Add("Content-Type", "application/problem+json");
  response.headers.Add("x-should-retry", kind.retryable ? "true" : "false");
  response.body = ProblemBody(problem);
  return response;
}

// OpenAI's clients read OpenAI's errors only.
HttpResponse Api::OnRefusedAt(std::string_view target, int status, std::string_view code,
                              std::string_view detail) {
  if (!IsOpenAiTarget(target)) return OnRefused(status, code, detail);
  return OpenAiErrorAnswer({.status = status,
                            .type = status < 500 ? "invalid_request_error" : "server_error",
                            .message = std::string(detail),
                            .code = code,
                            .retry = KindOf(CodeForStatus(status)).retryable});
}

std::shared_ptr<void> Api::OpenStream() {
  const std::shared_ptr<std::atomic<std::size_t>> open = open_streams_;
  if (open->fetch_add(1) >= limits_.streams) {
    open->fetch_sub(1);
    return nullptr;
  }
  return std::shared_ptr<void>(open.get(), [open](void*) { open->fetch_sub(1); });
}

}  // namespace spillway
