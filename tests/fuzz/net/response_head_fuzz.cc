// Any bytes as an answer's head: one verdict, whole and byte by byte.
#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "net/response_head.h"

using namespace spillway;  // NOLINT: a program of one file

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ResponseHeadCheck whole, pieces;
  const auto state = whole.Feed(bytes);
  auto split = ResponseHeadCheck::State::kMore;
  for (std::size_t at = 1; split == ResponseHeadCheck::State::kMore && at <= size; ++at) {
    split = pieces.Feed(bytes.substr(0, at));
  }
  if (size == 0) split = pieces.Feed(bytes);
  SPILLWAY_CHECK(split == state);
  SPILLWAY_CHECK(pieces.refusal().fault == whole.refusal().fault);
  if (state != ResponseHeadCheck::State::kDone) return 0;
  SPILLWAY_CHECK(whole.head().status >= 100 && whole.head().status <= 599);
  SPILLWAY_CHECK(!(whole.head().framing.chunked && whole.head().framing.content_length));
  return 0;
}
