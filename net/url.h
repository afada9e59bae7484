#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace spillway {

// Where a client connects: an origin and a path that every target is put behind.
struct BaseUrl {
  bool tls = false;
  std::string host;  // Name or address; IPv6 without brackets.
  std::uint16_t port = 80;
  std::string path;  // "" or "/prefix", no '/' at the end.

  // "127.0.0.1:8080", "[::1]:8080", "example.org": what the Host field says.
  std::string Authority() const;
  bool operator==(const BaseUrl&) const = default;
};

// "http://127.0.0.1:8080", "https://example.org/prefix/". kInvalidArgument for another scheme, a
// missing or odd host, user names and passwords, a query or a fragment.
absl::StatusOr<BaseUrl> ParseBaseUrl(std::string_view text);

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const HostPort&) const = default;
};
// "127.0.0.1:8080", "[::1]:0", "localhost:80". The port is needed.
absl::StatusOr<HostPort> ParseHostPort(std::string_view text);

}  // namespace spillway
