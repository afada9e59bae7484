#include "net/sse.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/status.h"

namespace spillway {
namespace {

// A value that must stay on its line.
std::string_view OneLine(std::string_view value) {
  return value.substr(0, value.find_first_of(std::string_view("\r\n\0", 3)));
}

// Calls `take` with each line of `text`; CR, LF and CRLF end one, and the last needs no end.
template <class F>
void ForEachLine(std::string_view text, F take) {
  for (;;) {
    const std::size_t end = text.find_first_of("\r\n");
    take(text.substr(0, end));
    if (end == text.npos) return;
    const bool crlf = text[end] == '\r' && end + 1 < text.size() && text[end + 1] == '\n';
    text.remove_prefix(end + (crlf ? 2 : 1));
  }
}

void AppendField(std::string* out, std::string_view name, std::string_view value) {
  out->append(name).append(": ").append(value).push_back('\n');
}

}  // namespace

std::string SseFrame(std::string_view event, std::string_view id, std::string_view data) {
  std::string out;
  out.reserve(event.size() + id.size() + data.size() + 32);
  if (!OneLine(event).empty()) AppendField(&out, "event", OneLine(event));
  if (!OneLine(id).empty()) AppendField(&out, "id", OneLine(id));
  ForEachLine(data, [&](std::string_view line) { AppendField(&out, "data", line); });
  out.push_back('\n');
  return out;
}

std::string SseComment(std::string_view text) {
  std::string out;
  ForEachLine(text, [&](std::string_view line) { out.append(": ").append(line).push_back('\n'); });
  out.push_back('\n');
  return out;
}

absl::Status SseParser::Feed(std::string_view bytes) {
  while (failed_.ok() && !bytes.empty()) {
    if (std::exchange(after_cr_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    const std::size_t end = bytes.find_first_of("\r\n");
    const std::string_view part = bytes.substr(0, end);
    if (line_.size() + part.size() > limit_) {
      failed_ = absl::ResourceExhaustedError(
          absl::StrCat("event stream: a line is longer than ", limit_, " bytes"));
      break;
    }
    line_.append(part);
    if (end == bytes.npos) break;
    after_cr_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    failed_ = TakeLine(line_);
    line_.clear();
  }
  return failed_;
}

absl::Status SseParser::TakeLine(std::string_view line) {
  static constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (std::exchange(first_line_, false) && line.substr(0, 3) == kByteOrderMark) {
    line.remove_prefix(3);
  }
  if (line.empty()) {
    if (std::exchange(has_data_, false)) ready_.push_back(event_);
    event_.event.clear();
    event_.data.clear();
    return absl::OkStatus();
  }
  const std::size_t colon = std::min(line.find(':'), line.size());
  std::string_view value = line.substr(std::min(colon + 1, line.size()));
  if (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  return TakeField(line.substr(0, colon), value);
}

// A comment is a field without a name; it, `retry` and unknown names change nothing.
absl::Status SseParser::TakeField(std::string_view name, std::string_view value) {
  if (name == "event") {
    event_.event = value;
  } else if (name == "id") {
    if (value.find('\0') == value.npos) event_.id = value;
  } else if (name == "data") {
    if (event_.data.size() + value.size() >= limit_) {
      return absl::ResourceExhaustedError(
          absl::StrCat("event stream: an event is longer than ", limit_, " bytes"));
    }
    if (std::exchange(has_data_, true)) event_.data.push_back('\n');
    event_.data.append(value);
  }
  return absl::OkStatus();
}

std::optional<SseEvent> SseParser::Next() {
  if (ready_.empty()) return std::nullopt;
  SseEvent event = std::move(ready_.front());
  ready_.pop_front();
  return event;
}

}  // namespace spillway
