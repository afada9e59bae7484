#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "net/chars.h"
#include "net/head_fault.h"
#include "net/headers.h"

// What the heads of requests and responses (and trailers) have in common: lines, fields, framing.
// All of it strict: one spelling is right, and whatever two parsers could read in two ways is
// refused.
namespace spillway {

// Figures of the project's security bars; nginx and Apache allow 8 KiB a line and 100 fields.
inline constexpr std::size_t kMaxHeadBytes = 16 * 1024;
inline constexpr std::size_t kMaxHeadFields = 100;
inline constexpr std::size_t kMaxTargetBytes = 8 * 1024;

// Why a head cannot be taken: the answer's status, a word for metrics, and words for people.
struct Refusal {
  int status = 0;  // 0: nothing wrong.
  HeadFault fault = HeadFault::kNone;
  const char* why = "";
  bool refused() const { return status != 0; }
};

// Cuts a growing head into lines that end in CRLF. It remembers where it stopped, so a head that
// comes byte by byte is still read once, and it finds the same first fault however the bytes were
// split.
class HeadLines {
 public:
  enum class Got : std::uint8_t { kLine, kEnd, kMore, kRefused };

  // `bytes` is everything from the head's first byte on, at least what the last call saw.
  // kLine: begin() and end() bound a line without its CRLF. kEnd: the blank line; end() is the
  // length of the head. `first_limit` bounds the first line.
  Got Next(std::string_view bytes, std::size_t first_limit, Refusal* refusal);

  bool first() const { return lines_ == 1; }  // The line just cut is the first one.
  std::size_t begin() const { return begin_; }
  std::size_t end() const { return end_; }

 private:
  std::size_t next_ = 0;  // Start of the next line.
  std::size_t scan_ = 0;  // No LF in [next_, scan_).
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t lines_ = 0;
};

// Checks bytes[begin, end) as "name: value" and gives the places of both, blanks around the value
// cut.
Refusal CheckFieldLine(std::string_view bytes, std::size_t begin, std::size_t end,
                       Headers::Span* span);

inline std::string_view NameOf(std::string_view bytes, const Headers::Span& span) {
  return bytes.substr(span.name_at, span.name_size);
}
inline std::string_view ValueOf(std::string_view bytes, const Headers::Span& span) {
  return bytes.substr(span.value_at, span.value_size);
}

// How long a message is, as far as its head says.
struct Framing {
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool close = false;  // "Connection: close"

  // Each takes one field's value; a second Content-Length or Transfer-Encoding is refused even when
  // it says the same.
  Refusal TakeContentLength(std::string_view value);
  Refusal TakeTransferEncoding(std::string_view value);
  Refusal TakeConnection(std::string_view value);
  // After the last field: never both, chunked only in HTTP/1.1.
  Refusal Check(int minor_version) const;
};

// Calls `element` with each trimmed, non-empty element of a comma-separated list.
template <class F>
void ForEachElement(std::string_view list, F element) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    const std::string_view one = chars::Trim(list.substr(0, comma));
    if (!one.empty()) element(one);
    list.remove_prefix(comma == list.npos ? list.size() : comma + 1);
  }
}

}  // namespace spillway
