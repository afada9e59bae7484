#include "net/http.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "core/text.h"
#include "net/chars.h"

namespace spillway {
namespace {

constexpr std::array<std::string_view, 7> kMethods = {"GET",   "HEAD",   "POST",   "PUT",
                                                      "PATCH", "DELETE", "OPTIONS"};

// JSON string of a text of ours: quotes and backslashes escaped, bytes below blank left out.
std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) continue;
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
  return out;
}

HttpResponse WithType(int status, std::string_view type, std::string body) {
  HttpResponse response;
  response.status = status;
  response.headers.Add("Content-Type", type);
  response.body = std::move(body);
  return response;
}

}  // namespace

std::string_view MethodName(Method method) { return kMethods[static_cast<std::size_t>(method)]; }

std::optional<Method> ParseMethod(std::string_view name) {
  for (std::size_t i = 0; i < kMethods.size(); ++i) {
    if (kMethods[i] == name) return static_cast<Method>(i);
  }
  return std::nullopt;
}

std::optional<std::string_view> HttpRequest::Query(std::string_view name) const {
  for (const QueryParam& param : query) {
    if (param.name == name) return param.value;
  }
  return std::nullopt;
}

// RFC 9110, section 15, and RFC 6585.
std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 402:
      return "Payment Required";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 426:
      return "Upgrade Required";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "";
  }
}

HttpResponse TextResponse(int status, std::string body) {
  return WithType(status, "text/plain; charset=utf-8", std::move(body));
}

HttpResponse JsonResponse(int status, std::string body) {
  return WithType(status, "application/json", std::move(body));
}

HttpResponse ProblemResponse(int status, std::string_view code, std::string_view detail) {
  return WithType(status, "application/problem+json",
                  absl::StrCat("{\"type\":\"about:blank\",\"title\":", Quoted(ReasonPhrase(status)),
                               ",\"status\":", status, ",\"code\":", Quoted(code),
                               ",\"detail\":", Quoted(detail), "}"));
}

bool ValidRequestId(std::string_view id) {
  return !id.empty() && id.size() <= 64 && chars::AllAre(id, chars::kRequestId);
}

}  // namespace spillway
