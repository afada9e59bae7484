#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace spillway {

// Why a message was refused; one word each, good as a metric label.
enum class HeadFault : std::uint8_t {
  kNone,
  kHeadTooLong,       // 431
  kTooManyFields,     // 431
  kTargetTooLong,     // 414
  kRequestLine,       // 400: not METHOD SP TARGET SP VERSION
  kMethod,            // 405 TRACE and CONNECT, 501 unknown
  kTarget,            // 400: form or characters
  kVersion,           // 505
  kLineEnd,           // 400: CR without LF, LF without CR
  kFolding,           // 400: a field continued on the next line
  kFieldName,         // 400: no token, or a blank before the colon
  kFieldValue,        // 400: control characters
  kHost,              // 400: missing, repeated, empty, bad characters, other than in the target
  kContentLength,     // 400: repeated, not a number, with Transfer-Encoding
  kTransferEncoding,  // 400: anything but one "chunked" in HTTP/1.1
  kTrailer,           // 400: trailers are refused
  kContentEncoding,   // 415
  kExpect,            // 417
  kChunk,             // 400: framing of a chunked body
  kBodyTooLong,       // 413
  kStatusLine,        // of a response: not HTTP/1.x and three digits
};
inline constexpr std::size_t kHeadFaults = 21;

// "head_too_long", "folding", ...; "none" for kNone.
std::string_view FaultName(HeadFault fault);

}  // namespace spillway
