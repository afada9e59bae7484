#include "controller/northbound/openai_errors.h"

#include "absl/strings/str_cat.h"
#include "core/text.h"
#include "formats/json_writer.h"

namespace spillway {
namespace {

std::string Body(const OpenAiError& error) {
  std::string body;
  JsonWriter w(body);
  w.BeginObject().Key("error").BeginObject();
  w.Member("message", error.message).Member("type", error.type);
  if (error.param.empty()) {
    w.NullMember("param");
  } else {
    w.Member("param", error.param);
  }
  if (error.code.empty()) {
    w.NullMember("code");
  } else {
    w.Member("code", error.code);
  }
  w.EndObject().EndObject();
  return body;
}

}  // namespace

HttpResponse OpenAiErrorAnswer(const OpenAiError& error) {
  HttpResponse response = JsonResponse(error.status, Body(error));
  response.headers.Add("x-should-retry", error.retry ? "true" : "false");
  if (error.retry_after_seconds > 0)
    response.headers.Add("Retry-After", absl::StrCat(error.retry_after_seconds));
  return response;
}

std::string OpenAiErrorEvent(const OpenAiError& error) {
  return absl::StrCat("data: ", Body(error), "\n\n");
}

OpenAiError InvalidRequest(std::string message, std::string param) {
  return {.status = 400,
          .type = "invalid_request_error",
          .message = std::move(message),
          .param = std::move(param)};
}

OpenAiError ModelNotFound(std::string_view model, std::string_view nearest) {
  return {.status = 404,
          .type = "not_found_error",
          .message = absl::StrCat(
              "no pool serves the model `", ToAbsl(model), "`",
              nearest.empty() ? "" : absl::StrCat(" (did you mean `", ToAbsl(nearest), "`?)"),
              "; GET /v1/models lists what there is"),
          .param = "model",
          .code = "model_not_found"};
}

OpenAiError NoRoom(std::string message) {
  return {.status = 503,
          .message = std::move(message),
          .code = "no_capacity",
          .retry = true,
          .retry_after_seconds = 1};
}

OpenAiError ShuttingDown() {
  return {.status = 503,
          .message = "the controller is shutting down before the answer is whole",
          .code = "shutting_down",
          .retry = true,
          .retry_after_seconds = 1};
}

OpenAiError CannotRoute(Code code, std::string_view model) {
  const std::string name = absl::StrCat("`", ToAbsl(model), "`");
  switch (code) {
    case Code::kMemory:
      return {.status = 400,
              .type = "invalid_request_error",
              .message = absl::StrCat("the prompt and its answer are longer than any engine of ",
                                      name, " can hold"),
              .param = "messages",
              .code = "context_length_exceeded"};
    case Code::kTooDear:
      return {.status = 400,
              .type = "invalid_request_error",
              .message =
                  "no pool answers this within `metadata.spillway.max_cost_usd`: it is to "
                  "hold for the longest answer that `max_tokens` allows, and without "
                  "`max_tokens` for the longest that the engine can hold; give a smaller "
                  "`max_tokens`, or a larger budget",
              .param = "metadata",
              .code = "max_cost_exceeded"};
    case Code::kBudget:
      return {.status = 429,
              .type = "rate_limit_error",
              .message =
                  "what is left of your tenant's budget of this day or month (UTC) is less than "
                  "this request may cost on any pool that it may use; with a smaller `max_tokens` "
                  "it may cost less",
              .code = "insufficient_quota"};
    case Code::kRule:
    case Code::kTenant:
    case Code::kSite:
    case Code::kLabel:
      return {.status = 403,
              .type = "permission_error",
              .message = absl::StrCat("no pool that serves ", name,
                                      " may be used for this request (", ToAbsl(NameOf(code)), ")"),
              .code = "pool_not_allowed"};
    case Code::kModel:
      return ModelNotFound(model, "");
    default:
      return {
          .status = 503,
          .message = absl::StrCat("no engine of ", name, " is ready (", ToAbsl(NameOf(code)), ")"),
          .code = "no_engine_ready",
          .retry = true,
          .retry_after_seconds = 2};
  }
}

}  // namespace spillway
