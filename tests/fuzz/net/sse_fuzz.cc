// Any bytes as an event stream: the same events whatever the split, within the bound, and each
// comes back from a frame made of it.
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/check.h"
#include "net/sse.h"

using namespace spillway;  // NOLINT: a program of one file

namespace {

constexpr std::size_t kLimit = 512;

std::vector<SseEvent> Parse(std::string_view stream, std::size_t step, std::size_t limit = kLimit) {
  SseParser parser(limit);
  std::vector<SseEvent> events;
  absl::Status status;
  while (status.ok() && !stream.empty()) {
    status = parser.Feed(stream.substr(0, step));
    stream.remove_prefix(std::min(step, stream.size()));
    while (auto event = parser.Next()) events.push_back(*std::move(event));
  }
  return events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto whole = Parse(bytes, bytes.size() + 1);
  SPILLWAY_CHECK(whole == Parse(bytes, 1));
  SPILLWAY_CHECK(whole == Parse(bytes, 1 + data[0] % 13));
  for (const SseEvent& event : whole) {
    SPILLWAY_CHECK(event.data.size() <= kLimit);
    if (event.event.find('\0') != event.event.npos) continue;  // Frames cut names there.
    const auto again = Parse(SseFrame(event.event, event.id, event.data), 7, 1 << 20);
    SPILLWAY_CHECK(again.size() == 1 && again[0] == event);
  }
  return 0;
}
