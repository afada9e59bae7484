#include "net/sse_splitter.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace spillway {
namespace {

constexpr std::size_t kKeptCapacity = 64 * 1024;

// The first CR or LF at or behind `at`; the size of `bytes` if there is none. LF is what everybody
// sends, so the search for CR looks only at what the other one has left.
std::size_t LineEnd(std::string_view bytes, std::size_t at) {
  const char* const start = bytes.data() + at;
  const std::size_t size = bytes.size() - at;
  const void* const lf = std::memchr(start, '\n', size);
  const std::size_t line =
      lf ? static_cast<std::size_t>(static_cast<const char*>(lf) - start) : size;
  const void* const cr = std::memchr(start, '\r', line);
  return at + (cr ? static_cast<std::size_t>(static_cast<const char*>(cr) - start) : line);
}

}  // namespace

void SseSplitter::Feed(std::string_view piece) {
  if (std::exchange(give_back_, false)) held_.clear();
  piece_ = piece;
}

bool SseSplitter::Next(Event* event) {
  if (std::exchange(give_back_, false)) {
    held_.clear();
    if (held_.capacity() > kKeptCapacity) held_.shrink_to_fit();
  }
  if (piece_.empty() || too_long_) return false;
  const std::size_t end = FindEnd(piece_);
  const std::string_view part = piece_.substr(0, end);
  if (held_.size() + part.size() > limit_) {
    too_long_ = true;
    return false;
  }
  piece_.remove_prefix(part.size());
  if (end == piece_.npos) {
    held_.append(part);
    return false;
  }
  event->bytes = part;
  if (!held_.empty()) {
    event->bytes = held_.append(part);
    give_back_ = true;
  }
  ReadData(event);
  return true;
}

// Where the event ends that goes on with `bytes`; npos if it does not.
std::size_t SseSplitter::FindEnd(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    if (std::exchange(after_cr_, false) && bytes[at] == '\n') {
      ++at;
      continue;
    }
    const std::size_t end = LineEnd(bytes, at);
    if (end == bytes.size()) {
      line_open_ = true;
      break;
    }
    const bool blank = !std::exchange(line_open_, false) && end == at;
    after_cr_ = bytes[end] == '\r';
    at = end + 1;
    if (!blank) continue;
    const bool crlf = after_cr_ && at < bytes.size() && bytes[at] == '\n';
    if (crlf) after_cr_ = false;
    return at + (crlf ? 1 : 0);
  }
  return bytes.npos;
}

void SseSplitter::ReadData(Event* event) {
  static constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  event->data = {};
  event->has_data = false;
  std::string_view left = event->bytes;
  if (std::exchange(first_, false) && left.substr(0, 3) == kByteOrderMark) left.remove_prefix(3);
  while (!left.empty()) {
    const std::size_t end = LineEnd(left, 0);
    std::string_view line = left.substr(0, end);
    left.remove_prefix(std::min(end + 1, left.size()));
    if (line.substr(0, 4) != "data" || (line.size() > 4 && line[4] != ':')) continue;
    line.remove_prefix(std::min<std::size_t>(5, line.size()));
    if (!line.empty() && line.front() == ' ') line.remove_prefix(1);
    if (!event->has_data) {
      event->data = line;
    } else {
      if (event->data.data() != joined_.data() || joined_.empty()) joined_.assign(event->data);
      event->data = joined_.append("\n").append(line);
    }
    event->has_data = true;
  }
}

}  // namespace spillway
