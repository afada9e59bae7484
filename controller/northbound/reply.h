#pragma once

#include <string>
#include <string_view>

#include "net/http.h"

// Answers that went well.
namespace spillway {

// A strong tag: changes whenever a byte of the representation does.
std::string EtagOf(std::string_view body);

// Does a list of tags (If-Match, If-None-Match) hold this one, or "*"? `weak`: compare as
// If-None-Match does, "W/" left aside.
bool EtagListed(std::string_view list, std::string_view etag, bool weak);

// 200 with an ETag, or 304 without a body if the client has it already.
HttpResponse Tagged(const HttpRequest& request, std::string body, const std::string& etag,
                    std::string_view content_type = "application/json");
inline HttpResponse Tagged(const HttpRequest& request, std::string body) {
  const std::string etag = EtagOf(body);
  return Tagged(request, std::move(body), etag);
}

// The same request with other values for `after`, as a Link header's value: <...>; rel="next".
std::string NextLink(const HttpRequest& request, std::string_view after);

}  // namespace spillway
