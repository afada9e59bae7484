#include "controller/northbound/engine_faults.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/text.h"
#include "formats/json_scan.h"
#include "net/response_head.h"

namespace spillway {
namespace {

// 0: no whole number.
int NumberOf(JsonCursor& json) {
  int number = 0;
  JsonText text;
  std::string_view digits;
  const bool quoted = json.Peek() == '"';
  if (quoted ? json.String(&text) : json.Number(&digits))
    if (!absl::SimpleAtoi(ToAbsl(quoted ? text.raw : digits), &number)) number = 0;
  return number;
}

// Of an engine's error object: what it says of whose fault it is.
struct SaidError {
  int code = 0;
  bool invalid = false;  // its type says that the request is
};
SaidError ReadError(std::string_view object) {
  SaidError said;
  JsonCursor json(object);
  json.Object([&](const JsonText& key) {
    if (!SameJsonText(key, "error") || json.Peek() != '{') return json.Skip();
    return json.Object([&](const JsonText& name) {
      const char first = json.Peek();
      if (SameJsonText(name, "code") && (first == '"' || (first >= '0' && first <= '9'))) {
        said.code = NumberOf(json);
        return !json.failed();
      }
      JsonText type;
      if (!SameJsonText(name, "type") || first != '"') return json.Skip();
      if (!json.String(&type)) return false;
      said.invalid = SameJsonText(type, "invalid_request_error") ||
                     SameJsonText(type, "BadRequestError") || SameJsonText(type, "invalid_request");
      return true;
    });
  });
  return json.failed() ? SaidError() : said;
}

}  // namespace

ForwardFault FaultOf(const UpstreamError& error) {
  switch (error.fault) {
    case UpstreamFault::kConnect:
      return ForwardFault::kConnect;
    case UpstreamFault::kNoFirstByte:
    case UpstreamFault::kStalled:
      return ForwardFault::kTimeout;
    default:
      return ForwardFault::kBroken;
  }
}

ForwardFault FaultOf(int status) {
  return status == 429 || status == 503 ? ForwardFault::kOverloaded : ForwardFault::kError;
}

bool RefusesUs(int status) {
  return status < 200 || (status >= 300 && status < 400) || status == 401 || status == 403 ||
         status == 404 || status == 405 || status == 501;
}

ForwardFault FaultOfRefusal(OpenAiCall kind, int status) {
  const bool no_such_call = status == 404 || status == 405 || status == 501;
  return kind != OpenAiCall::kChat && no_such_call ? ForwardFault::kCannot : ForwardFault::kError;
}

absl::Duration BackOffOf(const Headers& headers) {
  std::int64_t seconds = 1;
  if (!absl::SimpleAtoi(ToAbsl(headers.Get("Retry-After")), &seconds)) seconds = 1;
  return absl::Seconds(std::clamp<std::int64_t>(seconds, 1, 60));
}

std::string WhyLost(const UpstreamError& error) {
  switch (error.fault) {
    case UpstreamFault::kNone:
    case UpstreamFault::kAborted:
      return "the connection to it was ended";
    case UpstreamFault::kConnect:
      return "no connection could be made";
    case UpstreamFault::kSend:
      return "it did not take the request";
    case UpstreamFault::kClosed:
      return error.heard ? "its connection ended within the answer"
                         : "its connection ended before an answer";
    case UpstreamFault::kNoFirstByte:
      return "no answer came in time";
    case UpstreamFault::kStalled:
      return "its answer stalled for too long";
    case UpstreamFault::kUntrusted:
      return "its answer breaks the rules of HTTP";
    case UpstreamFault::kTooLong:
      return "its answer is too long";
    case UpstreamFault::kRequest:
      return "the request could not be written for it";
    case UpstreamFault::kEncoded:
      return absl::StrCat("its answer ", EncodedUnasked(error.encoding));
  }
  return "it failed";
}

std::optional<int> ClientsFault(std::string_view error_object) {
  const SaidError said = ReadError(error_object);
  const bool ours = said.code == 401 || said.code == 403 || said.code == 404 || said.code == 405 ||
                    said.code == 408 || said.code == 429;
  if (said.code >= 400 && said.code < 500 && !ours) return said.code;
  if (said.invalid && (said.code < 400 || said.code > 599)) return 400;
  return std::nullopt;
}

bool IsJsonObject(std::string_view text) {
  JsonCursor json(text);
  return json.Object([&](const JsonText&) { return json.Skip(); }) && json.AtEnd();
}

OpenAiError EngineRefused(std::string_view why) {
  return {.status = 502,
          .message = absl::StrCat("every engine that was asked refuses the controller: ",
                                  ToAbsl(why), "; its key, URL or name of the model is wrong"),
          .code = "engine_refused"};
}

OpenAiError EngineLost(std::string_view why) {
  return {.status = 502,
          .message = absl::StrCat("the engine was lost: ", ToAbsl(why)),
          .code = "engine_lost",
          .retry = true};
}

OpenAiError EveryEngineFull(absl::Duration rest) {
  if (rest <= absl::ZeroDuration()) return NoRoom("every engine is full");
  OpenAiError error = NoRoom("every engine said that it is overloaded");
  error.retry_after_seconds =
      static_cast<int>(absl::ToInt64Seconds(absl::Ceil(rest, absl::Seconds(1))));
  return error;
}

}  // namespace spillway
