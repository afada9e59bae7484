// Any bytes as an event stream to relay: no byte is lost or moved, the data are those that the
// parser sees, whatever the split.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/check.h"
#include "net/sse.h"
#include "net/sse_splitter.h"

using namespace spillway;  // NOLINT: a program of one file

namespace {

struct Cut {
  std::string bytes;
  std::vector<std::string> data;
};

Cut Split(std::string_view stream, std::size_t step) {
  SseSplitter splitter;
  Cut out;
  while (!stream.empty()) {
    const std::string piece(stream.substr(0, step));
    stream.remove_prefix(piece.size());
    splitter.Feed(piece);
    SseSplitter::Event event;
    while (splitter.Next(&event)) {
      out.bytes += event.bytes;
      if (event.has_data) out.data.emplace_back(event.data);
    }
  }
  out.bytes += splitter.rest();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data + 1), size - 1);
  SseParser parser;
  std::vector<std::string> wanted;
  SPILLWAY_CHECK(parser.Feed(stream).ok() || size > 1000);
  while (const auto event = parser.Next()) wanted.push_back(event->data);
  for (const std::size_t step :
       {stream.size() + 1, std::size_t{1}, std::size_t{1} + data[0] % 13}) {
    const Cut cut = Split(stream, step);
    SPILLWAY_CHECK(cut.bytes == stream);
    SPILLWAY_CHECK(cut.data == wanted);
  }
  return 0;
}
