#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

// Server-sent events (WHATWG HTML, section 9.2): frames out, events in.
namespace spillway {

struct SseEvent {
  std::string event;  // "" means "message".
  std::string id;     // As far as it was ever set in the stream, for Last-Event-ID.
  std::string data;   // Lines joined with LF.
  bool operator==(const SseEvent&) const = default;
};

// One frame. Line ends in `data` become several data lines (CR, CRLF and LF all come back as LF);
// `event` and `id` are left out if empty, and cut at their first CR, LF or NUL.
std::string SseFrame(std::string_view event, std::string_view id, std::string_view data);
inline std::string SseFrame(std::string_view data) { return SseFrame({}, {}, data); }

// ": text\n\n": keeps the connection warm, no client sees an event.
std::string SseComment(std::string_view text);

// Takes the stream in pieces of any size and gives events in order:
//   SPILLWAY_RETURN_IF_ERROR(parser.Feed(bytes)); while (auto event = parser.Next()) ...
class SseParser {
 public:
  explicit SseParser(std::size_t event_limit = std::size_t{1} << 20) : limit_(event_limit) {}

  // kResourceExhausted once a line or the data of one event is longer than the limit; the parser is
  // of no use from then on. Take the events with Next() before feeding again.
  absl::Status Feed(std::string_view bytes);
  // The next whole event. What stands after the last blank line when the stream ends is no event.
  std::optional<SseEvent> Next();

 private:
  std::size_t limit_;
  std::string line_;       // The line that is not over yet.
  bool after_cr_ = false;  // An LF now belongs to the line end before it.
  bool first_line_ = true;
  bool has_data_ = false;
  SseEvent event_;
  std::deque<SseEvent> ready_;
  absl::Status failed_;

  absl::Status TakeLine(std::string_view line);
  absl::Status TakeField(std::string_view name, std::string_view value);
};

}  // namespace spillway
