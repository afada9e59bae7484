#include "controller/northbound/assets.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "controller/northbound/api.h"
#include "controller/northbound/handlers.h"
#include "controller/northbound/reply.h"
#include "core/text.h"

namespace spillway {
namespace {

// Nothing from elsewhere, no inline script and no inline style: a name with markup in it stays a
// name, even if the page had a fault.
constexpr std::string_view kPolicy =
    "default-src 'self'; style-src 'self'; img-src 'self' data:; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'; object-src 'none'";

std::string_view TypeOf(std::string_view name) {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".svg")) return "image/svg+xml";
  return "application/octet-stream";
}

// "gzip" in a list of codings; with "q=0" it is one that the client does not take.
bool TakesGzip(const HttpRequest& request) {
  const std::string_view list = request.headers.Get("Accept-Encoding");
  for (absl::string_view part : absl::StrSplit(ToAbsl(list), ',')) {
    part = absl::StripAsciiWhitespace(part);
    if (!absl::ConsumePrefix(&part, "gzip")) continue;
    part = absl::StripLeadingAsciiWhitespace(part);
    if (part.empty()) return true;
    const bool refused =
        absl::StrContains(part, "q=0") && part.find_first_of("123456789") == part.npos;
    return part.front() == ';' && !refused;
  }
  return false;
}

}  // namespace

const Asset* FindAsset(std::string_view name) {
  const auto assets = Assets();
  const auto found = std::find_if(assets.begin(), assets.end(),
                                  [&](const Asset& asset) { return asset.name == name; });
  return found != assets.end() ? &*found : nullptr;
}

bool WantsPage(const HttpRequest& request) {
  return absl::StrContains(ToAbsl(request.headers.Get("Accept")), "text/html");
}

HttpResponse AssetAnswer(const HttpRequest& request, const Asset& asset) {
  const bool packed = TakesGzip(request);
  const bool page = asset.name.ends_with(".html");
  // A tag names bytes, and these differ.
  const std::string tag = EtagOf(packed ? asset.packed : asset.plain);
  HttpResponse response =
      Tagged(request, std::string(packed ? asset.packed : asset.plain), tag, TypeOf(asset.name));
  if (packed && response.status == 200) response.headers.Add("Content-Encoding", "gzip");
  response.headers.Add("Vary", page ? "Accept, Accept-Encoding" : "Accept-Encoding");
  response.headers.Set("Cache-Control", page ? "no-cache" : "public, max-age=31536000, immutable");
  response.headers.Add("Content-Security-Policy", kPolicy);
  response.headers.Add("X-Content-Type-Options", "nosniff");
  response.headers.Add("Referrer-Policy", "no-referrer");
  return response;
}

namespace handle {

Awaitable<HttpAnswer> GetAsset(Api&, Call call) {
  const Asset* asset = FindAsset(call.args[0]);
  if (asset == nullptr || asset->name == "index.html") {
    co_return ProblemAnswer(call.request, ProblemCode::kNotFound,
                            absl::StrCat("the dashboard has no file ", call.args[0],
                                         "; reload the page if it is older than the controller"));
  }
  co_return AssetAnswer(call.request, *asset);
}

}  // namespace handle
}  // namespace spillway
