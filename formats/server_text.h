#pragma once

#include <string_view>

#include "core/config.h"
#include "formats/reader.h"

// `kind: Server`.
namespace spillway {

void ReadServer(const Place& at, ServerSpec& out);

// "127.0.0.1:8080", "[::1]:0", "localhost:80".
bool IsHostAndPort(std::string_view text);
// Whether an address of that form is only reached from this machine. A server that listens
// elsewhere needs keys; command-line flags win over the file, so whoever starts it asks again.
bool IsLoopback(std::string_view host_and_port);

}  // namespace spillway
