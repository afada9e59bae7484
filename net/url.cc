#include "net/url.h"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/status.h"

namespace spillway {
namespace {

absl::Status Bad(std::string_view what, std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat(ToAbsl(what), " `", ToAbsl(text), "`: ", ToAbsl(why)));
}

std::string_view ToStdView(boost::urls::string_view s) { return {s.data(), s.size()}; }

}  // namespace

std::string BaseUrl::Authority() const {
  const bool brackets = host.find(':') != host.npos;
  std::string out = brackets ? absl::StrCat("[", host, "]") : host;
  if (port != (tls ? 443 : 80)) absl::StrAppend(&out, ":", port);
  return out;
}

absl::StatusOr<BaseUrl> ParseBaseUrl(std::string_view text) {
  const auto bad = [&](std::string_view why) { return Bad("server address", text, why); };
  const auto parsed = boost::urls::parse_uri({text.data(), text.size()});
  if (!parsed) return bad("not a URL such as http://127.0.0.1:8080");
  const boost::urls::url_view& url = *parsed;
  const bool tls = url.scheme_id() == boost::urls::scheme::https;
  if (!tls && url.scheme_id() != boost::urls::scheme::http) return bad("not http:// or https://");
  if (url.has_userinfo()) return bad("a user name or password does not belong here");
  if (url.has_query() || url.has_fragment()) return bad("a query or fragment does not belong here");
  if (url.encoded_host_address().empty()) return bad("no host");
  if (ToStdView(url.encoded_host_address()).find('%') != std::string_view::npos) {
    return bad("the host holds a percent sign");
  }
  BaseUrl out;
  out.tls = tls;
  out.host = ToStdView(url.encoded_host_address());
  out.port = tls ? 443 : 80;
  if (url.has_port() && !url.port().empty()) {
    out.port = url.port_number();
    if (out.port == 0) return bad("the port is not within 1 to 65535");
  }
  out.path = ToStdView(url.encoded_path());
  while (!out.path.empty() && out.path.back() == '/') out.path.pop_back();
  return out;
}

absl::StatusOr<HostPort> ParseHostPort(std::string_view text) {
  const auto bad = [&](std::string_view why) { return Bad("address", text, why); };
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) return bad("not HOST:PORT");
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  const bool brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (brackets) host = host.substr(1, host.size() - 2);
  const bool colons = host.find(':') != host.npos;
  if (colons != brackets) return bad("an IPv6 address, and nothing else, stands in brackets");
  if (host.empty() || host.find_first_of("[]") != host.npos) return bad("no host");
  std::uint32_t port = 0;
  if (digits.empty() || digits.find_first_not_of("0123456789") != digits.npos ||
      !absl::SimpleAtoi(ToAbsl(digits), &port) || port > 65535) {
    return bad("the port is not within 0 to 65535");
  }
  return HostPort{std::string(host), static_cast<std::uint16_t>(port)};
}

}  // namespace spillway
