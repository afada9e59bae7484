#pragma once

#include <string>
#include <string_view>

#include "core/code.h"
#include "net/http.h"

// Errors as OpenAI's clients expect them: {"error": {message, type, param, code}}, all four keys
// always there, and x-should-retry, by which the official client decides whether to try again.
namespace spillway {

struct OpenAiError {
  int status = 500;
  std::string_view type = "server_error";
  std::string message;
  std::string param;      // empty: null
  std::string_view code;  // empty: null
  bool retry = false;
  int retry_after_seconds = 0;  // 0: none is sent
};
HttpResponse OpenAiErrorAnswer(const OpenAiError& error);
// The same as one event of a stream, after which it is closed without [DONE].
std::string OpenAiErrorEvent(const OpenAiError& error);

OpenAiError InvalidRequest(std::string message, std::string param = "");
OpenAiError ModelNotFound(std::string_view model, std::string_view nearest);
OpenAiError NoRoom(std::string message);
// The controller ends before the answer could.
OpenAiError ShuttingDown();
// Nobody could answer it: what stood in the way decides between 400, 404 and 503.
OpenAiError CannotRoute(Code code, std::string_view model);

}  // namespace spillway
