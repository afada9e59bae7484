#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "net/http.h"

namespace spillway {

// What the server decides about a response; the handler decides the rest.
struct ResponseFrame {
  enum class Body : std::uint8_t {
    kNone,     // 204, 304: neither body nor length
    kLength,   // Content-Length: `length`
    kChunked,  // Transfer-Encoding: chunked
    kToClose,  // HTTP/1.0 without a known length
  };
  Body body = Body::kNone;
  std::size_t length = 0;
  bool close = false;     // Connection: close
  std::string_view date;  // "Sun, 06 Nov 1994 08:49:37 GMT"
  std::string_view id;    // x-request-id
};

// Appends status line and fields, blank line included. Fields that belong to the server are taken
// from `frame` only. False, with nothing appended, if the status is not within 200 to 599 or a
// field is unsafe to write.
bool AppendResponseHead(const HttpResponse& response, const ResponseFrame& frame, std::string* out);

// "1f4\r\n"; the data and CRLF follow. Size 0 would end the body: callers never write it.
void AppendChunkSize(std::size_t size, std::string* out);

}  // namespace spillway
