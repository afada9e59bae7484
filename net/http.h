#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/headers.h"

// What an HTTP exchange is about, as plain values: no socket, no parser, no framing.
namespace spillway {

// Methods that the server passes on. TRACE and CONNECT are answered 405, all others 501.
enum class Method : std::uint8_t { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions };
std::string_view MethodName(Method method);
std::optional<Method> ParseMethod(std::string_view name);  // Case matters: methods are upper case.

struct QueryParam {
  std::string name;
  std::string value;
  bool operator==(const QueryParam&) const = default;
};

struct HttpRequest {
  Method method = Method::kGet;
  std::string target;  // As sent: "/api/v1/jobs?limit=5". Printable ASCII.

  // The path, split at '/' first and percent-decoded afterwards, so an encoded slash stays inside
  // its segment: "/v1/models/a%2Fb" is {"v1", "models", "a/b"}; "/" is {}, "/a/" is {"a", ""}. A
  // segment is valid UTF-8 without control characters and never "." or "..", but it may hold a '/':
  // it is a name, never a file name.
  std::vector<std::string> path;
  std::vector<QueryParam> query;  // In order, decoded ('+' is a blank), repeated names kept.

  Headers headers;
  std::string body;

  std::string peer;  // Address of the other end without its port: "127.0.0.1", "::1".
  std::string id;    // x-request-id of the client if it is well formed, else one made here.
  bool takes_trailers = false;  // The client sent "TE: trailers".

  // First value of that query parameter.
  std::optional<std::string_view> Query(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  // Content-Length, Transfer-Encoding, Connection, Keep-Alive, Trailer, Date and x-request-id
  // belong to the server: set here, they are left out. A field that SafeField refuses turns the
  // whole response into a 500.
  Headers headers;
  std::string body;
};

// "Not Found"; "" for a status without a registered phrase.
std::string_view ReasonPhrase(int status);

// Responses with Content-Type text/plain, application/json, application/problem+json.
HttpResponse TextResponse(int status, std::string body);
HttpResponse JsonResponse(int status, std::string body);
// RFC 9457 with type about:blank. `code` is a word of ours ("head_too_long"); `detail` says what
// was found and what was wanted.
HttpResponse ProblemResponse(int status, std::string_view code, std::string_view detail);

// 1 to 64 of [A-Za-z0-9._-]: what we accept as x-request-id, and what we make ourselves.
bool ValidRequestId(std::string_view id);

}  // namespace spillway
