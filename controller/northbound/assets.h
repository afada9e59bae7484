#pragma once

#include <string_view>

#include "absl/types/span.h"
#include "net/http.h"

// The dashboard: the files of web/dist/, put into the program when it was built.
namespace spillway {

struct Asset {
  std::string_view name;    // "index.html", "app-K3NZQ5SX.js"
  std::string_view plain;   // its bytes
  std::string_view packed;  // the same, gzip
};
absl::Span<const Asset> Assets();  // by name
const Asset* FindAsset(std::string_view name);

// The asset, compressed if the client takes that; 304 if it has it already. Names with a hash in
// them never change their bytes, and may be kept for a year; the page itself is asked for anew.
HttpResponse AssetAnswer(const HttpRequest& request, const Asset& asset);

// Does the client ask for a page rather than for data? Browsers do; curl and programs do not.
bool WantsPage(const HttpRequest& request);

}  // namespace spillway
