#include "controller/northbound/reply.h"

#include <xxhash.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/text.h"

namespace spillway {
namespace {

// For a value in a query: everything but unreserved characters is escaped.
std::string Escaped(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '.' || c == '_' || c == '~') {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    }
  }
  return out;
}

}  // namespace

std::string EtagOf(std::string_view body) {
  return absl::StrCat("\"", absl::Hex(XXH64(body.data(), body.size(), 0), absl::kZeroPad16), "\"");
}

bool EtagListed(std::string_view list, std::string_view etag, bool weak) {
  for (absl::string_view entry : absl::StrSplit(ToAbsl(list), ',')) {
    entry = absl::StripAsciiWhitespace(entry);
    if (entry == "*") return true;
    if (weak) absl::ConsumePrefix(&entry, "W/");
    if (ToStd(entry) == etag) return true;
  }
  return false;
}

HttpResponse Tagged(const HttpRequest& request, std::string body, const std::string& etag,
                    std::string_view content_type) {
  HttpResponse response;
  const auto known = request.headers.Find("If-None-Match");
  const bool same = known && EtagListed(*known, etag, /*weak=*/true);
  response.status = same ? 304 : 200;
  response.headers.Add("ETag", etag);
  response.headers.Add("Cache-Control", "no-cache");
  if (same) return response;
  response.headers.Add("Content-Type", content_type);
  response.body = std::move(body);
  return response;
}

std::string NextLink(const HttpRequest& request, std::string_view after) {
  std::string link = absl::StrCat("<", request.target.substr(0, request.target.find('?')), "?");
  for (const QueryParam& param : request.query) {
    if (param.name != "after")
      absl::StrAppend(&link, Escaped(param.name), "=", Escaped(param.value), "&");
  }
  absl::StrAppend(&link, "after=", Escaped(after), ">; rel=\"next\"");
  return link;
}

}  // namespace spillway
