// Any bytes as a chunked body: the same body and verdict whatever the split, and never more body
// than bytes.
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>

#include "core/check.h"
#include "net/chunks.h"

using namespace spillway;  // NOLINT: a program of one file

namespace {

std::tuple<std::string, ChunkReader::State, HeadFault, std::size_t> ReadAll(
    std::string_view bytes, std::size_t step, ChunkReader::Trailers rule) {
  ChunkReader chunks(rule);
  std::string body;
  auto state = ChunkReader::State::kMore;
  std::size_t at = 0;
  for (; state == ChunkReader::State::kMore && at < bytes.size();) {
    const auto got = chunks.Next(bytes.substr(at, step));
    SPILLWAY_CHECK(got.consumed > 0 || got.state != ChunkReader::State::kMore);
    body += got.data;
    at += got.consumed;
    state = got.state;
  }
  return {body, state, chunks.refusal().fault, at};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto rule = data[0] & 1 ? ChunkReader::Trailers::kKeep : ChunkReader::Trailers::kRefuse;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto whole = ReadAll(bytes, bytes.size() + 1, rule);
  SPILLWAY_CHECK(whole == ReadAll(bytes, 1, rule));
  SPILLWAY_CHECK(whole == ReadAll(bytes, 1 + data[0] % 13, rule));
  SPILLWAY_CHECK(std::get<0>(whole).size() <= bytes.size());
  return 0;
}
