#include "net/response_text.h"

#include <charconv>

#include "net/chars.h"

namespace spillway {
namespace {

void AppendNumber(std::size_t number, int base, std::string* out) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number, base);
  out->append(digits, end.ptr);
}

bool BelongsToServer(std::string_view name) {
  const auto is = [&](std::string_view known) { return chars::SameWord(name, known); };
  switch (name.size()) {
    case 4:
      return is("date");
    case 7:
      return is("trailer");
    case 10:
      return is("connection") || is("keep-alive");
    case 12:
      return is("x-request-id");
    case 14:
      return is("content-length");
    case 17:
      return is("transfer-encoding");
    default:
      return false;
  }
}

void AppendFraming(const ResponseFrame& frame, std::string* out) {
  if (frame.body == ResponseFrame::Body::kLength) {
    out->append("Content-Length: ");
    AppendNumber(frame.length, 10, out);
    out->append("\r\n");
  } else if (frame.body == ResponseFrame::Body::kChunked) {
    out->append("Transfer-Encoding: chunked\r\n");
  }
  if (frame.close) out->append("Connection: close\r\n");
  out->append("Date: ").append(frame.date);
  out->append("\r\nx-request-id: ").append(frame.id).append("\r\n\r\n");
}

}  // namespace

bool AppendResponseHead(const HttpResponse& response, const ResponseFrame& frame,
                        std::string* out) {
  if (response.status < 200 || response.status > 599) return false;
  const std::size_t before = out->size();
  out->append("HTTP/1.1 ");
  AppendNumber(static_cast<std::size_t>(response.status), 10, out);
  out->append(" ").append(ReasonPhrase(response.status)).append("\r\n");
  for (std::size_t i = 0; i < response.headers.size(); ++i) {
    const auto [name, value] = response.headers[i];
    if (!SafeField(name, value)) {
      out->resize(before);
      return false;
    }
    if (BelongsToServer(name)) continue;
    out->append(name).append(": ").append(value).append("\r\n");
  }
  AppendFraming(frame, out);
  return true;
}

void AppendChunkSize(std::size_t size, std::string* out) {
  AppendNumber(size, 16, out);
  out->append("\r\n");
}

}  // namespace spillway
