#include "controller/northbound/engine_faults.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/text.h"

namespace spillway {

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

absl::Duration BackOffOf(const Headers& headers) {
  std::int64_t seconds = 1;
  if (!absl::SimpleAtoi(ToAbsl(headers.Get("Retry-After")), &seconds)) seconds = 1;
  return absl::Seconds(std::clamp<std::int64_t>(seconds, 1, 60));
}

OpenAiError EngineRefused(std::string_view why) {
  return {.status = 502,
          .message = absl::StrCat("every engine that was asked refuses the controller: ",
                                  ToAbsl(why), "; its key, URL or name of the model is wrong"),
          .code = "engine_refused"};
}

std::string_view DataOf(std::string_view event) {
  const std::size_t begin = event.find('{');
  return begin == std::string_view::npos
             ? std::string_view()
             : event.substr(begin, event.find_first_of("\r\n", begin) - begin);
}

OpenAiError EngineLost(std::string_view why) {
  return {.status = 502,
          .message = absl::StrCat("the engine was lost: ", ToAbsl(why)),
          .code = "engine_lost",
          .retry = true};
}

}  // namespace spillway
